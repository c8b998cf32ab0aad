//! The configuration that releases were started with, and as it was last seen.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use jiff::Timestamp;
use slipway_core::configuration::{Drift, RanWith};
use slipway_core::environment::Live;
use slipway_core::facts::Observed;
use slipway_core::ids::EnvironmentKey;
use slipway_core::plan::ConfigVersion;
use sqlx::{Row as _, SqliteExecutor};

const WHAT: &str = "a configuration";

/// The configuration of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// What the release that runs was started with.
    pub ran_with: Option<RanWith>,
    /// As it was last seen.
    pub seen: Option<Observed<Vec<ConfigVersion>>>,
}

impl Configuration {
    /// What differs in the secrets as they are now from what the live release was started with; `None` where that is not
    /// recorded.
    #[must_use]
    pub fn drift_of(&self, live: Option<&Live>, now: &[ConfigVersion]) -> Option<Drift> {
        let ran = self.ran_with.as_ref().filter(|ran| live.is_some_and(|live| live.release == ran.release))?;
        Some(Drift::between(ran, now))
    }

    /// What differs, and when that was seen.
    #[must_use]
    pub fn drift(&self) -> Option<(Drift, Timestamp)> {
        let (ran, seen) = (self.ran_with.as_ref()?, self.seen.as_ref()?);
        Some((Drift::between(ran, &seen.value), seen.at))
    }
}

async fn get(from: impl SqliteExecutor<'_>, key: &EnvironmentKey) -> Result<Configuration, StoreError> {
    let get = sqlx::query(sql::CONFIGURATION_GET).bind(key.service.as_str()).bind(key.environment.as_str());
    let Some(row) = get.fetch_optional(from).await? else { return Ok(Configuration::default()) };
    let (ran_with, seen, at_ms): (Option<String>, Option<String>, Option<i64>) = (row.get(0), row.get(1), row.get(2));
    let seen = match (seen, at_ms) {
        (Some(seen), Some(at_ms)) => {
            let at = Timestamp::from_millisecond(at_ms)
                .map_err(|error| StoreError::Unreadable { what: WHAT, error: error.to_string() })?;
            Some(Observed { value: from_json(WHAT, &seen)?, at })
        }
        _ => None,
    };
    Ok(Configuration { ran_with: ran_with.map(|ran| from_json(WHAT, &ran)).transpose()?, seen })
}

impl Store {
    /// An environment's configuration, as the transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn configuration_get(&self, tx: &mut Tx, key: &EnvironmentKey) -> Result<Configuration, StoreError> {
        get(&mut **tx, key).await
    }

    /// An environment's configuration, as last committed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn configuration(&self, key: &EnvironmentKey) -> Result<Configuration, StoreError> {
        get(&self.read, key).await
    }

    /// Keeps what the release that runs now was started with.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn configuration_ran(&self, tx: &mut Tx, key: &EnvironmentKey, ran: &RanWith) -> Result<(), StoreError> {
        let put = sqlx::query(sql::CONFIGURATION_RAN).bind(key.service.as_str()).bind(key.environment.as_str());
        put.bind(to_json(ran)?).execute(&mut **tx).await?;
        Ok(())
    }

    /// Keeps what was seen at a moment, unless something newer is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn configuration_seen(
        &self,
        tx: &mut Tx,
        key: &EnvironmentKey,
        seen: &[ConfigVersion],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let put = sqlx::query(sql::CONFIGURATION_SEEN).bind(key.service.as_str()).bind(key.environment.as_str());
        put.bind(to_json(&seen)?).bind(at.as_millisecond()).execute(&mut **tx).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::ids::CommitSha;

    #[tokio::test]
    async fn the_newest_look_is_kept_and_what_runs_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
        let key = EnvironmentKey { service: "goals".into(), environment: "staging".into() };
        assert_eq!(store.configuration(&key).await.unwrap(), Configuration::default());
        let at = |second| Timestamp::from_second(second).unwrap();
        let version = |id: &str| vec![ConfigVersion::new("goals/staging", id)];
        let ran = RanWith {
            release: "01KE4ABC000000000000000000".into(),
            commit: CommitSha::parse(&"4c".repeat(20)).unwrap(),
            at: at(50),
            secrets: version("v1"),
        };
        let mut tx = store.begin().await.unwrap();
        store.configuration_seen(&mut tx, &key, &version("v2"), at(200)).await.unwrap();
        // A slow look that began before.
        store.configuration_seen(&mut tx, &key, &version("v1"), at(100)).await.unwrap();
        store.configuration_ran(&mut tx, &key, &ran).await.unwrap();
        assert_eq!(store.configuration_get(&mut tx, &key).await.unwrap().ran_with.as_ref(), Some(&ran));
        tx.commit().await.unwrap();
        let (drift, seen_at) = store.configuration(&key).await.unwrap().drift().unwrap();
        assert_eq!((drift.changes.len(), drift.since, seen_at), (1, at(50), at(200)));
    }
}
