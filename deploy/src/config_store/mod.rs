//! Where a service's settings are kept. One trait, so that another kind of store is one more implementation. Values are
//! read, hashed and dropped behind it.

mod fingerprint;
mod reference;

pub(crate) use fingerprint::fingerprints;
pub use fingerprint::{FINGERPRINT_KEY_MIN_CHARS, FingerprintKey, KeyTooShort};
pub use reference::{Wanted, Which};

use async_trait::async_trait;
use jiff::Timestamp;
use slipway_core::configuration::Fingerprints;
use thiserror::Error;

/// Why a secret could not be looked at. Each text is for people, names secrets and keys, and holds no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigStoreError {
    /// The secret, its version or its key is not there: somebody has to store it.
    #[error("{0}")]
    Missing(String),
    /// The store does not let Slipway look. The text names the permission.
    #[error("{0}")]
    Denied(String),
    /// Network, throttling or trouble at the store: try again later.
    #[error("{0}")]
    Unavailable(String),
    /// It will not change by itself.
    #[error("{0}")]
    Refused(String),
}

/// A version of a secret with a keyed hash of each of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprinted {
    /// The version's id.
    pub version_id: String,
    /// When it was stored, where the store says so.
    pub stored_at: Option<Timestamp>,
    /// The hashes.
    pub fingerprints: Fingerprints,
}

/// Something that keeps secrets, each a JSON object of settings, in versions of which one is current.
#[async_trait]
pub trait ConfigStore: Send + Sync {
    /// The id of the version that is current. Reads no value.
    ///
    /// # Errors
    /// When there is no such secret, no current version, or the store cannot be asked.
    async fn current_version(&self, secret: &str) -> Result<String, ConfigStoreError>;

    /// A keyed hash of each key of a version, `None` being the current one. A secret that is no JSON object, has more
    /// than [`KEYS_LIMIT`](slipway_core::configuration::KEYS_LIMIT) keys or a very long one is one value under its own
    /// name.
    ///
    /// # Errors
    /// As above, and when its value may not be read.
    async fn fingerprints(
        &self,
        secret: &str,
        version: Option<&str>,
        key: &FingerprintKey,
    ) -> Result<Fingerprinted, ConfigStoreError>;

    /// Whether what a service will ask for is there. A value is read only where a key of it is wanted.
    ///
    /// # Errors
    /// [`ConfigStoreError::Missing`] when it is not, the others when that cannot be told.
    async fn has_key(&self, wanted: &Wanted) -> Result<(), ConfigStoreError>;
}
