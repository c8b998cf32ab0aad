//! Commits on their way to the next environment.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use slipway_core::ids::{CommitSha, EnvironmentKey};
use slipway_core::message::Message;
use slipway_core::promotion::Promotion;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// What the keys of suggestions begin with.
const KEY_PREFIX: &str = "promotion/";

/// A promotion as stored.
#[derive(Clone, Debug)]
pub struct StoredPromotion {
    /// Its number.
    pub id: i64,
    /// Where it goes.
    pub key: EnvironmentKey,
    /// The promotion.
    pub promotion: Promotion,
}

/// The key of a promotion's message, the same in each channel. It is short: Discord's buttons carry it.
#[must_use]
pub fn promotion_key(id: i64) -> String {
    format!("{KEY_PREFIX}{id}")
}

fn read(row: &SqliteRow) -> Result<StoredPromotion, StoreError> {
    let (service, environment): (&str, &str) = (row.get(1), row.get(2));
    let key = EnvironmentKey { service: service.into(), environment: environment.into() };
    Ok(StoredPromotion { id: row.get(0), key, promotion: from_json("a promotion", row.get(3))? })
}

impl Store {
    /// The promotions to an environment that are open, and that of one commit, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn promotions_of(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
        commit: Option<&CommitSha>,
        limit: u32,
    ) -> Result<Vec<StoredPromotion>, StoreError> {
        let rows = sqlx::query(sql::PROMOTIONS_OF)
            .bind(key.service.as_str())
            .bind(key.environment.as_str())
            .bind(commit.map(CommitSha::as_str))
            .bind(limit)
            .fetch_all(&mut **tx)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The promotion whose message has this key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn promotion_of_message(&self, tx: &mut Tx, key: &str) -> Result<Option<StoredPromotion>, StoreError> {
        let id = key.strip_prefix(KEY_PREFIX).and_then(|id| id.parse::<i64>().ok());
        let Some(id) = id else { return Ok(None) };
        let row = sqlx::query(sql::PROMOTION_GET).bind(id).fetch_optional(&mut **tx).await?;
        row.as_ref().map(read).transpose()
    }

    /// Saves a promotion: there is one for each commit and environment. Gives its number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn promotion_save(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
        promotion: &Promotion,
    ) -> Result<i64, StoreError> {
        let put = sqlx::query_scalar(sql::PROMOTION_PUT)
            .bind(key.service.as_str())
            .bind(key.environment.as_str())
            .bind(promotion.commit.as_str())
            .bind(promotion.standing.is_open())
            .bind(to_json(promotion)?);
        Ok(put.fetch_one(&mut **tx).await?)
    }

    /// Has a message say something else, if it is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message_replace(
        &self,
        tx: &mut Tx,
        channel: &str,
        key: &str,
        body: &Message,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::MESSAGE_NOW).bind(channel).bind(key).bind(to_json(body)?).execute(&mut **tx).await?;
        Ok(())
    }
}
