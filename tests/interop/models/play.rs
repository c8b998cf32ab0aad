//! Releases that call everything outside: built, approved, deployed, rolled back, refused.

use serde_json::json;
use slipway::store::TerminalMessage;
use slipway_core::message::Mark;
use slipway_core::message::terminal::{TerminalOptions, render};
use slipway_sandbox::front::terminal::Terminal;
use slipway_sandbox::github::{CiMode, NewPull, NewReview};
use slipway_sandbox::traffic::Exchange;
use slipway_sandbox::world::{CHANNEL, Options, Pace, TargetOption, Teams, World};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// How long the next card may take.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// What was said to the providers, and what they answered.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) aws: Vec<Exchange>,
    pub(super) github: Vec<Exchange>,
}

static SAID: OnceCell<Said> = OnceCell::const_new();

/// Played once for all tests.
pub(super) async fn everything() -> Said {
    SAID.get_or_init(play).await.clone()
}

async fn play() -> Said {
    let world = World::new(Options {
        pace: Pace::Fast,
        teams: Teams::OnGithub,
        target: TargetOption::Both,
        ..Options::default()
    })
    .await
    .unwrap();
    let mut chat = Chat { terminal: world.terminal("models"), messages: BTreeMap::new(), ended: 0 };
    for merged in [false, true] {
        if merged {
            world.merge_another().unwrap();
        }
        chat.says("ana", "/deploy staging").await;
        chat.until_ended("is live").await;
        chat.says("ana", "/deploy production").await;
        chat.until_approved(&["bob", "dora"]).await;
    }
    chat.says("ana", "/migrate staging status").await;
    chat.says("bob", "/rollback production").await;
    chat.until_ended("is live").await;
    let edited = json!({ "GOOSE_DBSTRING": world.staging_database, "SMTP_HOST": "mail.acme.dev" });
    world.aws.put_secret("goals/staging", &edited);
    chat.says("ana", "/deploy staging --config").await;
    chat.until_ended("configuration only").await;
    world.github.set_ci(CiMode::RedTest);
    world.merge_another().unwrap();
    chat.says("ana", "/deploy staging").await;
    chat.until_ended("CI is red").await;
    world.github.set_ci(CiMode::Green);
    let (title, author, branch) = ("Threads".to_owned(), "eve-dev".to_owned(), "feature/comment-threads".to_owned());
    world.github.mark_green(&world.git(&["rev-parse", &branch]));
    world.github.open_pull(NewPull { number: 123, title, author, branch });
    let review = NewReview { who: "bob-dev", state: "APPROVED", association: "MEMBER" };
    world.github.review(123, review).await.unwrap();
    world.github.set_merge_rules(1, false);
    chat.says("ana", "/release ship 123").await;
    chat.until_ended("merged as").await;
    Said { aws: world.aws.exchanges(), github: world.github.exchanges() }
}

struct Chat {
    terminal: Terminal,
    messages: BTreeMap<String, TerminalMessage>,
    ended: usize,
}

impl Chat {
    async fn says(&self, person: &str, text: &str) {
        self.terminal.say(person, CHANNEL, text).await.unwrap();
    }

    async fn look(&mut self) {
        for message in self.terminal.news().await.unwrap_or_default() {
            self.messages.insert(format!("{} {}", message.channel, message.key), message);
        }
    }

    /// Looks until one more release than before has ended, with these words on its card.
    async fn until_ended(&mut self, words: &str) {
        let wanted = self.ended + 1;
        let deadline = Instant::now() + WAIT_LIMIT;
        let has_ended = |m: &&TerminalMessage| {
            m.key.starts_with("release/") && matches!(m.message.mark, Mark::Live | Mark::Failed | Mark::Ended)
        };
        while self.messages.values().filter(has_ended).count() < wanted {
            assert!(Instant::now() < deadline, "{words} did not come:\n{}", self.everything());
            self.look().await;
        }
        self.ended = wanted;
        assert!(self.everything().contains(words), "{}", self.everything());
    }

    /// Everybody approves what waits, until it has ended.
    async fn until_approved(&mut self, people: &[&str]) {
        let waits = |m: &TerminalMessage| m.key.starts_with("release/") && text(m).contains("waiting for approval");
        let deadline = Instant::now() + WAIT_LIMIT;
        while !self.messages.values().any(waits) {
            assert!(Instant::now() < deadline, "nothing waits for approval:\n{}", self.everything());
            self.look().await;
        }
        for person in people {
            self.says(person, "/release approve").await;
        }
        self.until_ended("is live").await;
    }

    fn everything(&self) -> String {
        self.messages.values().map(|message| format!("{}\n", text(message))).collect()
    }
}

fn text(message: &TerminalMessage) -> String {
    render(&message.message, &TerminalOptions::new(110, false, jiff::Timestamp::now())).join("\n")
}
