//! A lock is everybody's business: the service's channels read of it, in one message that says when it is over.

use super::EngineError;
use super::apply::Work;
use slipway_core::environment::{Environment, Lock};
use slipway_core::ids::{EnvironmentKey, PersonId};
use slipway_core::message::cards;

impl Work<'_> {
    /// Says what has become of an environment's lock, if anything has, and by whom. That its owner was reminded is theirs alone.
    pub(super) async fn lock_is_said(
        &mut self,
        before: &Environment,
        after: &Environment,
        by: Option<&PersonId>,
    ) -> Result<(), EngineError> {
        let key = &after.key;
        let same = |one: &Lock, other: &Lock| one.at == other.at && one.owner == other.owner;
        if let (Some(one), Some(other)) = (&before.lock, &after.lock)
            && same(one, other)
        {
            return Ok(());
        }
        let setup = self.engine.setup.clone();
        let channels = setup.channels(&key.service);
        if let Some(over) = &before.lock {
            let body = cards::lock_is_over(key, over, after.lock.as_ref(), by);
            for channel in channels {
                self.engine.store.message_now(self.tx, channel, &message_key(key, over), &body).await?;
            }
        }
        match &after.lock {
            Some(lock) => self.proclaim(channels, &message_key(key, lock), None, &cards::lock_said(key, lock)).await,
            None => Ok(()),
        }
    }
}

/// One message for each lock.
fn message_key(key: &EnvironmentKey, lock: &Lock) -> String {
    format!("locked/{}/{}/{}", key.service, key.environment, lock.at.as_millisecond())
}
