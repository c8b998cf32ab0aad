//! A channel that is slow, that the store fails, or whose message cannot be drawn holds up no other.

use super::*;
use crate::config::Config;
use crate::store::NewMessage;
use slipway_core::ids::ReleaseId;
use slipway_core::message::{Line, Message};
use std::path::Path;
use std::sync::Mutex;
use tempfile::TempDir;
use tokio::sync::Notify;

/// Far more than it takes, and less than a slow message may take.
const SOON: Duration = Duration::from_secs(10);

const CONFIG: &str = "[store]\nurl = \"sqlite://slipway.db\"\n[terminal]\nchannels = [\"slow\", \"fast\"]\n";

/// A chat in which nothing is shown in one channel before it is let go.
#[derive(Debug, Default)]
struct Uneven {
    shown: Mutex<Vec<String>>,
    begun: Notify,
    goes_on: Notify,
    changed: Notify,
}

impl Uneven {
    /// How often something was begun to be shown under that key.
    fn times(&self, key: &str) -> usize {
        self.shown.lock().unwrap().iter().filter(|shown| *shown == key).count()
    }

    async fn until(&self, key: &str, times: usize) {
        while self.times(key) < times {
            self.changed.notified().await;
        }
    }
}

#[async_trait::async_trait]
impl Chat for Uneven {
    fn platform(&self) -> &'static str {
        "terminal"
    }

    fn admit(&self, _what: &Outgoing<'_>) -> Result<(), Duration> {
        Ok(())
    }

    async fn show(&self, what: &Outgoing<'_>, _body: &Message, _people: &Directory) -> Result<String, ChatError> {
        let message = what.message;
        self.shown.lock().unwrap().push(message.key.clone());
        self.changed.notify_one();
        if message.channel == "terminal:slow" {
            self.begun.notify_one();
            self.goes_on.notified().await;
        }
        Ok(message.key.clone())
    }
}

struct There {
    store: Store,
    chat: Arc<Uneven>,
    signals: Signals,
    publisher: Publisher,
    _folder: TempDir,
}

async fn there() -> There {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    let (config, _) = Config::check(CONFIG.as_bytes(), Path::new("slipway.toml")).unwrap();
    let setup = Arc::new(crate::assemble::setup(&config).unwrap());
    let (chat, signals): (Arc<Uneven>, Signals) = (Arc::default(), Signals::default());
    let publisher = Publisher::new(store.clone(), setup, Clock::System, signals.clone(), vec![chat.clone()]);
    There { store, chat, signals, publisher, _folder: folder }
}

impl There {
    async fn says(&self, channel: &str, key: &str) {
        says(&self.store, channel, key).await;
    }

    async fn executes(&self, statement: &'static str) {
        let mut tx = self.store.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn says(store: &Store, channel: &str, key: &str) {
    let mut tx = store.begin().await.unwrap();
    let body = Message::answer(Line::plain("Hello."), []);
    store.message_put(&mut tx, &NewMessage::said(channel, key, body)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_is_said_while_a_channel_is_slow_is_shown_in_the_others() {
    let there = there().await;
    for number in 0..BATCH_LIMIT + 10 {
        there.says("terminal:slow", &format!("slow/{number}")).await;
    }
    let There { store, chat, signals, publisher, _folder } = there;
    let publishing = tokio::spawn(publisher.run());
    chat.begun.notified().await;
    for key in ["fast/1", "fast/2"] {
        says(&store, "terminal:fast", key).await;
        signals.messages.notify_one();
        let shown = tokio::time::timeout(SOON, chat.until(key, 1)).await;
        assert!(shown.is_ok(), "{key} waits for the slow channel");
    }
    assert_eq!(chat.shown.lock().unwrap().iter().filter(|key| key.starts_with("slow/")).count(), 1);
    publishing.abort();
}

#[tokio::test]
async fn a_channel_that_the_store_fails_interrupts_no_other() {
    let there = there().await;
    there.says("terminal:slow", "slow/1").await;
    there.says("terminal:fast", "fast/1").await;
    let fails = "CREATE TRIGGER busy BEFORE UPDATE ON messages WHEN new.channel = 'terminal:fast' AND new.published > 0 \
                 BEGIN SELECT raise(ABORT, 'busy'); END";
    there.executes(fails).await;
    let (chat, store) = (there.chat.clone(), there.store.clone());
    let publishing = tokio::spawn(there.publisher.run());
    chat.begun.notified().await;
    // The store has failed it once when it comes again.
    tokio::time::timeout(SOON, chat.until("fast/1", 2)).await.unwrap();
    chat.goes_on.notify_one();
    says(&store, "terminal:slow", "slow/2").await;
    there.signals.messages.notify_one();
    tokio::time::timeout(SOON, chat.until("slow/2", 1)).await.unwrap();
    assert_eq!(chat.times("slow/1"), 1, "it was broken off and sent again");
    publishing.abort();
}

#[tokio::test]
async fn a_message_that_panics_when_it_is_drawn_is_given_up() {
    let there = there().await;
    // Whoever reads this release panics: its state is no text.
    there
        .executes(
            "INSERT INTO releases (id, service, environment, phase, state, event_count, asked_at) \
             VALUES ('01A', 'goals', 'staging', 'queued', X'00', 0, 0)",
        )
        .await;
    let mut tx = there.store.begin().await.unwrap();
    there.store.message_put(&mut tx, &NewMessage::card("terminal:fast", &ReleaseId::new("01A"))).await.unwrap();
    tx.commit().await.unwrap();
    there.says("terminal:fast", "fast/1").await;
    assert_eq!(there.publisher.publish_due().await.unwrap(), 1);
    assert_eq!(*there.chat.shown.lock().unwrap(), ["fast/1"]);
    assert_eq!(there.publisher.publish_due().await.unwrap(), 0);
}
