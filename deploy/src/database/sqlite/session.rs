//! One connection to SQLite in a run.

use super::super::error::{DriverError, MigrateError};
use super::super::formats::{Found, history_tables};
use super::super::record::{RECORD_TABLE, RecordTable};
use super::super::rows;
use super::super::run::{HistoryError, Run, RunOptions, Seen, Session, StatementError, Step, Tables};
use super::super::watch;
use async_trait::async_trait;
use slipway_core::migration::History;
use slipway_core::migration::format::{Dialect, Format};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, raw_sql};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many of SQLite's instructions run between two looks at whether the run is to stop.
const CANCEL_CHECK_INSTRUCTIONS: i32 = 100_000;

/// One connection to SQLite in a run.
pub(super) struct SqliteSession {
    pub(super) connection: SqliteConnection,
    pub(super) shown: String,
    pub(super) format: &'static dyn Format,
    /// Whether the history table is there.
    pub(super) is_there: bool,
    /// Whether Slipway's own table is there.
    pub(super) has_record: bool,
    /// What SQLite said of others' changes when the history was read.
    pub(super) seen: Option<i64>,
    /// Whether what runs is a statement of a migration, which may be broken off.
    breakable: Arc<AtomicBool>,
}

impl SqliteSession {
    pub(super) fn new(connection: SqliteConnection, shown: String, format: &'static dyn Format) -> Self {
        Self {
            connection,
            shown,
            format,
            is_there: false,
            has_record: false,
            seen: None,
            breakable: Arc::new(AtomicBool::new(false)),
        }
    }

    async fn send(&mut self, sql: impl Into<String>) -> Result<(), DriverError> {
        raw_sql(AssertSqlSafe(sql.into())).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn rows(&mut self, sql: impl Into<String>) -> Result<Vec<SqliteRow>, DriverError> {
        Ok(raw_sql(AssertSqlSafe(sql.into())).fetch_all(&mut self.connection).await?)
    }

    /// Sends one statement of a migration as it is. All of them pass here, so that this is where one is watched and
    /// broken off.
    async fn migrate(&mut self, statement: &str, step: &Step<'_>) -> Result<(), DriverError> {
        tracing::debug!(file = step.migration.file, statement = step.index, of = step.total, "running");
        let breakable = self.breakable.clone();
        breakable.store(true, Ordering::Relaxed);
        let outcome = watch::timed(self.send(statement), step).await;
        breakable.store(false, Ordering::Relaxed);
        outcome
    }

    /// Has statements of migrations broken off when somebody wants the run to stop.
    async fn let_break_off(&mut self, run: &Run<'_>) -> Result<(), sqlx::Error> {
        let (breakable, cancel) = (self.breakable.clone(), run.cancel.clone());
        let goes_on = move || !(breakable.load(Ordering::Relaxed) && cancel.is_asked());
        self.connection.lock_handle().await?.set_progress_handler(CANCEL_CHECK_INSTRUCTIONS, goes_on);
        Ok(())
    }

    /// The tables of that name, with their columns.
    async fn find(&mut self, names: &[&str]) -> Result<Vec<Found>, DriverError> {
        let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
        let rows = self
            .rows(format!(
                "SELECT m.name, (SELECT group_concat(i.name) FROM pragma_table_info(m.name) i), EXISTS (SELECT 1 FROM \
                 sqlite_master WHERE type = 'table' AND name = '{RECORD_TABLE}') FROM sqlite_master m WHERE m.type = \
                 'table' AND m.name IN ({})",
                names.join(", ")
            ))
            .await?;
        let found = rows.iter().map(|row| {
            let columns: String = row.try_get_unchecked(1)?;
            Ok(Found {
                table: row.try_get_unchecked(0)?,
                schema: String::new(),
                columns: columns.split(',').map(str::to_owned).collect(),
                has_record: row.try_get_unchecked::<i64, _>(2)? != 0,
            })
        });
        found.collect::<Result<_, sqlx::Error>>().map_err(DriverError::from)
    }

    /// The tools whose tables are there.
    pub(super) async fn find_formats(&mut self) -> Result<Vec<&'static dyn Format>, DriverError> {
        Ok(self.find(&history_tables()).await?.iter().filter_map(Found::format).collect())
    }

    async fn find_tables(&mut self) -> Result<(), HistoryError> {
        let found = self.find(&[self.format.history().table()]).await?.pop();
        (self.is_there, self.has_record) = (found.is_some(), found.as_ref().is_some_and(|found| found.has_record));
        match found {
            Some(found) => found.must_be(self.format, &self.shown).map_err(HistoryError::OtherTool),
            None => Ok(()),
        }
    }

    async fn changes_of_others(&mut self) -> Result<i64, DriverError> {
        let rows = self.rows("PRAGMA data_version").await?;
        match rows.first() {
            Some(row) => Ok(row.try_get_unchecked(0)?),
            None => Ok(0),
        }
    }

    /// Whether a transaction is open can only be found out by trying to end it.
    async fn end_open_transaction(&mut self, by: &'static str) -> Result<(), DriverError> {
        match self.send(by).await {
            Err(error) if error.message.contains("no transaction is active") => Ok(()),
            other => other,
        }
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn format(&self) -> &'static dyn Format {
        self.format
    }

    fn tables(&self) -> Tables {
        Tables { history: self.format.history().table().to_owned(), record: RECORD_TABLE.to_owned() }
    }

    /// SQLite has no lock that outlasts a transaction.
    async fn lock(&mut self, run: &Run<'_>) -> Result<(), MigrateError> {
        let set = self.send(format!("PRAGMA busy_timeout = {}", run.options.lock_timeout.as_millis())).await;
        let set = match set {
            Ok(()) => self.let_break_off(run).await.map_err(DriverError::from),
            Err(error) => Err(error),
        };
        set.map_err(|error| error.while_doing("Preparing the session"))
    }

    async fn unlock(&mut self) -> Result<Option<String>, DriverError> {
        self.connection.lock_handle().await?.remove_progress_handler();
        Ok(None)
    }

    async fn warnings(&mut self) -> Result<Vec<String>, DriverError> {
        Ok(Vec::new())
    }

    async fn history(&mut self) -> Result<Option<History>, HistoryError> {
        self.seen = Some(self.changes_of_others().await?);
        self.find_tables().await?;
        if !self.is_there {
            return Ok(None);
        }
        let history = self.format.history();
        let rows = self.rows(history.read(Dialect::Sqlite, history.table())).await?;
        let history = rows::history(self.format, &rows)?;
        if !self.has_record {
            return Ok(Some(history));
        }
        let records = self.rows(RecordTable { dialect: Dialect::Sqlite, name: RECORD_TABLE }.read()).await?;
        Ok(Some(rows::with_records(history, &records)?))
    }

    async fn create_tables(&mut self) -> Result<(), HistoryError> {
        self.find_tables().await?;
        if self.is_there && self.has_record {
            return Ok(());
        }
        self.send("BEGIN IMMEDIATE").await?;
        let created = async {
            // Another runner may have been faster.
            self.find_tables().await?;
            if !self.is_there {
                let history = self.format.history();
                self.send(history.create(Dialect::Sqlite, history.table())).await?;
            }
            self.send(RecordTable { dialect: Dialect::Sqlite, name: RECORD_TABLE }.create()).await?;
            self.send("COMMIT").await?;
            Ok(())
        };
        let created = created.await;
        if created.is_err() {
            // Best effort: the first error is the one to be told.
            let _ = self.rollback().await;
        }
        created
    }

    async fn changed_elsewhere(&mut self) -> Result<bool, DriverError> {
        let now = self.changes_of_others().await?;
        Ok(self.seen != Some(now))
    }

    async fn prepare(&mut self, _options: &RunOptions, transaction: bool) -> Result<(), DriverError> {
        if transaction { self.send("BEGIN IMMEDIATE").await } else { Ok(()) }
    }

    async fn execute(&mut self, statement: &str, step: &Step<'_>) -> Result<(), StatementError> {
        Ok(self.migrate(statement, step).await?)
    }

    async fn progress(&mut self, sql: String, _guarded: bool) -> Result<(), DriverError> {
        self.send(sql).await
    }

    async fn is_usable(&mut self) -> bool {
        self.send("SELECT 1").await.is_ok()
    }

    async fn commit_with(&mut self, sql: String) -> Result<(), DriverError> {
        self.send(sql).await?;
        self.end_open_transaction("COMMIT").await
    }

    async fn write(&mut self, sql: String) -> Result<(), DriverError> {
        match self.send("BEGIN IMMEDIATE").await {
            Err(error) if error.message.contains("within a transaction") => {}
            other => other?,
        }
        self.commit_with(sql).await
    }

    async fn rollback(&mut self) -> Result<(), DriverError> {
        self.end_open_transaction("ROLLBACK").await
    }

    async fn look_for(&mut self, _statement: &str) -> Result<Seen, DriverError> {
        Ok(Seen::Unknown)
    }

    /// A file does not go away and come back.
    async fn reconnect(&mut self) -> Result<(), MigrateError> {
        Err(MigrateError::Connect { database: self.shown.clone(), reason: "the file cannot be used any more".into() })
    }
}
