//! A pull request shipped, as it is typed and read in every chat.

use super::play::Play;
use slipway_core::release::Phase;
use slipway_sandbox::front::Seen;
use slipway_sandbox::github::{NewPull, NewReview};
use slipway_sandbox::world::ChatOption;

const BRANCH: &str = "feature/comment-threads";

pub(super) async fn a_pull_request_is_merged_when_it_is_green_and_goes_live_in_one_message(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    let (title, author) = ("Comment threads".to_owned(), "eve-dev".to_owned());
    play.world.github.open_pull(NewPull { number: 123, title, author, branch: BRANCH.to_owned() });
    let head = play.world.git(&["rev-parse", BRANCH]);
    play.world.github.mark_green(&head);

    play.say("dora", "/release ship 123").await;
    play.until_told("dora", "No rule lets dora ship pull requests to staging.").await;
    play.say("ana", "/release ship https://github.com/acme/other/pull/123").await;
    play.until_told("ana", "No service that is meant has the repository acme/other").await;

    play.say("ana", "/release ship 123").await;
    let missing = format!("○ goals → staging · waits for #123: 1 approval of {} missing", &head[..7]);
    let waits = play.until("a card that waits for a review", |m| m.is_card() && m.text().starts_with(&missing)).await;
    assert!(waits.text().contains("checks: 2 of 2 passed"), "{}", waits.text());
    play.say("bob", "/release ship #123 staging").await;
    play.until_told("bob", "#123 is on its way to staging").await;
    assert_eq!(play.world.github.merge_of(123), None);

    let approved_by = |who| NewReview { who, state: "APPROVED", association: "MEMBER" };
    play.world.github.review(123, approved_by("dora-dev")).await.unwrap();
    let why = "approval does not count: dora-dev cannot push to acme/goals";
    play.until("why Dora's approval counts for nothing", |m| m.key == waits.key && m.text().contains(why)).await;
    assert_eq!(play.world.github.merge_of(123), None);
    play.world.github.review(123, approved_by("bob-dev")).await.unwrap();
    let card = play.until_end().await;
    let release = play.release(&card).await;
    assert_eq!(release.phase, Phase::Succeeded, "{}\n{}", card.text(), play.world.bot.log());
    assert_eq!(card.key, waits.key, "the same message to the end");
    let merge = play.world.github.merge_of(123).unwrap();
    assert_eq!(release.commit.as_ref().unwrap().as_str(), merge, "what was merged is what runs");
    assert!(card.text().starts_with(&format!("● goals → staging · {} is live", &merge[..7])), "{}", card.text());
    assert!(card.text().contains("Comment threads by eve-dev · merged as"), "{}", card.text());
    let pinned = release.plan.unwrap().image.pinned();
    assert_eq!(play.world.aws.running_image(&play.world.staging_arn), Some(pinned));

    play.say("ana", "/deploy production").await;
    let asks = play.until_asked_for_approval().await;
    for person in ["bob", "dora"] {
        play.react(person, &asks, "✅").await;
    }
    play.until_end_of_another(&[&card]).await;
    let announced = play.until("the announcement", |m: &Seen| m.channel == "#announcements").await;
    assert!(announced.text().contains("Comment threads (#123, "), "{}", announced.text());
}

pub(super) async fn what_cannot_be_shipped_says_why_and_merges_nothing(chat: ChatOption) {
    let mut play = Play::new(chat, None).await;
    play.say("ana", "/release ship 9").await;
    let none = play.until_end().await;
    assert!(none.text().contains("acme/goals has no pull request #9."), "{}", none.text());
    let (title, author) = ("Comment threads".to_owned(), "eve-dev".to_owned());
    play.world.github.open_pull(NewPull { number: 123, title, author, branch: BRANCH.to_owned() });
    play.world.github.set_draft(123, true);
    play.say("ana", "/release ship 123").await;
    let draft = play.until_end_of_another(&[&none]).await;
    for part in ["nothing was merged", "#123 is a draft.", "mark it as ready for review"] {
        assert!(draft.text().contains(part), "{part} is missing:\n{}", draft.text());
    }
    play.world.github.set_draft(123, false);
    play.say("ana", "/release ship 123 --dry-run").await;
    let dry = play.until_end_of_another(&[&none, &draft]).await;
    assert!(dry.text().starts_with("– goals → staging · dry run: #123 would wait: 1 approval of "), "{}", dry.text());
    assert!(dry.text().contains("no check has reported yet"), "{}", dry.text());
    play.say("ana", "/release ship 123").await;
    play.until("a card that waits", |m| m.is_card() && m.text().contains("waits for #123")).await;
    play.say("ana", "/release cancel").await;
    let cancelled = play.until_end_of_another(&[&none, &draft, &dry]).await;
    assert!(cancelled.text().contains("cancelled by ana · nothing was merged"), "{}", cancelled.text());
    assert_eq!(play.world.github.merge_of(123), None);
    assert_eq!(play.world.aws.deployment_operations(&play.world.staging_arn).len(), 0);
}
