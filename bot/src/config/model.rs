//! The configuration after the check: every value of its own type.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use slipway_core::ids::{CommitSha, EnvironmentKey, EnvironmentName, PersonId, ServiceName, TeamName};
use slipway_core::membership::{Roster, Source};
use slipway_core::paths::Paths;
use slipway_core::person::{Directory, Person};
use slipway_deploy::github::Required;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A checked `slipway.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// SHA-256 of its content, 64 hex digits: which configuration it was, for the audit log.
    pub hash: String,
    /// `[server]`.
    pub server: Server,
    /// `[store]`.
    pub store: Store,
    /// `[slack]`; none when Slack is switched off.
    pub slack: Option<Slack>,
    /// `[discord]`; none when Discord is switched off.
    pub discord: Option<Discord>,
    /// `[github]`.
    pub github: Github,
    /// `[terminal]`; none when the terminal chat is switched off.
    pub terminal: Option<Terminal>,
    /// `[policies]`.
    pub policies: Policies,
    /// `[audit]`.
    pub audit: Audit,
    /// `[pace]`.
    pub pace: Pace,
    /// `[service.NAME]`.
    pub services: BTreeMap<ServiceName, Service>,
    /// `[team.NAME]`: where members are kept outside of the file.
    pub team_sources: BTreeMap<TeamName, Vec<Source>>,
    /// `[person.NAME]`.
    pub people: BTreeMap<PersonId, Person>,
    /// The time zones of those people who say theirs.
    pub timezones: BTreeMap<PersonId, TimeZone>,
}

impl Config {
    /// The people, findable by identity.
    #[must_use]
    pub fn directory(&self) -> Directory {
        Directory::new(self.people.values().cloned())
    }

    /// Every environment with its service, by service and name.
    pub fn environments(&self) -> impl Iterator<Item = (&Service, &Environment)> {
        self.services.values().flat_map(|service| service.environments.values().map(move |env| (service, env)))
    }

    /// The AWS region of all images and targets, where they are all in one.
    #[must_use]
    pub fn only_region(&self) -> Option<&str> {
        let images = self.services.values().map(|service| service.image.region.as_str());
        let targets = self.environments().flat_map(|(_, environment)| &environment.targets).filter_map(Target::region);
        let mut regions = images.chain(targets);
        let first = regions.next()?;
        regions.all(|region| region == first).then_some(first)
    }

    /// The environment of that key with its service.
    #[must_use]
    pub fn environment(&self, key: &EnvironmentKey) -> Option<(&Service, &Environment)> {
        let service = self.services.get(&key.service)?;
        service.environments.get(&key.environment).map(|environment| (service, environment))
    }

    /// Every team: those that somebody is in by the file, and those whose members are kept elsewhere.
    #[must_use]
    pub fn teams(&self) -> BTreeSet<TeamName> {
        let of_people = self.people.values().flat_map(|person| &person.teams);
        of_people.chain(self.team_sources.keys()).cloned().collect()
    }

    /// Each team whose members are kept elsewhere with each place, by team.
    #[must_use]
    pub fn rosters(&self) -> Vec<Roster> {
        let of_team = |(team, sources): (&TeamName, &Vec<Source>)| {
            let team = team.clone();
            sources.clone().into_iter().map(move |source| Roster { team: team.clone(), source })
        };
        self.team_sources.iter().flat_map(of_team).collect()
    }

    /// The teams of `named` (the ones policies speak of) that nobody can be in.
    #[must_use]
    pub fn empty_teams<'a>(&self, named: impl IntoIterator<Item = &'a TeamName>) -> Vec<&'a TeamName> {
        let teams = self.teams();
        named.into_iter().filter(|team| !teams.contains(*team)).collect()
    }
}

/// `[policies]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Where the rules are kept.
    pub place: PoliciesPlace,
    /// Whether what somebody's change loosened stays as it was for the releases that they ask for.
    pub own_changes_refused: bool,
}

/// Where the rules are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PoliciesPlace {
    /// In the binary.
    #[default]
    BuiltIn,
    /// In a folder; a relative one is already joined to the configuration's folder.
    Folder(PathBuf),
    /// In a repository on GitHub.
    Repository {
        /// Which.
        repository: RepositoryName,
        /// The branch; none: the default branch.
        branch: Option<String>,
        /// The folder in it; `.` is its root.
        dir: String,
    },
}

/// `[pace]`: how often Slipway looks, and how long it waits for what is outside. What is not set keeps its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Between two looks at a build, an operation or a health check.
    pub poll_ms: Option<u64>,
    /// How long an image may take to appear after a green build.
    pub image_grace_s: Option<u64>,
    /// How long a new version may take to become healthy.
    pub healthy_limit_s: Option<u64>,
    /// How long GitHub and AWS may take to show what was begun there.
    pub lag_limit_s: Option<u64>,
    /// How often the policies' repository is looked at.
    pub policies_s: Option<u64>,
    /// Between two looks at who is in the teams whose members are kept elsewhere.
    pub membership_ms: Option<u64>,
    /// Between two looks at the services' settings.
    pub config_ms: Option<u64>,
    /// Between two looks at what the targets run.
    pub targets_ms: Option<u64>,
    /// How long one call to GitHub, AWS, a chat or a health address may take.
    pub call_limit_ms: Option<u64>,
    /// The rest after the first failure of what is tried again; it doubles with each.
    pub retry_ms: Option<u64>,
}

/// `[audit]`: the daily anchor of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Where it is posted; nowhere when empty.
    pub anchor: Vec<Channel>,
    /// At which time of the day.
    pub anchor_at: Time,
    /// Whose day. UTC unless said otherwise.
    pub timezone: TimeZone,
}

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Under which address people and webhooks reach it, without a slash at the end.
    pub public_url: Option<String>,
    /// The oldest facts that the gate accepts, in seconds.
    pub fact_age_max_s: u64,
    /// The oldest membership of a team kept elsewhere that counts for asking, in seconds.
    pub membership_age_max_s: u64,
    /// How long a delivery may take to become durable before its sender is told that it is not, in milliseconds.
    pub ack_budget_ms: u64,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The SQLite file. A relative one is already joined to the configuration's folder.
    pub path: PathBuf,
}

/// `[slack]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slack {
    /// Deliveries of another app are refused.
    pub app_id: Option<String>,
    /// Deliveries of another workspace are refused.
    pub team_id: Option<String>,
    /// How deliveries come.
    pub mode: SlackMode,
    /// The API's address, without a slash at the end.
    pub api_url: String,
    /// The reactions that approve, by Slack's names.
    pub approve: Vec<String>,
    /// The reactions that veto, by Slack's names.
    pub veto: Vec<String>,
}

/// How Slack's deliveries come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlackMode {
    /// To `/slack/…`, signed.
    #[default]
    Http,
    /// Over a WebSocket that Slipway opens.
    Socket,
}

impl SlackMode {
    /// As in the file.
    pub const ALL: [(&'static str, Self); 2] = [("http", Self::Http), ("socket", Self::Socket)];
}

/// `[discord]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discord {
    /// The application.
    pub application_id: String,
    /// The one server (guild) it serves.
    pub guild_id: Option<String>,
    /// How what is typed and pressed comes.
    pub mode: DiscordMode,
    /// The API's origin, without a slash at the end.
    pub api_url: String,
    /// The reactions that approve: emoji, or the ids of the server's own.
    pub approve: Vec<String>,
    /// The reactions that veto, in the same form.
    pub veto: Vec<String>,
}

/// How what is typed and pressed in Discord comes. What is said and reacted comes over the gateway in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiscordMode {
    /// Over the gateway, a WebSocket that Slipway opens.
    #[default]
    Gateway,
    /// To `/discord/interactions`, signed.
    Http,
}

impl DiscordMode {
    /// As in the file.
    pub const ALL: [(&'static str, Self); 2] = [("gateway", Self::Gateway), ("http", Self::Http)];
}

/// `[github]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Github {
    /// The API's address, without a slash at the end.
    pub api_url: String,
    /// Whether releases are shown on GitHub: deployments, and a status on the commit.
    pub deployments: bool,
}

/// `[terminal]`: the chat of the sandbox and of a local trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// The channels' names.
    pub channels: Vec<String>,
}

/// A place where messages go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// A Slack channel id.
    Slack(String),
    /// A Discord channel id.
    Discord(String),
    /// A channel of the terminal chat, by name.
    Terminal(String),
}

impl fmt::Display for Channel {
    /// As in the file: `slack:C024BE91L`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slack(id) => write!(f, "slack:{id}"),
            Self::Discord(id) => write!(f, "discord:{id}"),
            Self::Terminal(name) => write!(f, "terminal:{name}"),
        }
    }
}

/// `[service.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Its repository on GitHub.
    pub repository: RepositoryName,
    /// The file name of the workflow that builds the image.
    pub workflow: String,
    /// Where the workflow puts the image.
    pub image: ImageRepository,
    /// How the workflow tags it.
    pub tag: TagTemplate,
    /// After how long a vote no longer counts.
    pub vote_expiry: Duration,
    /// Its migrations; none when it has no database.
    pub migrations: Option<Migrations>,
    /// Where releases are shown.
    pub channels: Vec<Channel>,
    /// Where what reached an environment is announced.
    pub announce: Vec<Channel>,
    /// `[service.X.environment.NAME]`.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// Whether the migrations of its pull requests are linted on GitHub.
    pub lint_pull_requests: bool,
    /// How long a deployment waits for green CI or the end of a lock (`--when`).
    pub when_expiry: Duration,
    /// The services that come before it when several are deployed together.
    pub after_services: Vec<ServiceName>,
    /// Which files of the repository concern it; without them all do.
    pub paths: Option<Paths>,
}

/// `owner/name` on GitHub.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    /// The user or organisation.
    pub owner: String,
    /// The repository.
    pub name: String,
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// An image repository in ECR.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRepository {
    /// The host, `123456789012.dkr.ecr.us-west-2.amazonaws.com`.
    pub registry: String,
    /// The AWS account, 12 digits.
    pub account: String,
    /// The AWS region.
    pub region: String,
    /// The repository's name in the registry.
    pub name: String,
}

impl fmt::Display for ImageRepository {
    /// As in the file, without a tag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}

/// How the image of a commit is tagged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagTemplate(pub(super) String);

impl TagTemplate {
    /// The tag of the image built from that commit.
    #[must_use]
    pub fn render(&self, commit: &CommitSha) -> String {
        self.0.replace("{commit}", commit.as_str()).replace("{short}", commit.short())
    }
}

impl fmt::Display for TagTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `migrations = { dir, format }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrations {
    /// The folder in the repository.
    pub dir: String,
    /// The name of their format, one of those that `core` has, or `auto`: by the files and the database's history.
    pub format: &'static str,
}

/// `[service.X.environment.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its service and name.
    pub key: EnvironmentKey,
    /// Where its clock stands, for freezes. UTC unless said otherwise.
    pub timezone: TimeZone,
    /// What runs the image, in the order of the waves; at least one.
    pub targets: Vec<Target>,
    /// Where its database's address is kept.
    pub database: Option<SecretKey>,
    /// Where migrations are rehearsed before somebody approves them.
    pub rehearse: Option<Rehearse>,
    /// The secrets it reads its settings from.
    pub config: Vec<String>,
    /// What answers whether it is healthy.
    pub health_url: Option<String>,
    /// How long the health must hold.
    pub health_bake: Duration,
    /// The branch whose green commits are released by themselves.
    pub auto_deploy: Option<String>,
    /// The environment of the same service that a commit must have reached before.
    pub after: Option<EnvironmentName>,
    /// What reactions under a card mean.
    pub reactions: Reactions,
    /// What must be in the secrets for the service to start.
    pub needs: Vec<SecretKey>,
    /// What follows when a deployment cannot be verified.
    pub rollback: RollbackBy,
    /// The tag that names the image after it has become live here.
    pub promote: Option<TagTemplate>,
    /// Which checks of a commit have to pass.
    pub checks: Required,
    /// Whether what runs in the environment before is suggested for this one.
    pub suggest: bool,
    /// Whether it begins by itself instead.
    pub auto_promote: bool,
    /// How many commits one release brings at most that begins by itself.
    pub auto_deploy_commits: Option<u64>,
}

/// `rehearse = { secret, key, same_server }`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rehearse {
    /// Where the rehearsal server's address is kept.
    pub server: SecretKey,
    /// Whether it may be the server that has the environment's own database.
    pub same_server: bool,
}

/// What a reaction under a release's card means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reactions {
    /// It is a vote.
    #[default]
    Vote,
    /// It opens a button that is a vote.
    Confirm,
    /// Nothing.
    Ignore,
}

impl Reactions {
    /// As in the file.
    pub const ALL: [(&'static str, Self); 3] =
        [("vote", Self::Vote), ("confirm", Self::Confirm), ("ignore", Self::Ignore)];
}

/// Who has a version rolled back that was deployed and cannot be verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RollbackBy {
    /// Somebody who asks for it.
    #[default]
    Manual,
    /// Slipway asks for it, in the name of whoever asked for the release.
    Automatic,
}

impl RollbackBy {
    /// As in the file.
    pub const ALL: [(&'static str, Self); 2] = [("manual", Self::Manual), ("automatic", Self::Automatic)];
}

/// What runs the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An App Runner service.
    AppRunner(AppRunnerService),
    /// An ECS Express Mode service.
    EcsExpress(EcsExpressService),
    /// Nothing, by a name: for trying a set-up.
    Dry(String),
}

impl Target {
    /// The AWS region that it is in.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::AppRunner(service) => Some(&service.region),
            Self::EcsExpress(service) => Some(&service.region),
            Self::Dry(_) => None,
        }
    }
}

/// An ECS Express Mode service by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcsExpressService {
    /// The whole ARN, with the cluster in it.
    pub arn: String,
    /// The AWS region in it.
    pub region: String,
    /// The service's name in it.
    pub name: String,
}

/// An App Runner service by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppRunnerService {
    /// The whole ARN.
    pub arn: String,
    /// The AWS region in it.
    pub region: String,
    /// The AWS account in it, 12 digits.
    pub account: String,
    /// The service's name in it.
    pub name: String,
}

/// A value in Secrets Manager: a key of the JSON object that a secret holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKey {
    /// The secret's name.
    pub secret: String,
    /// The key inside it.
    pub key: String,
}
