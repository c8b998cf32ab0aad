//! `slipway serve`: everything put together.

mod chats;

use crate::by_hand;
use crate::chat::publisher::Publisher;
use crate::clock::Clock;
use crate::config;
use crate::configuration::Watch;
use crate::defects::round;
use crate::dry::Dry;
use crate::engine::{Engine, Incoming, Signals};
use crate::executor::Executor;
use crate::flow::Follower;
use crate::members::Members;
use crate::outside::Outside;
use crate::policies::{Keeper, Origin, ReloadError};
use crate::readiness::Readiness;
use crate::setup::Setup;
use crate::store::Store;
use crate::timekeeper::{Lookouts, Timekeeper};
use crate::web::{self, GithubDoor, Web};
use chats::Chats;
use futures::future::join_all;
use secrecy::SecretString;
use slipway_core::plan::PlannedTarget;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::info;

/// How long handled deliveries are remembered, to know those that come twice.
const REMEMBER_DELIVERIES_MS: i64 = 3 * 24 * 60 * 60 * 1_000;
/// How often old ones are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// What a running bot is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The store's file.
    pub store: PathBuf,
    /// Services, people, policies.
    pub setup: Setup,
    /// Where the policies are kept.
    pub policies: Origin,
    /// The hash of the configuration file.
    pub configuration: String,
    /// Clients to the outside.
    pub outside: Outside,
    /// The token of the API.
    pub api_token: Option<String>,
    /// Whether there is a terminal chat.
    pub terminal: bool,
    /// Slack, where it is switched on.
    pub slack: Option<SlackParts>,
    /// Discord, where it is switched on and there is a token.
    pub discord: Option<DiscordParts>,
    /// How long a delivery may take to become durable.
    pub ack_budget_ms: u64,
    /// What GitHub's webhooks are signed with.
    pub github_webhook: Option<SecretString>,
}

/// What Slack needs.
#[derive(Debug)]
pub struct SlackParts {
    /// `[slack]`.
    pub config: config::Slack,
    /// What deliveries over HTTP are signed with.
    pub signing_secret: Option<SecretString>,
    /// What Socket Mode is opened with.
    pub app_token: Option<SecretString>,
}

/// What Discord needs.
#[derive(Debug)]
pub struct DiscordParts {
    /// `[discord]`.
    pub config: config::Discord,
    /// The bot's token.
    pub token: SecretString,
    /// What interactions over HTTP are verified with: 64 hex digits.
    pub public_key: Option<String>,
}

/// Why the bot ended.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The policies changed for the worse since the configuration was read.
    #[error(transparent)]
    Policies(#[from] ReloadError),
    /// The address is taken, or not ours.
    #[error("cannot listen on {listen}: {error}; choose another address in [server] listen")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// How it fails.
        error: std::io::Error,
    },
    /// A part of it ended although none should.
    #[error("a part of the bot ended: {0}")]
    Ended(String),
}

/// Runs the bot until it is told to stop. What is under way goes on after the next start.
///
/// # Errors
/// When it cannot start, or a part of it ends.
pub async fn serve(parts: Parts) -> Result<(), ServeError> {
    let Parts {
        listen,
        store,
        setup,
        policies,
        configuration,
        outside,
        api_token,
        terminal,
        slack,
        discord,
        ack_budget_ms,
        github_webhook,
    } = parts;
    let store = Store::open(&store).await?;
    let taken_over = store.effects_take_over().await?;
    if taken_over > 0 {
        info!(effects = taken_over, "going on where the last process stopped");
    }
    let listener = TcpListener::bind(listen).await.map_err(|error| ServeError::Listen { listen, error })?;
    let (signals, clock) = (Signals::default(), Clock::System);
    let outside = outside.with_target(PlannedTarget::DRY, Arc::new(Dry::new(store.clone(), clock.clone())));
    let (setup, outside) = (Arc::new(setup), Arc::new(outside));
    let changed = Arc::new(Notify::new());
    let mut chats = Chats {
        store: store.clone(),
        setup: setup.clone(),
        clock: clock.clone(),
        signals: signals.clone(),
        ack_budget_ms,
        outgoing: vec![],
        rereads: vec![],
        tasks: JoinSet::new(),
    };
    if terminal {
        chats.terminal(&changed, api_token.is_some());
    }
    let slack = slack.zip(outside.slack.clone()).and_then(|(parts, client)| chats.slack(parts, client));
    let discord = discord.zip(outside.discord.clone());
    let discord = discord.and_then(|(parts, client)| chats.discord(parts, client, outside.github.clone()));
    let Chats { outgoing, rereads, mut tasks, .. } = chats;
    let owner = format!("{}-{}", std::process::id(), clock.now_ms());
    let started = Incoming::Started { version: env!("CARGO_PKG_VERSION").to_owned(), configuration };
    store.deliver(&format!("started/{owner}"), &started, &clock).await?;
    let github = Some(outside.github.clone());
    let keeper = Keeper::new(policies, github, setup.clone(), store.clone(), clock.clone(), signals.clone());
    keeper.started().await?;
    let keeper = Arc::new(keeper);
    let members = Arc::new(Members::new(store.clone(), setup.clone(), outside.clone(), clock.clone(), signals.clone()));
    let engine = Engine { store: store.clone(), setup: setup.clone(), clock: clock.clone(), signals: signals.clone() };
    tasks.spawn(async move {
        join_all(rereads.iter().map(|reread| reread.first())).await;
        engine.run().await;
    });
    let executor = Executor {
        store: store.clone(),
        setup: setup.clone(),
        outside: outside.clone(),
        members: members.clone(),
        rehearsals: Arc::default(),
        clock: clock.clone(),
        signals: signals.clone(),
        owner,
    };
    look_around(&mut tasks, &executor);
    tasks.spawn(executor.run());
    let timekeeper =
        Timekeeper { store: store.clone(), setup: setup.clone(), clock: clock.clone(), signals: signals.clone() };
    tasks.spawn(timekeeper.run(Lookouts::new(keeper.clone(), members)));
    tasks.spawn(Publisher::new(store.clone(), setup.clone(), clock.clone(), signals.clone(), outgoing).run());
    tasks.spawn(forget_old(store.clone(), clock.clone()));
    let github = GithubDoor::new(github_webhook, setup.clone());
    let router = web::router(Web {
        store,
        clock,
        signals,
        policies: keeper,
        readiness: Arc::new(Readiness::new(outside, setup)),
        api_token: api_token.map(Into::into),
        terminal: terminal.then_some(changed),
        slack,
        discord,
        ack_budget_ms,
        github,
        listen,
    });
    tasks.spawn(web::serve(listener, router));
    info!(%listen, "slipway is up");
    tokio::select! {
        ended = tasks.join_next() => {
            let why = ended.map_or("nothing ran".to_owned(), |ended| ended.map_or_else(|e| e.to_string(), |()| "it returned".into()));
            Err(ServeError::Ended(why))
        }
        () = told_to_stop() => {
            info!("stopping; what is under way goes on after the next start");
            Ok(())
        }
    }
}

/// What is looked at outside beside the executor.
fn look_around(tasks: &mut JoinSet<()>, executor: &Executor) {
    tasks.spawn(executor.clone().answer_questions());
    tasks.spawn(executor.clone().watch_green());
    tasks.spawn(executor.clone().lint_pull_requests());
    tasks.spawn(Watch::beside(executor).run());
    tasks.spawn(by_hand::Watch::beside(executor).run());
    tasks.spawn(Follower::beside(executor).run());
}

async fn forget_old(store: Store, clock: Clock) {
    let mut ticks = tokio::time::interval(FORGET_EVERY);
    loop {
        ticks.tick().await;
        let forgotten = store.inbox_forget(clock.now_ms() - REMEMBER_DELIVERIES_MS);
        if let Some(count @ 1..) = round("forgetting old deliveries", forgotten).await {
            info!(count, "forgot old deliveries");
        }
    }
}

/// SIGINT or SIGTERM.
async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = interrupt.await;
    }
}
