//! SQLite. It has no lock that outlasts a transaction, so each transaction looks at the history again.

use super::error::{DriverError, MigrateError};
use super::run::{self, Change, RunJournal, RunOptions, RunReport, Session, Started};
use super::{Database, DatabaseKind};
use async_trait::async_trait;
use slipway_core::migration::{AppliedRow, Migration, TableSize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, raw_sql};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::Mutex;

/// As goose's dialect has it.
const CREATE_HISTORY: &str = "CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	)";

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

    async fn session(&self, idle: Option<SqliteConnection>, create: bool) -> Result<SqliteSession, MigrateError> {
        let connection = match idle {
            Some(connection) => connection,
            None => self.fresh(create).await?,
        };
        Ok(SqliteSession { connection })
    }
}

#[async_trait]
impl Database for Sqlite {
    fn kind(&self) -> DatabaseKind {
        DatabaseKind::Sqlite
    }

    async fn applied(&self) -> Result<Vec<AppliedRow>, MigrateError> {
        let mut idle = self.idle.lock().await;
        if idle.is_none() && !self.exists() {
            return Ok(Vec::new());
        }
        let mut session = self.session(idle.take(), false).await?;
        let rows = run::applied(&mut session).await?;
        *idle = Some(session.connection);
        Ok(rows)
    }

    /// No table is larger than the file; SQLite keeps no other figure.
    async fn sizes(&self, tables: &BTreeSet<String>) -> Result<BTreeMap<String, TableSize>, MigrateError> {
        let file = self.options.get_filename();
        let bytes = tokio::fs::metadata(file).await.map_or(0, |file| i64::try_from(file.len()).unwrap_or(i64::MAX));
        Ok(tables.iter().map(|table| (table.clone(), TableSize { rows: None, bytes })).collect())
    }

    async fn up(
        &self,
        pending: &[Migration],
        options: &RunOptions,
        resume: Option<Started>,
        journal: &dyn RunJournal,
    ) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        if pending.is_empty() {
            return Ok(RunReport::default());
        }
        let mut session = self.session(idle.take(), true).await?;
        let report = run::up(&mut session, pending, options, resume, journal).await?;
        *idle = Some(session.connection);
        Ok(report)
    }

    async fn down(&self, migration: &Migration, options: &RunOptions) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), false).await?;
        let report = run::down(&mut session, migration, options).await?;
        *idle = Some(session.connection);
        Ok(report)
    }
}

struct SqliteSession {
    connection: SqliteConnection,
}

impl SqliteSession {
    async fn send(&mut self, sql: impl Into<String>) -> Result<(), DriverError> {
        raw_sql(AssertSqlSafe(sql.into())).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn rows(&mut self, sql: &'static str) -> Result<Vec<SqliteRow>, DriverError> {
        Ok(raw_sql(sql).fetch_all(&mut self.connection).await?)
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
    async fn lock(&mut self, options: &RunOptions) -> Result<(), MigrateError> {
        let set = self.send(format!("PRAGMA busy_timeout = {}", options.lock_timeout.as_millis())).await;
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

    async fn history(&mut self) -> Result<Option<Vec<AppliedRow>>, DriverError> {
        let found = self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'").await?;
        if found.is_empty() {
            return Ok(None);
        }
        let rows = self.rows("SELECT id, version_id, is_applied FROM goose_db_version ORDER BY id").await?;
        let read = |row: &SqliteRow| {
            let is_applied: i64 = row.try_get_unchecked(2)?;
            Ok(AppliedRow { id: row.try_get(0)?, version: row.try_get(1)?, is_applied: is_applied != 0 })
        };
        rows.iter().map(read).collect::<Result<Vec<_>, sqlx::Error>>().map(Some).map_err(DriverError::from)
    }

    async fn create_history(&mut self) -> Result<(), DriverError> {
        self.send("BEGIN IMMEDIATE").await?;
        // Another runner may have been faster.
        let created = match self.history().await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                let first = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)";
                self.send(format!("{CREATE_HISTORY}; {first}")).await
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

    async fn record(&mut self, change: Change) -> Result<(), DriverError> {
        self.send(match change {
            Change::Add(version) => {
                format!("INSERT INTO goose_db_version (version_id, is_applied) VALUES ({version}, 1)")
            }
            Change::Delete(version) => format!("DELETE FROM goose_db_version WHERE version_id = {version}"),
        })
        .await?;
        self.end_open_transaction("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<(), DriverError> {
        self.end_open_transaction("ROLLBACK").await
    }
}
