//! Looking at what the targets of an environment run, so that what somebody brings there past Slipway is noticed. It decides
//! nothing: what it sees goes through the inbox.

use crate::clock::Clock;
use crate::engine::{Incoming, Signals};
use crate::executor::{Executor, operation_named};
use crate::flow::commit_of_image;
use crate::outside::Outside;
use crate::setup::Setup;
use crate::store::Store;
use slipway_core::environment::{Look, TargetRuns};
use slipway_core::ids::{EnvironmentKey, ImageDigest};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// Between two looks at all targets, unless `[pace]` says otherwise.
const LOOK_EVERY_MS: i64 = 5 * 60 * 1_000;
/// How long a look at one environment may take.
const LOOK_LIMIT_S: u64 = 60;

/// Looks at all targets now and then.
#[derive(Debug)]
pub struct Watch {
    store: Store,
    setup: Arc<Setup>,
    outside: Arc<Outside>,
    clock: Clock,
    signals: Signals,
}

impl Watch {
    /// Of what an executor has.
    #[must_use]
    pub fn beside(executor: &Executor) -> Self {
        let Executor { store, setup, outside, clock, signals, .. } = executor;
        Self {
            store: store.clone(),
            setup: setup.clone(),
            outside: outside.clone(),
            clock: clock.clone(),
            signals: signals.clone(),
        }
    }

    /// Works for ever.
    pub async fn run(self) {
        let every = self.setup.pace.targets_ms(LOOK_EVERY_MS);
        let every = Duration::from_millis(u64::try_from(every).unwrap_or(1).max(1));
        loop {
            tokio::time::sleep(every).await;
            self.look_at_all().await;
        }
    }

    /// Looks at one environment after the other. What cannot be seen is looked at the next time.
    pub async fn look_at_all(&self) {
        for key in self.setup.environment_keys(None) {
            match tokio::time::timeout(Duration::from_secs(LOOK_LIMIT_S), self.look_at_one(&key)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => warn!(environment = %key, %error, "what runs there could not be looked at"),
                Err(_) => warn!(environment = %key, limit_s = LOOK_LIMIT_S, "a look at what runs took too long"),
            }
        }
    }

    async fn look_at_one(&self, key: &EnvironmentKey) -> Result<(), String> {
        let known = self.store.environment(key).await.map_err(|error| error.to_string())?;
        let Some(live) = known.live.as_ref().filter(|_| known.running.is_none()) else { return Ok(()) };
        // Before the question is sent: what changes while it is answered may not be in the answer.
        let at = self.clock.now();
        let Some(runs) = self.runs(key).await? else { return Ok(()) };
        let look = Look { runs, at };
        let told = self.store.told_since(key, live.since).await.map_err(|error| error.to_string())?;
        let ours: BTreeSet<_> = told.into_iter().map(|told| told.image).collect();
        if !known.is_news(&look, &ours) {
            return Ok(());
        }
        let seen = Incoming::TargetsSeen { environment: key.clone(), look };
        let id = format!("targets/{}/{}/{}", key.service, key.environment, at.as_millisecond());
        self.store.deliver(&id, &seen, &self.clock).await.map_err(|error| error.to_string())?;
        self.signals.inbox.notify_one();
        Ok(())
    }

    /// What each target runs; `None` while one of them is being changed, as it is not known yet what comes of that.
    async fn runs(&self, key: &EnvironmentKey) -> Result<Option<Vec<TargetRuns>>, String> {
        let Some(environment) = self.setup.environment(key) else { return Ok(None) };
        let mut all = Vec::new();
        for target in &environment.targets {
            let client = self.outside.target(&target.kind).map_err(|error| error.to_string())?;
            let seen = client.observe(&target.id).await.map_err(|error| error.to_string())?;
            if seen.newest_operation.as_ref().is_some_and(|newest| !newest.status.ended()) {
                return Ok(None);
            }
            let operation = seen.newest_operation.as_ref().map(operation_named);
            let digest = self.digest(&seen.image_identifier).await?;
            let commit =
                commit_of_image(&self.outside.ecr, &seen.image_identifier).await.map_err(|error| error.to_string())?;
            let (target, image) = (seen.service_name, seen.image_identifier);
            all.push(TargetRuns { target, image, digest, commit, operation });
        }
        Ok(Some(all))
    }

    /// What an image is by content: told so, or what its tag means now.
    async fn digest(&self, image: &str) -> Result<Option<ImageDigest>, String> {
        if let Some((_, digest)) = image.split_once('@') {
            return Ok(ImageDigest::parse(digest).ok());
        }
        let Some((repository, tag)) = image.rsplit_once(':') else { return Ok(None) };
        let found = self.outside.ecr.image_by_tag(repository, tag).await.map_err(|error| error.to_string())?;
        Ok(found.map(|found| found.digest))
    }
}
