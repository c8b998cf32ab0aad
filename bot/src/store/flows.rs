//! Continuous delivery of environments, and what began by it.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use slipway_core::flow::{Begun, Flow};
use slipway_core::ids::EnvironmentKey;
use sqlx::{Row as _, SqliteExecutor};

async fn get(from: impl SqliteExecutor<'_>, key: &EnvironmentKey) -> Result<Option<Flow>, StoreError> {
    let state: Option<String> = sqlx::query_scalar(sql::FLOW_GET)
        .bind(key.service.as_str())
        .bind(key.environment.as_str())
        .fetch_optional(from)
        .await?;
    state.map(|state| from_json("a flow", &state)).transpose()
}

impl Store {
    /// Continuous delivery of an environment, as the transaction sees it; a new one when nothing has happened to it yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn flow_get(&self, tx: &mut Tx, key: &EnvironmentKey) -> Result<Flow, StoreError> {
        Ok(get(&mut **tx, key).await?.unwrap_or_else(|| Flow::new(key.clone())))
    }

    /// The same as last committed; `None` when nothing has happened to it yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn flow(&self, key: &EnvironmentKey) -> Result<Option<Flow>, StoreError> {
        get(&self.read, key).await
    }

    /// Saves it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn flow_save(&self, tx: &mut Tx, flow: &Flow) -> Result<(), StoreError> {
        sqlx::query(sql::FLOW_PUT)
            .bind(flow.key.service.as_str())
            .bind(flow.key.environment.as_str())
            .bind(to_json(flow)?)
            .bind(flow.due_at.map(|at| at.as_millisecond()))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// The environments that are to be looked at again, each with when in milliseconds since 1970, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn flows_due(&self, now_ms: i64, limit: u32) -> Result<Vec<(EnvironmentKey, i64)>, StoreError> {
        let rows = sqlx::query(sql::FLOWS_DUE).bind(now_ms).bind(limit).fetch_all(&self.read).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let (service, environment): (&str, &str) = (row.get(0), row.get(1));
            (EnvironmentKey { service: service.into(), environment: environment.into() }, row.get(2))
        };
        Ok(rows.iter().map(read).collect())
    }

    /// Keeps that a commit has begun by itself. False: it has done so already in this stretch between two pauses.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn flow_begins(&self, tx: &mut Tx, flow: &Flow, begun: &Begun) -> Result<bool, StoreError> {
        let inserted = sqlx::query(sql::FLOW_BEGINS)
            .bind(flow.key.service.as_str())
            .bind(flow.key.environment.as_str())
            .bind(begun.commit.as_str())
            .bind(i64::try_from(flow.pauses).unwrap_or(i64::MAX))
            .bind(begun.release.as_str())
            .execute(&mut **tx)
            .await?;
        Ok(inserted.rows_affected() > 0)
    }
}
