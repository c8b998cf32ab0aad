//! A whole small world: a repository, GitHub, AWS, a database to migrate, and the real bot between them.

use crate::aws::AwsSandbox;
use crate::bot::Bot;
use crate::discord::DiscordSandbox;
use crate::front::Front;
use crate::front::both::BothFront;
use crate::front::discord::DiscordFront;
use crate::front::slack::SlackFront;
use crate::front::terminal::Terminal;
use crate::github::sample::{self, SampleOptions};
use crate::github::{CiMode, GitHubSandbox};
use crate::slack::SlackSandbox;
use std::path::PathBuf;
use tempfile::TempDir;

mod build;
mod chats;
mod config;
mod database;
mod discord;
mod git;
mod policies;
mod promotion;
mod server;
mod slack;
mod source;
mod target;

pub use build::{CONFIG_HMAC_KEY, ChatOption, Options, Pace, Teams};
pub use promotion::Promotion;
pub use source::Repository;
pub use target::TargetOption;

/// The API token of the sandbox's bot.
pub const API_TOKEN: &str = "sandbox-api-token";
/// The channel in which people type.
pub const CHANNEL: &str = "terminal:releases";
/// The channel in which successes are announced.
pub const ANNOUNCE: &str = "terminal:announcements";

/// A world. Everything in it ends when it is dropped.
#[derive(Debug)]
pub struct World {
    /// The bot.
    pub bot: Bot,
    /// GitHub.
    pub github: GitHubSandbox,
    /// AWS.
    pub aws: AwsSandbox,
    /// Slack, where people talk in it.
    pub slack: Option<SlackSandbox>,
    /// Discord, where people talk in it.
    pub discord: Option<DiscordSandbox>,
    /// The name of the service.
    pub service: String,
    /// The newest commit of the default branch.
    pub head: String,
    /// The repository on disk.
    pub repository: PathBuf,
    /// What runs staging: a service's ARN, or the name of a dry target.
    pub staging_arn: String,
    /// The same of production.
    pub production_arn: String,
    /// The database URL of staging.
    pub staging_database: String,
    /// The database URL of production.
    pub production_database: String,
    /// What somebody should know of this world before they see it.
    pub remarks: Vec<String>,
    /// Where the bot answers.
    pub url: String,
    /// Its configuration file.
    pub config: PathBuf,
    /// The second service of staging, where it has two.
    pub staging_second: Option<String>,
    /// What runs its images.
    pub target: TargetOption,
    /// Who commits to the repository; `None`: it is the user's own, and only read.
    authors: Option<SampleOptions>,
    // Dropped last: the others use it.
    postgres: Option<server::Server>,
    folder: TempDir,
}

impl World {
    /// A new terminal for the bot.
    #[must_use]
    pub fn terminal(&self, session: &str) -> Terminal {
        Terminal::new(&self.url, API_TOKEN, session)
    }

    /// The chat that people have before them.
    #[must_use]
    pub fn front(&self, session: &str) -> Front {
        let slack = self.slack.clone().map(SlackFront::new);
        let discord = self.discord.clone().map(DiscordFront::new);
        match (slack, discord) {
            (Some(slack), Some(discord)) => Front::Both(Box::new(BothFront::new(slack, discord))),
            (Some(slack), None) => Front::Slack(Box::new(slack)),
            (None, Some(discord)) => Front::Discord(Box::new(discord)),
            (None, None) => Front::Terminal(self.terminal(session)),
        }
    }

    /// Where a browser shows the same as everybody in the chats sees it; None: they are in the terminal.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        match (&self.slack, &self.discord) {
            (Some(slack), Some(discord)) => Some(format!("{}/both?slack={}", discord.page_url(), slack.page_url())),
            (Some(slack), None) => Some(slack.page_url().to_owned()),
            (None, Some(discord)) => Some(discord.page_url().to_owned()),
            (None, None) => None,
        }
    }

    /// The token that the stand-in GitHub accepts.
    #[must_use]
    pub fn github_token(&self) -> &'static str {
        build::GITHUB_TOKEN
    }

    /// The server of the service's databases; `None` where it is not this world's alone ([`Options::own_server`]).
    #[must_use]
    pub fn postgres(&mut self) -> Option<&mut crate::postgres::Postgres> {
        match &mut self.postgres {
            Some(server::Server::Own(server)) => Some(server),
            Some(server::Server::Shared { .. }) | None => None,
        }
    }

    /// Whether the repository is the made-up one, so that it is known what is in it.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.authors.is_some()
    }

    /// Merges one more commit of Eve's into the default branch. False: the repository is the user's own.
    ///
    /// # Errors
    /// When git fails.
    pub fn merge_another(&self) -> std::io::Result<bool> {
        let Some(authors) = &self.authors else { return Ok(false) };
        sample::merge_another(&self.repository, authors)?;
        Ok(true)
    }

    /// Starts the bot again with its targets looked at all the time, for what is deployed past it.
    ///
    /// # Errors
    /// When the configuration cannot be written or the bot does not start.
    pub async fn watch_targets(&mut self) -> std::io::Result<()> {
        let config = std::fs::read_to_string(&self.config)?;
        std::fs::write(&self.config, config.replacen("[pace]\n", "[pace]\ntargets_ms = 200\n", 1))?;
        self.bot.kill()?;
        self.bot.start().await
    }

    /// Somebody brings a commit to staging from AWS's console, as an image of its own.
    ///
    /// # Panics
    /// When staging runs no image by its digest.
    pub fn bring_by_hand(&self, commit: &str) {
        let runs = self.aws.running_image(&self.staging_arn).expect("a service");
        let (repository, digest) = runs.split_once('@').expect("an image by its digest");
        let (_, name) = repository.split_once('/').expect("a registry");
        let other: String = digest.chars().rev().take(64).collect();
        self.aws.push_image(name, commit, &format!("sha256:{other}"));
        self.aws.bring_by_hand(&self.staging_arn, &format!("{repository}:{commit}")).expect("a service");
    }

    /// The same with a migration.
    ///
    /// # Errors
    /// When git fails.
    pub fn merge_a_migration(&self) -> std::io::Result<bool> {
        let Some(authors) = &self.authors else { return Ok(false) };
        sample::merge_a_migration(&self.repository, authors)?;
        Ok(true)
    }

    /// Merges a pull request into the default branch, whose CI runs from then on and ends so. Gives the new head.
    ///
    /// # Errors
    /// When git fails, or the repository is the user's own.
    pub fn merge(&self, title: &str, number: u32, ci: CiMode) -> std::io::Result<String> {
        let authors = self.authors.as_ref().ok_or_else(|| std::io::Error::other("the repository is only read"))?;
        let commit = sample::merge_change(&self.repository, authors, title, number)?;
        self.github.pushed(&commit, ci);
        Ok(commit)
    }

    /// Asks the repository on disk.
    ///
    /// # Panics
    /// When git fails.
    #[must_use]
    pub fn git(&self, arguments: &[&str]) -> String {
        git::git(&self.repository, arguments).expect("git answers")
    }

    /// The folder with everything that this world wrote.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}
