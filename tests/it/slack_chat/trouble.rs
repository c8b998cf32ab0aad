//! Slack has trouble, or has enough.

use super::{ANA, BOB, RELEASES, Workspace};
use serde_json::Value;
use slipway_sandbox::slack::{Fault, FaultKind, SlackChannel};

fn fault(method: &str, kind: FaultKind, times: u32) -> Fault {
    Fault { method: method.to_owned(), kind, times }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_doubles_no_message() {
    let there = Workspace::http().await;
    there.slack.inject(fault("chat.postMessage", FaultKind::AnswerLost, 1));
    there.says(ANA, "/deploy staging").await;
    there.until_card("is live").await;
    assert_eq!(there.cards().len(), 1, "{:?}", there.slack.transcript(RELEASES));
    assert!(there.calls("conversations.history") >= 1, "it was looked for: {:?}", there.slack.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_posting_and_writing_it_down_doubles_no_message() {
    let mut there = Workspace::http().await;
    // It is posted, and no answer ever comes: the bot is killed while it waits.
    there.slack.inject(fault("chat.postMessage", FaultKind::AnswerLost, 1));
    there.slack.inject(fault("conversations.history", FaultKind::Timeout, 1));
    there.says(ANA, "/deploy staging").await;
    let card = there.until("the card", RELEASES, |m, _| super::is_card(m)).await;
    there.world.bot.kill().unwrap();
    there.slack.heal();
    there.world.bot.start().await.unwrap();
    let live = there.until_card("is live").await;
    assert_eq!((live["ts"].clone(), there.cards().len()), (card["ts"].clone(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn storms_pass_and_the_end_is_shown() {
    let there = Workspace::http().await;
    there.slack.inject(fault("chat.postMessage", FaultKind::RateLimited { retry_after_s: 1 }, 2));
    there.slack.inject(fault("chat.update", FaultKind::RateLimited { retry_after_s: 1 }, 3));
    there.slack.inject(fault("chat.update", FaultKind::Status(500), 3));
    there.slack.inject(fault("chat.update", FaultKind::Garbled, 1));
    there.slack.inject(fault("chat.update", FaultKind::AnswerLost, 1));
    there.says(ANA, "/deploy staging").await;
    let card = there.until_card("is live").await;
    assert_eq!(there.cards().len(), 1);
    assert!(there.text(&card).contains("✔ verified"), "{}", there.text(&card));
    assert!(there.calls("chat.update") < 40, "Retry-After is obeyed: {:?}", there.slack.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_keeps_its_order_when_the_first_must_wait() {
    let there = Workspace::http().await;
    there.slack.inject(fault("chat.postMessage", FaultKind::Status(503), 2));
    there.says(ANA, "/deploy staging").await;
    there.says(BOB, "/deploy staging").await;
    there.until_card("is live").await;
    there.until("the second card", RELEASES, |m, text| super::is_card(m) && text.contains("asked by bob")).await;
    let asked: Vec<_> = there.cards().iter().map(|card| there.text(card).contains("asked by ana")).collect();
    assert_eq!(asked, [true, false], "{:?}", there.slack.transcript(RELEASES));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_bot_cannot_post_the_person_is_told() {
    let there = Workspace::http().await;
    let mut private = SlackChannel::new("C0SECRET1", "secret");
    (private.private, private.bot_is_member) = (true, false);
    there.slack.set_channel(private);
    there.slack.type_text(ANA, "C0SECRET1", "/deploy staging", None).await.unwrap();
    let told = |m: &Value, text: &str| m["ephemeral_for"] == ANA && text.contains("/invite @slipway");
    there.until("what to do", "C0SECRET1", told).await;
    there.until_card("is live").await;
    // An answer finds its way there all the same.
    there.slack.type_text(ANA, "C0SECRET1", "/release status", None).await.unwrap();
    there.until("the status", "C0SECRET1", |_, text| text.contains("2 environments")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_starts_and_says_what_is_missing_while_slack_is_away() {
    let mut there = Workspace::http().await;
    there.world.bot.kill().unwrap();
    there.slack.inject(fault("auth.test", FaultKind::Status(503), u32::MAX));
    there.world.bot.start().await.unwrap();
    let ask = async || {
        let answer = reqwest::get(format!("{}/readyz", there.world.url)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, said) = ask().await;
    assert!(status == 503 && said.contains("Slack has trouble of its own"), "{status} {said}");
    there.slack.heal();
    // Whoever typed meanwhile was told that it failed, and nothing came of it.
    there.until_taken(ANA, "/deploy staging").await;
    let card = there.until_card("is live").await;
    there.slack.revoke_token();
    assert_eq!(there.text(&card).lines().next().unwrap().chars().next(), Some('●'));
}

impl Workspace {
    /// Types until the bot takes it: until it knows whose app it is, it takes nothing.
    pub(super) async fn until_taken(&self, user: &str, text: &str) {
        let deadline = tokio::time::Instant::now() + super::WAIT_LIMIT;
        loop {
            let refused = || {
                let is_refusal = |m: &Value| self.text(m).contains("Slipway is starting. Nothing was started");
                self.messages(RELEASES).iter().filter(|m| is_refusal(m)).count()
            };
            let before = refused();
            let _ = self.slack.type_text(user, RELEASES, text, None).await;
            self.slack.settled().await;
            if self.slack.deliveries().last().unwrap().answer.is_taken() && refused() == before {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "the bot takes nothing");
        }
    }
}
