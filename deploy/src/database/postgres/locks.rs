//! The locks of a run on PostgreSQL: the tool's own and ours.

use super::super::error::{DriverError, MigrateError};
use super::super::reading::{ReadLimits, answered};
use super::super::run::{Run, RunNews, Session as _};
use super::session::PgSession;
use slipway_core::migration::format::Place;
use sqlx::Row as _;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Slipway's own: "Slipway" and a one, in ASCII.
const SLIPWAY_LOCK_ID: i64 = 0x536c_6970_7761_7901;
/// How often a lock that somebody else holds is tried again.
const LOCK_POLL_MS: u64 = 100;
/// How often somebody is told that another run is waited for.
const WAITING_NEWS_S: u64 = 5;

impl PgSession {
    /// Why the history could not be read: who keeps its tables locked, as far as can be seen.
    pub(super) async fn locked_for(&mut self, limit: Duration) -> String {
        let tables = self.tables();
        let query = format!(
            "ROLLBACK; SELECT string_agg(DISTINCT 'pid ' || a.pid || ' (' || concat_ws(', ', a.usename::text, \
             nullif(a.application_name, '')) || ')', ', ') FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE \
             l.granted AND l.mode = 'AccessExclusiveLock' AND l.database = (SELECT oid FROM pg_database WHERE datname = \
             current_database()) AND l.relation IN (to_regclass('{}'), to_regclass('{}'))",
            tables.history, tables.record
        );
        let holders: Option<String> = match self.rows(query).await {
            Ok(rows) => rows.first().and_then(|row| row.try_get(0).ok().flatten()),
            Err(_) => None,
        };
        let by = holders.map_or_else(String::new, |holders| format!(" by {holders}"));
        format!("{} is locked{by} for more than {} s", tables.history, limit.as_secs())
    }

    async fn lock_ids(&mut self) -> Result<Vec<i64>, DriverError> {
        let rows = self.rows("SELECT current_database()::text, coalesce(current_schema(), '')::text").await?;
        let mut place = Place::default();
        if let Some(row) = rows.first() {
            place = Place { database: row.try_get(0)?, schema: row.try_get(1)? };
        }
        Ok(std::iter::once(SLIPWAY_LOCK_ID).chain(self.format.history().lock_ids(&place)).collect())
    }

    async fn try_locks(&mut self, ids: &[i64]) -> Result<bool, DriverError> {
        for id in ids {
            if !self.is_true(format!("SELECT pg_try_advisory_lock({id})")).await? {
                self.give_back().await?;
                return Ok(false);
            }
            self.locks.push(*id);
        }
        Ok(true)
    }

    /// By polling: a session that waits in `pg_advisory_lock` holds a snapshot, and a concurrent index build beside
    /// it would wait for it for ever.
    /// Whoever wants the run to stop is not kept waiting for a server that does not answer: nothing has been begun, and the
    /// locks go with the session.
    pub(super) async fn take_locks(&mut self, run: &Run<'_>) -> Result<(), MigrateError> {
        let mut cancel = run.cancel.clone();
        tokio::select! {
            biased;
            taken = self.try_until_taken(run) => taken,
            () = cancel.asked() => Err(MigrateError::Cancelled {
                file: None,
                rolled_back: true,
                statements_done: 0,
                total: 0,
                notes: Vec::new(),
                applied_before: Vec::new(),
            }),
        }
    }

    async fn try_until_taken(&mut self, run: &Run<'_>) -> Result<(), MigrateError> {
        let (shown, limit) = (self.shown.clone(), ReadLimits::default().answer);
        let failed = |error: DriverError| error.while_doing("Taking the migration lock");
        let begun = Instant::now();
        let mut news_at = begun;
        let ids = answered(self.lock_ids(), limit, &shown, failed).await?;
        // For our own tables, before the first file sets its own. Notices are switched off because the driver would log them.
        let timeout = super::session::millis(run.options.lock_timeout);
        let settings = format!("SET client_min_messages = error; SET lock_timeout = {timeout}");
        answered(self.send(settings), limit, &shown, failed).await?;
        while !answered(self.try_locks(&ids), limit, &shown, failed).await? {
            let waited = begun.elapsed();
            if waited >= run.options.run_lock_wait {
                let waited_s = run.options.run_lock_wait.as_secs();
                return Err(MigrateError::Locked { database: self.shown.clone(), waited_s });
            }
            if Instant::now() >= news_at {
                run.journal.news(RunNews::AnotherRun { waited }).await;
                news_at = Instant::now() + Duration::from_secs(WAITING_NEWS_S);
            }
            sleep(Duration::from_millis(LOCK_POLL_MS)).await;
        }
        Ok(())
    }

    /// Gives back what is held; whether all of it still was.
    pub(super) async fn give_back(&mut self) -> Result<bool, DriverError> {
        let mut held = true;
        while let Some(id) = self.locks.pop() {
            held &= self.is_true(format!("SELECT pg_advisory_unlock({id})")).await?;
        }
        Ok(held)
    }
}
