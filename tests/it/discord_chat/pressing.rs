//! Every button, pressed in Discord.

use super::people::release_of;
use super::{ANA, BOB, BOTH, DORA, RELEASES, Server, verbs};
use serde_json::{Value, json};
use slipway_sandbox::demo::Fail;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::ChatOption;

#[tokio::test(flavor = "multi_thread")]
async fn the_buttons_of_what_waits_for_approval() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        let card = there.production_waits().await;
        assert_eq!(verbs(&card), ["approve", "veto", "why", "details", "cancel"]);
        there.press(DORA, &card, "why").await;
        there.until_told(DORA, "production-approval").await;
        there.press(BOB, &card, "veto").await;
        there.until_shows(&card, "vetoed by bob").await;
        there.press(BOB, &card, "approve").await;
        there.until_shows(&card, "\u{2714} bob (release)").await;
        there.press(DORA, &card, "approve").await;
        let live = there.until_shows(&card, "is live").await;
        assert_eq!(verbs(&live), ["details", "lock"]);
        there.press(DORA, &live, "details").await;
        there.until_told(DORA, "Commits").await;
        assert_eq!(there.cards().len(), 2);
        assert_eq!(there.told(BOB), [""; 0], "the card shows a vote");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_asks_whether_one_is_sure() {
    for chat in BOTH {
        let there = Server::new(chat).await;
        let card = there.production_waits().await;
        there.press(ANA, &card, "cancel").await;
        let asked = there.until_told(ANA, "Cancel this release?").await;
        assert_eq!(verbs(&asked), ["cancel_sure"]);
        // Nothing is done before that.
        there.caught_up(ANA).await;
        there.until_shows(&card, "waiting for approval").await;
        there.press(ANA, &asked, "cancel_sure").await;
        let cancelled = there.until_shows(&card, "cancelled by ana").await;
        assert!(!verbs(&cancelled).contains(&"cancel".to_owned()));
        let asked_no_more = |m: &Value, text: &str| m["id"] == asked["id"] && text == "Cancelling: the card shows it.";
        let asked = there.until("the question is gone", RELEASES, asked_no_more).await;
        assert_eq!(verbs(&asked), [""; 0]);
        assert_eq!(there.world.aws.deployment_operations(&there.world.production_arn).len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_of_what_is_deferred() {
    let there = Server::http().await;
    there.says(ANA, "/deploy staging when:\"tomorrow 9:00\"").await;
    there.until_told(ANA, "Deploys goals to staging at 9:00 (").await;
    let waits = |m: &Value, text: &str| verbs(m) == ["cancel"] && text.contains("asked by ana");
    let message = there.until("what waits for its moment", RELEASES, waits).await;
    there.press(ANA, &message, "cancel").await;
    let asked = there.until_told(ANA, "Cancel this deployment? It has not begun.").await;
    there.press(ANA, &asked, "cancel_sure").await;
    let cancelled = there.until_shows(&message, "cancelled by ana").await;
    assert_eq!(verbs(&cancelled), [""; 0]);
    // Without its button it looks like one.
    assert!(there.cards().iter().all(|card| card["id"] == message["id"]), "{:?}", there.cards());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buttons_of_what_waits_for_a_lock() {
    let there = Server::http().await;
    there.says(BOB, "/release lock staging reason:\"load test\" for:1h").await;
    there.until_told(BOB, "staging").await;
    there.says(ANA, "/deploy staging").await;
    let card = there
        .until("the card that waits", RELEASES, |_, text| {
            text.contains("locked by bob") && text.contains("asked by ana")
        })
        .await;
    assert_eq!(verbs(&card), ["why", "cancel", "details"]);
    there.press(ANA, &card, "details").await;
    there.until_told(ANA, "Commits").await;
    there.press(ANA, &card, "why").await;
    there.until_told(ANA, "load test").await;
    there.says(BOB, "/release unlock staging").await;
    there.until_told(BOB, "is unlocked").await;
    there.until_shows(&card, "is live").await;
    there.until_nobody_waits().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_failed_is_tried_again() {
    let there = Server::with(ChatOption::DiscordHttp, Some(Fail::Deploy)).await;
    there.says(ANA, "/deploy staging").await;
    let failed = there.until_card("rolled the deployment back").await;
    assert_eq!(verbs(&failed), ["retry", "details", "lock"]);
    there.press(ANA, &failed, "details").await;
    there.until_told(ANA, "Commits").await;
    there.press(ANA, &failed, "retry").await;
    let again = there.until_card("is live").await;
    assert_ne!(again["id"], failed["id"], "a new release, a new message");
    there.press(BOB, &again, "lock").await;
    there.until_modal(BOB).await;
    there.discord.submit(BOB, &json!({ "for": "1h", "reason": "looking at the failure" })).await.unwrap();
    there.until_told(BOB, "staging").await;
    there.says(ANA, "/release status").await;
    there.until_told(ANA, "locked by bob").await;
    let asked = |m: &Value| there.text(m).contains("asked by ana");
    assert_eq!(there.cards().iter().filter(|card| asked(card)).count(), 2);
    there.until_nobody_waits().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_jobs_are_run_again_by_a_button() {
    let there = Server::gateway().await;
    there.world.github.set_ci(CiMode::RedTest);
    there.says(ANA, "/deploy staging").await;
    let red = there.until_card("CI is not green").await;
    assert_eq!(verbs(&red), ["rerun", "retry"]);
    there.world.github.set_ci(CiMode::Green);
    there.press(ANA, &red, "rerun").await;
    let again = there.until_card("is live").await;
    assert_ne!(again["id"], red["id"], "a new release, a new message");
    let head = &there.world.head;
    assert_eq!((there.world.github.attempts(head), there.world.github.dispatches().len()), (2, 1), "the same run");
    assert_eq!(there.cards().len(), 2);
    there.until_nobody_waits().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_asks_for_its_incident() {
    let there = Server::http().await;
    let card = there.production_waits().await;
    let command = format!("/release override {}", release_of(&card));
    let refused = there.discord.type_text(BOB, RELEASES, &command).await.unwrap_err();
    assert_eq!((&*refused.error, refused.errors.contains_key("incident")), ("missing_option", true), "{refused:?}");
    there.says(BOB, &format!("{command} incident:INC-7 reason:login is down @everyone")).await;
    there.until_shows(&card, "overridden by bob").await;
    let live = there.until_shows(&card, "is live").await;
    assert!(there.text(&live).contains("INC-7"), "{}", there.text(&live));
    let told = |_: &Value, text: &str| text.contains("overrode the policies for");
    let told = there.until("everybody is told", RELEASES, told).await;
    assert!(there.text(&told).contains("login is down @everyone"), "{}", there.text(&told));
    let everybody: Vec<_> = there.discord.all_notified().into_iter().filter(|n| n.who == "everyone").collect();
    assert_eq!(everybody, []);
    there.until_nobody_waits().await;
}
