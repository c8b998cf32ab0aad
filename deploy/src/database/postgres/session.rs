//! One connection to PostgreSQL in a run.

use super::super::error::{DriverError, MigrateError};
use super::super::formats::{Found, history_tables};
use super::super::record::{RECORD_TABLE, RecordTable};
use super::super::rows;
use super::super::run::{HistoryError, Run, RunOptions, Seen, Session, StatementError, Step, Tables};
use super::super::watch::{LockWait, Watch, watched};
use async_trait::async_trait;
use slipway_core::migration::History;
use slipway_core::migration::format::{Dialect, Format};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _, raw_sql};
use std::time::Duration;

/// One connection to PostgreSQL in a run.
pub(super) struct PgSession {
    pub(super) connection: PgConnection,
    pub(super) options: PgConnectOptions,
    pub(super) shown: String,
    pub(super) format: &'static dyn Format,
    pub(super) tables: Option<Tables>,
    /// Whether Slipway's own table is there.
    pub(super) has_record: bool,
    /// The advisory locks that are held, in the order in which they were taken.
    pub(super) locks: Vec<i64>,
    /// The server's process, once it was asked for.
    pub(super) pid: Option<i32>,
    /// Whom the statement waited for that did not get its lock.
    pub(super) waited: LockWait,
}

impl PgSession {
    pub(super) async fn send(&mut self, sql: impl Into<String>) -> Result<(), DriverError> {
        raw_sql(AssertSqlSafe(sql.into())).execute(&mut self.connection).await?;
        Ok(())
    }

    pub(super) async fn rows(&mut self, sql: impl Into<String>) -> Result<Vec<PgRow>, DriverError> {
        Ok(raw_sql(AssertSqlSafe(sql.into())).fetch_all(&mut self.connection).await?)
    }

    pub(super) async fn is_true(&mut self, sql: String) -> Result<bool, DriverError> {
        let rows = self.rows(sql).await?;
        match rows.first() {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(false),
        }
    }

    /// Sends one statement of a migration as it is. All of them pass here, so that this is where one is watched and
    /// broken off.
    pub(super) async fn migrate(&mut self, statement: &str, step: &Step<'_>) -> Result<(), DriverError> {
        tracing::debug!(file = step.migration.file, statement = step.index, of = step.total, "running");
        let pid = self.pid().await?;
        let options = self.options.clone();
        let watch = Watch { options: &options, pid, step };
        let (outcome, broken_off, waited) = watched(self.send(statement), &watch).await;
        let Some(outcome) = outcome else { return Err(DriverError::gave_up()) };
        self.waited = match &outcome {
            Err(error) if error.is_lock => waited,
            _ => LockWait::default(),
        };
        if broken_off {
            // What it says does not matter: the request to break off must not meet the next statement.
            let _ = self.send("SELECT 1").await;
        }
        outcome
    }

    /// The server's process, asked for once.
    async fn pid(&mut self) -> Result<i32, DriverError> {
        if let Some(pid) = self.pid {
            return Ok(pid);
        }
        let rows = self.rows("SELECT pg_backend_pid()").await?;
        let pid = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        self.pid = Some(pid);
        Ok(pid)
    }

    /// Whether the session could be made as new, so that it may be used again.
    pub(super) async fn as_new(&mut self) -> bool {
        self.send("RESET SESSION AUTHORIZATION; RESET ALL").await.is_ok()
    }

    /// The tools' tables that the search path finds, with their columns.
    async fn find(&mut self, names: &[&str]) -> Result<Vec<Found>, DriverError> {
        let names: Vec<_> = names.iter().map(|name| format!("('{name}')")).collect();
        let rows = self
            .rows(format!(
                "SELECT c.relname::text, quote_ident(n.nspname)::text, EXISTS (SELECT 1 FROM pg_class r WHERE \
                 r.relnamespace = n.oid AND r.relname = '{RECORD_TABLE}'), (SELECT string_agg(a.attname::text, ',') \
                 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) FROM (VALUES {}) \
                 AS t (name) JOIN pg_class c ON c.oid = to_regclass(t.name) JOIN pg_namespace n ON n.oid = \
                 c.relnamespace",
                names.join(", ")
            ))
            .await?;
        let found = rows.iter().map(|row| {
            let columns: Option<String> = row.try_get(3)?;
            Ok(Found {
                table: row.try_get(0)?,
                schema: row.try_get(1)?,
                has_record: row.try_get(2)?,
                columns: columns.unwrap_or_default().split(',').map(str::to_owned).collect(),
            })
        });
        found.collect::<Result<_, sqlx::Error>>().map_err(DriverError::from)
    }

    /// The tools whose tables are there.
    pub(super) async fn find_formats(&mut self) -> Result<Vec<&'static dyn Format>, DriverError> {
        Ok(self.find(&history_tables()).await?.iter().filter_map(Found::format).collect())
    }

    /// Looks for the history table; whether it is there.
    async fn find_tables(&mut self) -> Result<bool, HistoryError> {
        let name = self.format.history().table();
        let Some(found) = self.find(&[name]).await?.pop() else {
            (self.tables, self.has_record) = (None, false);
            return Ok(false);
        };
        found.must_be(self.format, &self.shown).map_err(HistoryError::OtherTool)?;
        self.tables = Some(Tables {
            history: format!("{}.{name}", found.schema),
            record: format!("{}.{RECORD_TABLE}", found.schema),
        });
        self.has_record = found.has_record;
        Ok(true)
    }
}

/// Whole milliseconds, as settings take them; 0 would mean no limit, so that is never the outcome.
pub(super) fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX).max(1)
}

#[async_trait]
impl Session for PgSession {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn format(&self) -> &'static dyn Format {
        self.format
    }

    fn tables(&self) -> Tables {
        self.tables.clone().unwrap_or_else(|| Tables {
            history: self.format.history().table().to_owned(),
            record: RECORD_TABLE.to_owned(),
        })
    }

    async fn lock(&mut self, run: &Run<'_>) -> Result<(), MigrateError> {
        self.take_locks(run).await
    }

    async fn unlock(&mut self) -> Result<Option<String>, DriverError> {
        Ok((!self.give_back().await?).then(|| {
            "The migration lock was not held any more when the run ended: a pooler hands out another session for each \
             transaction. Give Slipway a direct connection."
                .to_owned()
        }))
    }

    async fn warnings(&mut self) -> Result<Vec<String>, DriverError> {
        self.invalid_index_warnings().await
    }

    async fn history(&mut self) -> Result<Option<History>, HistoryError> {
        if !self.find_tables().await? {
            return Ok(None);
        }
        let tables = self.tables();
        let rows = self.rows(self.format.history().read(Dialect::Postgres, &tables.history)).await?;
        let history = rows::history(self.format, &rows)?;
        if !self.has_record {
            return Ok(Some(history));
        }
        let records = self.rows(self.record_in(&tables).read()).await?;
        Ok(Some(rows::with_records(history, &records)?))
    }

    async fn create_tables(&mut self) -> Result<(), HistoryError> {
        let is_there = self.find_tables().await?;
        if is_there && self.has_record {
            return Ok(());
        }
        let created = async {
            self.send("BEGIN").await?;
            if !is_there {
                let history = self.format.history();
                self.send(history.create(Dialect::Postgres, history.table())).await?;
                self.find_tables().await?;
            }
            let tables = self.tables();
            let create = RecordTable { dialect: Dialect::Postgres, name: &tables.record }.create();
            self.send(format!("{create}; COMMIT")).await?;
            Ok(())
        };
        let created = created.await;
        if created.is_err() {
            // Best effort: the first error is the one to be told.
            let _ = self.rollback().await;
        }
        created
    }

    /// The lock keeps others out.
    async fn changed_elsewhere(&mut self) -> Result<bool, DriverError> {
        Ok(false)
    }

    async fn prepare(&mut self, options: &RunOptions, transaction: bool) -> Result<(), DriverError> {
        // What one file sets must not reach the next, whether they run together or days apart. Notices are
        // switched off because the driver would log them.
        self.waited = LockWait::default();
        let (begin, local) = if transaction { ("BEGIN; ", "LOCAL ") } else { ("", "") };
        self.send(format!(
            "RESET SESSION AUTHORIZATION; RESET ALL; SET client_min_messages = error; {begin}\
             SET {local}lock_timeout = {}; SET {local}statement_timeout = {}",
            millis(options.lock_timeout),
            options.statement_timeout.map_or(0, millis)
        ))
        .await
    }

    async fn execute(&mut self, statement: &str, step: &Step<'_>) -> Result<(), StatementError> {
        let concurrently = |word: &str| word.eq_ignore_ascii_case("concurrently");
        if step.alone && super::super::run::words(statement).any(concurrently) {
            return self.concurrently(statement, step).await;
        }
        Ok(self.migrate(statement, step).await?)
    }

    async fn progress(&mut self, sql: String, guarded: bool) -> Result<(), DriverError> {
        if !guarded {
            return self.send(sql).await;
        }
        // The file goes on as whoever it made itself; the table is ours.
        self.send(format!(
            "DO $slipway$ DECLARE who text := current_setting('session_authorization'); part text := \
             current_setting('role'); BEGIN RESET SESSION AUTHORIZATION; {sql}; IF who <> \
             current_setting('session_authorization') THEN PERFORM set_config('session_authorization', who, false); END \
             IF; PERFORM set_config('role', part, false); END $slipway$"
        ))
        .await
    }

    async fn is_usable(&mut self) -> bool {
        self.send("SELECT 1").await.is_ok()
    }

    async fn commit_with(&mut self, sql: String) -> Result<(), DriverError> {
        // One round trip. Outside a transaction the commit is a mere warning, which is switched off, and a file that
        // left its own transaction open gets it closed, as goose would when it hands the connection back.
        self.send(format!("RESET SESSION AUTHORIZATION; {sql}; COMMIT")).await
    }

    /// Several statements in one message are one transaction, or join the one that is open.
    async fn write(&mut self, sql: String) -> Result<(), DriverError> {
        self.commit_with(sql).await
    }

    async fn rollback(&mut self) -> Result<(), DriverError> {
        self.send("ROLLBACK").await
    }

    async fn look_for(&mut self, statement: &str) -> Result<Seen, DriverError> {
        self.look_for_index(statement).await
    }

    fn waited_for(&self) -> LockWait {
        self.waited.clone()
    }

    async fn reconnect(&mut self) -> Result<(), MigrateError> {
        self.connection = super::connection(&self.options, &self.shown).await?;
        self.locks.clear();
        self.pid = None;
        Ok(())
    }
}
