//! The messages of the terminal chat.

use super::{Store, StoreError, from_json, sql, to_json};
use serde::{Deserialize, Serialize};
use slipway_core::message::Message;
use sqlx::Row as _;

/// A message of the terminal chat, as its API gives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TerminalMessage {
    /// Grows with each change of a message.
    pub seq: i64,
    /// The channel.
    pub channel: String,
    /// The message: the same key again is the same message, changed.
    pub key: String,
    /// The only one who is to see it.
    pub only_for: Option<String>,
    /// What it says.
    pub message: Message,
}

impl Store {
    /// Writes a message or changes it in place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn terminal_put(
        &self,
        channel: &str,
        key: &str,
        only_for: Option<&str>,
        message: &Message,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::TERMINAL_PUT)
            .bind(channel)
            .bind(key)
            .bind(only_for)
            .bind(to_json(message)?)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    /// Messages that changed after `seq`, in that order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn terminal_since(&self, seq: i64, limit: u32) -> Result<Vec<TerminalMessage>, StoreError> {
        let rows = sqlx::query(sql::TERMINAL_SINCE).bind(seq).bind(limit).fetch_all(&self.read).await?;
        rows.iter()
            .map(|row| {
                Ok(TerminalMessage {
                    seq: row.get(0),
                    channel: row.get(1),
                    key: row.get(2),
                    only_for: row.get(3),
                    message: from_json("a message", &row.get::<String, _>(4))?,
                })
            })
            .collect()
    }
}
