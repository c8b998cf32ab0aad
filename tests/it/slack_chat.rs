//! The whole bot in Slack: the real binary, the strict stand-in, both ways in which deliveries come.

mod ageing;
mod deliveries;
mod held_up;
mod mentions;
mod people;
mod pressing;
mod reactions;
mod resuming;
mod setting_up;
mod sharing;
mod trouble;

use crate::awaited::{WAIT_LIMIT, seq, tail, until};
use serde_json::Value;
use slipway_sandbox::demo::Fail;
use slipway_sandbox::slack::SlackSandbox;
use slipway_sandbox::world::{ChatOption, Options, Pace, World};

const RELEASES: &str = "C0RELEASES";
const ANNOUNCE: &str = "C0ANNOUNCE";
const ANA: &str = "U0ANA0001";
const BOB: &str = "U0BOB0001";
const DORA: &str = "U0DORA001";
const EVE: &str = "U0EVE0001";

/// A workspace with the bot in it.
struct Workspace {
    world: World,
    slack: SlackSandbox,
}

impl Workspace {
    async fn new(chat: ChatOption) -> Self {
        Self::with(chat, None).await
    }

    /// One in which something goes wrong.
    async fn with(chat: ChatOption, fail: Option<Fail>) -> Self {
        let options = Options { pace: Pace::Fast, sqlite: true, chat, fail, ..Options::default() };
        let world = World::new(options).await.unwrap();
        let slack = world.slack.clone().unwrap();
        Self { world, slack }
    }

    async fn http() -> Self {
        Self::new(ChatOption::SlackHttp).await
    }

    /// The bot is stopped, its configuration is written anew, and it starts again.
    async fn configured(&mut self, change: impl FnOnce(&str) -> String) {
        self.world.bot.kill().unwrap();
        let before = std::fs::read_to_string(&self.world.config).unwrap();
        let after = change(&before);
        assert_ne!(before, after, "nothing is changed");
        std::fs::write(&self.world.config, after).unwrap();
        self.world.bot.start().await.unwrap();
    }

    /// Waits until the bot has answered something of somebody's that came last; what came before it has been done then.
    async fn caught_up(&self, user: &str) {
        let seen = self.messages(RELEASES).iter().filter_map(|m| m["seq"].as_u64()).max().unwrap_or(0);
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

    /// Waits until a card, wherever it is by now, shows some words.
    async fn until_shows(&self, card: &Value, words: &str) -> Value {
        let fits = |m: &Value, text: &str| m["ts"] == card["ts"] && text.contains(words);
        self.until(&format!("\"{words}\" on the card"), RELEASES, fits).await
    }

    /// Somebody types where releases are shown.
    async fn says(&self, user: &str, text: &str) {
        self.slack.type_text(user, RELEASES, text, None).await.unwrap();
    }

    /// Every message that is there, as the people see it; `channel` also stands for a conversation by its user.
    fn messages(&self, channel: &str) -> Vec<Value> {
        let state = self.slack.state(0);
        let channels = state["channels"].as_array().unwrap();
        let conversation = channels.iter().find(|c| c["user"] == channel).map(|c| c["id"].clone());
        let id = conversation.unwrap_or_else(|| channel.into());
        let messages = state["messages"].as_array().unwrap().iter();
        messages.filter(|m| m["channel"] == id && m["deleted"] == false).cloned().collect()
    }

    fn text(&self, message: &Value) -> String {
        self.slack.lines(message).join("\n")
    }

    /// Waits until a message is as it should be.
    async fn until(&self, what: &str, channel: &str, fits: impl Fn(&Value, &str) -> bool) -> Value {
        let look = || {
            let seq = seq(&self.slack.state(u64::MAX));
            (seq, self.messages(channel).into_iter().find(|m| fits(m, &self.text(m))))
        };
        let missing = || {
            let there = self.slack.transcript(channel).join("\n");
            format!("{what} did not come; there is:\n{there}\n{}", tail(&self.world.bot.log()))
        };
        until(look, async |seq| self.slack.changed(seq).await, missing).await
    }

    /// Waits for a card whose first line holds some words.
    async fn until_card(&self, words: &str) -> Value {
        let fits = |m: &Value, text: &str| is_card(m) && text.lines().next().unwrap_or_default().contains(words);
        self.until(&format!("a card with \"{words}\""), RELEASES, fits).await
    }

    /// Waits for something that one person alone is told where they typed.
    async fn until_told(&self, user: &str, words: &str) -> Value {
        let fits = |m: &Value, text: &str| m["ephemeral_for"] == user && text.contains(words);
        self.until(&format!("\"{words}\" for {user} alone"), RELEASES, fits).await
    }

    /// Waits for something in the conversation with one person.
    async fn until_written_to(&self, user: &str, words: &str) -> Value {
        self.until(&format!("\"{words}\" in the conversation with {user}"), user, |_, text| text.contains(words)).await
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

    async fn press(&self, user: &str, message: &Value, action: &str) {
        let (channel, ts) = (message["channel"].as_str().unwrap(), message["ts"].as_str().unwrap());
        self.slack.press(user, channel, ts, action).await.unwrap();
    }

    fn react(&self, user: &str, message: &Value, name: &str, added: bool) {
        self.slack.react(user, RELEASES, message["ts"].as_str().unwrap(), name, added).unwrap();
    }

    /// How often a method was called.
    fn calls(&self, method: &str) -> usize {
        let named = |call: &&String| call.split([' ', '?']).nth(1) == Some(method);
        self.slack.calls().iter().filter(named).count()
    }
}

fn is_card(message: &Value) -> bool {
    message["key"].as_str().is_some_and(|key| key.starts_with("release/"))
}

/// The story of the demo, told by what the channel shows.
async fn story(chat: ChatOption) {
    let there = Workspace::new(chat).await;
    let card = there.production_waits().await;
    there.react(ANA, &card, "white_check_mark", true);
    there.until_told(ANA, "Your vote does not count here").await;
    there.react(BOB, &card, "white_check_mark", true);
    there.press(DORA, &card, "approve").await;
    let ended = there.until_card("production · ").await;
    assert_eq!(ended["ts"], card["ts"], "the same message to the end");
    there.until_card("is live").await;
    let live =
        |m: &Value, text: &str| m["ts"] == card["ts"] && text.contains("is live") && text.contains("approved by");
    there.until("production's card at its end", RELEASES, live).await;
    let said = there.until("the announcement", ANNOUNCE, |_, text| text.contains("is in production")).await;
    assert!(there.text(&said).contains("approved by"), "{}", there.text(&said));
    there.until_written_to(EVE, "is in production with your").await;
    let thread =
        |m: &Value, text: &str| m["thread_ts"] == card["ts"] && m["ts"] != card["ts"] && text.contains("Commits");
    let details = there.until("the details in the thread", RELEASES, thread).await;
    assert!(there.text(&details).contains("20251104120000_likes"), "{}", there.text(&details));
    assert_eq!(there.cards().len(), 2, "one message a release");
    let called: std::collections::BTreeSet<_> =
        there.slack.notified().into_iter().map(|n| (n.channel, n.who)).collect();
    let authors = [(ANNOUNCE.to_owned(), ANA.to_owned()), (ANNOUNCE.to_owned(), EVE.to_owned())];
    assert_eq!(called, authors.into(), "the announcement calls the authors, and nothing else calls anybody");
    let told: Vec<_> = there.messages(BOB).iter().map(|m| there.text(m)).collect();
    assert_eq!(told.iter().filter(|text| text.contains("waits for your approval")).count(), 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_staging_to_the_announcement_over_http() {
    story(ChatOption::SlackHttp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_staging_to_the_announcement_over_socket_mode() {
    story(ChatOption::SlackSocket).await;
}
