//! Reactions that stand for votes, as they were last seen.

use super::{Store, StoreError, Tx, sql, to_json};
use slipway_core::person::Identity;
use slipway_core::policy::Stance;
use sqlx::Row as _;

/// A reaction of somebody under a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenReaction<'a> {
    /// Where the message is.
    pub channel: &'a str,
    /// The chat's id for it, or its key.
    pub message: &'a str,
    /// Whose it is.
    pub who: &'a Identity,
    /// What it stands for.
    pub stance: Stance,
    /// There, or taken away.
    pub added: bool,
    /// The chat's own time of it, in microseconds since 1970.
    pub at_us: i64,
}

impl Store {
    /// Notes a reaction. False: it is known, or something newer is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reaction_seen(&self, tx: &mut Tx, seen: &SeenReaction<'_>) -> Result<bool, StoreError> {
        let SeenReaction { channel, message, who, stance, added, at_us } = seen;
        let (who, stance) = (to_json(who)?, to_json(stance)?);
        let before: Option<bool> = sqlx::query_scalar(sql::REACTION_BEFORE)
            .bind(channel)
            .bind(message)
            .bind(&who)
            .bind(&stance)
            .fetch_optional(&mut **tx)
            .await?;
        let put = sqlx::query(sql::REACTION_SEEN).bind(channel).bind(message).bind(&who).bind(&stance);
        let newer = put.bind(added).bind(at_us).fetch_optional(&mut **tx).await?.is_some();
        // What was taken away before it was ever seen means nothing, but keeps an older news of it out.
        Ok(newer && before.unwrap_or(false) != *added)
    }

    /// Who has reacted under a message and how, as last seen.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reactions_of(&self, channel: &str, message: &str) -> Result<Vec<(Identity, Stance)>, StoreError> {
        let rows = sqlx::query(sql::REACTIONS_OF).bind(channel).bind(message).fetch_all(&self.read).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let (who, stance): (String, String) = (row.get(0), row.get(1));
            Ok((super::from_json("an account", &who)?, super::from_json("a stance", &stance)?))
        };
        rows.iter().map(read).collect()
    }
}
