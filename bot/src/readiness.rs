//! Whether what is outside can be reached, for `/readyz` and `slipway check`.

use crate::defects::caught;
use crate::outside::Outside;
use crate::setup::{ServiceSetup, Setup};
use futures::future::{BoxFuture, FutureExt as _, Shared};
use futures::stream::StreamExt as _;
use slipway_deploy::config_store::Wanted;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer is good for, so that a load balancer's questions do not become calls to GitHub.
const CACHE_MS: u64 = 10_000;
/// How long one look may take.
const LOOK_LIMIT_MS: u64 = 5_000;
/// How many of a service's parts are looked at beside each other.
const LOOKS_AT_ONCE_LIMIT: usize = 16;

/// The part that says whether Slack knows the app.
pub const SLACK: &str = "Slack";

/// The part that says whether Discord knows the token.
pub const DISCORD: &str = "Discord";

/// What can be reached, by name, with what is wrong where it cannot.
pub type Parts = BTreeMap<String, Result<(), String>>;

/// A look that is under way, for all that wait for it.
type Going = Shared<BoxFuture<'static, Parts>>;

/// Looks at the outside.
#[derive(Debug)]
pub struct Readiness {
    outside: Arc<Outside>,
    setup: Arc<Setup>,
    looks: Mutex<Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    seen: Option<(Instant, Parts)>,
    going: Option<Going>,
}

impl Readiness {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(outside: Arc<Outside>, setup: Arc<Setup>) -> Self {
        Self { outside, setup, looks: Mutex::default() }
    }

    /// Whose outside it is.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What can be reached now, or could a few seconds ago. The look itself goes on when whoever asked has hung up: a probe
    /// with little patience would otherwise begin it again and again, and never hear how it ended.
    pub async fn look(self: &Arc<Self>) -> Parts {
        let going = {
            let mut looks = self.looks();
            if let Some((at, parts)) = &looks.seen
                && at.elapsed() < Duration::from_millis(CACHE_MS)
            {
                return parts.clone();
            }
            looks.going.get_or_insert_with(|| self.clone().begins()).clone()
        };
        going.await
    }

    /// Looks in a task of its own, once for all that ask meanwhile.
    fn begins(self: Arc<Self>) -> Going {
        let task = tokio::spawn(async move {
            let looked = caught("a look at the outside", self.look_now()).await;
            let parts = looked.unwrap_or_else(|panicked| not_known(&panicked));
            let mut looks = self.looks();
            *looks = Looks { seen: Some((Instant::now(), parts.clone())), going: None };
            parts
        });
        async move { task.await.unwrap_or_else(|error| not_known(&error)) }.boxed().shared()
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
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
        let repository = &service.repository;
        let mut looks = vec![
            look(format!("GitHub {repository}"), self.outside.github.check_access(repository)),
            look(format!("ECR {}", service.image), self.outside.ecr.image_by_tag(&service.image, "slipway-check")),
        ];
        for environment in &service.environments {
            for target in &environment.targets {
                let part = format!("{} {name} {}", target.kind, environment.name);
                looks.push(look(part, async {
                    let client = self.outside.target(&target.kind).map_err(|trouble| trouble.to_string())?;
                    client.observe(&target.id).await.map_err(|error| error.to_string())
                }));
            }
            for secret in environment.config.iter().chain(environment.database.as_ref().map(|(secret, _)| secret)) {
                looks.push(look(format!("secret {secret}"), self.outside.secrets.current_version(secret)));
            }
            for (secret, key) in &environment.needs {
                looks.push(look(format!("secret {secret} key {key}"), async move {
                    self.outside.config_store.has_key(&Wanted::key(secret, key)).await
                }));
            }
        }
        futures::stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE_LIMIT).collect().await
    }
}

/// A look that could not be made, so that nothing is known.
fn not_known(why: &impl ToString) -> Parts {
    Parts::from([("outside".to_owned(), Err(why.to_string()))])
}

/// A part by its name, and whether it can be reached.
fn look<'a, T, E: ToString>(
    part: String,
    reach: impl Future<Output = Result<T, E>> + Send + 'a,
) -> BoxFuture<'a, (String, Result<(), String>)> {
    async move { (part, within_limit(reach).await) }.boxed()
}

async fn within_limit<T, E: ToString>(look: impl Future<Output = Result<T, E>>) -> Result<(), String> {
    match tokio::time::timeout(Duration::from_millis(LOOK_LIMIT_MS), look).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LOOK_LIMIT_MS / 1000)),
    }
}
