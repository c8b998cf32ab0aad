//! Whether what is outside can be reached, for `/readyz` and `slipway check`.

use crate::outside::Outside;
use crate::setup::{ServiceSetup, Setup};
use slipway_deploy::config_store::Wanted;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer is good for, so that a load balancer's questions do not become calls to GitHub.
const CACHE_MS: u64 = 10_000;
/// How long one look may take.
const LOOK_LIMIT_MS: u64 = 5_000;

/// The part that says whether Slack knows the app.
pub const SLACK: &str = "Slack";

/// The part that says whether Discord knows the token.
pub const DISCORD: &str = "Discord";

/// What can be reached, by name, with what is wrong where it cannot.
pub type Parts = BTreeMap<String, Result<(), String>>;

/// Looks at the outside.
#[derive(Debug)]
pub struct Readiness {
    outside: Arc<Outside>,
    setup: Arc<Setup>,
    seen: Mutex<Option<(Instant, Parts)>>,
}

impl Readiness {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(outside: Arc<Outside>, setup: Arc<Setup>) -> Self {
        Self { outside, setup, seen: Mutex::new(None) }
    }

    /// Whose outside it is.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What can be reached now, or could a few seconds ago.
    pub async fn look(&self) -> Parts {
        let mut seen = self.seen.lock().await;
        if let Some((at, parts)) = &*seen
            && at.elapsed() < Duration::from_millis(CACHE_MS)
        {
            return parts.clone();
        }
        let parts = self.look_now().await;
        *seen = Some((Instant::now(), parts.clone()));
        parts
    }

    /// What can be reached now.
    pub async fn look_now(&self) -> Parts {
        let mut looks = Vec::new();
        for (name, service) in self.setup.services() {
            looks.push(self.look_at(name.as_str(), service));
        }
        let (services, slack, discord) =
            tokio::join!(futures::future::join_all(looks), self.look_at_slack(), self.look_at_discord());
        let chats = [(SLACK, slack), (DISCORD, discord)].into_iter();
        let chats = chats.filter_map(|(name, seen)| Some((name.to_owned(), seen?)));
        services.into_iter().flatten().chain(chats).collect()
    }

    /// Where Slack is switched on: whether it knows the token.
    async fn look_at_slack(&self) -> Option<Result<(), String>> {
        match (&self.outside.slack, self.setup.slack) {
            (Some(slack), _) => Some(within_limit(slack.whoami()).await),
            (None, true) => Some(Err("SLACK_BOT_TOKEN is not set".to_owned())),
            (None, false) => None,
        }
    }

    /// The same of Discord.
    async fn look_at_discord(&self) -> Option<Result<(), String>> {
        match (&self.outside.discord, self.setup.discord) {
            (Some(discord), _) => Some(within_limit(discord.me()).await),
            (None, true) => Some(Err("DISCORD_TOKEN is not set".to_owned())),
            (None, false) => None,
        }
    }

    async fn look_at(&self, name: &str, service: &ServiceSetup) -> Vec<(String, Result<(), String>)> {
        let mut parts = Vec::new();
        let repository = &service.repository;
        let github = self.outside.github.check_access(repository);
        parts.push((format!("GitHub {repository}"), within_limit(github).await));
        let image = self.outside.ecr.image_by_tag(&service.image, "slipway-check");
        parts.push((format!("ECR {}", service.image), within_limit(image).await));
        for environment in &service.environments {
            for target in &environment.targets {
                let seen = match self.outside.target(&target.kind) {
                    Ok(client) => within_limit(client.observe(&target.id)).await,
                    Err(trouble) => Err(trouble.to_string()),
                };
                parts.push((format!("{} {name} {}", target.kind, environment.name), seen));
            }
            for secret in environment.config.iter().chain(environment.database.as_ref().map(|(secret, _)| secret)) {
                let version = self.outside.secrets.current_version(secret);
                parts.push((format!("secret {secret}"), within_limit(version).await));
            }
            for (secret, key) in &environment.needs {
                let wanted = Wanted::key(secret, key);
                let there = self.outside.config_store.has_key(&wanted);
                parts.push((format!("secret {secret} key {key}"), within_limit(there).await));
            }
        }
        parts
    }
}

async fn within_limit<T, E: ToString>(look: impl Future<Output = Result<T, E>>) -> Result<(), String> {
    match tokio::time::timeout(Duration::from_millis(LOOK_LIMIT_MS), look).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LOOK_LIMIT_MS / 1000)),
    }
}
