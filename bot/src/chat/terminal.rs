//! The terminal chat: messages are kept in the store and read through the API. It trusts whoever holds the API
//! token to say who they are, so it is for the sandbox and for trying things on one's own machine.

use super::{Chat, ChatError, Outgoing};
use crate::store::Store;
use async_trait::async_trait;
use slipway_core::ids::PersonId;
use slipway_core::message::Message;
use slipway_core::person::Directory;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The terminal chat.
#[derive(Clone, Debug)]
pub struct Terminal {
    store: Store,
    changed: Arc<Notify>,
}

impl Terminal {
    /// The name before the colon.
    pub const PLATFORM: &'static str = "terminal";

    /// A terminal chat in this store; `changed` is signalled at each message.
    #[must_use]
    pub fn new(store: Store, changed: Arc<Notify>) -> Self {
        Self { store, changed }
    }
}

#[async_trait]
impl Chat for Terminal {
    fn platform(&self) -> &'static str {
        Self::PLATFORM
    }

    /// It takes what the store takes.
    fn admit(&self, _what: &Outgoing<'_>) -> Result<(), Duration> {
        Ok(())
    }

    async fn show(&self, what: &Outgoing<'_>, body: &Message, _people: &Directory) -> Result<String, ChatError> {
        // The key is the id: posting twice changes the one message.
        let message = what.message;
        let only_for = message.only_for.as_ref().map(PersonId::as_str);
        self.store
            .terminal_put(&message.channel, &message.key, only_for, body)
            .await
            .map_err(|error| ChatError::Later { what: error.to_string(), after_ms: None, maybe_taken: false })?;
        self.changed.notify_waiters();
        Ok(message.key.clone())
    }
}
