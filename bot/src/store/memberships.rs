//! Who was last seen where members of teams are kept outside of the configuration.

use super::unreadable::column;
use super::{Store, StoreError, Tx, from_json, sql, to_json};
use jiff::Timestamp;
use slipway_core::facts::Observed;
use slipway_core::membership::{Roll, Source};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

async fn get(store: &Store, from: impl SqliteExecutor<'_>, source: &Source) -> Result<Option<Roll>, StoreError> {
    let key = source.key();
    let row = sqlx::query(sql::MEMBERSHIP_GET).bind(&key).fetch_optional(from).await?;
    let roll = row.as_ref().map_or_else(|| Ok(Roll::default()), read);
    store.unless_unreadable(&format!("the members of {key}"), roll)
}

fn read(row: &SqliteRow) -> Result<Roll, StoreError> {
    const WHAT: &str = "a membership";
    let text = |at: usize| row.try_get::<Option<String>, _>(at).map_err(|error| column(WHAT, &error));
    let (members, seen_at) = (text(0)?, row.try_get(1).map_err(|error| column(WHAT, &error))?);
    let seen = match (members, seen_at) {
        (Some(members), Some(at_ms)) => {
            let at = Timestamp::from_millisecond(at_ms)
                .map_err(|error| StoreError::Unreadable { what: WHAT, error: error.to_string() })?;
            Some(Observed { value: from_json(WHAT, &members)?, at })
        }
        _ => None,
    };
    Ok(Roll { seen, trouble: text(2)?.map(|trouble| from_json(WHAT, &trouble)).transpose()? })
}

impl Store {
    /// What is known of a source, as the transaction sees it. `None`: this version cannot read it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn membership_get(&self, tx: &mut Tx, source: &Source) -> Result<Option<Roll>, StoreError> {
        get(self, &mut **tx, source).await
    }

    /// What is known of a source, as last committed. `None`: this version cannot read it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn membership(&self, source: &Source) -> Result<Option<Roll>, StoreError> {
        get(self, &self.read, source).await
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
