//! Environments.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use slipway_core::environment::Environment;
use slipway_core::ids::EnvironmentKey;
use sqlx::{Row as _, SqliteExecutor};

async fn get(from: impl SqliteExecutor<'_>, key: &EnvironmentKey) -> Result<Environment, StoreError> {
    let state: Option<String> = sqlx::query_scalar(sql::ENVIRONMENT_GET)
        .bind(key.service.as_str())
        .bind(key.environment.as_str())
        .fetch_optional(from)
        .await?;
    state.map_or_else(|| Ok(Environment::new(key.clone())), |state| from_json("an environment", &state))
}

impl Store {
    /// The environments of whose lock something is due, each with when in milliseconds since 1970, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn environments_due(&self, now_ms: i64, limit: u32) -> Result<Vec<(EnvironmentKey, i64)>, StoreError> {
        let rows = sqlx::query(sql::ENVIRONMENTS_DUE).bind(now_ms).bind(limit).fetch_all(&self.read).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let (service, environment): (&str, &str) = (row.get(0), row.get(1));
            (EnvironmentKey { service: service.into(), environment: environment.into() }, row.get(2))
        };
        Ok(rows.iter().map(read).collect())
    }

    /// Nothing is due of an environment's lock until it is saved again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn environment_not_due(&self, tx: &mut Tx, key: &EnvironmentKey) -> Result<(), StoreError> {
        let (service, environment) = (key.service.as_str(), key.environment.as_str());
        sqlx::query(sql::ENVIRONMENT_NOT_DUE).bind(service).bind(environment).execute(&mut **tx).await?;
        Ok(())
    }

    /// An environment, as the transaction sees it; a new one when nothing has happened to it yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn environment_get(&self, tx: &mut Tx, key: &EnvironmentKey) -> Result<Environment, StoreError> {
        get(&mut **tx, key).await
    }

    /// An environment, as last committed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn environment(&self, key: &EnvironmentKey) -> Result<Environment, StoreError> {
        get(&self.read, key).await
    }

    /// Saves an environment.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn environment_save(&self, tx: &mut Tx, environment: &Environment) -> Result<(), StoreError> {
        sqlx::query(sql::ENVIRONMENT_PUT)
            .bind(environment.key.service.as_str())
            .bind(environment.key.environment.as_str())
            .bind(to_json(environment)?)
            .bind(environment.due_at().map(|at| at.as_millisecond()))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}
