//! Reactions that stand for votes, as they were last seen.

use super::{Store, StoreError, Tx, sql, to_json};
use slipway_core::ids::ReleaseId;
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
    /// Its name: several may stand for the same.
    pub name: &'a str,
    /// There, or taken away.
    pub added: bool,
    /// The chat's own time of it, in microseconds since 1970.
    pub at_us: i64,
}

impl Store {
    /// Notes a reaction. False: nothing follows, because it is known, something newer is, or another of the same person
    /// stands for the same.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reaction_seen(&self, tx: &mut Tx, seen: &SeenReaction<'_>) -> Result<bool, StoreError> {
        let SeenReaction { channel, message, who, stance, name, added, at_us } = seen;
        let (who, stance) = (to_json(who)?, to_json(stance)?);
        let mut stands = Vec::with_capacity(2);
        let mut newer = false;
        for after in [false, true] {
            if after {
                let put = sqlx::query(sql::REACTION_SEEN).bind(channel).bind(message).bind(&who).bind(&stance);
                newer = put.bind(name).bind(added).bind(at_us).fetch_optional(&mut **tx).await?.is_some();
            }
            let count = sqlx::query_scalar(sql::REACTION_STANDS).bind(channel).bind(message).bind(&who).bind(&stance);
            let count: i64 = count.fetch_one(&mut **tx).await?;
            stands.push(count > 0);
        }
        // What was taken away before it was ever seen means nothing, but keeps an older news of it out.
        Ok(newer && stands[0] != stands[1] && stands[1] == *added)
    }

    /// Whether somebody has such a reaction under any card of a release.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reaction_stands(
        &self,
        tx: &mut Tx,
        release: &ReleaseId,
        who: &Identity,
        stance: Stance,
    ) -> Result<bool, StoreError> {
        let count = sqlx::query_scalar(sql::REACTION_STANDS_ON_RELEASE).bind(release.as_str());
        let count: i64 = count.bind(to_json(who)?).bind(to_json(&stance)?).fetch_one(&mut **tx).await?;
        Ok(count > 0)
    }

    /// Who has reacted under a message, how, and with what, as last seen.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reactions_of(
        &self,
        channel: &str,
        message: &str,
    ) -> Result<Vec<(Identity, Stance, String)>, StoreError> {
        let rows = sqlx::query(sql::REACTIONS_OF).bind(channel).bind(message).fetch_all(&self.read).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let (who, stance): (String, String) = (row.get(0), row.get(1));
            Ok((super::from_json("an account", &who)?, super::from_json("a stance", &stance)?, row.get(2)))
        };
        rows.iter().map(read).collect()
    }
}
