//! Cards that have been there for hours: Discord takes few changes of a message that is older than one.

use super::{ANA, BOB, DORA, RELEASES, Server, is_card, unlimited, verbs};
use jiff::SignedDuration;
use serde_json::Value;
use slipway_sandbox::discord::{DiscordLimits, Fault, FaultKind};

const LONG: SignedDuration = SignedDuration::from_hours(2);
const POST: &str = "POST /channels/{channel}/messages";
const EDIT: &str = "PATCH /channels/{channel}/messages/{message}";
const LIST: &str = "GET /channels/{channel}/messages";

impl Server {
    /// The message in which a card goes on.
    async fn until_goes_on(&self, old: &Value, words: &str) -> Value {
        let fits = |m: &Value, text: &str| is_card(m) && m["id"] != old["id"] && text.contains(words);
        self.until(&format!("a newer card with \"{words}\""), RELEASES, fits).await
    }

    /// The bot is killed, time passes for Discord, which has no trouble any more, and the bot starts again.
    async fn crashes(&mut self, passes: SignedDuration) {
        self.world.bot.kill().unwrap();
        self.until_connected(false).await;
        self.discord.shift_clock(passes);
        self.discord.heal();
        self.world.bot.start().await.unwrap();
        self.until_connected(true).await;
    }
}

/// A release of production that was asked for two hours ago, and is waiting since.
async fn asked_long_ago() -> (Server, Value) {
    let there = Server::gateway().await;
    there.discord.set_limits(unlimited());
    there.says(ANA, "/deploy staging").await;
    there.until_card("is live").await;
    there.discord.shift_clock(-LONG);
    // Commands of long ago are refused; a message is one whenever it is read.
    there.says(ANA, "@slipway deploy production").await;
    there.until_card("waiting for approval").await;
    // Whatever the card still had to show is shown before the second answer.
    for times in 1..=2 {
        there.says(ANA, "@slipway status").await;
        let answers = || there.written_to(ANA).iter().filter(|text| text.contains("2 environments")).count();
        there.until("an answer", ANA, |_, _| answers() == times).await;
    }
    there.discord.shift_clock(LONG);
    let waits = |card: &Value| there.text(card).contains("waiting for approval");
    let card = there.cards().into_iter().rfind(waits).unwrap();
    (there, card)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_card_goes_on_in_a_new_message_and_leads_there() {
    let (there, old) = asked_long_ago().await;
    there.react(BOB, &old, "✅", true);
    let new = there.until_goes_on(&old, "✔ bob (release)").await;
    assert_eq!(new["reply_to"], old["id"]);
    let left = there.until_shows(&old, "This goes on in a newer message").await;
    let address = format!("/{RELEASES}/{}", new["id"].as_str().unwrap());
    assert!(left["content"].as_str().unwrap().contains(&address), "{left}");
    assert_eq!(verbs(&left), [""; 0], "nothing can be pressed there");
    // An approval there is none: what it shows may be old.
    there.react(DORA, &old, "✅", true);
    there.until_written_to(DORA, "this message goes on in a newer one. Vote there").await;
    there.until_shows(&new, "1 of dba").await;
    // Taken away there, what was given there is taken back.
    there.react(BOB, &old, "✅", false);
    there.until_shows(&new, "1 of release, 1 of dba or 1 more of release").await;
    for user in [BOB, DORA] {
        there.react(user, &new, "✅", true);
    }
    there.until_shows(&new, "is live").await;
    assert_eq!(there.cards().len(), 2, "{:?}", there.discord.transcript(RELEASES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_takes_no_more_changes_goes_on_once() {
    let there = Server::http().await;
    there.discord.set_limits(unlimited());
    let old = there.production_waits().await;
    there.caught_up(ANA).await;
    // The clocks differ, so that Discord is the one who says so.
    there.discord.shift_clock(LONG);
    there.discord.set_limits(DiscordLimits { old_edits_per_hour: Some(0), ..unlimited() });
    there.react(BOB, &old, "✅", true);
    let new = there.until_goes_on(&old, "✔ bob (release)").await;
    // The old one's button is not gone, and the new one takes the rest.
    there.press(DORA, &old, "approve").await;
    there.until_shows(&new, "is live").await;
    there.caught_up(ANA).await;
    assert_eq!(there.cards().len(), 3, "{:?}", there.discord.transcript(RELEASES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_old_card_leads_on_leaves_it_to_the_next_start() {
    let (mut there, old) = asked_long_ago().await;
    there.discord.inject(Fault { method: EDIT.to_owned(), kind: FaultKind::Status(503), times: u32::MAX });
    there.react(BOB, &old, "✅", true);
    let new = there.until_goes_on(&old, "✔ bob (release)").await;
    // What is answered in the same channel is answered after that is written down.
    there.caught_up(ANA).await;
    assert!(there.cards().iter().any(|card| card["id"] == old["id"]), "nothing can be changed");
    there.crashes(SignedDuration::ZERO).await;
    there.until_shows(&old, "This goes on in a newer message").await;
    there.react(DORA, &new, "✅", true);
    there.until_shows(&new, "is live").await;
    assert_eq!(there.cards().len(), 2, "{:?}", there.discord.transcript(RELEASES));
    let edits = there.calls("PATCH", |path| path.ends_with(old["id"].as_str().unwrap()));
    there.caught_up(ANA).await;
    let later = there.calls("PATCH", |path| path.ends_with(old["id"].as_str().unwrap()));
    assert_eq!(edits, later, "once it leads on it is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_newer_card_is_written_down_doubles_it_never() {
    let (mut there, old) = asked_long_ago().await;
    there.discord.inject(Fault::once(POST, FaultKind::AnswerLost));
    there.react(BOB, &old, "✅", true);
    let new = there.until_goes_on(&old, "✔ bob (release)").await;
    // Nor does the bot find it before it is killed.
    there.discord.inject(Fault { method: LIST.to_owned(), kind: FaultKind::Timeout, times: u32::MAX });
    // Longer than Discord itself knows what is posted twice.
    there.crashes(SignedDuration::from_mins(10)).await;
    let left = there.until_shows(&old, "This goes on in a newer message").await;
    let address = format!("/{RELEASES}/{}", new["id"].as_str().unwrap());
    assert!(left["content"].as_str().unwrap().contains(&address), "{left}");
    there.react(DORA, &new, "✅", true);
    there.until_shows(&new, "is live").await;
    assert_eq!(there.cards().len(), 2, "{:?}", there.discord.transcript(RELEASES));
}
