//! Releases that call everything outside: built, approved, deployed, rolled back, refused.

use serde_json::json;
use slipway::store::TerminalMessage;
use slipway_core::ids::CommitSha;
use slipway_core::message::Mark;
use slipway_core::message::terminal::{TerminalOptions, render};
use slipway_deploy::github::{Annotation, Auth, GitHub, Opinion, RepoName, Verdict};
use slipway_sandbox::front::terminal::Terminal;
use slipway_sandbox::github::sample::{SampleOptions, propose};
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
    let world = linting(world).await;
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
    as_an_app(&world).await;
    Said { aws: world.aws.exchanges(), github: world.github.exchanges() }
}

const PULL: u64 = 51;
const DROPS: &str = "-- +goose Up\nALTER TABLE users DROP COLUMN bio;\n";

/// With a pull request that changes migrations, and a bot that lints it: with a token, by a commit status.
async fn linting(mut world: World) -> World {
    let options = SampleOptions::new(jiff::Timestamp::now());
    let file = ("migrations/20251201000000_bio.sql", DROPS);
    let head = propose(&world.repository, &options, "no-bio", file).unwrap();
    let (title, author, branch) = ("No bio".to_owned(), "eve-dev".to_owned(), "no-bio".to_owned());
    world.github.open_pull(NewPull { number: PULL, title, author, branch });
    let before = std::fs::read_to_string(&world.config).unwrap();
    let section = format!("[service.{}]\n", world.service);
    std::fs::write(&world.config, before.replacen(&section, &format!("{section}lint_pull_requests = true\n"), 1))
        .unwrap();
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    let mut terminal = world.terminal("linting");
    let deadline = Instant::now() + WAIT_LIMIT;
    while world.github.said_of(&head).is_empty() {
        assert!(Instant::now() < deadline, "no pull request was linted:\n{}", world.bot.log());
        let _ = terminal.news().await;
    }
    world
}

/// What only an App may say: a check run of more places than one request may name.
async fn as_an_app(world: &World) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    world.github.install_app(314_159, key.public_key_raw(), &[("checks", "write")]);
    slipway_deploy::install_crypto_provider();
    let app = Auth::App { id: 314_159, private_key: key.serialize_pem().into() };
    let github = GitHub::new(&world.github.api_url, app).unwrap();
    let place = |line| Annotation {
        path: "migrations/20251201000000_bio.sql".into(),
        line,
        verdict: Verdict::Doubtful,
        title: "ban-drop-column".into(),
        message: "loses the data of a column".into(),
    };
    let opinion = Opinion {
        about: "migrations".into(),
        verdict: Verdict::Doubtful,
        title: "60 warnings".into(),
        summary: "**60 warnings**".into(),
        annotations: (1..=60).map(place).collect(),
        page: None,
    };
    let commit = CommitSha::parse(&world.head).unwrap();
    let repo = RepoName::parse("acme/goals").unwrap();
    assert!(github.show_opinion(&repo, &commit, &opinion).await.unwrap());
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
