//! SQLite. It has no lock that outlasts a transaction, so each transaction looks at the history again.

use super::{Database, schema_sqlite};
use super::error::{DriverError, MigrateError};
use super::run::{self, Change, Run, RunOptions, RunReport, Session};
use async_trait::async_trait;
use slipway_core::migration::format::{self, Dialect, Format};
use slipway_core::migration::{AppliedRow, Folder, History, Migration, Schema, TableSize, Version};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, raw_sql};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::Mutex;

/// A SQLite database.
pub(super) struct Sqlite {
    options: SqliteConnectOptions,
    shown: String,
    idle: Mutex<Option<SqliteConnection>>,
}

impl Sqlite {
    pub(super) async fn connect(options: SqliteConnectOptions, shown: String) -> Result<Self, MigrateError> {
        let database = Self { options, shown, idle: Mutex::new(None) };
        if database.exists() {
            let connection = database.fresh(false).await?;
            *database.idle.lock().await = Some(connection);
        }
        Ok(database)
    }

    /// Whether there is something to look at: a database in memory always is.
    fn exists(&self) -> bool {
        let file = self.options.get_filename();
        file.exists() || file.to_str().is_some_and(|name| name.starts_with("file:"))
    }

    async fn fresh(&self, create: bool) -> Result<SqliteConnection, MigrateError> {
        let connected = self.options.clone().create_if_missing(create).connect().await;
        connected.map_err(|error| MigrateError::Connect {
            database: self.shown.clone(),
            reason: DriverError::from(error).message,
        })
    }

    async fn session(
        &self,
        idle: Option<SqliteConnection>,
        create: bool,
        format: &'static dyn Format,
    ) -> Result<SqliteSession, MigrateError> {
        let connection = match idle {
            Some(connection) => connection,
            None => self.fresh(create).await?,
        };
        Ok(SqliteSession { connection, format })
    }
}

#[async_trait]
impl Database for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn shown(&self) -> &str {
        &self.shown
    }

    async fn postgres_version(&self) -> Result<Option<u32>, MigrateError> {
        Ok(None)
    }

    async fn formats(&self) -> Result<Vec<&'static dyn Format>, MigrateError> {
        let mut idle = self.idle.lock().await;
        if idle.is_none() && !self.exists() {
            return Ok(Vec::new());
        }
        let mut session = self.session(idle.take(), false, &format::goose::Goose).await?;
        let mut found = Vec::new();
        for format in format::ALL {
            session.format = *format;
            let there = session.has_table().await.map_err(|error| MigrateError::History {
                what: "Looking for history tables".into(),
                reason: error.message,
                applied_before: vec![],
            })?;
            found.extend(there.then_some(*format));
        }
        *idle = Some(session.connection);
        Ok(found)
    }

    async fn history(&self, format: &'static dyn Format) -> Result<History, MigrateError> {
        let mut idle = self.idle.lock().await;
        if idle.is_none() && !self.exists() {
            return Ok(History::default());
        }
        let mut session = self.session(idle.take(), false, format).await?;
        let history = run::history(&mut session).await?;
        *idle = Some(session.connection);
        Ok(history)
    }

    async fn schema(&self) -> Result<Schema, MigrateError> {
        let mut idle = self.idle.lock().await;
        if idle.is_none() && !self.exists() {
            return Ok(Schema::default());
        }
        let mut session = self.session(idle.take(), false, &format::goose::Goose).await?;
        let schema = schema_sqlite::read(&mut session.connection).await;
        let schema = schema.map_err(|error| MigrateError::History {
            what: format!("Reading the schema of {}", self.shown),
            reason: error.message,
            applied_before: vec![],
        })?;
        *idle = Some(session.connection);
        Ok(schema)
    }

    /// No table is larger than the file; SQLite keeps no other figure.
    async fn sizes(&self, tables: &BTreeSet<String>) -> Result<BTreeMap<String, TableSize>, MigrateError> {
        let file = self.options.get_filename();
        let bytes = tokio::fs::metadata(file).await.map_or(0, |file| i64::try_from(file.len()).unwrap_or(i64::MAX));
        Ok(tables.iter().map(|table| (table.clone(), TableSize { rows: None, bytes })).collect())
    }

    async fn up(&self, folder: &Folder<'_>, pending: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        if pending.is_empty() {
            return Ok(RunReport::default());
        }
        let mut session = self.session(idle.take(), true, folder.format()).await?;
        let report = run::up(&mut session, pending, run).await?;
        *idle = Some(session.connection);
        Ok(report)
    }

    async fn down(&self, folder: &Folder<'_>, back: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), false, folder.format()).await?;
        let report = run::down(&mut session, folder, back, run).await?;
        *idle = Some(session.connection);
        Ok(report)
    }

    async fn baseline(
        &self,
        _folder: &Folder<'_>,
        _done: &[Migration],
        _run: &Run<'_>,
    ) -> Result<RunReport, MigrateError> {
        Ok(RunReport::default())
    }
}

struct SqliteSession {
    connection: SqliteConnection,
    format: &'static dyn Format,
}

impl SqliteSession {
    async fn send(&mut self, sql: impl Into<String>) -> Result<(), DriverError> {
        raw_sql(AssertSqlSafe(sql.into())).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn has_table(&mut self) -> Result<bool, DriverError> {
        let name = self.format.history().table();
        let found = self.rows(format!("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{name}'")).await?;
        Ok(!found.is_empty())
    }

    async fn rows(&mut self, sql: impl Into<String>) -> Result<Vec<SqliteRow>, DriverError> {
        Ok(raw_sql(AssertSqlSafe(sql.into())).fetch_all(&mut self.connection).await?)
    }

    /// Whether a transaction is open can only be found out by trying to end it.
    async fn end_open_transaction(&mut self, by: &'static str) -> Result<(), DriverError> {
        match self.send(by).await {
            Err(error) if error.message.contains("no transaction is active") => Ok(()),
            other => other,
        }
    }
}

/// A row as [`slipway_core::migration::format::HistoryTable::read`] gives it; `None` for one whose version is none.
fn applied_row(row: &SqliteRow) -> Result<Option<AppliedRow>, sqlx::Error> {
    let version: String = row.try_get_unchecked("version")?;
    let Some(version) = Version::parse(&version) else { return Ok(None) };
    Ok(Some(AppliedRow {
        ordinal: row.try_get_unchecked("ordinal")?,
        version,
        is_applied: row.try_get_unchecked::<i64, _>("is_applied")? != 0,
        is_dirty: row.try_get_unchecked::<i64, _>("is_dirty")? != 0,
        checksum: row.try_get_unchecked("checksum")?,
        applied_at: row.try_get_unchecked("applied_at")?,
    }))
}

#[async_trait]
impl Session for SqliteSession {
    async fn lock(&mut self, run: &Run<'_>) -> Result<(), MigrateError> {
        let set = self.send(format!("PRAGMA busy_timeout = {}", run.options.lock_timeout.as_millis())).await;
        set.map_err(|error| MigrateError::History {
            what: "Preparing the session".into(),
            reason: error.message,
            applied_before: vec![],
        })
    }

    async fn unlock(&mut self) -> Result<Option<String>, DriverError> {
        Ok(None)
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    async fn history(&mut self) -> Result<Option<History>, DriverError> {
        if !self.has_table().await? {
            return Ok(None);
        }
        let history = self.format.history();
        let rows = self.rows(history.read(Dialect::Sqlite, history.table())).await?;
        let rows = rows.iter().map(applied_row).collect::<Result<Vec<_>, sqlx::Error>>()?;
        Ok(Some(History::of(self.format, rows.into_iter().flatten().collect())))
    }

    async fn create_history(&mut self) -> Result<(), DriverError> {
        self.send("BEGIN IMMEDIATE").await?;
        // Another runner may have been faster.
        let created = match self.history().await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                let history = self.format.history();
                self.send(history.create(Dialect::Sqlite, history.table())).await
            }
            Err(error) => Err(error),
        };
        match created {
            Ok(()) => self.send("COMMIT").await,
            Err(error) => {
                // Best effort: the first error is the one to be told.
                let _ = self.rollback().await;
                Err(error)
            }
        }
    }

    async fn prepare(&mut self, _options: &RunOptions, transaction: bool) -> Result<(), DriverError> {
        if transaction { self.send("BEGIN IMMEDIATE").await } else { Ok(()) }
    }

    async fn execute(&mut self, statement: &str) -> Result<(), DriverError> {
        self.send(statement).await
    }

    async fn execute_alone(
        &mut self,
        statement: &str,
        _options: &RunOptions,
    ) -> Result<(), (DriverError, Vec<String>)> {
        self.send(statement).await.map_err(|error| (error, Vec::new()))
    }

    async fn record(&mut self, change: Change<'_>) -> Result<(), DriverError> {
        let history = self.format.history();
        let table = history.table();
        self.send(match change {
            Change::Add(entry) => history.add(Dialect::Sqlite, table, &entry),
            Change::Delete(version, before) => history.remove(Dialect::Sqlite, table, version, before),
        })
        .await?;
        self.end_open_transaction("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<(), DriverError> {
        self.end_open_transaction("ROLLBACK").await
    }
}
