//! Who was last seen where members of teams are kept outside of the configuration.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use jiff::Timestamp;
use slipway_core::facts::Observed;
use slipway_core::membership::{Roll, Source};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

async fn get(from: impl SqliteExecutor<'_>, source: &Source) -> Result<Roll, StoreError> {
    let row = sqlx::query(sql::MEMBERSHIP_GET).bind(source.key()).fetch_optional(from).await?;
    row.as_ref().map_or_else(|| Ok(Roll::default()), read)
}

fn read(row: &SqliteRow) -> Result<Roll, StoreError> {
    const WHAT: &str = "a membership";
    let (members, seen_at): (Option<String>, Option<i64>) = (row.get(0), row.get(1));
    let seen = match (members, seen_at) {
        (Some(members), Some(at_ms)) => {
            let at = Timestamp::from_millisecond(at_ms)
                .map_err(|error| StoreError::Unreadable { what: WHAT, error: error.to_string() })?;
            Some(Observed { value: from_json(WHAT, &members)?, at })
        }
        _ => None,
    };
    let trouble: Option<String> = row.get(2);
    Ok(Roll { seen, trouble: trouble.map(|trouble| from_json(WHAT, &trouble)).transpose()? })
}

impl Store {
    /// What is known of a source, as the transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn membership_get(&self, tx: &mut Tx, source: &Source) -> Result<Roll, StoreError> {
        get(&mut **tx, source).await
    }

    /// What is known of a source, as last committed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn membership(&self, source: &Source) -> Result<Roll, StoreError> {
        get(&self.read, source).await
    }

    /// Keeps what is known of a source.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn membership_put(&self, tx: &mut Tx, source: &Source, roll: &Roll) -> Result<(), StoreError> {
        sqlx::query(sql::MEMBERSHIP_PUT)
            .bind(source.key())
            .bind(roll.seen.as_ref().map(|seen| to_json(&seen.value)).transpose()?)
            .bind(roll.seen.as_ref().map(|seen| seen.at.as_millisecond()))
            .bind(roll.trouble.as_ref().map(to_json).transpose()?)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}
