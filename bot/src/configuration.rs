//! Looking at the secrets of an environment: which version each has, and a keyed hash of each key. Nothing is decided by
//! it but what people are told; what a release starts with is in its plan.

use crate::clock::Clock;
use crate::defects::caught;
use crate::executor::Executor;
use crate::outside::Outside;
use crate::setup::Setup;
use crate::store::Store;
use futures::StreamExt as _;
use slipway_core::configuration::KeysSeen;
use slipway_core::ids::EnvironmentKey;
use slipway_core::plan::ConfigVersion;
use slipway_deploy::config_store::{ConfigStoreError, Fingerprinted};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tracing::warn;

/// Between two looks at all secrets, unless `[pace]` says otherwise.
pub const LOOK_EVERY_MS: i64 = 5 * 60 * 1_000;
/// How long a look at one environment may take.
const LOOK_LIMIT_S: u64 = 60;
/// How many environments are looked at beside each other.
const LOOKS_AT_ONCE_LIMIT: usize = 4;

/// Why a secret could not be looked at.
#[derive(Clone, Debug, Error)]
#[error("{secret}: {error}")]
pub struct NotSeen {
    /// Its name.
    pub secret: String,
    /// Why.
    pub error: ConfigStoreError,
}

/// The secrets as they are now. Where there is no key to hash with no value is read.
///
/// # Errors
/// When one of them cannot be looked at.
pub async fn look(outside: &Outside, secrets: &[String]) -> Result<Vec<ConfigVersion>, NotSeen> {
    let mut seen = Vec::new();
    for secret in secrets {
        let one = look_at(outside, secret).await;
        seen.push(one.map_err(|error| NotSeen { secret: secret.clone(), error })?);
    }
    Ok(seen)
}

async fn look_at(outside: &Outside, secret: &str) -> Result<ConfigVersion, ConfigStoreError> {
    let store = &outside.config_store;
    let Some(key) = &outside.fingerprint_key else {
        return Ok(ConfigVersion::new(secret, store.current_version(secret).await?));
    };
    match store.fingerprints(secret, None, key).await {
        Ok(Fingerprinted { version_id, stored_at, fingerprints }) => Ok(ConfigVersion {
            stored_at,
            keys: KeysSeen::Hashed(fingerprints),
            ..ConfigVersion::new(secret, version_id)
        }),
        // The version is what a vote is about, and can be had without the value.
        Err(ConfigStoreError::Denied(_)) => {
            let version_id = store.current_version(secret).await?;
            Ok(ConfigVersion { keys: KeysSeen::NotAllowed, ..ConfigVersion::new(secret, version_id) })
        }
        Err(error) => Err(error),
    }
}

/// Looks at all secrets now and then, so that status can say what changed without waiting for the outside.
#[derive(Debug)]
pub struct Watch {
    /// The store.
    pub store: Store,
    /// Which secrets.
    pub setup: Arc<Setup>,
    /// Who is asked.
    pub outside: Arc<Outside>,
    /// The clock.
    pub clock: Clock,
}

impl Watch {
    /// Of what an executor has.
    #[must_use]
    pub fn beside(executor: &Executor) -> Self {
        let Executor { store, setup, outside, clock, .. } = executor;
        Self { store: store.clone(), setup: setup.clone(), outside: outside.clone(), clock: clock.clone() }
    }

    /// Works for ever.
    pub async fn run(self) {
        let every = self.setup.pace.config_ms(LOOK_EVERY_MS);
        let every = Duration::from_millis(u64::try_from(every).unwrap_or(1).max(1));
        loop {
            tokio::time::sleep(every).await;
            self.look_at_all().await;
        }
    }

    /// One look. What could not be seen stays as old as it is, and status says so.
    pub async fn look_at_all(&self) {
        let keys = self.setup.environment_keys(None);
        let looks: Vec<_> = keys.iter().map(|key| caught("a look at secrets", self.look_at_one(key))).collect();
        let looks = futures::stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE_LIMIT);
        looks.for_each(|_| std::future::ready(())).await;
    }

    async fn look_at_one(&self, key: &EnvironmentKey) {
        let look = tokio::time::timeout(Duration::from_secs(LOOK_LIMIT_S), self.keep(key));
        match look.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(environment = %key, %error, "the configuration could not be looked at"),
            Err(_) => warn!(environment = %key, limit_s = LOOK_LIMIT_S, "a look at the configuration took too long"),
        }
    }

    async fn keep(&self, key: &EnvironmentKey) -> Result<(), String> {
        let Some(environment) = self.setup.environment(key).filter(|environment| !environment.config.is_empty()) else {
            return Ok(());
        };
        // Before the question is sent: what changes while it is answered may not be in the answer.
        let at = self.clock.now();
        let seen = look(&self.outside, &environment.config).await.map_err(|error| error.to_string())?;
        let kept = async {
            let mut tx = self.store.begin().await?;
            self.store.configuration_seen(&mut tx, key, &seen, at).await?;
            Ok::<_, crate::store::StoreError>(tx.commit().await?)
        };
        kept.await.map_err(|error| error.to_string())
    }
}
