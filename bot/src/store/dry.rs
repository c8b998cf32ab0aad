//! What dry targets were last told to run.

use super::{Store, StoreError, sql};
use jiff::Timestamp;
use sqlx::Row as _;

/// The last that a dry target was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// The image, by its digest.
    pub image: String,
    /// The operation's id.
    pub operation: String,
    /// When it was told.
    pub began_at: Timestamp,
}

impl Store {
    /// What a dry target was last told; `None` when that was nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn dry_run(&self, name: &str) -> Result<Option<DryRun>, StoreError> {
        let Some(row) = sqlx::query(sql::DRY_GET).bind(name).fetch_optional(&self.read).await? else { return Ok(None) };
        let began_at = Timestamp::from_millisecond(row.get(2));
        let began_at = began_at
            .map_err(|error| StoreError::Unreadable { what: "the time of a dry run", error: error.to_string() })?;
        Ok(Some(DryRun { image: row.get(0), operation: row.get(1), began_at }))
    }

    /// Keeps what a dry target is told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn dry_run_put(&self, name: &str, run: &DryRun) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(sql::DRY_PUT)
            .bind(name)
            .bind(&run.image)
            .bind(&run.operation)
            .bind(run.began_at.as_millisecond())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
