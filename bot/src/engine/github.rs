//! GitHub's webhooks: a build may have gone on, so whoever waits for one looks earlier.

use super::EngineError;
use super::apply::Work;

/// How soon a build is looked at after a webhook. They come in bunches, and one look serves a bunch.
const LOOK_AFTER_MS: i64 = 500;

impl Work<'_> {
    /// Nothing that the webhook says is believed: the look tells.
    pub(super) async fn github_spoke(&mut self, repository: &str) -> Result<(), EngineError> {
        let engine = self.engine;
        let now_ms = engine.clock.now_ms();
        engine.store.github_heard_put(self.tx, repository, now_ms).await?;
        let theirs = engine.setup.services().filter(|(_, service)| service.repository.to_string() == repository);
        for (name, _) in theirs {
            engine.store.builds_wake(self.tx, name, now_ms + LOOK_AFTER_MS).await?;
            engine.store.intents_wake(self.tx, name, now_ms + LOOK_AFTER_MS).await?;
        }
        engine.signals.pull_requests.notify_one();
        Ok(())
    }
}
