//! Going back, as it is typed and read in every chat.

use super::play::Play;
use crate::support::history_versions;
use slipway_core::release::{AutomaticRollback, Outcome, Phase, RequestKind, Step, StepState};
use slipway_sandbox::demo::Fail;
use slipway_sandbox::front::Seen;
use slipway_sandbox::world::ChatOption;

/// Two releases to staging: an older commit, and the newest, which has a migration more.
async fn two(play: &mut Play) -> [Seen; 2] {
    play.say("ana", "/deploy staging feature/comment-threads").await;
    let older = play.until_end().await;
    play.say("ana", "/deploy staging").await;
    let newer = play.until_end_of_another(&[&older]).await;
    [older, newer]
}

pub(super) async fn a_rollback_past_a_migration_takes_it_back_only_where_that_is_asked_for(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let [older, newer] = two(&mut play).await;
    let (old, applied_by) = (play.release(&older).await, play.release(&newer).await);
    let applied = applied_by.plan.clone().unwrap().migrations;
    assert_eq!(applied.len(), 1, "{}", newer.text());
    let is_applied =
        async |play: &Play| history_versions(&play.world.staging_database).await.contains(&applied[0].version);
    let stem = applied[0].file.trim_end_matches(".sql").to_owned();

    play.say("ana", "/rollback staging").await;
    let back = play.until_end_of_another(&[&older, &newer]).await;
    assert_eq!(play.release(&back).await.outcome, Some(Outcome::Live), "{}\n{}", back.text(), play.world.bot.log());
    for part in ["Stay applied", stem.as_str(), "without --migrations", "is live again", applied_by.id.short()] {
        assert!(back.text().contains(part), "{part} is missing:\n{}", back.text());
    }
    assert!(is_applied(&play).await);

    play.say("ana", "/deploy staging").await;
    let again = play.until_end_of_another(&[&older, &newer, &back]).await;
    assert_eq!(play.release(&again).await.outcome, Some(Outcome::Live), "{}", again.text());
    play.say("ana", "/rollback staging --migrations").await;
    let taken = play.until_end_of_another(&[&older, &newer, &back, &again]).await;
    let release = play.release(&taken).await;
    assert_eq!(release.outcome, Some(Outcome::Live), "{}\n{}", taken.text(), play.world.bot.log());
    assert_eq!(release.commit, old.commit);
    let (verified, migrated) = (release.steps.get(Step::Verify), release.steps.get(Step::Migrate));
    assert_eq!(migrated.state, StepState::Succeeded);
    assert!(migrated.started_at.unwrap() >= verified.ended_at.unwrap(), "{}", taken.text());
    for part in
        ["is live again · 1 migration taken back", stem.as_str(), "rehearsed on an empty copy: down, up and down again"]
    {
        assert!(taken.text().contains(part), "{part} is missing:\n{}", taken.text());
    }
    assert!(!is_applied(&play).await);
}

pub(super) async fn what_is_known_to_be_bad_goes_nowhere(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let [older, newer] = two(&mut play).await;
    let bad = play.release(&newer).await;
    play.say("dora", "/release bad staging").await;
    play.until_told("dora", "No rule lets dora say what is bad on staging.").await;
    play.say("bob", "/release bad staging \"loses sessions\"").await;
    play.until_told("bob", "It runs on staging: /rollback staging").await;
    play.until("the news in the channel", |m| {
        m.only_for.is_none() && !m.is_card() && m.text().contains("loses sessions")
    })
    .await;
    play.until("the mark on the card", |m| m.key == newer.key && m.text().contains("known bad")).await;

    let commit = bad.commit.clone().unwrap();
    play.say("ana", &format!("/deploy production {commit}")).await;
    let refused = |m: &Seen| m.is_card() && m.text().contains("refused: Somebody has marked this commit");
    let card = play.until("a card that names the mark", refused).await;
    assert_eq!(play.release(&card).await.outcome, Some(Outcome::Denied), "{}", card.text());
    let way = format!("/deploy production {}", commit.short());
    assert!(card.text().contains("--undo") && card.text().contains(&way), "{}", card.text());
    play.say("ana", "/rollback staging").await;
    let back = play.until_end_of_another(&[&older, &newer, &card]).await;
    assert_eq!(play.release(&back).await.outcome, Some(Outcome::Live), "{}", back.text());
    play.say("ana", &format!("/rollback staging {}", bad.id.short())).await;
    play.until_told("ana", "Nothing was started.").await;
    assert_eq!(play.release(&card).await.started_at, None, "{}", card.text());
    assert_eq!(play.world.aws.deployment_operations(&play.world.production_arn).len(), 0);
}

pub(super) async fn what_is_not_verified_is_rolled_back_where_it_is_set_so(chat: ChatOption) {
    let mut play = Play::going_back_by_setting(chat).await;
    let [older, newer] = two(&mut play).await;
    assert_eq!(play.release(&older).await.phase, Phase::Succeeded, "{}", older.text());
    let back = play.until_end_of_another(&[&older, &newer]).await;
    let (failed, release) = (play.release(&newer).await, play.release(&back).await);
    let shown = format!("{}\n{}\n{}", newer.text(), back.text(), play.world.bot.log());
    assert!(matches!(failed.outcome, Some(Outcome::Failed { step: Some(Step::Verify), .. })), "{shown}");
    let Some(AutomaticRollback::Asked { release: asked, .. }) = &failed.automatic else { panic!("{shown}") };
    assert_eq!((asked, &release.outcome), (&release.id, &Some(Outcome::Live)), "{shown}");
    let RequestKind::Rollback { because_of, .. } = &release.request.kind else { panic!("{shown}") };
    assert_eq!(because_of.as_ref(), Some(&failed.id));
    assert!(back.text().contains("asked by Slipway for") && back.text().contains(failed.id.short()), "{shown}");
    let linked = |m: &Seen| m.key == newer.key && m.text().contains("Rollback asked for by Slipway");
    let card = play.until("the failed card that names the rollback", linked).await;
    assert!(card.text().contains(release.id.short()), "{}", card.text());
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 3, "{shown}");
}

pub(super) async fn a_first_release_that_is_not_well_is_left_for_what_ran_before(chat: ChatOption) {
    let mut play = Play::new(chat, Some(Fail::Health)).await;
    play.say("ana", "/deploy staging").await;
    let first = play.until_end().await;
    let failed = play.release(&first).await;
    assert!(matches!(failed.outcome, Some(Outcome::Failed { step: Some(Step::Verify), .. })), "{}", first.text());
    let (base, environment) = (failed.plan.clone().unwrap().base.unwrap(), &failed.request.key.environment);
    for part in ["Next: /rollback staging", "/deploy staging --config starts it once more"] {
        assert!(first.text().contains(part), "{part} is missing:\n{}", first.text());
    }
    assert!(!first.text().contains("/release retry"), "it would have nothing to do:\n{}", first.text());

    play.say("ana", &format!("/rollback {environment}")).await;
    let back = play.until_end_of_another(&[&first]).await;
    let shown = format!("{}\n{}", back.text(), play.world.bot.log());
    let release = play.release(&back).await;
    assert_eq!((release.commit.as_ref(), &release.outcome), (Some(&base), &Some(Outcome::Live)), "{shown}");
    for part in ["is live again", "brings back what ran before Slipway's first release", failed.id.short()] {
        assert!(back.text().contains(part), "{part} is missing:\n{shown}");
    }
    play.say("ana", "/rollback staging").await;
    play.until_told("ana", "There is nothing to go back to").await;
}
