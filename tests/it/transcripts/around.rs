//! What changes around the people of a scenario: the rules, the configuration, the time.

use super::play::Play;
use slipway_sandbox::world::World;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use std::time::Duration;

/// How long a chat may take to lose and to find the bot.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

impl Play {
    /// The rules of one file become others, or go, while the bot runs.
    pub(super) fn rules(&self, name: &str, text: Option<&str>) {
        let file = self.world.config.with_file_name("policies").join(format!("{name}.cedar"));
        match text {
            Some(text) => std::fs::write(file, text).unwrap(),
            None => std::fs::remove_file(file).unwrap(),
        }
        let reloaded = self.world.bot.run(&["policy", "reload"]).unwrap();
        assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
    }

    /// How long staging has to serve an image before production takes it.
    pub(super) fn soak_s(&self, before: u32, after: u32) {
        let file = self.world.config.with_file_name("policies").join("soak.cedar");
        let text = std::fs::read_to_string(file).unwrap();
        let (before, after) = (format!("context.soak < {before} "), format!("context.soak < {after} "));
        assert!(text.contains(&before), "{text}");
        self.rules("soak", Some(&text.replace(&before, &after)));
    }

    /// The bot is not there for a while.
    pub(super) async fn while_down(&mut self, meanwhile: impl AsyncFnOnce(&World)) {
        self.world.bot.kill().unwrap();
        self.until_connected(false).await;
        meanwhile(&self.world).await;
        self.world.bot.start().await.unwrap();
        self.until_connected(true).await;
    }

    /// In Discord what people type comes over the gateway alone.
    async fn until_connected(&self, connected: bool) {
        let Some(discord) = &self.world.discord else { return };
        let changed = discord.gateway().until(|hub| hub.connected() == connected);
        tokio::time::timeout(CONNECT_LIMIT, changed).await.unwrap();
    }
}

/// The configuration is written anew.
pub(super) fn configure(world: &World, change: impl FnOnce(&str) -> String) {
    let before = std::fs::read_to_string(&world.config).unwrap();
    let after = change(&before);
    assert_ne!(before, after, "nothing is changed");
    std::fs::write(&world.config, after).unwrap();
}

/// A release was asked for earlier than it was: so many seconds have passed. Only while the bot is down.
pub(super) async fn was_asked_for_earlier(world: &World, release: &str, by_s: i64) {
    let mut store = store(world).await;
    let asked: String = sqlx::query_scalar("SELECT state ->> '$.request.at' FROM releases WHERE id = $1")
        .bind(release)
        .fetch_one(&mut store)
        .await
        .unwrap();
    let earlier = asked.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_secs(by_s);
    let moved = "UPDATE releases SET state = json_set(state, '$.request.at', $1), asked_at = $2 WHERE id = $3";
    let moved = sqlx::query(moved).bind(earlier.to_string()).bind(earlier.as_millisecond()).bind(release);
    assert_eq!(moved.execute(&mut store).await.unwrap().rows_affected(), 1);
    store.close().await.unwrap();
}

/// What is to be asked for later, and whose reference this is, was to come before now. Only while the bot is down.
pub(super) async fn is_given_up_by_now(world: &World, reference: &str) {
    let mut store = store(world).await;
    let now = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1);
    let moved = "UPDATE intents SET state = json_set(state, '$.expires_at', $1), due_at = $2 WHERE state ->> '$.reference' = $3";
    let moved = sqlx::query(moved).bind(now.to_string()).bind(now.as_millisecond()).bind(reference);
    assert_eq!(moved.execute(&mut store).await.unwrap().rows_affected(), 1);
    store.close().await.unwrap();
}

async fn store(world: &World) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(world.folder().join("slipway.db"));
    SqliteConnection::connect_with(&file).await.unwrap()
}

/// A text without its line ends and its columns: where a line breaks depends on the chat.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
