//! The whole bot in Discord: the real binary, the strict stand-in, interactions over the gateway and over HTTP.

mod across;
mod ageing;
mod answering;
mod deliveries;
mod held_up;
mod mentions;
mod people;
mod pressing;
mod promises;
mod reactions;
mod resuming;
mod setting_up;
mod suggesting;
mod trouble;

use crate::awaited::{WAIT_LIMIT, seq, tail, until};
use serde_json::Value;
use slipway_sandbox::demo::Fail;
use slipway_sandbox::discord::{DiscordLimits, DiscordSandbox};
use slipway_sandbox::world::{ChatOption, Options, Pace, World};
use std::collections::BTreeSet;

const RELEASES: &str = "310000000000000001";
const ANNOUNCE: &str = "310000000000000002";
const ANA: &str = "210000000000000001";
const BOB: &str = "210000000000000002";
const DORA: &str = "210000000000000004";
const EVE: &str = "210000000000000005";
/// Commands and presses come either way.
const BOTH: [ChatOption; 2] = [ChatOption::DiscordHttp, ChatOption::Discord];
/// The app's user.
const BOT: &str = "110000000000000002";

/// No call is ever one too many, and the bot has as long for an answer as a busy machine needs.
fn unlimited() -> DiscordLimits {
    DiscordLimits { answer_within: WAIT_LIMIT, ..DiscordLimits::unlimited() }
}

/// A server with the bot in it.
struct Server {
    world: World,
    discord: DiscordSandbox,
}

impl Server {
    async fn new(chat: ChatOption) -> Self {
        Self::with(chat, None).await
    }

    /// One in which something goes wrong.
    async fn with(chat: ChatOption, fail: Option<Fail>) -> Self {
        let options = Options { pace: Pace::Fast, sqlite: true, chat, fail, ..Options::default() };
        let world = World::new(options).await.unwrap();
        let discord = world.discord.clone().unwrap();
        let there = Self { world, discord };
        there.until_connected(true).await;
        there
    }

    /// One whose commands and presses come over the gateway, as everything else does.
    async fn gateway() -> Self {
        Self::new(ChatOption::Discord).await
    }

    /// One that sends commands and presses over HTTP.
    async fn http() -> Self {
        Self::new(ChatOption::DiscordHttp).await
    }

    /// The bot is stopped, its configuration is written anew, and it starts again.
    async fn configured(&mut self, change: impl FnOnce(&str) -> String) {
        self.world.bot.kill().unwrap();
        self.until_connected(false).await;
        let before = std::fs::read_to_string(&self.world.config).unwrap();
        let after = change(&before);
        assert_ne!(before, after, "nothing is changed");
        std::fs::write(&self.world.config, after).unwrap();
        self.world.bot.start().await.unwrap();
        self.until_connected(true).await;
    }

    /// Waits until the bot is connected to the gateway, or is not: what people say and how they react comes over it
    /// always.
    async fn until_connected(&self, connected: bool) {
        let changed = self.discord.gateway().until(|hub| hub.connected() == connected);
        let log = || format!("connected: {}\n{}", !connected, tail(&self.world.bot.log()));
        tokio::time::timeout(WAIT_LIMIT, changed).await.unwrap_or_else(|_| panic!("{}", log()));
    }

    /// Waits until the bot has answered something of somebody's that came last; what came before it has been done then.
    async fn caught_up(&self, user: &str) {
        let seen = seq(&self.discord.state(u64::MAX));
        self.says(user, "/release status").await;
        let status = |m: &Value, text: &str| {
            m["ephemeral_for"] == user && m["seq"].as_u64() > Some(seen) && text.contains("2 environments")
        };
        self.until("the status", RELEASES, status).await;
    }

    /// What somebody alone has been told where they typed.
    fn told(&self, user: &str) -> Vec<String> {
        let theirs = self.messages(RELEASES).into_iter().filter(|m| m["ephemeral_for"] == user);
        theirs.map(|m| self.text(&m)).collect()
    }

    /// What the bot has written to somebody in their conversation.
    fn written_to(&self, user: &str) -> Vec<String> {
        let own = self.messages(user).into_iter().filter(|m| m["author"] == BOT);
        own.map(|m| self.text(&m)).collect()
    }

    /// Waits until a card, wherever it is by now, shows some words.
    async fn until_shows(&self, card: &Value, words: &str) -> Value {
        let fits = |m: &Value, text: &str| m["id"] == card["id"] && text.contains(words);
        self.until(&format!("\"{words}\" on the card"), RELEASES, fits).await
    }

    /// Somebody types where releases are shown: a command with its options, or a message.
    async fn says(&self, user: &str, text: &str) {
        self.discord.type_text(user, RELEASES, text).await.unwrap();
    }

    /// Every message that is there, as the people see it; `channel` also stands for a conversation by its user, and a
    /// thread by the message at which it began.
    fn messages(&self, channel: &str) -> Vec<Value> {
        let conversation = self.discord.direct_of(channel);
        let id = conversation.as_deref().unwrap_or(channel);
        let state = self.discord.state(0);
        let messages = state["messages"].as_array().unwrap().iter();
        messages.filter(|m| m["channel"] == id && m["deleted"] == false).cloned().collect()
    }

    fn text(&self, message: &Value) -> String {
        self.discord.lines(message).join("\n")
    }

    /// Waits until a message is as it should be.
    async fn until(&self, what: &str, channel: &str, fits: impl Fn(&Value, &str) -> bool) -> Value {
        let look = || {
            let seq = seq(&self.discord.state(u64::MAX));
            (seq, self.messages(channel).into_iter().find(|m| fits(m, &self.text(m))))
        };
        let missing = || {
            let conversation = self.discord.direct_of(channel);
            let there = self.discord.transcript(conversation.as_deref().unwrap_or(channel)).join("\n");
            format!("{what} did not come; there is:\n{there}\n{}", tail(&self.world.bot.log()))
        };
        until(look, async |seq| self.discord.changed(seq).await, missing).await
    }

    /// Waits for a card whose first line holds some words.
    async fn until_card(&self, words: &str) -> Value {
        let fits = |m: &Value, text: &str| is_card(m) && text.lines().next().unwrap_or_default().contains(words);
        self.until(&format!("a card with \"{words}\""), RELEASES, fits).await
    }

    /// Waits for something that one person alone is told where they typed or pressed.
    async fn until_told(&self, user: &str, words: &str) -> Value {
        let fits = |m: &Value, text: &str| m["ephemeral_for"] == user && text.contains(words);
        self.until(&format!("\"{words}\" for {user} alone"), RELEASES, fits).await
    }

    /// Waits for something that the bot writes to one person in their conversation.
    async fn until_written_to(&self, user: &str, words: &str) -> Value {
        let fits = |m: &Value, text: &str| m["author"] == BOT && text.contains(words);
        self.until(&format!("\"{words}\" in the conversation with {user}"), user, fits).await
    }

    /// Waits until a person has a form before them.
    async fn until_modal(&self, user: &str) -> Value {
        let look = || (seq(&self.discord.state(u64::MAX)), self.discord.modal_of(user));
        let missing = || format!("no form opens for {user}\n{}", tail(&self.world.bot.log()));
        until(look, async |seq| self.discord.changed(seq).await, missing).await
    }

    /// Waits until nobody is told any more that the bot thinks.
    async fn until_nobody_waits(&self) {
        let look = || {
            let state = self.discord.state(0);
            let mut there = state["messages"].as_array().unwrap().iter().filter(|m| m["deleted"] == false);
            (seq(&state), there.all(|m| m["thinking"] == false).then_some(()))
        };
        let missing = || format!("somebody still waits:\n{}", self.discord.transcript(RELEASES).join("\n"));
        until(look, async |seq| self.discord.changed(seq).await, missing).await;
    }

    fn cards(&self) -> Vec<Value> {
        self.messages(RELEASES).into_iter().filter(is_card).collect()
    }

    /// A release of production that waits for approval.
    async fn production_waits(&self) -> Value {
        self.says(ANA, "/deploy staging").await;
        self.until_card("is live").await;
        self.says(ANA, "/deploy production").await;
        self.until_card("waiting for approval").await
    }

    /// Somebody presses a button by what it does.
    async fn press(&self, user: &str, message: &Value, verb: &str) {
        let (channel, id) = (message["channel"].as_str().unwrap(), message["id"].as_str().unwrap());
        self.discord.press(user, channel, id, &format!("{verb}|")).await.unwrap();
    }

    fn react(&self, user: &str, message: &Value, emoji: &str, added: bool) {
        self.discord.react(user, RELEASES, message["id"].as_str().unwrap(), emoji, added).unwrap();
    }

    /// How many calls of a method there were to a path that fits.
    fn calls(&self, method: &str, fits: impl Fn(&str) -> bool) -> usize {
        let calls = self.discord.calls();
        let parts = calls.iter().filter_map(|call| call.split_once(' '));
        parts.filter(|(called, path)| *called == method && fits(path)).count()
    }
}

/// The buttons of a message, by what they do and to what: `("approve", "release/01JD…")`.
fn buttons(message: &Value) -> Vec<(String, String)> {
    let rows = message["components"].as_array().into_iter().flatten();
    let buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    let ids = buttons.filter_map(|button| button["custom_id"].as_str()?.split_once('|'));
    ids.map(|(verb, key)| (verb.to_owned(), key.split('#').next().unwrap_or_default().to_owned())).collect()
}

/// What a message's buttons do.
fn verbs(message: &Value) -> Vec<String> {
    buttons(message).into_iter().map(|(verb, _)| verb).collect()
}

/// A release's message: of those that everybody sees where releases are shown, only what is said of something else has
/// a button for something else, or is a single line.
fn is_card(message: &Value) -> bool {
    let public = message["author"] == BOT && message["ephemeral_for"].is_null() && message["thinking"] == false;
    let embeds = message["embeds"].as_array().is_some_and(|embeds| !embeds.is_empty());
    public && embeds && buttons(message).iter().all(|(_, key)| key.starts_with("release/"))
}

/// The story of the demo, told by what the channel shows.
async fn story(chat: ChatOption) {
    story_in(&Server::new(chat).await, async || {}).await;
}

/// The same where something happens after each reaction.
async fn story_in(there: &Server, meanwhile: impl AsyncFn()) {
    let card = there.production_waits().await;
    there.react(ANA, &card, "✅", true);
    meanwhile().await;
    there.until_written_to(ANA, "Your vote does not count here").await;
    there.react(BOB, &card, "✅", true);
    meanwhile().await;
    there.press(DORA, &card, "approve").await;
    let ended = there.until_card("production · ").await;
    assert_eq!(ended["id"], card["id"], "the same message to the end");
    let live =
        |m: &Value, text: &str| m["id"] == card["id"] && text.contains("is live") && text.contains("approved by");
    there.until("production's card at its end", RELEASES, live).await;
    let said = there.until("the announcement", ANNOUNCE, |_, text| text.contains("is in production")).await;
    assert!(there.text(&said).contains("approved by"), "{}", there.text(&said));
    there.until_written_to(EVE, "is in production with your").await;
    let thread = card["id"].as_str().unwrap();
    let details = there.until("the details in the thread", thread, |_, text| text.contains("Commits")).await;
    assert!(there.text(&details).contains("20251104120000_likes"), "{}", there.text(&details));
    assert_eq!(there.cards().len(), 2, "one message a release");
    let called: BTreeSet<_> = there.discord.all_notified().into_iter().map(|n| (n.channel, n.who)).collect();
    let authors = [(ANNOUNCE.to_owned(), ANA.to_owned()), (ANNOUNCE.to_owned(), EVE.to_owned())];
    assert_eq!(called, authors.into(), "the announcement calls the authors, and nothing else calls anybody");
    let told = there.written_to(BOB);
    assert_eq!(told.iter().filter(|text| text.contains("waits for your approval")).count(), 1, "{told:?}");
    there.until_nobody_waits().await;
    let alone: Vec<_> = [ANA, BOB, DORA, EVE].into_iter().flat_map(|user| there.told(user)).collect();
    assert_eq!(alone, [""; 0], "what is on a card needs no other answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_staging_to_the_announcement_over_http() {
    story(ChatOption::DiscordHttp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_staging_to_the_announcement_over_the_gateway() {
    story(ChatOption::Discord).await;
}
