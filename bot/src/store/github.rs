//! What is known of GitHub's webhooks, and which effects they wake.

use super::{EffectRow, Store, StoreError, Tx, sql};
use slipway_core::ids::ServiceName;

impl Store {
    /// Keeps that a webhook of a repository came at a moment, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn github_heard_put(&self, tx: &mut Tx, repository: &str, at_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::GITHUB_HEARD_PUT).bind(repository).bind(at_ms).execute(&mut **tx).await?;
        Ok(())
    }

    /// When a webhook of a repository came last, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn github_heard_ms(&self, repository: &str) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(sql::GITHUB_HEARD).bind(repository).fetch_optional(&self.read).await?)
    }

    /// Lets the service's open releases look at their builds at a moment, unless they do so earlier or rest after a
    /// failure.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn builds_wake(&self, tx: &mut Tx, service: &ServiceName, at_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::BUILDS_WAKE).bind(service.as_str()).bind(at_ms).execute(&mut **tx).await?;
        Ok(())
    }

    /// Whether an earlier effect of the same kind is still to be done for the same release.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_is_behind(&self, row: &EffectRow) -> Result<bool, StoreError> {
        let earlier: i64 = sqlx::query_scalar(sql::EFFECTS_BEFORE)
            .bind(row.release.as_str())
            .bind(row.effect.name())
            .bind(row.id)
            .fetch_one(&self.read)
            .await?;
        Ok(earlier > 0)
    }
}
