//! The audit log.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use slipway_core::audit::Record;

impl Store {
    /// The newest record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_last(&self, tx: &mut Tx) -> Result<Option<Record>, StoreError> {
        let record: Option<String> = sqlx::query_scalar(sql::AUDIT_LAST).fetch_optional(&mut **tx).await?;
        record.map(|record| from_json("an audit record", &record)).transpose()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When the store fails, or a record of that number is there.
    pub async fn audit_insert(&self, tx: &mut Tx, record: &Record) -> Result<(), StoreError> {
        let seq = i64::try_from(record.seq).unwrap_or(i64::MAX);
        sqlx::query(sql::AUDIT_INSERT).bind(seq).bind(to_json(record)?).execute(&mut **tx).await?;
        Ok(())
    }

    /// The records in the order of their rows, from row `offset` on.
    ///
    /// # Errors
    /// When the store fails, or a record cannot be read.
    pub async fn audit_page(&self, offset: i64, limit: u32) -> Result<Vec<Record>, StoreError> {
        let records: Vec<String> =
            sqlx::query_scalar(sql::AUDIT_PAGE).bind(offset).bind(limit).fetch_all(&self.read).await?;
        records.iter().map(|record| from_json("an audit record", record)).collect()
    }
}
