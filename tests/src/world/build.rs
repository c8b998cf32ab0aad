//! Putting a world together.

use super::chats::Started;
use super::config::{self, Values};
use super::database::{Databases, Kind, databases, spoil};
use super::policies;
use super::promotion::Promotion;
use super::source::{Repository, Source, source};
use super::target::TargetOption;
use super::{API_TOKEN, World};
use crate::aws::{AwsOptions, AwsSandbox, FailureMode, NewService};
use crate::bot::Bot;
use crate::demo::Fail;
use crate::github::{self, Account, CiMode, GitHubOptions, GitHubSandbox};
use crate::port;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use tempfile::TempDir;

/// The GitHub team in which the release team may be kept.
pub(super) const RELEASE_MANAGERS: &str = "acme/release-managers";
/// The token that the stand-in GitHub accepts.
pub(super) const GITHUB_TOKEN: &str = "sandbox-github-token";

/// What the bot hashes settings with.
pub const CONFIG_HMAC_KEY: &str = "sandbox-config-hmac-key-of-no-use-elsewhere";

/// How fast the outside is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// So that a person can watch.
    #[default]
    Watchable,
    /// As fast as it makes sense for tests.
    Fast,
}

/// Where it is kept who is in the release team.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Teams {
    /// With the people in the configuration.
    #[default]
    InFile,
    /// In the GitHub team `acme/release-managers`: Bob, and somebody who is no known person.
    OnGithub,
}

/// Where people talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChatOption {
    /// In the terminal chat.
    #[default]
    Terminal,
    /// In Slack, which reaches the bot over HTTP.
    SlackHttp,
    /// In Slack, to which the bot keeps a connection.
    SlackSocket,
    /// In Discord, over its gateway alone.
    Discord,
    /// In Discord, which sends commands and presses over HTTP.
    DiscordHttp,
    /// In both at once: Slack over connections, Discord over its gateway.
    Both,
}

impl ChatOption {
    /// Whose stand-ins run.
    fn stand_ins(self) -> &'static str {
        match self {
            Self::Terminal => "GitHub and AWS",
            Self::SlackHttp | Self::SlackSocket => "GitHub, AWS and Slack",
            Self::Discord | Self::DiscordHttp => "GitHub, AWS and Discord",
            Self::Both => "GitHub, AWS, Slack and Discord",
        }
    }
}

impl FromStr for ChatOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "terminal" => Ok(Self::Terminal),
            "slack" => Ok(Self::SlackHttp),
            "slack-socket" => Ok(Self::SlackSocket),
            "discord" => Ok(Self::Discord),
            "discord-http" => Ok(Self::DiscordHttp),
            "both" => Ok(Self::Both),
            _ => {
                let known = "take terminal, slack, slack-socket, discord, discord-http or both";
                Err(format!("there is no chat \"{text}\": {known}"))
            }
        }
    }
}

/// What world it is.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Of which repository.
    pub repository: Repository,
    /// What goes wrong in it.
    pub fail: Option<Fail>,
    /// How fast it is.
    pub pace: Pace,
    /// Use SQLite even where PostgreSQL is found.
    pub sqlite: bool,
    /// Who says who is in the release team.
    pub teams: Teams,
    /// Where people talk.
    pub chat: ChatOption,
    /// What runs the images.
    pub target: TargetOption,
    /// What cannot be verified is rolled back by setting.
    pub rolls_back: bool,
    /// How production follows staging.
    pub promotion: Promotion,
    /// What is merged into main goes to staging by itself.
    pub auto_deploy: bool,
    /// A PostgreSQL server that no other world uses, so that it can be stopped.
    pub own_server: bool,
}

impl Options {
    fn databases(&self) -> Kind {
        if self.sqlite { Kind::Sqlite } else { Kind::Found { own_server: self.own_server } }
    }
}

impl World {
    /// Makes a world and starts the bot in it.
    ///
    /// # Errors
    /// When the repository cannot be used or something cannot be started, in a sentence for people.
    pub async fn new(options: Options) -> io::Result<Self> {
        slipway_deploy::install_crypto_provider();
        if let (TargetOption::Dry, Some(fail @ (Fail::Deploy | Fail::Health))) = (options.target, options.fail) {
            return Err(io::Error::other(format!(
                "on a dry target nothing runs that could fail: {fail} needs another"
            )));
        }
        let folder = TempDir::with_prefix("slipway-sandbox-")?;
        let source = source(&options.repository, folder.path(), options.chat.stand_ins())?;
        let databases = databases(&source, folder.path(), options.databases()).await?;
        if options.fail == Some(Fail::Migrate) {
            spoil(&source, &databases.staging).await.map_err(io::Error::other)?;
        }
        let aws = start_aws(&options).await?;
        let image = aws.push_image(&source.service, &source.staging, &digest(&source.staging));
        aws.push_image(&source.service, &source.production, &digest(&source.production));
        put_secrets(&aws, &databases, &source.service);
        let service = |environment: &str, commit: &str| {
            let name = format!("{}-{environment}", source.service);
            let arn = aws.secret_arn(&format!("{}/{environment}", source.service));
            let secrets = arn.map(|arn| ("SMTP_HOST".to_owned(), format!("{arn}:SMTP_HOST::"))).into_iter().collect();
            let image = format!("{image}@{}", digest(commit));
            options.target.create(&aws, &NewService { secrets, ..NewService::new(name, image) })
        };
        let staging_second = (options.target == TargetOption::Both).then(|| {
            let name = format!("{}-staging-ecs", source.service);
            aws.create_express(&NewService::new(name, format!("{image}@{}", digest(&source.production))))
        });
        let (staging_arn, production_arn) =
            (service("staging", &source.staging), service("production", &source.production));
        match options.fail {
            Some(Fail::Deploy) => aws.fail_next_deployment(&staging_arn, FailureMode::RollsBack),
            Some(Fail::Health) => aws.unhealthy_image(&digest(&source.head)),
            _ => {}
        }
        let github = start_github(&options, &source, &aws).await?;
        let url = format!("http://127.0.0.1:{}", port::free()?);
        let chats = Started::new(options.chat, options.pace).await?;
        let config = folder.path().join("slipway.toml");
        let text = config::text(&Values {
            service: &source.service,
            listen: url.trim_start_matches("http://"),
            store: "sqlite://slipway.db",
            github_url: &github.api_url,
            repository: &format!("acme/{}", source.service),
            image: &image,
            migrations: source.migrations.as_deref(),
            pace: options.pace,
            staging_health: &aws.health_url(&staging_arn).unwrap_or_default(),
            production_health: &aws.health_url(&production_arn).unwrap_or_default(),
            // What is to fail when it is run must not be found out before.
            rehearse: databases.postgres.is_some() && options.fail != Some(Fail::Migrate),
            teams: options.teams,
            chats: chats.named(),
            staging_target: &options.target.line(&staging_arn, staging_second.as_deref()),
            production_target: &options.target.line(&production_arn, None),
            rolls_back: options.rolls_back,
            promotion: options.promotion,
            auto_deploy: options.auto_deploy,
        });
        std::fs::write(&config, text)?;
        policies::write(&folder.path().join("policies"), source.own)?;
        let mut bot = Bot::new(&config, environment(&aws, &chats), &folder.path().join("slipway.log"), &url)?;
        chats.start(&mut bot, &url).await?;
        let mut remarks = source.remarks.clone();
        remarks.push(policies::REMARK.to_owned());
        remarks.extend(source.own.then(|| policies::REMARK_OWN.to_owned()));
        remarks.extend(databases.remarks);
        Ok(Self {
            bot,
            github,
            aws,
            slack: chats.slack,
            discord: chats.discord,
            service: source.service,
            head: source.head,
            repository: source.path,
            staging_arn,
            production_arn,
            staging_second,
            target: options.target,
            staging_database: databases.staging,
            production_database: databases.production,
            remarks,
            url,
            config,
            authors: source.authors,
            postgres: databases.postgres,
            folder,
        })
    }
}

/// A digest that stands for the image of a commit.
fn digest(commit: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(commit)))
}

async fn start_github(options: &Options, source: &Source, aws: &AwsSandbox) -> io::Result<GitHubSandbox> {
    let mut github = GitHubOptions::new(&source.path, &format!("acme/{}", source.service), GITHUB_TOKEN);
    github.logins.clone_from(&source.logins);
    github.built = vec![source.staging.clone(), source.production.clone()];
    github.any_workflow = source.own;
    github.ci = match options.fail {
        Some(Fail::Ci) => CiMode::RedTest,
        Some(Fail::Image) => CiMode::GreenButNoImage,
        _ => CiMode::Green,
    };
    github.pace = match options.pace {
        Pace::Watchable => github::Pace { queued_ms: 500, job_ms: 1_300 },
        Pace::Fast => github::Pace { queued_ms: 50, job_ms: 250 },
    };
    let (aws, service) = (aws.clone(), source.service.clone());
    github.on_build_success = Arc::new(move |built| {
        aws.push_image(&service, &built.commit, &digest(&built.commit));
    });
    let github = GitHubSandbox::start(github).await?;
    for person in ["ana", "bob", "chen", "eve"] {
        github.set_role(&format!("{person}-dev"), github::Role::Write);
    }
    // She looks after the databases, and reads the code.
    github.set_role("dora-dev", github::Role::Read);
    if options.teams == Teams::OnGithub {
        let members = ["bob-dev", "stranger"].map(|login| Account::User(login.to_owned()));
        github.set_team(RELEASE_MANAGERS, members);
    }
    Ok(github)
}

/// The bot's environment: nothing of this process's own gets in.
fn environment(aws: &AwsSandbox, chats: &Started) -> BTreeMap<String, String> {
    let own = [
        ("GITHUB_TOKEN", GITHUB_TOKEN),
        ("SLIPWAY_API_TOKEN", API_TOKEN),
        ("SLIPWAY_CONFIG_HMAC_KEY", CONFIG_HMAC_KEY),
        ("SLIPWAY_LOG", "info"),
    ];
    let own = own.map(|(name, value)| (name, value.to_owned()));
    let others = own.into_iter().chain(aws.environment()).map(|(name, value)| (name.to_owned(), value));
    others.chain(chats.environment()).collect()
}

fn put_secrets(aws: &AwsSandbox, databases: &Databases, service: &str) {
    for (name, url) in [("staging", &databases.staging), ("production", &databases.production)] {
        let secret = serde_json::json!({ "GOOSE_DBSTRING": url, "SMTP_HOST": "smtp.acme.dev" });
        aws.put_secret(&format!("{service}/{name}"), &secret);
    }
    if let Some(server) = &databases.postgres {
        let secret = serde_json::json!({ "DATABASE_URL": server.server().url("postgres") });
        aws.put_secret(&format!("{service}/rehearsal"), &secret);
    }
}

async fn start_aws(options: &Options) -> io::Result<AwsSandbox> {
    let pace = match options.pace {
        Pace::Watchable => crate::aws::Pace { pending_ms: 400, in_progress_ms: 2_600, rollback_ms: 1_500 },
        Pace::Fast => crate::aws::Pace { pending_ms: 100, in_progress_ms: 500, rollback_ms: 300 },
    };
    AwsSandbox::start(AwsOptions { pace, ..AwsOptions::default() }).await
}
