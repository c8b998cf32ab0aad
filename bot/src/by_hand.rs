//! Looking at what the targets of an environment run, so that what somebody brings there past Slipway is noticed. It decides
//! nothing: what it sees goes through the inbox.

use crate::defects::caught;
use crate::engine::Incoming;
use crate::executor::{Executor, operation_named};
use crate::flow::{commit_of_image, image_of};
use crate::tags;
use futures::StreamExt as _;
use slipway_core::environment::{Environment, Live, Look, TagNames, TargetRuns};
use slipway_core::ids::{CommitSha, EnvironmentKey, ImageDigest};
use slipway_deploy::aws::ecr::RegistryError;
use std::collections::BTreeSet;
use std::time::Duration;
use tracing::warn;

/// Between two looks at all targets, unless `[pace]` says otherwise.
const LOOK_EVERY_MS: i64 = 5 * 60 * 1_000;
/// How long a look at one environment may take.
const LOOK_LIMIT_S: u64 = 60;
/// How many environments are looked at beside each other.
const LOOKS_AT_ONCE_LIMIT: usize = 4;

/// Looks at all targets now and then.
#[derive(Debug)]
pub struct Watch(Executor);

impl Watch {
    /// Of what an executor has.
    #[must_use]
    pub fn beside(executor: &Executor) -> Self {
        Self(executor.clone())
    }

    /// Works for ever.
    pub async fn run(self) {
        let every = self.0.setup.pace.targets_ms(LOOK_EVERY_MS);
        let every = Duration::from_millis(u64::try_from(every).unwrap_or(1).max(1));
        loop {
            tokio::time::sleep(every).await;
            self.look_at_all().await;
        }
    }

    /// Looks at all environments, some of them beside each other. What cannot be seen is looked at the next time.
    pub async fn look_at_all(&self) {
        let keys = self.0.setup.environment_keys(None);
        let looks: Vec<_> = keys.iter().map(|key| caught("a look at what runs", self.look_within_limit(key))).collect();
        let looks = futures::stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE_LIMIT);
        looks.for_each(|_| std::future::ready(())).await;
    }

    async fn look_within_limit(&self, key: &EnvironmentKey) {
        match tokio::time::timeout(Duration::from_secs(LOOK_LIMIT_S), self.look_at_one(key)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(environment = %key, %error, "what runs there could not be looked at"),
            Err(_) => warn!(environment = %key, limit_s = LOOK_LIMIT_S, "a look at what runs took too long"),
        }
    }

    async fn look_at_one(&self, key: &EnvironmentKey) -> Result<(), String> {
        let known = self.0.store.environment(key).await.map_err(|error| error.to_string())?;
        let Some(live) = known.live.as_ref().filter(|_| known.running.is_none()) else { return Ok(()) };
        // Before the question is sent: what changes while it is answered may not be in the answer.
        let at = self.0.clock.now();
        let Some(runs) = self.runs(key).await? else { return Ok(()) };
        let tag = self.tag(key, &known, live, &runs).await;
        let look = Look { runs, at, tag };
        let told = self.0.store.told_since(key, live.since).await.map_err(|error| error.to_string())?;
        let ours: BTreeSet<_> = told.into_iter().map(|told| told.image).collect();
        // Whose doing it is that the tag names another image is for the engine to say.
        let named = known.tag.as_ref().map(|tag| &tag.names);
        let is_tag_news = look.tag.is_some() && look.tag.as_ref() != named;
        if !known.is_news(&look, &ours) && !is_tag_news {
            return Ok(());
        }
        let seen = Incoming::TargetsSeen { environment: key.clone(), look };
        let id = format!("targets/{}/{}/{}", key.service, key.environment, at.as_millisecond());
        self.0.store.deliver(&id, &seen, &self.0.clock).await.map_err(|error| error.to_string())?;
        self.0.signals.inbox.notify_one();
        Ok(())
    }

    /// What each target runs; `None` while one of them is being changed, as it is not known yet what comes of that.
    async fn runs(&self, key: &EnvironmentKey) -> Result<Option<Vec<TargetRuns>>, String> {
        let Some(environment) = self.0.setup.environment(key) else { return Ok(None) };
        let mut all = Vec::new();
        for target in &environment.targets {
            let client = self.0.outside.target(&target.kind).map_err(|error| error.to_string())?;
            let seen = client.observe(&target.id).await.map_err(|error| error.to_string())?;
            if seen.newest_operation.as_ref().is_some_and(|newest| !newest.status.ended()) {
                return Ok(None);
            }
            let operation = seen.newest_operation.as_ref().map(operation_named);
            let (digest, commit) = self.content(&seen.image_identifier).await.map_err(|error| error.to_string())?;
            let (target, image) = (seen.service_name, seen.image_identifier);
            all.push(TargetRuns { target, image, digest, commit, operation });
        }
        Ok(Some(all))
    }

    /// What an image is by content, and the commit that it was built of, as far as its tags tell.
    async fn content(&self, image: &str) -> Result<(Option<ImageDigest>, Option<CommitSha>), RegistryError> {
        let ecr = &self.0.outside.ecr;
        let found = image_of(ecr, image).await?;
        let mut commit = commit_of_image(ecr, image).await?;
        if let (None, Some(found)) = (&commit, found.as_ref().filter(|found| !found.tag.is_empty())) {
            commit = commit_of_image(ecr, &found.pinned()).await?;
        }
        Ok((found.map(|found| found.digest), commit))
    }

    /// What the tag names that others read. That it cannot be looked at hides nothing of what runs.
    async fn tag(
        &self,
        key: &EnvironmentKey,
        known: &Environment,
        live: &Live,
        runs: &[TargetRuns],
    ) -> Option<TagNames> {
        let (service, environment) = (self.0.setup.service(&key.service)?, self.0.setup.environment(key)?);
        let images = runs.iter().map(|runs| runs.image.as_str());
        let tag = tags::followed(&service.image, environment.promote.as_ref(), &live.commit, images)?;
        match tags::look(&self.0.outside.ecr, &service.image, &tag, known.tag.as_ref()).await {
            Ok(names) => names,
            Err(error) => {
                warn!(environment = %key, tag, %error, "what a tag names could not be looked at");
                None
            }
        }
    }
}
