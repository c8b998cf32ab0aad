//! SQLite. It has no lock that outlasts a transaction, so each transaction looks at the history again.

mod session;

use self::session::SqliteSession;
use super::error::{DriverError, MigrateError};
use super::run::{self, Run, RunOptions, RunReport};
use super::{Database, schema_sqlite};
use async_trait::async_trait;
use slipway_core::migration::format::{self, Dialect, Direction, Format};
use slipway_core::migration::{Folder, History, Migration, Outlook, Schema, TableSize, Version};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
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
            reason: DriverError::from(error).reason(),
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
        let shown = self.shown.clone();
        Ok(SqliteSession::new(connection, shown, format))
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
        let found = session.find_formats().await.map_err(|error| error.while_doing("Looking for history tables"))?;
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
        let schema = schema.map_err(|error| error.while_doing(format!("Reading the schema of {}", self.shown)))?;
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
        let report = run::up(&mut session, folder, pending, run).await?;
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
        folder: &Folder<'_>,
        done: &[Migration],
        run: &Run<'_>,
    ) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), false, folder.format()).await?;
        let report = run::baseline(&mut session, folder, done, run).await?;
        *idle = Some(session.connection);
        Ok(report)
    }

    async fn foresee(
        &self,
        folder: &Folder<'_>,
        wanted: &[Migration],
        way: Direction,
        options: &RunOptions,
    ) -> Result<Option<(Version, Outlook)>, MigrateError> {
        let mut idle = self.idle.lock().await;
        if idle.is_none() && !self.exists() {
            return Ok(None);
        }
        let mut session = self.session(idle.take(), false, folder.format()).await?;
        let seen = run::foresee(&mut session, folder, wanted, &Run::quiet(options), way == Direction::Down).await?;
        *idle = Some(session.connection);
        Ok(seen)
    }
}
