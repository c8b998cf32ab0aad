//! The policy sets that were in force.

use super::{Store, StoreError, Tx, from_json, sql, to_json};
use crate::policies::{Reading, Source};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// How many are kept.
const VERSIONS_LIMIT: i64 = 200;

/// A policy set that was read, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPolicyVersion {
    /// Its hash.
    pub hash: String,
    /// The whole set as it was written, at which commit, and who changed it.
    pub reading: Reading,
    /// Where it was read.
    pub source: Source,
    /// Who wanted it read: `api`, `start` or `repository`.
    pub asked_by: String,
}

/// A policy set that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its number.
    pub seq: i64,
    /// The set.
    pub version: NewPolicyVersion,
    /// Since when it is, or was, in force, in milliseconds since 1970.
    pub in_force_since_ms: Option<i64>,
}

fn read(row: &SqliteRow) -> Result<PolicyVersion, StoreError> {
    Ok(PolicyVersion {
        seq: row.get(0),
        version: NewPolicyVersion {
            hash: row.get(1),
            reading: Reading {
                text: from_json("a policy set", row.get(2))?,
                revision: row.get(4),
                authors: from_json("authors of a policy set", row.get(5))?,
                anonymous: row.get(8),
            },
            source: from_json("a policy source", row.get(3))?,
            asked_by: row.get(6),
        },
        in_force_since_ms: row.get(7),
    })
}

impl Store {
    /// Keeps a set. Gives its number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_version_put(&self, version: &NewPolicyVersion, now_ms: i64) -> Result<i64, StoreError> {
        let NewPolicyVersion { hash, reading, source, asked_by } = version;
        let mut tx = self.begin().await?;
        let seq: i64 = sqlx::query_scalar(sql::POLICY_VERSION_PUT)
            .bind(hash)
            .bind(to_json(&reading.text)?)
            .bind(to_json(source)?)
            .bind(&reading.revision)
            .bind(to_json(&reading.authors)?)
            .bind(asked_by)
            .bind(now_ms)
            .bind(reading.anonymous)
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
    pub async fn policy_version(&self, tx: &mut Tx, seq: i64) -> Result<Option<PolicyVersion>, StoreError> {
        let row = sqlx::query(sql::POLICY_VERSION_GET).bind(seq).fetch_optional(&mut **tx).await?;
        row.as_ref().map(read).transpose()
    }

    /// The set that was kept last, whether or not it is in force yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_version_newest(&self) -> Result<Option<PolicyVersion>, StoreError> {
        let row = sqlx::query(sql::POLICY_VERSION_NEWEST).fetch_optional(&self.read).await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes that a set is in force from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_version_in_force(&self, tx: &mut Tx, seq: i64, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query(sql::POLICY_VERSION_IN_FORCE).bind(seq).bind(now_ms).execute(&mut **tx).await?;
        Ok(())
    }

    /// The sets that were in force, the newest first, at most so many.
    ///
    /// # Errors
    /// When the store fails, or one cannot be read.
    pub async fn policy_versions(&self, tx: &mut Tx, limit: u32) -> Result<Vec<PolicyVersion>, StoreError> {
        let rows = sqlx::query(sql::POLICY_VERSIONS).bind(limit).fetch_all(&mut **tx).await?;
        rows.iter().map(read).collect()
    }
}
