//! Looks at the branches that environments follow by themselves. What it sees goes through the inbox; it decides nothing.

mod look;
mod runs;

pub(crate) use runs::{commit_of_image, digest_in, image_of};

use crate::defects::{Panicked, caught};
use crate::engine::Incoming;
use crate::executor::Executor;
use crate::rest;
use crate::setup::Setup;
use crate::store::StoreError;
use futures::future::join_all;
use jiff::Timestamp;
use look::{Known, Look};
use slipway_core::flow::Sight;
use slipway_core::ids::{CommitSha, EnvironmentKey};
use slipway_deploy::github::GitHubError;
use std::time::Duration;
use tracing::{error, info, warn};

/// Between two looks at a branch, unless `[pace]` says otherwise.
const POLL_MS: i64 = 15_000;
/// The same where GitHub has lately told by webhooks that there is something to see.
const POLL_HEARD_MS: i64 = 60_000;
/// For how long webhooks that came are taken for a sign that others will.
const HEARD_LIMIT_MS: i64 = 24 * 60 * 60 * 1_000;
/// How soon a branch is looked at after a webhook. They come in bunches, and one look serves a bunch.
const LOOK_AFTER_MS: i64 = 500;
/// How often it is seen whether a look is due, unless `[pace]` is faster.
const TICK_MS: i64 = 1_000;
/// The longest rest after looks that failed.
const REST_LIMIT_MS: i64 = 5 * 60_000;
/// When the same is told again: what it means may be another thing by then, for instance because a mark was taken away.
const TELL_AGAIN_MS: i64 = 5 * 60_000;
/// How long a look may take.
const LOOK_LIMIT: Duration = Duration::from_secs(60);

/// Follows branches.
#[derive(Debug)]
pub struct Follower(Executor);

/// What is remembered of one environment's branch.
#[derive(Debug, Default)]
struct Followed {
    known: Known,
    /// What was put into the inbox last, and when.
    told: Option<(Sight, i64)>,
    looked_ms: Option<i64>,
    base: Option<CommitSha>,
    failures: i64,
    not_before_ms: i64,
}

impl Follower {
    /// Beside an executor: the same store, the same outside.
    #[must_use]
    pub fn beside(executor: &Executor) -> Self {
        Self(executor.clone())
    }

    /// Works for ever, for each environment by itself: one whose GitHub is slow holds up no other.
    pub async fn run(self) {
        let mut keys = self.0.setup.environment_keys(None);
        keys.retain(|key| self.0.setup.environment(key).is_some_and(|environment| environment.auto_deploy.is_some()));
        if keys.is_empty() {
            return std::future::pending().await;
        }
        join_all(keys.iter().map(|key| self.follow(key))).await;
    }

    async fn follow(&self, key: &EnvironmentKey) {
        let tick = self.0.setup.pace.poll_ms(TICK_MS).clamp(1, TICK_MS).unsigned_abs();
        let mut followed = Followed::default();
        loop {
            match caught("a look at a branch", self.look_if_due(key, &mut followed)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => error!(%error, environment = %key, "what was seen of a branch could not be kept"),
                // What was remembered half-way is not to be relied on.
                Err(Panicked) => followed = followed.begins_again(self.0.clock.now_ms()),
            }
            tokio::time::sleep(Duration::from_millis(tick)).await;
        }
    }

    /// One look, where it is due.
    async fn look_if_due(&self, key: &EnvironmentKey, followed: &mut Followed) -> Result<(), StoreError> {
        let setup = &self.0.setup;
        let (Some(service), Some(environment)) = (setup.service(&key.service), setup.environment(key)) else {
            return Ok(());
        };
        let Some(auto) = &environment.auto_deploy else { return Ok(()) };
        let now_ms = self.0.clock.now_ms();
        let heard_ms = self.0.store.github_heard_ms(&service.repository.to_string()).await?;
        let base = self.0.store.environment(key).await?.live.map(|live| live.commit);
        if !followed.is_due(now_ms, base.as_ref(), heard_ms, setup) {
            return Ok(());
        }
        followed.looked_ms = Some(now_ms);
        followed.base.clone_from(&base);
        let look = Look {
            outside: &self.0.outside,
            environment,
            repository: &service.repository,
            branch: &auto.branch,
            base: base.as_ref(),
            paths: service.paths.as_ref(),
        };
        let seen = tokio::time::timeout(LOOK_LIMIT, look.sees(&mut followed.known)).await;
        let slow = || GitHubError::Slow { what: format!("the branch {}", auto.branch), limit_s: LOOK_LIMIT.as_secs() };
        match seen.unwrap_or_else(|_| Err(slow())) {
            Ok(sight) => {
                if std::mem::take(&mut followed.failures) > 0 {
                    info!(environment = %key, branch = auto.branch, "the branch can be looked at again");
                }
                let known = followed.told.as_ref().filter(|(told, _)| *told == sight);
                if known.is_some_and(|(_, told_ms)| (0..TELL_AGAIN_MS).contains(&(now_ms - told_ms))) {
                    return Ok(());
                }
                let incoming = Incoming::FlowSeen { environment: key.clone(), sight: Box::new(sight.clone()) };
                // The same can be seen again later: a branch can go back.
                let delivery_key = format!("flow/{}/{}/{now_ms}", key.service, key.environment);
                self.0.store.deliver(&delivery_key, &incoming, &self.0.clock).await?;
                self.0.signals.inbox.notify_one();
                followed.told = Some((sight, now_ms));
            }
            Err(error) => {
                if followed.failures == 0 {
                    warn!(%error, environment = %key, branch = auto.branch, "a branch cannot be looked at");
                }
                followed.rests(&error, now_ms);
            }
        }
        Ok(())
    }
}

impl Followed {
    fn is_due(&self, now_ms: i64, base: Option<&CommitSha>, heard_ms: Option<i64>, setup: &Setup) -> bool {
        if now_ms < self.not_before_ms {
            return false;
        }
        let Some(looked_ms) = self.looked_ms else { return true };
        let heard = heard_ms.filter(|heard_ms| now_ms - heard_ms < HEARD_LIMIT_MS);
        let every_ms = setup.pace.poll_ms(if heard.is_some() { POLL_HEARD_MS } else { POLL_MS });
        let nudged =
            heard.is_some_and(|heard_ms| heard_ms + LOOK_AFTER_MS > looked_ms && heard_ms + LOOK_AFTER_MS <= now_ms);
        self.base.as_ref() != base || nudged || now_ms - looked_ms >= every_ms || now_ms < looked_ms
    }

    /// After a defect: nothing is known any more, and the next look is as far off as after any other failure.
    fn begins_again(&self, now_ms: i64) -> Self {
        let not_before_ms = now_ms + rest::backoff_ms(self.failures, REST_LIMIT_MS);
        Self { failures: self.failures + 1, not_before_ms, ..Self::default() }
    }

    /// After a failure: twice as long each time, and until GitHub listens again where it says so.
    fn rests(&mut self, error: &GitHubError, now_ms: i64) {
        let rest_ms = match error {
            // Nothing mends itself there.
            GitHubError::BadCredentials { .. } | GitHubError::Forbidden { .. } => REST_LIMIT_MS,
            _ => rest::backoff_ms(self.failures, REST_LIMIT_MS),
        };
        let asked_ms = match error {
            GitHubError::RateLimited { until } => until.map_or(now_ms, Timestamp::as_millisecond),
            _ => now_ms,
        };
        self.not_before_ms = (now_ms + rest_ms).max(asked_ms);
        self.failures += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::path::Path;

    fn setup() -> Setup {
        let file = "[store]\nurl = \"sqlite://x.db\"\n";
        let (config, _) = Config::check(file.as_bytes(), Path::new("slipway.toml")).unwrap();
        crate::assemble::setup(&config).unwrap()
    }

    #[test]
    fn a_branch_is_looked_at_when_something_may_have_changed() {
        let (setup, base) = (setup(), CommitSha::parse(&"a".repeat(40)).unwrap());
        let new = Followed::default();
        assert!(new.is_due(5, None, None, &setup), "never looked at");
        let looked = || Followed { looked_ms: Some(100_000), base: Some(base.clone()), ..Followed::default() };
        let due = |now_ms, heard_ms| looked().is_due(now_ms, Some(&base), heard_ms, &setup);
        assert!(!due(100_000 + POLL_MS - 1, None) && due(100_000 + POLL_MS, None), "polling");
        assert!(!due(100_000 + POLL_HEARD_MS - 1, Some(50_000)), "webhooks come, so it polls less");
        assert!(due(100_000 + POLL_HEARD_MS, Some(50_000)), "and yet it does");
        assert!(
            !due(101_000 + LOOK_AFTER_MS - 1, Some(101_000)) && due(101_000 + LOOK_AFTER_MS, Some(101_000)),
            "nudged"
        );
        assert!(looked().is_due(100_001, None, None, &setup), "something else is live");
        let mut failing = looked();
        failing.rests(&GitHubError::Server { what: "x".into(), status: 500 }, 200_000);
        assert!(!failing.is_due(200_100, None, None, &setup) && failing.is_due(201_000, None, None, &setup));
        failing.rests(&GitHubError::RateLimited { until: Timestamp::from_millisecond(900_000).ok() }, 201_000);
        assert!(!failing.is_due(899_999, None, None, &setup) && failing.is_due(900_000, None, None, &setup));
        failing.rests(&GitHubError::BadCredentials { hint: String::new() }, 900_000);
        assert!(!failing.is_due(900_000 + REST_LIMIT_MS - 1, None, None, &setup));
    }
}
