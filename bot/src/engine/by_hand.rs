//! Somebody has deployed past Slipway, or what they did is over.

use super::EngineError;
use super::apply::Work;
use crate::way_back;
use serde_json::json;
use slipway_core::environment::{self, ByHand, Environment, Look};
use slipway_core::ids::EnvironmentKey;
use slipway_core::message::cards;
use std::collections::BTreeSet;

impl Work<'_> {
    /// What a look at the targets says is written down, and told once.
    pub(super) async fn targets_seen(&mut self, key: &EnvironmentKey, look: Look) -> Result<(), EngineError> {
        let (tag, at) = (look.tag.clone(), look.at);
        self.runs_seen(key, look).await?;
        if let Some(names) = tag {
            self.tag_seen(key, names, at).await?;
        }
        self.finish().await
    }

    async fn runs_seen(&mut self, key: &EnvironmentKey, look: Look) -> Result<(), EngineError> {
        let store = &self.engine.store;
        let before = store.environment_get(self.tx, key).await?;
        let Some(live) = &before.live else { return Ok(()) };
        let told = store.told_since_get(self.tx, key, live.since).await?;
        let ours: BTreeSet<_> = told.into_iter().map(|told| told.image).collect();
        // Looking at an environment is never illegal.
        let _ = self.environment_step(key, environment::Event::Looked { look, ours }).await?;
        let after = self.engine.store.environment_get(self.tx, key).await?;
        if after.by_hand == before.by_hand {
            return Ok(());
        }
        let body = json!({ "environment": key, "live": after.live, "before": before.by_hand, "after": after.by_hand });
        self.record("deployed_past_slipway", body, None).await?;
        if let (Some(by_hand), Some(live)) = (&after.by_hand, &after.live) {
            // Boxed, so that not every look has room for it on its stack.
            let back = Box::pin(way_back::leads_to(&self.engine.store, self.tx, &after)).await?;
            let message = cards::brought_by_hand(key, live, by_hand, back.as_ref());
            let channels = self.engine.setup.channels(&key.service).to_vec();
            self.proclaim(&channels, &message_key(key, by_hand), None, &message).await?;
        }
        Ok(())
    }

    /// The message of what somebody had brought says that it is gone.
    pub(super) async fn by_hand_is_over(
        &mut self,
        before: &Environment,
        after: &Environment,
    ) -> Result<(), EngineError> {
        let (Some(was), Some(live)) = (&before.by_hand, &after.live) else { return Ok(()) };
        if after.by_hand.is_some() {
            return Ok(());
        }
        let message = cards::by_hand_is_over(&before.key, was, &live.commit, self.engine.clock.now());
        let store = &self.engine.store;
        for channel in self.engine.setup.channels(&before.key.service) {
            store.message_now(self.tx, channel, &message_key(&before.key, was), &message).await?;
        }
        Ok(())
    }
}

/// One message each time that something was brought.
fn message_key(key: &EnvironmentKey, by_hand: &ByHand) -> String {
    format!("by-hand/{}/{}/{}", key.service, key.environment, by_hand.noticed_at.as_millisecond())
}
