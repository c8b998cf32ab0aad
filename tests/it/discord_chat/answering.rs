//! Answers that find their way: where it was asked while Discord takes them there, else to the person alone, else not at
//! all, and then the channel says so.

use super::{ANA, RELEASES, Server};
use jiff::SignedDuration;
use serde_json::Value;
use slipway_sandbox::discord::{DiscordChannel, Fault, FaultKind, permission};

/// Discord takes answers for fifteen minutes.
const OVER: SignedDuration = SignedDuration::from_mins(16);
const ANSWER: &str = "PATCH /webhooks/{application}/{token}/messages/@original";
const SECRET: &str = "310000000000000003";

impl Server {
    /// Somebody asks, and it takes so long that Discord takes no answer to it any more.
    async fn asks_in_vain(&self, user: &str) {
        let wait = FaultKind::RateLimited { retry_after_ms: 100, global: false };
        self.discord.inject(Fault { method: ANSWER.to_owned(), kind: wait, times: u32::MAX });
        self.says(user, "/release status").await;
        self.discord.shift_clock(OVER);
        self.discord.heal();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_given_in_the_conversation() {
    let there = Server::http().await;
    there.asks_in_vain(ANA).await;
    there.until_written_to(ANA, "2 environments").await;
    there.caught_up(ANA).await;
    assert_eq!(there.written_to(ANA).len(), 1, "{:?}", there.written_to(ANA));
    assert_eq!(there.told(ANA).iter().filter(|text| text.contains("2 environments")).count(), 1, "the one after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_messages_is_told_in_the_channel_that_there_is_one() {
    let there = Server::gateway().await;
    there.discord.close_direct(ANA);
    there.asks_in_vain(ANA).await;
    let hint = |m: &Value, text: &str| m["ephemeral_for"].is_null() && text.contains("I cannot write to you");
    let hint = there.until("a hint", RELEASES, hint).await;
    let text = there.text(&hint);
    assert!(text.contains("@ana") && !text.contains("environments"), "{text}");
    assert!(!there.discord.notified(ANA).is_empty(), "it calls them");
    // As it says, what is asked again is answered.
    there.caught_up(ANA).await;
    assert_eq!(there.written_to(ANA), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_bot_cannot_post_the_person_is_told() {
    let there = Server::http().await;
    there.discord.set_channel(DiscordChannel::new(SECRET, "secret"));
    there.discord.deny(SECRET, permission::VIEW_CHANNEL);
    there.discord.type_text(ANA, SECRET, "/deploy staging").await.unwrap();
    let told = |m: &Value, text: &str| m["ephemeral_for"] == ANA && text.contains("cannot be shown here");
    there.until("what is wrong", SECRET, told).await;
    there.until_card("is live").await;
    // An answer finds its way there all the same.
    there.discord.type_text(ANA, SECRET, "/release status").await.unwrap();
    there.until("the status", SECRET, |_, text| text.contains("2 environments")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_posting_is_forbidden_the_asker_is_told_and_it_is_tried_again() {
    let there = Server::http().await;
    there.discord.deny(RELEASES, permission::SEND_MESSAGES);
    there.says(ANA, "/deploy staging").await;
    there.until_told(ANA, "cannot be shown here").await;
    there.discord.deny(RELEASES, 0);
    there.until_card("is live").await;
    let told = |text: &&String| text.contains("cannot be shown here");
    assert_eq!(there.told(ANA).iter().filter(told).count(), 1, "once: {:?}", there.discord.transcript(RELEASES));
    assert_eq!(there.cards().len(), 1);
}
