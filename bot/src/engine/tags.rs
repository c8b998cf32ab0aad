//! A tag that others read was moved past Slipway, or that is over.

use super::EngineError;
use super::apply::Work;
use jiff::Timestamp;
use serde_json::json;
use slipway_core::environment::{self, FollowedTag, TagNames, tagged_by_slipway};
use slipway_core::ids::EnvironmentKey;
use slipway_core::message::cards;
use slipway_core::release::{Event, Release};

impl Work<'_> {
    /// What a look at the tag says is written down, and told once.
    pub(super) async fn tag_seen(
        &mut self,
        key: &EnvironmentKey,
        names: TagNames,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let mut all = Vec::new();
        for other in self.engine.setup.environment_keys(None).into_iter().filter(|other| other.service == key.service) {
            all.push(self.engine.store.environment_get(self.tx, &other).await?);
        }
        let ours = tagged_by_slipway(&all, &names.tag);
        self.tag_is(key, environment::Event::TagSeen { names, ours, at }).await
    }

    /// A release has moved the tag: whatever it names from now on is somebody else's doing.
    pub(super) async fn tag_follows(&mut self, release: &Release, event: &Event) -> Result<(), EngineError> {
        let (Event::Promoted { tag, problem: None, at }, Some(plan)) = (event, &release.plan) else { return Ok(()) };
        let (digest, commit) = (plan.image.digest.clone(), Some(plan.commit.clone()));
        let names = TagNames { tag: tag.clone(), digest, commit };
        self.tag_is(&release.request.key, environment::Event::TagMoved { names, at: *at }).await
    }

    async fn tag_is(&mut self, key: &EnvironmentKey, event: environment::Event) -> Result<(), EngineError> {
        let before = self.engine.store.environment_get(self.tx, key).await?.tag;
        // Looking at an environment is never illegal.
        let _ = self.environment_step(key, event).await?;
        let after = self.engine.store.environment_get(self.tx, key).await?;
        let since = |tag: &Option<FollowedTag>| tag.as_ref().and_then(|tag| tag.moved_at);
        let (was_moved, is_moved) = (since(&before), since(&after.tag));
        let Some(tag) = after.tag.as_ref().filter(|tag| before.as_ref() != Some(*tag)) else { return Ok(()) };
        if was_moved.is_none() && is_moved.is_none() {
            return Ok(());
        }
        let body = json!({ "environment": key, "before": before, "after": tag });
        self.record("tag_moved_past_slipway", body, None).await?;
        let setup = self.engine.setup.clone();
        let channels = setup.channels(&key.service);
        if let Some(since) = is_moved {
            let runs = after.live.as_ref().filter(|_| after.by_hand.is_none());
            let moves = setup.environment(key).is_some_and(|environment| environment.promote.is_some());
            let message = cards::tag_moved(key, tag, runs, moves);
            if was_moved.is_none() {
                return self.proclaim(channels, &message_key(key, since), None, &message).await;
            }
            return self.tag_says(key, since, &message).await;
        }
        let Some(since) = was_moved else { return Ok(()) };
        self.tag_says(key, since, &cards::tag_is_back(key, tag, since, self.engine.clock.now())).await
    }

    /// Changes the one message of a tag that was moved.
    async fn tag_says(
        &mut self,
        key: &EnvironmentKey,
        since: Timestamp,
        message: &slipway_core::message::Message,
    ) -> Result<(), EngineError> {
        for channel in self.engine.setup.channels(&key.service) {
            self.engine.store.message_now(self.tx, channel, &message_key(key, since), message).await?;
        }
        Ok(())
    }
}

/// One message for each time that it ceased to be as Slipway had left it.
fn message_key(key: &EnvironmentKey, since: Timestamp) -> String {
    format!("tag/{}/{}/{}", key.service, key.environment, since.as_millisecond())
}
