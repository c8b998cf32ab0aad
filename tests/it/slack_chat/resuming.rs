//! After a restart, a lost connection or a deleted message.

use super::{ANA, BOB, DORA, RELEASES, Workspace};
use serde_json::Value;
use slipway_sandbox::slack::{Mischief, Order};
use slipway_sandbox::world::ChatOption;

async fn votes(there: &Workspace, card: &Value, words: &str) {
    let voted = |m: &Value, text: &str| m["ts"] == card["ts"] && text.contains(words);
    there.until(&format!("\"{words}\" on the card"), RELEASES, voted).await;
}

async fn reactions_while_away(chat: ChatOption) {
    let mut there = Workspace::new(chat).await;
    let card = there.production_waits().await;
    there.react(BOB, &card, "white_check_mark", true);
    votes(&there, &card, "✔ bob (release)").await;
    there.world.bot.kill().unwrap();
    // Slack gives up telling somebody who is away.
    there.slack.hold();
    there.react(BOB, &card, "white_check_mark", false);
    there.react(DORA, &card, "white_check_mark", true);
    there.world.bot.start().await.unwrap();
    votes(&there, &card, "✔ dora (dba)").await;
    there.until_card("waiting for approval: 1 of release").await;
    // What Slack still tells later changes nothing.
    there.slack.let_go(Order::Backwards).await;
    there.react(BOB, &card, "white_check_mark", true);
    let live = |m: &Value, text: &str| m["ts"] == card["ts"] && text.contains("production") && text.contains("is live");
    there.until("production live, in the same message", RELEASES, live).await;
    assert_eq!(there.cards().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_that_were_missed_are_read_again_over_http() {
    reactions_while_away(ChatOption::SlackHttp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_that_were_missed_are_read_again_over_socket_mode() {
    reactions_while_away(ChatOption::SlackSocket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_card_comes_back_once() {
    let there = Workspace::http().await;
    let card = there.production_waits().await;
    there.slack.delete(ANA, RELEASES, card["ts"].as_str().unwrap()).unwrap();
    there.react_to_nothing();
    // The next change finds it gone.
    there.says(BOB, "/release approve").await;
    let again = there.until_card("waiting for approval: 1 of dba").await;
    assert_ne!(again["ts"], card["ts"]);
    assert!(there.text(&again).contains("✔ bob (release)"), "{}", there.text(&again));
    // It works as the first one did.
    there.react(BOB, &again, "white_check_mark", true);
    there.slack.settled().await;
    there.react(BOB, &again, "white_check_mark", false);
    there.until_card("1 of release, 1 of dba or 1 more of release").await;
    there.slack.delete(ANA, RELEASES, again["ts"].as_str().unwrap()).unwrap();
    there.says(BOB, "/release approve").await;
    there.says(DORA, "/release approve").await;
    there.until("the announcement", super::ANNOUNCE, |_, text| text.contains("is in production")).await;
    assert_eq!(there.cards().len(), 1, "somebody does not want it here: {:?}", there.slack.transcript(RELEASES));
}

impl Workspace {
    /// Nothing is said about a message that is not there.
    fn react_to_nothing(&self) {
        assert!(self.slack.react(BOB, RELEASES, "1.000001", "white_check_mark", true).is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_the_wrong_order_end_as_they_should() {
    let there = Workspace::http().await;
    let card = there.production_waits().await;
    there.slack.hold();
    there.react(BOB, &card, "white_check_mark", true);
    there.react(BOB, &card, "white_check_mark", false);
    there.slack.let_go(Order::Backwards).await;
    there.says(ANA, "/release status").await;
    there.until_told(ANA, "2 environments").await;
    let shown = there.messages(RELEASES).into_iter().find(|m| m["ts"] == card["ts"]).unwrap();
    assert!(!there.text(&shown).contains("✔ bob"), "{}", there.text(&shown));
    there.slack.spoil_next(Mischief::Twice);
    there.react(BOB, &card, "white_check_mark", true);
    votes(&there, &card, "✔ bob (release)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_mid_envelope_loses_and_doubles_nothing() {
    let there = Workspace::new(ChatOption::SlackSocket).await;
    let card = there.production_waits().await;
    there.slack.break_after_next_envelope();
    there.react(BOB, &card, "white_check_mark", true);
    votes(&there, &card, "✔ bob (release)").await;
    // Slack renews connections every few hours.
    there.slack.send_disconnect("refresh_requested");
    there.react(DORA, &card, "white_check_mark", true);
    let live = |m: &Value, text: &str| m["ts"] == card["ts"] && text.contains("is live");
    there.until("production live", RELEASES, live).await;
    assert_eq!(there.cards().len(), 2);
    let verified = there.world.bot.run(&["audit", "verify"]).unwrap();
    assert!(verified.status.success());
}
