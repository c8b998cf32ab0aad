//! The chats: where messages go. Each platform is one file beside this one.

pub mod publisher;
pub mod terminal;

use crate::store::NewMessage;
use async_trait::async_trait;
use slipway_core::message::Message;
use thiserror::Error;

/// Why a chat did not take a message.
#[derive(Debug, Error)]
pub enum ChatError {
    /// It may take it later.
    #[error("{what}")]
    Later {
        /// What it said.
        what: String,
        /// When it wants to be asked again, if it said so.
        after_ms: Option<i64>,
    },
    /// It never will.
    #[error("{0}")]
    Never(String),
}

/// A chat platform, as messages see it.
#[async_trait]
pub trait Chat: Send + Sync + std::fmt::Debug {
    /// The name before the colon of a channel in the configuration.
    fn platform(&self) -> &'static str;

    /// Shows a message: posts it when `external_id` is `None`, else changes the one posted. Gives the chat's id for
    /// it. Posting the same key twice must lead to one message.
    async fn show(&self, message: &NewMessage, body: &Message, external_id: Option<&str>) -> Result<String, ChatError>;
}
