//! Somebody deploys from AWS's console, pushes a tag, edits a secret or migrates by hand while a team works with Slipway, as
//! it is read in every chat.

use super::play::Play;
use slipway_core::message::Verb;
use slipway_core::release::{Outcome, Phase, Step};
use slipway_sandbox::front::Seen;
use slipway_sandbox::world::ChatOption;

pub(super) async fn what_is_deployed_past_slipway_is_told_and_gone_back_from(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.world.watch_targets().await.unwrap();
    play.say("ana", "/deploy staging").await;
    let first = play.until_end().await;
    let (head, other) = (play.world.head[..7].to_owned(), play.world.git(&["rev-parse", "main~2"]));
    play.world.bring_by_hand(&other);
    let words = format!("{} was deployed past Slipway, which had brought {head}", &other[..7]);
    let told = |m: &Seen| m.only_for.is_none() && !m.is_card() && m.text().contains(&words);
    let message = play.until("the news in the channel", told).await;
    for part in ["UPDATE_SERVICE", "The next plan starts from what runs there", "/rollback staging"] {
        assert!(message.text().contains(part), "{part} is missing:\n{}", message.text());
    }
    play.say("bob", "/release status").await;
    play.until_told("bob", &format!("Slipway had brought {head}")).await;

    play.say("ana", "/rollback staging").await;
    let back = play.until_end_of_another(&[&first]).await;
    let release = play.release(&back).await;
    assert_eq!(release.outcome, Some(Outcome::Live), "{}\n{}", back.text(), play.world.bot.log());
    assert_eq!(release.commit.unwrap().as_str(), play.world.head, "to what Slipway had brought");
    let gone = |m: &Seen| m.key == message.key && m.text().contains(", deployed past Slipway, is gone");
    play.until("the same message, which says that it is over", gone).await;
}

/// A release that waits for a lock, so that somebody can do something between its plan and its start.
async fn planned_behind_a_lock(play: &mut Play) -> Seen {
    play.say("bob", "/release lock staging \"looking\"").await;
    play.until_told("bob", "is locked by bob").await;
    play.say("ana", "/deploy staging").await;
    play.until("a card that waits", |m| m.is_card() && m.text().contains("queued: locked by bob")).await
}

pub(super) async fn a_tag_that_somebody_pushes_is_told_and_moved_by_the_next_release(chat: ChatOption) {
    const LATEST: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals:latest";
    let mut play = Play::new(chat, None).await;
    let text = std::fs::read_to_string(&play.world.config).unwrap();
    let there = "[service.goals.environment.staging]\n";
    std::fs::write(&play.world.config, text.replace(there, &format!("{there}promote = \"latest\"\n"))).unwrap();
    play.world.watch_targets().await.unwrap();
    play.say("ana", "/deploy staging").await;
    let first = play.until_end().await;
    let moved = |m: &Seen| m.is_card() && m.text().contains("tag latest now names");
    play.until("what became of the tag", moved).await;

    let other = format!("sha256:{}", "ab".repeat(32));
    play.world.aws.push_image("goals", "latest", &other);
    let told = |m: &Seen| m.only_for.is_none() && !m.is_card() && m.text().contains("latest was moved past Slipway");
    let message = play.until("the news in the channel", told).await;
    let head = play.world.head[..7].to_owned();
    let runs = format!("Nothing was deployed by that: {head} runs");
    for part in ["sha256:abab", "tagged with no commit", runs.as_str()] {
        assert!(message.text().contains(part), "{part} is missing:\n{}", message.text());
    }
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 1);

    // The way out that is named, of what runs already: there is a tag to be moved.
    assert!(message.text().contains("/deploy staging goals"), "{}", message.text());
    play.say("ana", "/deploy staging --service goals").await;
    let second = play.until_end_of_another(&[&first]).await;
    let release = play.release(&second).await;
    assert_eq!(release.outcome, Some(Outcome::Live), "{}\n{}", second.text(), play.world.bot.log());
    let plan = release.plan.unwrap();
    assert_eq!(plan.past_slipway.tag.unwrap().digest.as_str(), other, "the plan says it too");
    assert_eq!(plan.base.unwrap().as_str(), play.world.head, "and starts from what runs");
    let back = |m: &Seen| m.key == message.key && m.text().contains("latest is back after");
    play.until("the same message, which says that it is over", back).await;
    assert_eq!(play.world.aws.digest_of(LATEST).as_deref(), Some(plan.image.digest.as_str()));
}

pub(super) async fn a_secret_that_is_edited_in_the_middle_is_named_and_in_the_next_plan(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let waits = planned_behind_a_lock(&mut play).await;
    let secret = serde_json::json!({ "GOOSE_DBSTRING": play.world.staging_database, "SMTP_HOST": "mail.acme.dev" });
    play.world.aws.put_secret("goals/staging", &secret);
    play.say("bob", "/release unlock staging").await;
    let ended = play.until_end().await;
    assert_eq!(ended.key, waits.key);
    let release = play.release(&ended).await;
    assert_eq!(release.phase, Phase::Failed, "{}\n{}", ended.text(), play.world.bot.log());
    let named = "The secret goals/staging was stored again since the plan was made.";
    assert!(ended.text().contains(named), "{}", ended.text());
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 0, "nothing was deployed");
    let before = release.plan.unwrap().config;

    play.press("ana", &ended, Verb::Retry).await;
    let second = play.until_end_of_another(&[&ended]).await;
    let release = play.release(&second).await;
    assert_eq!(release.outcome, Some(Outcome::Live), "{}\n{}", second.text(), play.world.bot.log());
    assert_ne!(release.plan.unwrap().config, before, "it starts from what is stored");
}

pub(super) async fn a_migration_that_is_applied_in_the_middle_is_found_and_not_run_again(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let waits = planned_behind_a_lock(&mut play).await;
    let planned = play.release(&waits).await.plan.unwrap().migrations;
    let file = planned.last().expect("something is pending").clone();
    assert_eq!((planned.len(), file.file.as_str()), (1, "20251104120000_likes.sql"), "{planned:?}");
    crate::support::applies_likes_by_hand(&play.world.staging_database).await;
    play.say("bob", "/release unlock staging").await;
    let ended = play.until_end().await;
    let release = play.release(&ended).await;
    assert_eq!(release.outcome, Some(Outcome::Live), "{}\n{}", ended.text(), play.world.bot.log());
    let detail = release.steps.get(Step::Migrate).detail.clone().unwrap_or_default();
    let found = format!("1 found applied, and not by this release: {}", file.file);
    assert!(detail.contains(&found), "{detail}");
    assert!(ended.text().contains("found applied"), "{}", ended.text());

    play.world.merge_another().unwrap();
    play.say("ana", "/deploy staging").await;
    let second = play.until_end_of_another(&[&ended]).await;
    let release = play.release(&second).await;
    assert_eq!(release.outcome, Some(Outcome::Live), "{}\n{}", second.text(), play.world.bot.log());
    assert_eq!(release.plan.unwrap().migrations, [], "the next plan starts from what is there");
}
