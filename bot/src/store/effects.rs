//! What must be done outside, with leases and intents.

use super::{Store, StoreError, Tx, from_json, inbox, sql, to_json};
use crate::clock::Clock;
use slipway_core::audit::Draft;
use slipway_core::ids::ReleaseId;
use slipway_core::release::Effect;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use thiserror::Error;

/// An effect that this process holds the lease of.
#[derive(Clone, Debug)]
pub struct EffectRow {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub release: ReleaseId,
    /// What to do.
    pub effect: Effect,
    /// The lease: of this process and this time only, so that whoever lets it run out cannot act on it any more.
    pub lease: String,
    /// How often it has been leased, this time included.
    pub attempts: i64,
    /// How often in a row it has failed.
    pub failures: i64,
    /// What was recorded before an earlier try to act.
    pub intent: Option<serde_json::Value>,
    /// Since when it exists, in milliseconds since 1970.
    pub created_at_ms: i64,
}

/// An effect that was leased but says nothing to this version.
#[derive(Clone, Debug)]
pub struct UnreadableEffect {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub release: ReleaseId,
    /// The lease.
    pub lease: String,
    /// How reading it fails.
    pub error: String,
}

/// An effect that nobody will do any more, because its release has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbandonedEffect {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub kind: String,
    /// Whether an intent is recorded: it may have been done.
    pub begun: bool,
}

/// Why an intent was not recorded: the action must not be taken.
#[derive(Debug, Error)]
pub enum IntentRefused {
    /// The release has ended, or the lease is somebody else's.
    #[error("this effect is no longer wanted")]
    Abandoned,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn read(row: &SqliteRow) -> Result<EffectRow, StoreError> {
    let intent: Option<String> = row.get(5);
    Ok(EffectRow {
        id: row.get(0),
        release: ReleaseId::new(row.get::<String, _>(1)),
        effect: from_json("an effect", &row.get::<String, _>(2))?,
        attempts: row.get(3),
        failures: row.get(4),
        intent: intent.map(|text| from_json("an intent", &text)).transpose()?,
        created_at_ms: row.get(6),
        lease: row.get(7),
    })
}

impl Store {
    /// Adds an effect.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_insert(
        &self,
        tx: &mut Tx,
        release: &ReleaseId,
        effect: &Effect,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        let now = clock.now_ms();
        sqlx::query(sql::EFFECT_INSERT)
            .bind(release.as_str())
            .bind(effect.name())
            .bind(to_json(effect)?)
            .bind(effect.not_before().map_or(now, |at| at.as_millisecond()))
            .bind(now)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Leases effects that are due, but for those with the ids `held`, on which the caller works already. One that cannot be
    /// read does not keep the others from being done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effects_lease(
        &self,
        owner: &str,
        now_ms: i64,
        lease_ms: i64,
        limit: usize,
        held: &[i64],
    ) -> Result<Vec<Result<EffectRow, UnreadableEffect>>, StoreError> {
        let rows = sqlx::query(sql::EFFECTS_LEASE)
            .bind(owner)
            .bind(now_ms + lease_ms)
            .bind(now_ms)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(to_json(&held)?)
            .fetch_all(&self.write)
            .await?;
        let unreadable = |row: &SqliteRow, error: StoreError| UnreadableEffect {
            id: row.get(0),
            release: ReleaseId::new(row.get::<String, _>(1)),
            lease: row.get(7),
            error: error.to_string(),
        };
        Ok(rows.iter().map(|row| read(row).map_err(|error| unreadable(row, error))).collect())
    }

    /// Prolongs a lease while the work goes on. False: it is no longer ours.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_renew(&self, row: &EffectRow, until_ms: i64) -> Result<bool, StoreError> {
        let done =
            sqlx::query(sql::EFFECT_RENEW).bind(row.id).bind(&row.lease).bind(until_ms).execute(&self.write).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Records what is about to be done and what was seen before, with its record in the audit log; notes that say
    /// only how far something has come have none. Because a cancellation abandons effects in the same store, either
    /// this succeeds and the cancellation sees it, or the other way round.
    ///
    /// # Errors
    /// When the effect is no longer wanted, or the store fails: in both cases the action must not be taken.
    pub async fn effect_intent(
        &self,
        row: &EffectRow,
        intent: &serde_json::Value,
        record: Option<Draft>,
    ) -> Result<(), IntentRefused> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(sql::EFFECT_INTENT)
            .bind(row.id)
            .bind(&row.lease)
            .bind(intent.to_string())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        if done.rows_affected() != 1 {
            return Err(IntentRefused::Abandoned);
        }
        if let Some(record) = record {
            self.audit_append(&mut tx, record).await?;
        }
        tx.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Puts the outcome of an effect in the inbox and ends the effect, both or neither. The outcome's audit record is
    /// written when it is taken in. Nothing happens when the lease is no longer ours.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_done<T: serde::Serialize>(
        &self,
        row: &EffectRow,
        outcome: &T,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        self.effect_end(row.id, &row.lease, Some(outcome), None, clock).await
    }

    /// Ends an effect from which nothing follows for its release, with its record in the audit log. Nothing happens
    /// when the lease is no longer ours.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_closed(&self, row: &EffectRow, record: Draft, clock: &Clock) -> Result<(), StoreError> {
        self.effect_end::<()>(row.id, &row.lease, None, Some(record), clock).await
    }

    /// Ends an effect that nobody can do, with what it means for its release, if that still waits for it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_given_up<T: serde::Serialize>(
        &self,
        row: &UnreadableEffect,
        outcome: Option<&T>,
        record: Draft,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        self.effect_end(row.id, &row.lease, outcome, Some(record), clock).await
    }

    async fn effect_end<T: serde::Serialize>(
        &self,
        id: i64,
        lease: &str,
        outcome: Option<&T>,
        record: Option<Draft>,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(sql::EFFECT_DONE).bind(id).bind(lease).execute(&mut *tx).await?;
        if done.rows_affected() != 1 {
            return Ok(());
        }
        if let Some(outcome) = outcome {
            inbox::put(&mut tx, &format!("effect/{id}/done"), &to_json(outcome)?, clock.now_ms(), None).await?;
        }
        if let Some(record) = record {
            self.audit_append(&mut tx, record).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Puts news of an effect in the inbox, if there are any, and lets it be leased again later.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_again<T: serde::Serialize>(
        &self,
        row: &EffectRow,
        not_before_ms: i64,
        failures: i64,
        news: Option<&T>,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(sql::EFFECT_AGAIN)
            .bind(row.id)
            .bind(&row.lease)
            .bind(not_before_ms)
            .bind(failures)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 1 {
            if let Some(news) = news {
                let key = format!("effect/{}/news/{}", row.id, row.attempts);
                inbox::put(&mut tx, &key, &to_json(news)?, clock.now_ms(), None).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Gives up every effect of a release that has ended, and says which those were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effects_abandon(&self, tx: &mut Tx, release: &ReleaseId) -> Result<Vec<AbandonedEffect>, StoreError> {
        let rows = sqlx::query(sql::EFFECTS_ABANDON).bind(release.as_str()).fetch_all(&mut **tx).await?;
        let mut abandoned: Vec<_> =
            rows.iter().map(|row| AbandonedEffect { id: row.get(0), kind: row.get(1), begun: row.get(2) }).collect();
        abandoned.sort_by_key(|effect| effect.id);
        Ok(abandoned)
    }

    /// Frees the leases of a predecessor. Only right while the store's lock file is held, as it is by every
    /// open store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effects_take_over(&self) -> Result<u64, StoreError> {
        Ok(sqlx::query(sql::EFFECTS_TAKE_OVER).execute(&self.write).await?.rows_affected())
    }

    /// When the next effect is due, in milliseconds since 1970, but for those with the ids `held`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_next_due_ms(&self, held: &[i64]) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(sql::EFFECT_NEXT_DUE).bind(to_json(&held)?).fetch_one(&self.read).await?)
    }

    /// Whether an effect of this kind has recorded an intent for the release: the point of no return.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn effect_begun(&self, tx: &mut Tx, release: &ReleaseId, kind: &str) -> Result<bool, StoreError> {
        let count: i64 =
            sqlx::query_scalar(sql::EFFECTS_BEGUN).bind(release.as_str()).bind(kind).fetch_one(&mut **tx).await?;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::ids::EnvironmentKey;
    use slipway_core::release::{Origin, Release, Request, RequestKind};

    fn release(id: &str) -> Release {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let request = Request {
            key: EnvironmentKey { service: "goals".into(), environment: "staging".into() },
            kind: RequestKind::Deploy,
            reference: None,
            requester: "ana".into(),
            reason: None,
            dry_run: false,
            origin: Origin { channel: "terminal:releases".to_owned() },
            at,
            expires_at: at,
            together: None,
        };
        Release::new(ReleaseId::new(id.to_owned()), request)
    }

    #[tokio::test]
    async fn an_effect_that_cannot_be_read_keeps_no_other_from_being_done() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
        let clock = Clock::System;
        let mut tx = store.begin().await.unwrap();
        for id in ["A", "B"] {
            let release = release(id);
            store.release_insert(&mut tx, &release).await.unwrap();
            store.effect_insert(&mut tx, &release.id, &Effect::Resolve, &clock).await.unwrap();
        }
        tx.commit().await.unwrap();
        let broken = "UPDATE effects SET body = '{\"effect\":\"of_a_later_version\"}' WHERE release = 'A'";
        sqlx::query(broken).execute(&store.write).await.unwrap();

        let leased = store.effects_lease("me", clock.now_ms(), 30_000, 10, &[]).await.unwrap();
        let (good, bad): (Vec<_>, Vec<_>) = leased.into_iter().partition(Result::is_ok);
        assert_eq!(good[0].as_ref().unwrap().release.as_str(), "B");
        let bad = bad[0].as_ref().unwrap_err();
        assert_eq!(bad.release.as_str(), "A");

        let draft = Draft {
            at: clock.now(),
            kind: "effect_given_up".to_owned(),
            body: serde_json::json!({ "release": bad.release }),
            policy_hash: None,
        };
        store.effect_given_up(bad, Some(&"it failed"), draft, &clock).await.unwrap();
        assert_eq!(store.inbox_waiting().await.unwrap(), 1);
        let later = clock.now_ms() + 60_000;
        assert_eq!(
            store.effects_lease("me", later, 30_000, 10, &[]).await.unwrap().len(),
            1,
            "only the good one is left"
        );
    }
}
