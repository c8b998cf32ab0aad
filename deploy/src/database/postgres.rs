//! PostgreSQL. Everything goes out by the simple protocol: migration text must not be prepared, and poolers lose
//! prepared statements.

mod indexes;
mod locks;
mod session;

use self::session::PgSession;
use super::error::{DriverError, MigrateError};
use super::reading::{ReadLimits, settings};
use super::run::{self, HistoryError, Run, RunOptions, RunReport, Session as _};
use super::watch::LockWait;
use super::{CONNECT_LIMIT_S, Database, schema_postgres};
use async_trait::async_trait;
use slipway_core::migration::format::{self, Dialect, Direction, Format};
use slipway_core::migration::{Folder, History, Migration, Outlook, Schema, TableSize, Version};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// A PostgreSQL database.
pub(super) struct Postgres {
    options: PgConnectOptions,
    shown: String,
    /// A connection that is in order. It is taken out for each use, and comes back only when all went well.
    idle: Mutex<Option<PgConnection>>,
    /// Of what is only read.
    limits: ReadLimits,
}

impl Postgres {
    pub(super) async fn connect(
        options: PgConnectOptions,
        shown: String,
        limits: ReadLimits,
    ) -> Result<Self, MigrateError> {
        crate::install_crypto_provider();
        let database = Self { options, shown, idle: Mutex::new(None), limits };
        let connection = database.fresh().await?;
        *database.idle.lock().await = Some(connection);
        Ok(database)
    }

    async fn fresh(&self) -> Result<PgConnection, MigrateError> {
        connection(&self.options, &self.shown).await
    }

    async fn session(
        &self,
        idle: Option<PgConnection>,
        format: &'static dyn Format,
    ) -> Result<PgSession, MigrateError> {
        let mut kept = idle;
        // A peer that is gone without a word answers nothing, not even that.
        if let Some(connection) = &mut kept
            && !matches!(timeout(Duration::from_secs(CONNECT_LIMIT_S), connection.ping()).await, Ok(Ok(())))
        {
            kept = None;
        }
        let connection = match kept {
            Some(connection) => connection,
            None => self.fresh().await?,
        };
        Ok(PgSession {
            connection,
            options: self.options.clone(),
            shown: self.shown.clone(),
            format,
            tables: None,
            has_record: false,
            locks: Vec::new(),
            pid: None,
            waited: LockWait::default(),
        })
    }

    /// A session that only reads: in one transaction, within limits that end with it. So a pooler hands them to nobody else,
    /// and a run on the same connection has none of them.
    async fn reading(
        &self,
        idle: Option<PgConnection>,
        format: &'static dyn Format,
    ) -> Result<PgSession, MigrateError> {
        let mut session = self.session(idle, format).await?;
        let begin = format!("BEGIN READ ONLY; {}", settings(&self.limits));
        session.send(begin).await.map_err(|error| error.while_doing("Beginning to read"))?;
        Ok(session)
    }
}

/// The connection of a session that has read, if it is in order.
async fn read(mut session: PgSession) -> Option<PgConnection> {
    session.send("COMMIT").await.is_ok().then_some(session.connection)
}

async fn connection(options: &PgConnectOptions, shown: &str) -> Result<PgConnection, MigrateError> {
    let failed = |reason| MigrateError::Connect { database: shown.to_owned(), reason };
    match timeout(Duration::from_secs(CONNECT_LIMIT_S), options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failed(DriverError::from(error).reason())),
        Err(_) => Err(failed(format!("no answer within {CONNECT_LIMIT_S} s"))),
    }
}

#[async_trait]
impl Database for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn shown(&self) -> &str {
        &self.shown
    }

    async fn postgres_version(&self) -> Result<Option<u32>, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.reading(idle.take(), &format::goose::Goose).await?;
        let version = session.rows("SELECT current_setting('server_version_num')::integer / 10000").await;
        let version = version.and_then(|rows| Ok(rows[0].try_get::<i32, _>(0)?));
        let version = version.map_err(|error| error.while_doing("Reading the server's version"))?;
        *idle = read(session).await;
        Ok(u32::try_from(version).ok())
    }

    async fn formats(&self) -> Result<Vec<&'static dyn Format>, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.reading(idle.take(), &format::goose::Goose).await?;
        let found = session.find_formats().await;
        let found = found.map_err(|error| error.while_doing("Looking for history tables"))?;
        *idle = read(session).await;
        Ok(found)
    }

    async fn history(&self, format: &'static dyn Format) -> Result<History, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.reading(idle.take(), format).await?;
        let history = match session.history().await {
            Ok(history) => history.unwrap_or_default(),
            Err(HistoryError::OtherTool(error)) => return Err(error),
            Err(HistoryError::Driver(error)) => {
                let reason = match error.is_lock {
                    true => session.locked_for(self.limits.lock).await,
                    false => error.reason(),
                };
                let (what, applied_before) = ("Reading the history table".to_owned(), Vec::new());
                return Err(MigrateError::History { what, reason, applied_before });
            }
        };
        *idle = read(session).await;
        Ok(history)
    }

    async fn schema(&self) -> Result<Schema, MigrateError> {
        let mut idle = self.idle.lock().await;
        // It reads in a transaction of its own kind.
        let mut session = self.session(idle.take(), &format::goose::Goose).await?;
        let schema = schema_postgres::read(&mut session.connection, &self.limits).await;
        let schema = schema.map_err(|error| error.while_doing(format!("Reading the schema of {}", self.shown)))?;
        *idle = Some(session.connection);
        Ok(schema)
    }

    async fn sizes(&self, tables: &BTreeSet<String>) -> Result<BTreeMap<String, TableSize>, MigrateError> {
        let names: Vec<_> = tables.iter().filter(|name| is_a_name(name)).map(|name| format!("('{name}')")).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut idle = self.idle.lock().await;
        let mut session = self.reading(idle.take(), &format::goose::Goose).await?;
        let failed = |error: DriverError| error.while_doing(format!("Reading the sizes of tables of {}", self.shown));
        let query = format!(
            "SELECT t.name::text, c.reltuples::bigint, pg_total_relation_size(c.oid) FROM (VALUES {}) AS t (name) \
             JOIN pg_class c ON c.oid = to_regclass(t.name)",
            names.join(", ")
        );
        let rows = session.rows(query).await.map_err(failed)?;
        // Before the first ANALYZE there is -1, or 0 in old versions, whatever the table holds.
        let size = |row: &PgRow| {
            let rows = Some(row.try_get(1)?).filter(|rows: &i64| *rows > 0);
            Ok((row.try_get(0)?, TableSize { rows, bytes: row.try_get(2)? }))
        };
        let sizes = rows.iter().map(size).collect::<Result<_, sqlx::Error>>();
        let sizes = sizes.map_err(|error| failed(DriverError::from(error)))?;
        *idle = read(session).await;
        Ok(sizes)
    }

    async fn up(&self, folder: &Folder<'_>, pending: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), folder.format()).await?;
        let report = run::up(&mut session, folder, pending, run).await?;
        *idle = session.as_new().await.then_some(session.connection);
        Ok(report)
    }

    async fn down(&self, folder: &Folder<'_>, back: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), folder.format()).await?;
        let report = run::down(&mut session, folder, back, run).await?;
        *idle = session.as_new().await.then_some(session.connection);
        Ok(report)
    }

    async fn baseline(
        &self,
        folder: &Folder<'_>,
        done: &[Migration],
        run: &Run<'_>,
    ) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), folder.format()).await?;
        let report = run::baseline(&mut session, folder, done, run).await?;
        *idle = session.as_new().await.then_some(session.connection);
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
        let mut session = self.reading(idle.take(), folder.format()).await?;
        let seen = run::foresee(&mut session, folder, wanted, &Run::quiet(options), way == Direction::Down).await?;
        *idle = read(session).await;
        Ok(seen)
    }
}

/// Whether a name can be looked up: `users`, `public.users`, `"My Table"`. A quote or a half-quoted name cannot.
fn is_a_name(name: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    let quoted = |part: &str| {
        let inside = part.strip_prefix('"').and_then(|part| part.strip_suffix('"'));
        inside.is_some_and(|inside| !inside.is_empty() && !inside.contains(['"', '\'', '\\', '.', '\0']))
    };
    name.split('.').all(|part| (plain(part) && !part.starts_with(|c: char| c.is_ascii_digit())) || quoted(part))
}
