//! People at the terminal of a world, for tests that read like the chat.

use jiff::Timestamp;
use slipway::store::TerminalMessage;
use slipway_core::message::terminal::{TerminalOptions, render};
use slipway_core::message::{Mark, Verb};
use slipway_core::migration::Version;
use slipway_core::release::Release;
use slipway_sandbox::front::terminal::Terminal;
use slipway_sandbox::world::{API_TOKEN, CHANNEL, World};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How long a test waits for something that must come.
const WAIT_LIMIT: Duration = Duration::from_secs(60);
/// How long the chat is looked at between two looks elsewhere. A read of it may wait for seconds where nothing is said.
pub(crate) const GLANCE: Duration = Duration::from_millis(50);

/// Everybody at once: types for each person, and sees all that the channels show.
pub(crate) struct Player {
    terminal: Terminal,
    /// Where the bot keeps its store.
    folder: PathBuf,
    /// The newest state of each message, by channel and key.
    messages: BTreeMap<(String, String), TerminalMessage>,
    /// Every state that was seen, in order.
    pub(crate) seen: Vec<TerminalMessage>,
}

impl Player {
    pub(crate) fn new(world: &World, session: &str) -> Self {
        let folder = world.folder().to_owned();
        Self { terminal: world.terminal(session), folder, messages: BTreeMap::new(), seen: Vec::new() }
    }

    pub(crate) async fn say(&self, person: &str, text: &str) {
        self.terminal.say(person, CHANNEL, text).await.unwrap();
    }

    pub(crate) async fn react(&self, person: &str, card: &TerminalMessage, reaction: &str) {
        self.terminal.react(person, CHANNEL, &card.key, reaction).await.unwrap();
    }

    pub(crate) async fn press(&self, person: &str, card: &TerminalMessage, verb: Verb) {
        self.terminal.press(person, CHANNEL, &card.key, verb).await.unwrap();
    }

    /// Takes in what is new. A bot that is just being started again has nothing to say.
    pub(crate) async fn look(&mut self) {
        for message in self.terminal.news().await.unwrap_or_default() {
            self.messages.insert((message.channel.clone(), message.key.clone()), message.clone());
            self.seen.push(message);
        }
    }

    /// Looks for a moment, where what is waited for shows elsewhere and may be no news in the chat.
    pub(crate) async fn glance(&mut self) {
        self.watch_for(GLANCE).await;
    }

    /// Looks for a while, whatever comes.
    pub(crate) async fn watch_for(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while tokio::time::timeout_at(deadline, self.look()).await.is_ok() {}
    }

    /// Looks until a message is as it should be.
    pub(crate) async fn until(&mut self, what: &str, fits: impl Fn(&TerminalMessage) -> bool) -> TerminalMessage {
        let deadline = Instant::now() + WAIT_LIMIT;
        loop {
            if let Some(found) = self.messages.values().find(|message| fits(message)) {
                return found.clone();
            }
            assert!(Instant::now() < deadline, "{what} did not come; there is:\n{}", self.everything());
            self.look().await;
        }
    }

    /// The next card that shows an end and is none of `known`.
    pub(crate) async fn until_end_of_another(&mut self, known: &[&TerminalMessage]) -> TerminalMessage {
        let keys: Vec<_> = known.iter().map(|card| card.key.clone()).collect();
        self.until("the end of the release", |m| is_card(m) && has_ended(m) && !keys.contains(&m.key)).await
    }

    pub(crate) async fn until_end(&mut self) -> TerminalMessage {
        self.until_end_of_another(&[]).await
    }

    /// The card of a release that asks for approval.
    pub(crate) async fn until_asked_for_approval(&mut self) -> TerminalMessage {
        let asks = |m: &TerminalMessage| is_card(m) && text(m).contains("waiting for approval");
        let card = self.until("a card that waits for approval", asks).await;
        self.until_noted(&card).await;
        card
    }

    /// Nobody has read a card before the bot knows that it is there.
    pub(crate) async fn until_noted(&mut self, card: &TerminalMessage) {
        let deadline = Instant::now() + WAIT_LIMIT;
        while !is_noted_as_shown(&self.folder, card.key.trim_start_matches("release/")).await {
            assert!(Instant::now() < deadline, "it is not noted as shown; there is:\n{}", self.everything());
            self.glance().await;
        }
    }

    /// Looks until so many answers have come.
    pub(crate) async fn watch_until_answers(&mut self, count: usize) {
        let deadline = Instant::now() + WAIT_LIMIT;
        while self.keys(CHANNEL, "answer/").len() < count {
            assert!(Instant::now() < deadline, "{count} answers did not come; there is:\n{}", self.everything());
            self.look().await;
        }
    }

    /// The newest answer that only this person sees and that contains a text.
    pub(crate) async fn until_told(&mut self, person: &str, words: &str) -> TerminalMessage {
        let told = |m: &TerminalMessage| m.only_for.as_deref() == Some(person) && text(m).contains(words);
        self.until(&format!("\"{words}\" for {person}"), told).await
    }

    /// Keys of the messages of a channel that begin so.
    pub(crate) fn keys(&self, channel: &str, prefix: &str) -> Vec<String> {
        let keys = self.messages.keys().filter(|(c, key)| c == channel && key.starts_with(prefix));
        keys.map(|(_, key)| key.clone()).collect()
    }

    /// The cards of a channel as they are now.
    pub(crate) fn cards(&self, channel: &str) -> Vec<TerminalMessage> {
        let cards = self.messages.iter().filter(|((at, _), message)| at == channel && is_card(message));
        cards.map(|(_, card)| card.clone()).collect()
    }

    /// The state of the release whose card a message is.
    pub(crate) async fn release(&self, world: &World, card: &TerminalMessage) -> Release {
        let url = format!("{}/api/v1/releases/{}", world.url, card.key.strip_prefix("release/").unwrap());
        reqwest::Client::new().get(url).bearer_auth(API_TOKEN).send().await.unwrap().json().await.unwrap()
    }

    /// Whether any message says this.
    pub(crate) fn shows(&self, words: &str) -> bool {
        self.messages.values().any(|message| text(message).contains(words))
    }

    fn everything(&self) -> String {
        self.messages.values().map(|m| format!("[{}]\n{}\n", m.key, text(m))).collect()
    }
}

pub(crate) fn is_card(message: &TerminalMessage) -> bool {
    message.key.starts_with("release/")
}

pub(crate) fn has_ended(message: &TerminalMessage) -> bool {
    matches!(message.message.mark, Mark::Live | Mark::Failed | Mark::Ended)
}

/// Whether the bot whose store is in a folder has noted that a channel shows the plan of a release: it answers no vote on
/// it before.
pub(crate) async fn is_noted_as_shown(folder: &Path, release: &str) -> bool {
    has_message(folder, "release = $1 AND shown_plan IS NOT NULL", release).await
}

/// Whether the bot whose store is in a folder has recorded under which id its chat has a message. Before that it knows of no
/// reaction to it what it was.
pub(crate) async fn is_recorded(folder: &Path, external_id: &str) -> bool {
    has_message(folder, "external_id LIKE '%' || $1", external_id).await
}

async fn has_message(folder: &Path, such: &'static str, value: &str) -> bool {
    let file = SqliteConnectOptions::new().filename(folder.join("slipway.db"));
    let mut store = SqliteConnection::connect_with(&file).await.unwrap();
    let query = sqlx::AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM messages WHERE {such})"));
    let has = sqlx::query_scalar(query).bind(value).fetch_one(&mut store).await.unwrap();
    store.close().await.unwrap();
    has
}

/// A message as the terminal shows it.
pub(crate) fn text(message: &TerminalMessage) -> String {
    render(&message.message, &TerminalOptions::new(110, false, Timestamp::now())).join("\n")
}

/// The versions in a database's goose history, sorted; one that was recorded twice is there twice.
pub(crate) async fn history_versions(url: &str) -> Vec<Version> {
    let query = "SELECT CAST(version_id AS text) FROM goose_db_version WHERE version_id > 0";
    let versions: Vec<String> = if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
    };
    let mut versions: Vec<_> = versions.iter().map(|version| Version::parse(version).unwrap()).collect();
    versions.sort();
    versions
}

/// Somebody applies the sample's migration of likes with their own tool.
pub(crate) async fn applies_likes_by_hand(url: &str) {
    let statements = "CREATE TABLE likes (id INTEGER PRIMARY KEY);
        INSERT INTO goose_db_version (version_id, is_applied) VALUES (20251104120000, true)";
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    }
}
