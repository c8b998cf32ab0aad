//! Every button, pressed in Slack.

use super::{ANA, BOB, DORA, RELEASES, Workspace};
use serde_json::{Value, json};
use slipway_sandbox::demo::Fail;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::ChatOption;

/// The buttons of a message, by what they do.
fn buttons(message: &Value) -> Vec<String> {
    let blocks = message["blocks"].as_array().into_iter().flatten();
    let elements = blocks.filter(|b| b["type"] == "actions").flat_map(|b| b["elements"].as_array().unwrap());
    elements.map(|element| element["action_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buttons_of_what_waits_for_approval() {
    let there = Workspace::http().await;
    let card = there.production_waits().await;
    assert_eq!(buttons(&card), ["approve", "veto", "why", "details", "cancel"]);
    there.press(DORA, &card, "why").await;
    there.until_told(DORA, "production-approval").await;
    there.press(BOB, &card, "veto").await;
    there.until_shows(&card, "vetoed by bob").await;
    there.press(BOB, &card, "approve").await;
    there.until_shows(&card, "\u{2714} bob (release)").await;
    there.press(DORA, &card, "approve").await;
    let live = there.until_shows(&card, "is live").await;
    assert_eq!(buttons(&live), ["details", "lock"]);
    there.press(DORA, &live, "details").await;
    there.until_told(DORA, "Commits").await;
    assert_eq!(there.cards().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buttons_of_what_waits_for_a_lock() {
    let there = Workspace::http().await;
    there.says(BOB, "/release lock staging \"load test\" --for 1h").await;
    there.until_told(BOB, "staging").await;
    there.says(ANA, "/deploy staging").await;
    let card = there.until_card("locked by bob").await;
    assert_eq!(buttons(&card), ["why", "cancel", "details"]);
    there.press(ANA, &card, "details").await;
    there.until_told(ANA, "Commits").await;
    there.press(ANA, &card, "cancel").await;
    let cancelled = there.until_card("cancelled by ana").await;
    assert_eq!((&cancelled["ts"], buttons(&cancelled).contains(&"cancel".to_owned())), (&card["ts"], false));
    // Another one waits, and the lock is opened on the page.
    there.says(ANA, "/deploy staging").await;
    let card = there.until_card("locked by bob").await;
    there.slack.home(BOB).unwrap();
    there.until_home(BOB, "[Unlock]").await;
    there.slack.press_home(BOB, "unlock").await.unwrap();
    there.until_shows(&card, "is live").await;
    there.until_written_to(BOB, "is unlocked").await;
    there.until_home(BOB, "[Lock]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_failed_is_tried_again() {
    let there = Workspace::with(ChatOption::SlackHttp, Some(Fail::Deploy)).await;
    there.says(ANA, "/deploy staging").await;
    let failed = there.until_card("rolled the deployment back").await;
    assert_eq!(buttons(&failed), ["retry", "details", "lock"]);
    there.press(ANA, &failed, "details").await;
    there.until_told(ANA, "Commits").await;
    there.press(ANA, &failed, "retry").await;
    let again = there.until_card("is live").await;
    assert_ne!(again["ts"], failed["ts"], "a new release, a new message");
    there.press(BOB, &again, "lock").await;
    let form = there.until_modal().await;
    let values = json!({ "environment": { "environment": "staging goals" }, "for": { "for": "1h" },
                         "reason": { "reason": "looking at the failure" } });
    there.slack.submit(BOB, form["view_id"].as_str().unwrap(), &values).await.unwrap();
    there.until_told(BOB, "staging").await;
    there.says(ANA, "/release status").await;
    there.until_told(ANA, "locked by bob").await;
    assert_eq!(there.cards().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_jobs_are_run_again_by_a_button() {
    let there = Workspace::http().await;
    there.world.github.set_ci(CiMode::RedTest);
    there.says(ANA, "/deploy staging").await;
    let red = there.until_card("CI is not green").await;
    assert_eq!(buttons(&red), ["rerun", "retry"]);
    there.world.github.set_ci(CiMode::Green);
    there.press(ANA, &red, "rerun").await;
    let again = there.until_card("is live").await;
    assert_ne!(again["ts"], red["ts"], "a new release, a new message");
    let head = &there.world.head;
    assert_eq!((there.world.github.attempts(head), there.world.github.dispatches().len()), (2, 1), "the same run");
    assert_eq!(there.cards().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_of_what_is_deferred() {
    for chat in [ChatOption::SlackHttp, ChatOption::SlackSocket] {
        let there = Workspace::new(chat).await;
        there.says(ANA, "/deploy staging --when \"tomorrow 9:00\"").await;
        there.until_told(ANA, "Deploys goals to staging at 9:00 (").await;
        let waits = |m: &Value, text: &str| buttons(m) == ["cancel"] && text.contains("asked by ana");
        let message = there.until("what waits for its moment", RELEASES, waits).await;
        there.press(ANA, &message, "cancel").await;
        let cancelled = there.until_shows(&message, "cancelled by ana").await;
        assert_eq!(buttons(&cancelled), [""; 0]);
        assert_eq!(there.cards().len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_asks_for_its_incident() {
    let there = Workspace::http().await;
    let card = there.production_waits().await;
    let release = card["key"].as_str().unwrap().trim_start_matches("release/").to_owned();
    there.says(BOB, &format!("/release override {release}")).await;
    let form = there.until_modal().await;
    let view = form["view_id"].as_str().unwrap();
    let given = json!({ "reason": { "reason": "login is \"down\" <!channel>" } });
    let refused = there.slack.submit(BOB, view, &given).await.unwrap_err();
    assert_eq!(refused.errors.keys().collect::<Vec<_>>(), ["incident"], "{refused:?}");
    let mut given = given;
    given["incident"] = json!({ "incident": "INC-7" });
    there.slack.submit(BOB, view, &given).await.unwrap();
    there.until_shows(&card, "overridden by bob").await;
    let live = there.until_shows(&card, "is live").await;
    assert!(there.text(&live).contains("INC-7"), "{}", there.text(&live));
    let told = |_: &Value, text: &str| text.contains("overrode the policies for");
    let told = there.until("everybody is told", RELEASES, told).await;
    assert!(there.text(&told).contains("login is 'down' <!channel>"), "{}", there.text(&told));
    let called: Vec<_> = there.slack.notified().into_iter().filter(|n| n.who.starts_with('!')).collect();
    assert_eq!(called, []);
}
