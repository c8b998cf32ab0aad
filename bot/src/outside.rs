//! The clients to everything outside, and whether they can be reached.

use crate::dry::Dry;
use jiff::Timestamp;
use slipway_core::membership::Source;
use slipway_core::plan::PlannedTarget;
use slipway_deploy::aws::AwsClients;
use slipway_deploy::aws::app_runner::AppRunner;
use slipway_deploy::aws::ecr::Ecr;
use slipway_deploy::aws::secrets::Secrets;
use slipway_deploy::config_store::{ConfigStore, FingerprintKey};
use slipway_deploy::discord::{Discord, DiscordError};
use slipway_deploy::github::{GitHub, GitHubError};
use slipway_deploy::health::HealthChecker;
use slipway_deploy::slack::{Slack, SlackError};
use slipway_deploy::target::Target;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The kind that a build may lack.
const ECS_EXPRESS: &str = "ecs-express";

/// The clients.
pub struct Outside {
    /// GitHub.
    pub github: GitHub,
    /// Slack; none where it is switched off or there is no token.
    pub slack: Option<Slack>,
    /// Discord; none where it is switched off or there is no token.
    pub discord: Option<Discord>,
    /// Image registry.
    pub ecr: Ecr,
    /// Configuration secrets.
    pub secrets: Secrets,
    /// What runs images, by kind.
    pub targets: BTreeMap<&'static str, Arc<dyn Target>>,
    /// Health checks.
    pub health: HealthChecker,
    /// Where the services' settings are kept.
    pub config_store: Arc<dyn ConfigStore>,
    /// What they are hashed with; without it which keys change is not known.
    pub fingerprint_key: Option<FingerprintKey>,
    /// Whether there are credentials for GitHub: without them nothing is looked at there regularly.
    pub has_github: bool,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("targets", &self.targets.keys()).finish_non_exhaustive()
    }
}

impl Outside {
    /// Joins the clients.
    #[must_use]
    pub fn new(github: GitHub, slack: Option<Slack>, aws: &AwsClients, health: HealthChecker) -> Self {
        let app_runner: Arc<dyn Target> = Arc::new(AppRunner::new(aws.clone()));
        let dry: Arc<dyn Target> = Arc::new(Dry::without_store());
        let mut targets = BTreeMap::from([("app-runner", app_runner), (PlannedTarget::DRY, dry)]);
        if let Some(ecs_express) = slipway_deploy::aws::ecs_express(aws) {
            targets.insert(ECS_EXPRESS, ecs_express);
        }
        Self {
            github,
            slack,
            discord: None,
            ecr: Ecr::new(aws.clone()),
            secrets: Secrets::new(aws.clone()),
            targets,
            health,
            config_store: Arc::new(Secrets::new(aws.clone())),
            fingerprint_key: None,
            has_github: true,
        }
    }

    /// With another client for a kind of target.
    #[must_use]
    pub fn with_target(mut self, kind: &'static str, target: Arc<dyn Target>) -> Self {
        self.targets.insert(kind, target);
        self
    }

    /// With Discord besides.
    #[must_use]
    pub fn with_discord(self, discord: Option<Discord>) -> Self {
        Self { discord, ..self }
    }

    /// With a key to hash settings with.
    #[must_use]
    pub fn with_fingerprints(self, fingerprint_key: Option<FingerprintKey>) -> Self {
        Self { fingerprint_key, ..self }
    }

    /// Who is in a team, by the ids that they have there.
    ///
    /// # Errors
    /// When they cannot be looked up.
    pub async fn members(&self, source: &Source) -> Result<BTreeSet<String>, MembersError> {
        Ok(match source {
            Source::GithubTeam { organisation, slug } => self.github.team_members(organisation, slug).await?,
            Source::SlackGroup { id } => self.slack.as_ref().ok_or(MembersError::NoSlack)?.group_members(id).await?,
            Source::DiscordRole { guild, id } => {
                let discord = self.discord.as_ref().ok_or(MembersError::NoDiscord)?;
                discord.members_with_role(guild, id).await?.into_iter().collect()
            }
        })
    }

    /// The client for a kind of target.
    ///
    /// # Errors
    /// When this version has none.
    pub fn target(&self, kind: &str) -> Result<&Arc<dyn Target>, NoSuchTarget> {
        self.targets.get(kind).ok_or_else(|| NoSuchTarget(kind.to_owned()))
    }
}

/// Why the members of a team cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    /// GitHub does not tell.
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    /// Slack does not tell.
    #[error(transparent)]
    Slack(#[from] SlackError),
    /// Discord does not tell.
    #[error("{}", .0.for_operators())]
    Discord(#[from] DiscordError),
    /// It takes too long.
    #[error("It was not told within {limit_s} s.")]
    Slow {
        /// The limit in seconds.
        limit_s: u64,
    },
    /// There is nothing to ask Slack with.
    #[error("SLACK_BOT_TOKEN is not set. Set it to the bot token of the installed app, and start Slipway again.")]
    NoSlack,
    /// There is nothing to ask Discord with.
    #[error("DISCORD_TOKEN is not set. Set it to the token of the application's bot, and start Slipway again.")]
    NoDiscord,
}

impl MembersError {
    /// Before which moment there is no use in asking again, where that was said.
    #[must_use]
    pub fn listens_again(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::GitHub(GitHubError::RateLimited { until }) | Self::Slack(SlackError::RateLimited { until }) => *until,
            Self::Discord(error) => error.retry_after().and_then(|wait| now.checked_add(wait).ok()),
            Self::GitHub(_) | Self::Slack(_) | Self::Slow { .. } | Self::NoSlack | Self::NoDiscord => None,
        }
    }

    /// How to mend it, where more can be said than the error itself says; else empty.
    #[must_use]
    pub fn mend(&self) -> &'static str {
        match self {
            Self::GitHub(GitHubError::NotFound { .. } | GitHubError::Forbidden { .. }) => {
                "compare it with github.com/orgs/ORGANISATION/teams/TEAM, and give a token the scope read:org (a \
                 fine-grained one or an App: the organisation's permission Members, read)"
            }
            Self::Slack(SlackError::MissingScope { .. }) => "add the scope to the app, and install it again",
            Self::Slack(SlackError::NotFound { .. }) => {
                "copy the group's id from Slack: S and then capital letters and digits"
            }
            Self::Discord(DiscordError::MissingAccess { .. } | DiscordError::Refused { .. }) => {
                "switch the Server Members Intent on (Developer Portal, Bot), and see that the application is in the server"
            }
            // Their own sentences say it, or there is nothing to do but to wait.
            Self::GitHub(_) | Self::Slack(_) | Self::Discord(_) | Self::Slow { .. } => "",
            Self::NoSlack => "set SLACK_BOT_TOKEN, or remove slack from the [team.…] sections",
            Self::NoDiscord => "set DISCORD_TOKEN, or remove discord from the [team.…] sections",
        }
    }
}

/// A kind of target that this version cannot deploy to.
#[derive(Debug)]
pub struct NoSuchTarget(String);

impl std::error::Error for NoSuchTarget {}

impl std::fmt::Display for NoSuchTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = &self.0;
        if kind == ECS_EXPRESS {
            return f.write_str(
                "This slipway was built without ECS Express Mode. Build it with cargo's feature \"ecs\", which is on \
                 unless --no-default-features switches it off.",
            );
        }
        write!(f, "This version cannot deploy to a target of kind \"{kind}\".")
    }
}

#[cfg(test)]
impl Outside {
    /// Clients that reach nothing.
    pub(crate) fn nowhere() -> Self {
        use slipway_deploy::aws::{CallLimits, ExplicitAws};
        use slipway_deploy::github::Auth;
        // Nobody listens there.
        let nowhere = "http://127.0.0.1:9";
        slipway_deploy::install_crypto_provider();
        let aws = AwsClients::explicit(ExplicitAws {
            endpoint_url: nowhere.to_owned(),
            region: "us-west-2".to_owned(),
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "none".to_owned(),
            limits: CallLimits::default(),
        });
        let github = GitHub::new(nowhere, Auth::Token("none".to_owned().into())).unwrap();
        Self::new(github, None, &aws, HealthChecker::new(1_000).unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_was_not_built_in_is_told_with_the_way_to_have_it() {
        assert!(NoSuchTarget(ECS_EXPRESS.to_owned()).to_string().contains("feature \"ecs\""));
        let unknown = NoSuchTarget("kubernetes".to_owned()).to_string();
        assert_eq!(unknown, "This version cannot deploy to a target of kind \"kubernetes\".");
    }
}
