//! The policy sets that were in force.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use crate::policies::{PolicyText, Source};
use sqlx::Row as _;

/// How many are kept.
const VERSIONS_LIMIT: i64 = 200;

/// A policy set that was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPolicyVersion {
    /// Its hash.
    pub hash: String,
    /// The whole set as it was written.
    pub text: PolicyText,
    /// Where it was read.
    pub source: Source,
    /// Who wanted it read: a person, `api`, or `start`.
    pub by: String,
}

impl Store {
    /// Keeps a set. Gives its number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_version_put(&self, version: &NewPolicyVersion, now_ms: i64) -> Result<i64, StoreError> {
        let mut tx = self.begin().await?;
        let seq: i64 = sqlx::query_scalar(sql::POLICY_VERSION_PUT)
            .bind(&version.hash)
            .bind(to_json(&version.text)?)
            .bind(to_json(&version.source)?)
            .bind(&version.by)
            .bind(now_ms)
            .fetch_one(&mut *tx)
            .await?;
        sqlx::query(sql::POLICY_VERSIONS_FORGET).bind(seq - VERSIONS_LIMIT).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(seq)
    }

    /// The set of that number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_version(&self, tx: &mut Tx, seq: i64) -> Result<Option<NewPolicyVersion>, StoreError> {
        let row = sqlx::query(sql::POLICY_VERSION_GET).bind(seq).fetch_optional(&mut **tx).await?;
        let read = |row: sqlx::sqlite::SqliteRow| {
            Ok(NewPolicyVersion {
                hash: row.get(0),
                text: from_json("a policy set", row.get(1))?,
                source: from_json("a policy source", row.get(2))?,
                by: row.get(3),
            })
        };
        row.map(read).transpose()
    }

    /// Notes that a set is in force from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_version_in_force(&self, tx: &mut Tx, seq: i64, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::POLICY_VERSION_IN_FORCE).bind(seq).bind(now_ms).execute(&mut **tx).await?;
        Ok(())
    }

    /// The set that came into force last, as it was written.
    ///
    /// # Errors
    /// When the store fails, or cannot be read by this version.
    pub async fn policy_in_force(&self) -> Result<Option<PolicyText>, StoreError> {
        let text: Option<String> = sqlx::query_scalar(sql::POLICY_IN_FORCE).fetch_optional(&self.read).await?;
        text.map(|text| from_json("a policy set", &text)).transpose()
    }

    /// The hash of the set that came into force last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_hash_in_force(&self) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(sql::POLICY_HASH_IN_FORCE).fetch_optional(&self.read).await?)
    }
}
