//! Discord has trouble, or has enough.

use super::{ANA, ANNOUNCE, BOB, DORA, EVE, RELEASES, Server, WAIT_LIMIT, is_card};
use slipway_sandbox::discord::{DiscordLimits, Fault, FaultKind, Window, permission};

const POST: &str = "POST /channels/{channel}/messages";
const EDIT: &str = "PATCH /channels/{channel}/messages/{message}";
const LIST: &str = "GET /channels/{channel}/messages";
const ME: &str = "GET /users/@me";

impl Server {
    fn fails(&self, route: &str, kind: FaultKind, times: u32) {
        self.discord.inject(Fault { method: route.to_owned(), kind, times });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_doubles_no_message() {
    let there = Server::http().await;
    there.fails(POST, FaultKind::AnswerLost, 1);
    there.says(ANA, "/deploy staging").await;
    there.until_card("is live").await;
    assert_eq!(there.cards().len(), 1, "{:?}", there.discord.transcript(RELEASES));
    let listed = |path: &str| path.starts_with(&format!("/channels/{RELEASES}/messages?after="));
    assert!(there.calls("GET", listed) >= 1, "it was looked for: {:?}", there.discord.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_past_may_not_be_read_discord_itself_knows_what_is_posted_twice() {
    let there = Server::http().await;
    // Discord then says that there is no message at all.
    there.discord.deny(RELEASES, permission::READ_MESSAGE_HISTORY);
    there.fails(POST, FaultKind::AnswerLost, 1);
    there.says(ANA, "/deploy staging").await;
    there.until_card("is live").await;
    assert_eq!(there.cards().len(), 1, "{:?}", there.discord.transcript(RELEASES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_posting_and_writing_it_down_doubles_no_message() {
    let mut there = Server::http().await;
    // It is posted, and no answer ever comes: the bot is killed while it waits.
    there.fails(POST, FaultKind::AnswerLost, 1);
    there.fails(LIST, FaultKind::Timeout, 1);
    there.says(ANA, "/deploy staging").await;
    let card = there.until("the card", RELEASES, |m, _| is_card(m)).await;
    there.world.bot.kill().unwrap();
    there.discord.heal();
    there.world.bot.start().await.unwrap();
    let live = there.until_card("is live").await;
    assert_eq!((live["id"].clone(), there.cards().len()), (card["id"].clone(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn storms_pass_and_the_end_is_shown() {
    let there = Server::http().await;
    there.fails(POST, FaultKind::RateLimited { retry_after_ms: 500, global: false }, 2);
    there.fails(EDIT, FaultKind::RateLimited { retry_after_ms: 500, global: true }, 3);
    // Each of these doubles the rest, and people do not wait for ever here.
    there.fails(EDIT, FaultKind::Status(500), 1);
    there.fails(EDIT, FaultKind::Garbled, 1);
    there.fails(EDIT, FaultKind::AnswerLost, 1);
    there.says(ANA, "/deploy staging").await;
    let card = there.until_card("is live").await;
    assert_eq!(there.cards().len(), 1);
    assert!(there.text(&card).contains("✔ verified"), "{}", there.text(&card));
    let edits = there.calls("PATCH", |path| path.contains("/channels/"));
    assert!(edits < 40, "what Discord says is obeyed: {:?}", there.discord.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_shown_where_discord_takes_little_and_nothing_is_tried_too_early() {
    let there = Server::http().await;
    // One after the other, so that Discord is never asked twice before it has said how much it takes.
    let little = Window { calls: 1, per_ms: 500 };
    let limits = DiscordLimits { post: little, edit: little, answer_within: WAIT_LIMIT, ..DiscordLimits::default() };
    there.discord.set_limits(limits);
    let card = there.production_waits().await;
    there.react(BOB, &card, "✅", true);
    there.press(DORA, &card, "approve").await;
    let ended = there.until_shows(&card, "is live").await;
    assert!(there.text(&ended).contains("approved by"), "{}", there.text(&ended));
    there.until("the announcement", ANNOUNCE, |_, text| text.contains("is in production")).await;
    there.until_written_to(EVE, "is in production with your").await;
    assert_eq!((there.cards().len(), there.discord.invalid_calls()), (2, 0), "{:?}", there.discord.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_keeps_its_order_when_the_first_must_wait() {
    let there = Server::http().await;
    there.fails(POST, FaultKind::Status(503), 2);
    there.says(ANA, "/deploy staging").await;
    there.says(BOB, "/deploy staging").await;
    there.until_card("is live").await;
    there.until("the second card", RELEASES, |m, text| is_card(m) && text.contains("asked by bob")).await;
    let asked: Vec<_> = there.cards().iter().map(|card| there.text(card).contains("asked by ana")).collect();
    assert_eq!(asked, [true, false], "{:?}", there.discord.transcript(RELEASES));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_starts_and_says_what_is_missing_while_discord_is_away() {
    let mut there = Server::gateway().await;
    there.world.bot.kill().unwrap();
    there.until_connected(false).await;
    there.fails(ME, FaultKind::Status(503), u32::MAX);
    there.world.bot.start().await.unwrap();
    let answer = reqwest::get(format!("{}/readyz", there.world.url)).await.unwrap();
    let (status, said) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert!(status == 503 && said.contains("Discord has trouble of its own"), "{status} {said}");
    there.discord.heal();
    there.until_connected(true).await;
    there.says(ANA, "/deploy staging").await;
    let card = there.until_card("is live").await;
    assert_eq!(there.text(&card).chars().next(), Some('●'));
}
