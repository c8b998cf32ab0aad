//! What the running bot knows from its configuration: services, environments, people, policies.

use crate::buttons::of_message;
use crate::config::{self, Config, Pace};
use crate::policies;
use crate::standing::Standing;
use crate::store::PolicyVersion;
use jiff::Timestamp;
use slipway_core::command::Words;
use slipway_core::ids::{CommitSha, EnvironmentKey, EnvironmentName, IntentId, PersonId, ReleaseId, ServiceName};
use slipway_core::membership::{Roster, Source};
use slipway_core::paths::Paths;
use slipway_core::person::Directory;
use slipway_core::plan::PlannedTarget;
use slipway_core::policy::{Case, PolicyChange, PolicySet};
use slipway_core::release::Release;
use slipway_core::together;
use slipway_deploy::github::{BadRepoName, RepoName, Required};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A service.
#[derive(Clone, Debug)]
pub struct ServiceSetup {
    /// Its repository.
    pub repository: RepoName,
    /// The workflow file that builds its image.
    pub workflow: String,
    /// Its image repository, without tag.
    pub image: String,
    /// `{commit}` or a text with it, or with `{short}`.
    pub tag: String,
    /// How long a release may wait for approval.
    pub vote_expiry_s: i64,
    /// The migrations folder and its format.
    pub migrations: Option<config::Migrations>,
    /// Where its cards go.
    pub channels: Vec<String>,
    /// Where successes are announced.
    pub announce: Vec<String>,
    /// Its environments, in the order of the file.
    pub environments: Vec<EnvironmentSetup>,
    /// Whether the migrations of its pull requests are linted on GitHub.
    pub lint_pull_requests: bool,
    /// How long a deployment waits for green CI or the end of a lock.
    pub when_expiry_s: i64,
    /// The services before it when several are deployed together.
    pub after_services: Vec<ServiceName>,
    /// Which files of the repository concern it; without them all do.
    pub paths: Option<Paths>,
}

impl ServiceSetup {
    /// The tag of a commit's image.
    #[must_use]
    pub fn tag_of(&self, commit: &CommitSha) -> String {
        self.tag.replace("{commit}", commit.as_str()).replace("{short}", commit.short())
    }
}

/// An environment.
#[derive(Clone, Debug)]
pub struct EnvironmentSetup {
    /// Its name.
    pub name: EnvironmentName,
    /// IANA name.
    pub timezone: String,
    /// What runs the image.
    pub targets: Vec<TargetSetup>,
    /// Where the database's URL is kept: secret and key.
    pub database: Option<(String, String)>,
    /// Where migrations are rehearsed.
    pub rehearse: Option<config::Rehearse>,
    /// Configuration secrets.
    pub config: Vec<String>,
    /// Where the service says how it is.
    pub health_url: Option<String>,
    /// For how long it must be healthy.
    pub health_bake_s: i64,
    /// The environment that comes before.
    pub after: Option<EnvironmentName>,
    /// What reactions under a card mean.
    pub reactions: config::Reactions,
    /// What must be in the secrets for the service to start: secret and key.
    pub needs: Vec<(String, String)>,
    /// What follows when a deployment cannot be verified.
    pub rollback: config::RollbackBy,
    /// The tag that names the image after it has become live here.
    pub promote: Option<config::TagTemplate>,
    /// Which checks of a commit have to pass.
    pub checks: Required,
    /// What is released here by itself.
    pub auto_deploy: Option<AutoDeploy>,
    /// Whether what runs in the environment before is suggested for this one.
    pub suggest: bool,
    /// Whether it begins by itself instead.
    pub auto_promote: bool,
}

/// What is released to an environment by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoDeploy {
    /// Of which branch.
    pub branch: String,
    /// How many commits at once, at most.
    pub commits: Option<usize>,
}

/// Something that runs the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSetup {
    /// `app-runner`, `ecs-express`, `dry`.
    pub kind: String,
    /// Its ARN, or the name of a dry one.
    pub id: String,
}

/// The policies in force.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The set.
    pub set: PolicySet,
    /// The changes that nobody may profit from who made them, oldest first.
    pub changes: Arc<Vec<PolicyChange>>,
}

impl Rules {
    /// A set that nobody has changed.
    #[must_use]
    pub fn new(set: PolicySet) -> Self {
        Self { set, changes: Arc::default() }
    }
}

/// The whole set-up.
#[derive(Debug)]
pub struct Setup {
    services: BTreeMap<ServiceName, ServiceSetup>,
    /// Everybody as the configuration has them. Who decides or asks comes from [`crate::standing`].
    pub people: Arc<Directory>,
    /// The teams whose members are kept elsewhere.
    pub rosters: Vec<Roster>,
    rules: RwLock<Rules>,
    own_policy_changes_refused: bool,
    policy_origin: policies::Origin,
    fact_age_max_s: i64,
    membership_age_max_s: i64,
    /// Where and when the end of the audit log is posted.
    pub audit: config::Audit,
    /// How often to look, and how long to wait.
    pub pace: Pace,
    /// Whether Slack is switched on, with a token or without.
    pub slack: bool,
    /// Whether Discord is.
    pub discord: bool,
    last_id_window: Mutex<i64>,
    /// Whether releases are shown on GitHub.
    pub deployments: bool,
    public_url: Option<String>,
    timezones: BTreeMap<PersonId, String>,
    /// The address of GitHub's API.
    pub github_api: String,
}

impl Setup {
    /// Joins a checked configuration and a policy set that fits it.
    ///
    /// # Errors
    /// When a repository's name is none.
    pub fn new(config: &Config, policies: PolicySet) -> Result<Self, BadRepoName> {
        let service = |(name, service): (&ServiceName, _)| Ok((name.clone(), ServiceSetup::from_config(service)?));
        Ok(Self {
            services: config.services.iter().map(service).collect::<Result<_, BadRepoName>>()?,
            people: Arc::new(config.directory()),
            rosters: config.rosters(),
            rules: RwLock::new(Rules::new(policies)),
            own_policy_changes_refused: config.policies.own_changes_refused,
            policy_origin: policies::Origin::of(config),
            fact_age_max_s: or_default(Some(config.server.fact_age_max_s), i64::MAX),
            membership_age_max_s: or_default(Some(config.server.membership_age_max_s), 0),
            audit: config.audit.clone(),
            pace: config.pace,
            slack: config.slack.is_some(),
            discord: config.discord.is_some(),
            last_id_window: Mutex::new(0),
            deployments: config.github.deployments,
            public_url: config.server.public_url.clone(),
            timezones: config
                .timezones
                .iter()
                .filter_map(|(id, zone)| Some((id.clone(), zone.iana_name()?.to_owned())))
                .collect(),
            github_api: config.github.api_url.clone(),
        })
    }

    /// The policies in force.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The policy set in force.
    #[must_use]
    pub fn policies(&self) -> PolicySet {
        self.rules().set
    }

    /// Puts other policies in force. Gives those that were.
    pub fn replace_rules(&self, rules: Rules) -> Rules {
        let mut in_force = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *in_force, rules)
    }

    /// Where the policies are kept.
    #[must_use]
    pub fn policy_origin(&self) -> &policies::Origin {
        &self.policy_origin
    }

    /// A policy set as it would be in force after these ones, newest first.
    #[must_use]
    pub fn rules_with(&self, set: PolicySet, versions: &[PolicyVersion]) -> Rules {
        if !self.own_policy_changes_refused {
            return Rules::new(set);
        }
        Rules { changes: Arc::new(policies::changes(versions, &self.people, &self.policy_origin.vocabulary)), set }
    }

    /// What people can name in commands.
    #[must_use]
    pub fn words(&self) -> Words {
        let environments = |service: &ServiceSetup| service.environments.iter().map(|e| e.name.clone()).collect();
        let mut names = self.services.keys();
        let default_service = names.next().cloned().filter(|_| names.next().is_none());
        Words {
            services: self.services.keys().cloned().collect(),
            environments: self.services.iter().map(|(name, service)| (name.clone(), environments(service))).collect(),
            default_service,
            people: self.people.iter().map(|person| person.id.clone()).collect(),
        }
    }

    /// All services, by name.
    pub fn services(&self) -> impl Iterator<Item = (&ServiceName, &ServiceSetup)> {
        self.services.iter()
    }

    /// All services in the order in which they are deployed together.
    #[must_use]
    pub fn ordered_services(&self) -> Vec<&ServiceName> {
        together::ordered(self.services.keys(), |name| {
            self.service(name).map_or(&[], |service| &service.after_services)
        })
    }

    /// A service.
    #[must_use]
    pub fn service(&self, name: &ServiceName) -> Option<&ServiceSetup> {
        self.services.get(name)
    }

    /// An environment.
    #[must_use]
    pub fn environment(&self, key: &EnvironmentKey) -> Option<&EnvironmentSetup> {
        self.service(&key.service)?.environments.iter().find(|environment| environment.name == key.environment)
    }

    /// Every environment, or those of one name.
    #[must_use]
    pub fn environment_keys(&self, only: Option<&EnvironmentName>) -> Vec<EnvironmentKey> {
        let all = self.services.iter().flat_map(|(name, service)| {
            service.environments.iter().map(|e| EnvironmentKey { service: name.clone(), environment: e.name.clone() })
        });
        all.filter(|key| only.is_none_or(|only| key.environment == *only)).collect()
    }

    /// The environment that comes after one.
    #[must_use]
    pub fn next_environment(&self, key: &EnvironmentKey) -> Option<&EnvironmentName> {
        let environments = &self.service(&key.service)?.environments;
        environments.iter().find(|e| e.after.as_ref() == Some(&key.environment)).map(|e| &e.name)
    }

    /// The environment that comes before one.
    #[must_use]
    pub fn environment_before(&self, key: &EnvironmentKey) -> Option<EnvironmentKey> {
        let environment = self.environment(key)?.after.clone()?;
        Some(EnvironmentKey { service: key.service.clone(), environment })
    }

    /// The environments that come after one.
    pub fn environments_after(&self, key: &EnvironmentKey) -> impl Iterator<Item = EnvironmentKey> {
        let environments = self.service(&key.service).map_or(&[][..], |service| &service.environments);
        let after = environments.iter().filter(move |e| e.after.as_ref() == Some(&key.environment));
        after.map(move |e| EnvironmentKey { service: key.service.clone(), environment: e.name.clone() })
    }

    /// The environment that a button beside it is about.
    #[must_use]
    pub fn environment_of_button(&self, button: &str) -> Option<EnvironmentKey> {
        // Buttons that were shown by an earlier version, and the terminal's, are named as their message is.
        let environment = of_message(button);
        self.environment_keys(None).into_iter().find(|key| environment_button(key) == environment)
    }

    /// Where successes in an environment are announced: nowhere for one that others come after.
    #[must_use]
    pub fn announce_channels(&self, key: &EnvironmentKey) -> &[String] {
        let last = self.next_environment(key).is_none();
        self.service(&key.service).filter(|_| last).map_or(&[], |service| &service.announce)
    }

    /// The address of a release's page, where the configuration says how people reach it.
    #[must_use]
    pub fn release_page(&self, release: &ReleaseId) -> Option<String> {
        self.public_url.as_ref().map(|url| format!("{url}/releases/{release}"))
    }

    /// The address of Slipway's own pages, where the configuration says how people reach them.
    #[must_use]
    pub fn home_page(&self) -> Option<String> {
        self.public_url.as_ref().map(|url| format!("{url}/"))
    }

    /// An environment's name on GitHub: with its service where several are released from one repository.
    #[must_use]
    pub fn shown_environment(&self, key: &EnvironmentKey) -> String {
        self.shown_on_github(&key.service, key.environment.as_str())
    }

    /// What the lint of a service's migrations is called on GitHub.
    #[must_use]
    pub fn shown_migrations(&self, service: &ServiceName) -> String {
        self.shown_on_github(service, config::MIGRATIONS_CHECK)
    }

    fn shown_on_github(&self, name: &ServiceName, what: &str) -> String {
        let repository = self.service(name).map(|service| &service.repository);
        let shared = self.services.values().filter(|service| Some(&service.repository) == repository).count() > 1;
        if shared { format!("{name}/{what}") } else { what.to_owned() }
    }

    /// Where a service's cards go.
    #[must_use]
    pub fn channels(&self, service: &ServiceName) -> &[String] {
        self.service(service).map_or(&[], |service| &service.channels)
    }

    /// An environment's time zone.
    #[must_use]
    pub fn timezone(&self, key: &EnvironmentKey) -> &str {
        self.environment(key).map_or("UTC", |environment| &environment.timezone)
    }

    /// The time zone that somebody means who speaks of an environment: theirs, else the environment's.
    #[must_use]
    pub fn timezone_of(&self, person: &PersonId, key: &EnvironmentKey) -> &str {
        self.timezones.get(person).map_or_else(|| self.timezone(key), String::as_str)
    }

    /// How long a deployment of a service waits for green CI or the end of a lock.
    #[must_use]
    pub fn when_expiry_s(&self, service: &ServiceName) -> i64 {
        self.service(service).map_or(0, |service| service.when_expiry_s)
    }

    /// How long a release of a service may wait.
    #[must_use]
    pub fn vote_expiry_s(&self, service: &ServiceName) -> i64 {
        self.service(service).map_or(0, |service| service.vote_expiry_s)
    }

    /// A planned release as policy looks at it, at a moment; `None` without a plan.
    #[must_use]
    pub fn case<'a>(&'a self, release: &'a Release, standing: &'a Standing, now: Timestamp) -> Option<Case<'a>> {
        Some(Case {
            release: &release.id,
            requester: standing.people.get(&release.request.requester),
            plan: release.plan.as_ref()?,
            votes: standing.shared.as_ref().map_or(&release.votes, |shared| &shared.votes),
            waiver: standing.shared.as_ref().map_or(release.waiver.as_ref(), |shared| shared.waiver.as_ref()),
            facts: release.facts.as_ref()?,
            past: &standing.past,
            people: &standing.people,
            now,
            timezone: self.timezone(&release.request.key),
        })
    }

    /// How old facts may be.
    #[must_use]
    pub fn fact_age_max_s(&self) -> i64 {
        self.fact_age_max_s
    }

    /// How old what was last seen of a team's members may be, for asking.
    #[must_use]
    pub fn membership_age_max_s(&self) -> i64 {
        self.membership_age_max_s
    }

    /// The places where members of teams are kept, each once.
    #[must_use]
    pub fn sources(&self) -> BTreeSet<&Source> {
        self.rosters.iter().map(|roster| &roster.source).collect()
    }

    /// A new id for a deployment that is to be asked for later, different in its short form from those of releases too.
    #[must_use]
    pub fn new_intent_id(&self, now: Timestamp) -> IntentId {
        IntentId::new(self.new_release_id(now).as_str())
    }

    /// A new id, later in order than all earlier ones of this process and different from them in its short form
    /// too: when several releases are asked for within a second, the later ids lie a little ahead.
    #[must_use]
    pub fn new_release_id(&self, now: Timestamp) -> ReleaseId {
        let mut last = self.last_id_window.lock().unwrap_or_else(PoisonError::into_inner);
        let window = (now.as_millisecond() / ReleaseId::SHORT_WINDOW_MS).max(*last + 1);
        let at_ms = if window == now.as_millisecond() / ReleaseId::SHORT_WINDOW_MS {
            now.as_millisecond()
        } else {
            window * ReleaseId::SHORT_WINDOW_MS
        };
        *last = window;
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(now);
        ReleaseId::new(ulid::Ulid::from_datetime(std::time::SystemTime::from(at)).to_string())
    }
}

impl Pace {
    /// Between two looks.
    #[must_use]
    pub fn poll_ms(&self, default: i64) -> i64 {
        or_default(self.poll_ms, default)
    }

    /// How long an image may take to appear.
    #[must_use]
    pub fn image_grace_s(&self, default: i64) -> i64 {
        or_default(self.image_grace_s, default)
    }

    /// How often the policies' repository is looked at.
    #[must_use]
    pub fn policies_s(&self, default: i64) -> i64 {
        or_default(self.policies_s, default)
    }

    /// How long a new version may take to become healthy.
    #[must_use]
    pub fn healthy_limit_s(&self, default: i64) -> i64 {
        or_default(self.healthy_limit_s, default)
    }

    /// Between two looks at who is in the teams.
    #[must_use]
    pub fn membership_ms(&self, default: i64) -> i64 {
        or_default(self.membership_ms, default)
    }

    /// Between two looks at the services' settings.
    #[must_use]
    pub fn config_ms(&self, default: i64) -> i64 {
        or_default(self.config_ms, default)
    }

    /// Between two looks at what the targets run.
    #[must_use]
    pub fn targets_ms(&self, default: i64) -> i64 {
        or_default(self.targets_ms, default)
    }

    /// How long the outside may take to show what was begun there.
    #[must_use]
    pub fn lag_limit_s(&self, default: i64) -> i64 {
        or_default(self.lag_limit_s, default)
    }

    /// The rest after the first failure of what is tried again.
    #[must_use]
    pub fn retry_ms(&self, default: i64) -> i64 {
        or_default(self.retry_ms, default)
    }
}

fn or_default(configured: Option<u64>, default: i64) -> i64 {
    configured.and_then(|value| i64::try_from(value).ok()).unwrap_or(default)
}

impl ServiceSetup {
    /// From the configuration.
    ///
    /// # Errors
    /// When the repository's name is none.
    pub fn from_config(service: &config::Service) -> Result<Self, BadRepoName> {
        Ok(Self {
            repository: RepoName::parse(&service.repository.to_string())?,
            workflow: service.workflow.clone(),
            image: service.image.to_string(),
            tag: service.tag.to_string(),
            vote_expiry_s: seconds(service.vote_expiry),
            migrations: service.migrations.clone(),
            channels: service.channels.iter().map(ToString::to_string).collect(),
            announce: service.announce.iter().map(ToString::to_string).collect(),
            environments: service.environments.values().map(EnvironmentSetup::from_config).collect(),
            lint_pull_requests: service.lint_pull_requests,
            when_expiry_s: seconds(service.when_expiry),
            after_services: service.after_services.clone(),
            paths: service.paths.clone(),
        })
    }
}

impl EnvironmentSetup {
    fn from_config(environment: &config::Environment) -> Self {
        let targets = environment.targets.iter().map(|target| {
            let (kind, id) = match target {
                config::Target::AppRunner(service) => ("app-runner", &service.arn),
                config::Target::EcsExpress(service) => ("ecs-express", &service.arn),
                config::Target::Dry(name) => (PlannedTarget::DRY, name),
            };
            TargetSetup { kind: kind.to_owned(), id: id.clone() }
        });
        Self {
            name: environment.key.environment.clone(),
            timezone: environment.timezone.iana_name().unwrap_or("UTC").to_owned(),
            targets: targets.collect(),
            database: environment.database.as_ref().map(|at| (at.secret.clone(), at.key.clone())),
            rehearse: environment.rehearse.clone(),
            config: environment.config.clone(),
            health_url: environment.health_url.clone(),
            health_bake_s: seconds(environment.health_bake),
            after: environment.after.clone(),
            reactions: environment.reactions,
            needs: environment.needs.iter().map(|at| (at.secret.clone(), at.key.clone())).collect(),
            rollback: environment.rollback,
            promote: environment.promote.clone(),
            checks: environment.checks.clone(),
            auto_deploy: environment.auto_deploy.clone().map(|branch| {
                let commits = environment.auto_deploy_commits.and_then(|commits| usize::try_from(commits).ok());
                AutoDeploy { branch, commits }
            }),
            suggest: environment.suggest,
            auto_promote: environment.auto_promote,
        }
    }
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// The key of the buttons beside an environment.
#[must_use]
pub fn environment_button(key: &EnvironmentKey) -> String {
    format!("environment/{}/{}", key.service, key.environment)
}

/// How long a run usually takes, in seconds: the middle of the last ones.
#[must_use]
pub fn usual_s(durations_ms: &[i64]) -> Option<u64> {
    let mut sorted = durations_ms.to_vec();
    sorted.sort_unstable();
    let middle = *sorted.get(sorted.len() / 2)?;
    u64::try_from(middle / 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn ids_of_the_same_moment_differ_in_what_people_read() {
        let file = "[store]\nurl = \"sqlite://x.db\"\n";
        let (config, _) = Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
        let setup = crate::assemble::setup(&config).unwrap();
        let now: Timestamp = "2026-11-23T08:00:00.5Z".parse().unwrap();
        let ids: Vec<_> = (0..50).map(|_| setup.new_release_id(now)).collect();
        let mut short: Vec<_> = ids.iter().map(ReleaseId::short).collect();
        assert!(ids.is_sorted(), "later in order");
        short.dedup();
        assert_eq!(short.len(), 50, "{short:?}");
    }
}
