//! What Slipway's own runs have told targets to run, to tell it from what somebody else has.

use super::releases::read_all;
use super::{Store, StoreError, Tx, sql};
use jiff::Timestamp;
use slipway_core::ids::{CommitSha, EnvironmentKey, ImageDigest};
use sqlx::SqliteExecutor;

/// How many runs are looked at. More than one of them a minute would have to fail for hours to be too few.
const RUNS_LIMIT: u32 = 200;

/// What one run was to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which commit.
    pub commit: CommitSha,
    /// As which image.
    pub image: ImageDigest,
}

async fn told_since(
    from: impl SqliteExecutor<'_>,
    key: &EnvironmentKey,
    since: Timestamp,
) -> Result<Vec<Told>, StoreError> {
    let rows = sqlx::query(sql::RELEASES_STARTED)
        .bind(key.service.as_str())
        .bind(key.environment.as_str())
        .bind(since.as_millisecond())
        .bind(RUNS_LIMIT)
        .fetch_all(from)
        .await?;
    let plans = read_all(&rows)?.into_iter().filter_map(|release| release.plan);
    Ok(plans.map(|plan| Told { commit: plan.commit, image: plan.image.digest }).collect())
}

impl Store {
    /// What runs that began since a moment were to bring to an environment, whatever became of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn told_since(&self, key: &EnvironmentKey, since: Timestamp) -> Result<Vec<Told>, StoreError> {
        told_since(&self.read, key, since).await
    }

    /// The same, as the transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn told_since_get(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
        since: Timestamp,
    ) -> Result<Vec<Told>, StoreError> {
        told_since(&mut **tx, key, since).await
    }
}
