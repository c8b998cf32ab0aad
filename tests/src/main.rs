//! `make demo`: plays a release in a sandbox.

use clap::{Parser, ValueEnum};
use slipway_sandbox::demo::{self, DemoError, Fail};
use slipway_sandbox::screen::Screen;
use slipway_sandbox::world::{ChatOption, Options, Promotion, Repository, TargetOption, World};
use std::path::PathBuf;
use std::process::ExitCode;

/// Plays a release on the real bot, with stand-ins for GitHub and AWS on loopback. Needs no account and no network.
#[derive(Parser)]
struct Arguments {
    /// Show a failure: ci, image, migrate, deploy or health.
    #[arg(long)]
    fail: Option<Fail>,
    /// Use this git repository instead of a made-up one.
    #[arg(long)]
    repository: Option<PathBuf>,
    /// Use SQLite for the service's databases even where PostgreSQL is found.
    #[arg(long)]
    sqlite: bool,
    /// Where people talk: terminal, slack (over HTTP), slack-socket, discord (over its gateway), discord-http, or both: Slack
    /// and Discord at once.
    #[arg(long, default_value = "terminal")]
    chat: ChatOption,
    /// What runs the images: app-runner, ecs-express, dry (nothing does), or both, one after the other for staging.
    #[arg(long, default_value = "app-runner")]
    target: TargetOption,
    /// Type the commands and approvals yourself.
    #[arg(long)]
    interactive: bool,
    /// What is played: release, from staging to production; rollback, past a migration; or flow, from a merge to production by
    /// suggestion and approval.
    #[arg(long, default_value = "release", conflicts_with_all = ["fail", "interactive", "repository"])]
    story: Story,
}

/// The exit status of what was told to stop: that of a shell after SIGINT.
const TOLD_TO_STOP: u8 = 130;

/// What is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Story {
    Release,
    Rollback,
    Flow,
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            Screen::stdout().note(&format!("The demo cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run());
    // A read from the keyboard that is under way is not waited for.
    runtime.shutdown_background();
    code
}

async fn run() -> ExitCode {
    slipway_deploy::install_crypto_provider();
    let arguments = Arguments::parse();
    let mut screen = Screen::stdout();
    let own_release = arguments.repository.is_some() && arguments.story == Story::Release;
    let repository = arguments.repository.map_or(Repository::Sample, Repository::Own);
    let Arguments { fail, sqlite, chat, target, story, .. } = arguments;
    let promotion = if story == Story::Flow { Promotion::Suggested } else { Promotion::Asked };
    let auto_deploy = story == Story::Flow;
    let options = Options { repository, fail, sqlite, chat, target, promotion, auto_deploy, ..Options::default() };
    let world = match World::new(options).await {
        Ok(world) => world,
        Err(error) => {
            screen.note(&format!("The demo cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let story = async {
        match story {
            Story::Rollback => demo::roll_back(&world, screen).await,
            Story::Flow => demo::play_flow(&world, screen).await,
            Story::Release if arguments.interactive => demo::interactive(&world, screen).await,
            Story::Release => demo::play(&world, screen, arguments.fail).await,
        }
    };
    // What was started ends with the world, and so it must not just vanish.
    let played = tokio::select! {
        played = story => played,
        () = told_to_stop() => return ExitCode::from(TOLD_TO_STOP),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        // What the sample does is known; whether a stranger's repository can be released is what its owner wants to learn.
        Err(DemoError::Otherwise(what)) if own_release => {
            Screen::stdout()
                .note(&format!("Your repository's release did not end well: {what}. The card above says why."));
            ExitCode::FAILURE
        }
        Err(error) => {
            let mut screen = Screen::stdout();
            screen.note(&format!("The demo did not end as it should: {error}"));
            screen.note(&format!("The bot's log, from its end:\n{}", tail(&world.bot.log())));
            ExitCode::FAILURE
        }
    }
}

/// SIGINT, SIGTERM or SIGHUP.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    if signals.is_empty() {
        return std::future::pending().await;
    }
    futures::future::select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
