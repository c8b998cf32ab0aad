//! The audit log, and what is counted for it.

use super::{Store, StoreError, Tx, sql, to_json};
use jiff::civil::Date;
use slipway_core::audit::{self, Anchor, Draft, Record};
use sqlx::Row as _;

/// The largest record that is read. None that Slipway writes comes near: plans, logs and lists are bounded before.
pub const RECORD_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// A row of the log as it is stored, whatever became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// The number under which it is kept.
    pub seq: i64,
    /// The record's JSON; cut off behind [`RECORD_LIMIT_BYTES`], and then it is none any more.
    pub text: Vec<u8>,
}

/// How often an account of nobody has come within an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrangerRow {
    /// The account as JSON; empty for all beyond the limit.
    pub who: String,
    /// How often.
    pub times: i64,
}

impl Store {
    /// Adds a record behind the newest. What looks like a secret is taken out of its body before it is hashed.
    ///
    /// # Errors
    /// When the store fails, or the newest record is not one that this version wrote.
    pub async fn audit_append(&self, tx: &mut Tx, mut draft: Draft) -> Result<Record, StoreError> {
        let last = self.audit_last(tx).await?;
        slipway_deploy::redact::scrub(&mut draft.body);
        let record = audit::append(last.as_ref(), draft);
        let seq = i64::try_from(record.seq).unwrap_or(i64::MAX);
        sqlx::query(sql::AUDIT_INSERT).bind(seq).bind(to_json(&record)?).execute(&mut **tx).await?;
        Ok(record)
    }

    /// The end of the chain as this transaction sees it.
    ///
    /// # Errors
    /// As [`Self::audit_append`].
    pub async fn audit_head(&self, tx: &mut Tx) -> Result<Anchor, StoreError> {
        let last = self.audit_last(tx).await?;
        Ok(last.map_or_else(Anchor::genesis, |last| Anchor { count: last.seq, head: last.hash }))
    }

    async fn audit_last(&self, tx: &mut Tx) -> Result<Option<Record>, StoreError> {
        let Some(row) = sqlx::query(sql::AUDIT_LAST).fetch_optional(&mut **tx).await? else { return Ok(None) };
        let (seq, text): (i64, Vec<u8>) = (row.get(0), row.get(1));
        let record: Option<Record> = serde_json::from_slice(&text).ok();
        // Another number than its own would be the next one's, or leave a gap.
        let record = record.filter(|record| i64::try_from(record.seq) == Ok(seq));
        record.map(Some).ok_or(StoreError::AuditHead { seq })
    }

    /// The rows from a number on, in their order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_rows(&self, from: i64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let bytes = i64::try_from(RECORD_LIMIT_BYTES + 1).unwrap_or(i64::MAX);
        let rows = sqlx::query(sql::AUDIT_ROWS).bind(from).bind(limit).bind(bytes).fetch_all(&self.read).await?;
        Ok(rows.iter().map(|row| AuditRow { seq: row.get(0), text: row.get(1) }).collect())
    }

    /// Whether the anchor of a day is out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_anchored(&self, day: Date) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar(sql::AUDIT_ANCHOR_OF).bind(day.to_string()).fetch_optional(&self.read).await?;
        Ok(found.is_some())
    }

    /// The anchor that went out last: its day and how many records there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_anchor_last(&self, tx: &mut Tx) -> Result<Option<(Date, u64)>, StoreError> {
        let row = sqlx::query(sql::AUDIT_ANCHOR_LAST).fetch_optional(&mut **tx).await?;
        let Some(row) = row else { return Ok(None) };
        let (day, count): (String, i64) = (row.get(0), row.get(1));
        let day = day.parse().map_err(|error: jiff::Error| StoreError::Unreadable {
            what: "the day of an anchor",
            error: error.to_string(),
        })?;
        Ok(Some((day, u64::try_from(count).unwrap_or_default())))
    }

    /// Notes that the anchor of a day goes out. False: it did before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_anchor_put(&self, tx: &mut Tx, day: Date, count: u64) -> Result<bool, StoreError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let put = sqlx::query(sql::AUDIT_ANCHOR_PUT).bind(day.to_string()).bind(count).execute(&mut **tx).await?;
        Ok(put.rows_affected() == 1)
    }

    /// Counts an account of nobody in an hour since 1970. Gives how often it has come in it, this time included.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stranger_came(&self, tx: &mut Tx, hour: i64, who: &str) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(sql::STRANGER_CAME).bind(hour).bind(who).fetch_one(&mut **tx).await?)
    }

    /// Whether an account is counted in an hour, and how many are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn strangers_in(&self, tx: &mut Tx, hour: i64, who: &str) -> Result<(bool, i64), StoreError> {
        let row = sqlx::query(sql::STRANGERS_IN).bind(hour).bind(who).fetch_one(&mut **tx).await?;
        Ok((row.get::<i64, _>(0) > 0, row.get(1)))
    }

    /// The oldest hour before this one in which accounts were counted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn strangers_hour_before(&self, hour: i64) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(sql::STRANGERS_HOUR_BEFORE).bind(hour).fetch_one(&self.read).await?)
    }

    /// Takes out what was counted in an hour.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn strangers_take(&self, tx: &mut Tx, hour: i64) -> Result<Vec<StrangerRow>, StoreError> {
        let rows = sqlx::query(sql::STRANGERS_TAKE).bind(hour).fetch_all(&mut **tx).await?;
        let mut taken: Vec<_> = rows.iter().map(|row| StrangerRow { who: row.get(0), times: row.get(1) }).collect();
        taken.sort_by(|a, b| a.who.cmp(&b.who));
        Ok(taken)
    }
}
