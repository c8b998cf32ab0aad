//! PostgreSQL. Everything goes out by the simple protocol: migration text must not be prepared, and poolers lose
//! prepared statements.

use super::error::{DriverError, MigrateError};
use super::run::{self, Change, Run, RunOptions, RunReport, Session};
use super::{CONNECT_LIMIT_S, Database, schema_postgres};
use async_trait::async_trait;
use slipway_core::migration::format::{self, Dialect, Format, Place};
use slipway_core::migration::{AppliedRow, Folder, History, Migration, Schema, TableSize, Version};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, raw_sql};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// Slipway's own: "Slipway" and a one, in ASCII.
pub(super) const SLIPWAY_LOCK_ID: i64 = 0x536c_6970_7761_7901;
/// How often a lock that somebody else holds is tried again.
const LOCK_POLL_MS: u64 = 100;

const INVALID_INDEXES: &str = "SELECT c.relname::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname) \
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE NOT i.indisvalid";

/// A PostgreSQL database.
pub(super) struct Postgres {
    options: PgConnectOptions,
    shown: String,
    /// A connection that is in order. It is taken out for each use, and comes back only when all went well.
    idle: Mutex<Option<PgConnection>>,
}

impl Postgres {
    pub(super) async fn connect(options: PgConnectOptions, shown: String) -> Result<Self, MigrateError> {
        crate::install_crypto_provider();
        let database = Self { options, shown, idle: Mutex::new(None) };
        let connection = database.fresh().await?;
        *database.idle.lock().await = Some(connection);
        Ok(database)
    }

    async fn fresh(&self) -> Result<PgConnection, MigrateError> {
        let failed = |reason| MigrateError::Connect { database: self.shown.clone(), reason };
        match timeout(Duration::from_secs(CONNECT_LIMIT_S), self.options.connect()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(failed(DriverError::from(error).message)),
            Err(_) => Err(failed(format!("no answer within {CONNECT_LIMIT_S} s"))),
        }
    }

    async fn session(
        &self,
        idle: Option<PgConnection>,
        format: &'static dyn Format,
    ) -> Result<PgSession, MigrateError> {
        use sqlx::Connection as _;
        let mut kept = idle;
        if let Some(connection) = &mut kept
            && connection.ping().await.is_err()
        {
            kept = None;
        }
        let connection = match kept {
            Some(connection) => connection,
            None => self.fresh().await?,
        };
        Ok(PgSession { connection, shown: self.shown.clone(), format, table: None, locks: Vec::new() })
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
        Ok(None)
    }

    async fn formats(&self) -> Result<Vec<&'static dyn Format>, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut found = Vec::new();
        let mut connection = idle.take();
        for format in format::ALL {
            let mut session = self.session(connection.take(), *format).await?;
            let table = session.find_table().await.map_err(|error| MigrateError::History {
                what: "Looking for history tables".into(),
                reason: error.message,
                applied_before: vec![],
            })?;
            found.extend(table.map(|_| *format));
            connection = Some(session.connection);
        }
        *idle = connection;
        Ok(found)
    }

    async fn history(&self, format: &'static dyn Format) -> Result<History, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), format).await?;
        let history = run::history(&mut session).await?;
        *idle = Some(session.connection);
        Ok(history)
    }

    async fn schema(&self) -> Result<Schema, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), &format::goose::Goose).await?;
        let schema = schema_postgres::read(&mut session.connection).await;
        let schema = schema.map_err(|error| MigrateError::History {
            what: format!("Reading the schema of {}", self.shown),
            reason: error.message,
            applied_before: vec![],
        })?;
        *idle = Some(session.connection);
        Ok(schema)
    }

    async fn sizes(&self, tables: &BTreeSet<String>) -> Result<BTreeMap<String, TableSize>, MigrateError> {
        let names: Vec<_> = tables.iter().filter(|name| is_a_name(name)).map(|name| format!("('{name}')")).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), &format::goose::Goose).await?;
        let failed = |error: DriverError| MigrateError::History {
            what: format!("Reading the sizes of tables of {}", self.shown),
            reason: error.message,
            applied_before: vec![],
        };
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
        *idle = Some(session.connection);
        Ok(sizes)
    }

    async fn up(&self, folder: &Folder<'_>, pending: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError> {
        let mut idle = self.idle.lock().await;
        let mut session = self.session(idle.take(), folder.format()).await?;
        let report = run::up(&mut session, pending, run).await?;
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
        _folder: &Folder<'_>,
        _done: &[Migration],
        _run: &Run<'_>,
    ) -> Result<RunReport, MigrateError> {
        Ok(RunReport::default())
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

struct PgSession {
    connection: PgConnection,
    shown: String,
    format: &'static dyn Format,
    /// The full name of the history table. Kept, because a migration may change the search path.
    table: Option<String>,
    /// The advisory locks that are held, in the order in which they were taken.
    locks: Vec<i64>,
}

impl PgSession {
    async fn send(&mut self, sql: impl Into<String>) -> Result<(), DriverError> {
        raw_sql(AssertSqlSafe(sql.into())).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn rows(&mut self, sql: impl Into<String>) -> Result<Vec<PgRow>, DriverError> {
        Ok(raw_sql(AssertSqlSafe(sql.into())).fetch_all(&mut self.connection).await?)
    }

    async fn is_true(&mut self, sql: String) -> Result<bool, DriverError> {
        let rows = self.rows(sql).await?;
        match rows.first() {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(false),
        }
    }

    /// Whether the session could be made as new, so that it may be used again.
    async fn as_new(&mut self) -> bool {
        self.send("RESET SESSION AUTHORIZATION; RESET ALL").await.is_ok()
    }

    /// The full name of the history table, by the search path.
    async fn find_table(&mut self) -> Result<Option<String>, DriverError> {
        let name = self.format.history().table();
        let found = self
            .rows(format!(
                "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON \
                 n.oid = c.relnamespace WHERE c.oid = to_regclass('{name}')"
            ))
            .await?;
        Ok(match found.first() {
            Some(row) => Some(row.try_get(0)?),
            None => None,
        })
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

    /// Gives back what is held; whether all of it still was.
    async fn give_back(&mut self) -> Result<bool, DriverError> {
        let mut held = true;
        while let Some(id) = self.locks.pop() {
            held &= self.is_true(format!("SELECT pg_advisory_unlock({id})")).await?;
        }
        Ok(held)
    }

    /// Invalid indexes: bare name and full name.
    async fn invalid_indexes(&mut self) -> Result<BTreeSet<(String, String)>, DriverError> {
        let rows = self.rows(INVALID_INDEXES).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Runs a statement that builds an index beside the traffic. It blocks nobody, but waits for every transaction
    /// that is open: with a short lock timeout it would fail on any busy database and leave an invalid index.
    async fn concurrently(&mut self, statement: &str, options: &RunOptions) -> Result<(), (DriverError, Vec<String>)> {
        let no_notes = |error| (error, Vec::new());
        let ours =
            format!("SELECT setting = '{}' FROM pg_settings WHERE name = 'lock_timeout'", millis(options.lock_timeout));
        // A file that sets its own timeout keeps it.
        let lift = self.is_true(ours).await.map_err(no_notes)?;
        let before = self.invalid_indexes().await.map_err(no_notes)?;
        if lift {
            self.send("SET lock_timeout = 0").await.map_err(no_notes)?;
        }
        let outcome = self.send(statement).await;
        if let Err(error) = outcome {
            if error.is_lost {
                return Err((error, vec![]));
            }
            let left = self.invalid_indexes().await.unwrap_or_default();
            let notes = left.difference(&before).map(|(_, full)| left_behind(full)).collect();
            return Err((error, notes));
        }
        if lift {
            self.send(format!("SET lock_timeout = {}", millis(options.lock_timeout))).await.map_err(no_notes)?;
        }
        let invalid = self.invalid_indexes().await.map_err(no_notes)?;
        let named = |name: &str| words(statement).any(|word| word.eq_ignore_ascii_case(name));
        match invalid.iter().find(|(name, _)| named(name)) {
            Some((_, full)) => {
                let message = "the index is invalid: an earlier attempt to build it failed, and IF NOT EXISTS took it \
                               for done";
                let error = DriverError { message: message.into(), code: None, is_lock: false, is_lost: false };
                Err((error, vec![left_behind(full)]))
            }
            None => Ok(()),
        }
    }
}

/// A row as [`slipway_core::migration::format::HistoryTable::read`] gives it; `None` for one whose version is none.
fn applied_row(row: &PgRow) -> Result<Option<AppliedRow>, sqlx::Error> {
    let version: String = row.try_get("version")?;
    let Some(version) = Version::parse(&version) else { return Ok(None) };
    Ok(Some(AppliedRow {
        ordinal: row.try_get("ordinal")?,
        version,
        is_applied: row.try_get::<i32, _>("is_applied")? != 0,
        is_dirty: row.try_get::<i32, _>("is_dirty")? != 0,
        checksum: row.try_get("checksum")?,
        applied_at: row.try_get("applied_at")?,
    }))
}

fn left_behind(index: &str) -> String {
    format!("The invalid index {index} is there; before the next attempt, DROP INDEX CONCURRENTLY {index}.")
}

fn words(statement: &str) -> impl Iterator<Item = &str> {
    statement.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').filter(|word| !word.is_empty())
}

/// Whole milliseconds, as settings take them; 0 would mean no limit, so that is never the outcome.
fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX).max(1)
}

#[async_trait]
impl Session for PgSession {
    /// By polling: a session that waits in `pg_advisory_lock` holds a snapshot, and a concurrent index build beside
    /// it would wait for it for ever.
    async fn lock(&mut self, run: &Run<'_>) -> Result<(), MigrateError> {
        let failed = |error: DriverError| MigrateError::History {
            what: "Taking the migration lock".to_owned(),
            reason: error.message,
            applied_before: vec![],
        };
        let deadline = Instant::now() + run.options.run_lock_wait;
        let ids = self.lock_ids().await.map_err(failed)?;
        while !self.try_locks(&ids).await.map_err(failed)? {
            if Instant::now() >= deadline {
                let waited_s = run.options.run_lock_wait.as_secs();
                return Err(MigrateError::Locked { database: self.shown.clone(), waited_s });
            }
            sleep(Duration::from_millis(LOCK_POLL_MS)).await;
        }
        Ok(())
    }

    async fn unlock(&mut self) -> Result<Option<String>, DriverError> {
        Ok((!self.give_back().await?).then(|| {
            "The migration lock was not held any more when the run ended: a pooler hands out another session for each \
             transaction. Give Slipway a direct connection."
                .to_owned()
        }))
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    async fn history(&mut self) -> Result<Option<History>, DriverError> {
        let Some(table) = self.find_table().await? else { return Ok(None) };
        let rows = self.rows(self.format.history().read(Dialect::Postgres, &table)).await?;
        self.table = Some(table);
        let rows = rows.iter().map(applied_row).collect::<Result<Vec<_>, sqlx::Error>>()?;
        Ok(Some(History::of(self.format, rows.into_iter().flatten().collect())))
    }

    async fn create_history(&mut self) -> Result<(), DriverError> {
        let history = self.format.history();
        let create = history.create(Dialect::Postgres, history.table());
        if let Err(error) = self.send(format!("BEGIN; {create}; COMMIT")).await {
            // Best effort: the first error is the one to be told.
            let _ = self.rollback().await;
            return Err(error);
        }
        self.history().await.map(|_| ())
    }

    async fn prepare(&mut self, options: &RunOptions, transaction: bool) -> Result<(), DriverError> {
        // What one file sets must not reach the next, whether they run together or days apart. Notices are
        // switched off because the driver would log them.
        let (begin, local) = if transaction { ("BEGIN; ", "LOCAL ") } else { ("", "") };
        self.send(format!(
            "RESET SESSION AUTHORIZATION; RESET ALL; SET client_min_messages = error; {begin}\
             SET {local}lock_timeout = {}; SET {local}statement_timeout = {}",
            millis(options.lock_timeout),
            options.statement_timeout.map_or(0, millis)
        ))
        .await
    }

    async fn execute(&mut self, statement: &str) -> Result<(), DriverError> {
        self.send(statement).await
    }

    async fn execute_alone(&mut self, statement: &str, options: &RunOptions) -> Result<(), (DriverError, Vec<String>)> {
        if words(statement).any(|word| word.eq_ignore_ascii_case("concurrently")) {
            self.concurrently(statement, options).await
        } else {
            self.send(statement).await.map_err(|error| (error, Vec::new()))
        }
    }

    async fn record(&mut self, change: Change<'_>) -> Result<(), DriverError> {
        let history = self.format.history();
        let table = self.table.as_deref().unwrap_or(history.table());
        let change = match change {
            Change::Add(entry) => history.add(Dialect::Postgres, table, &entry),
            Change::Delete(version, before) => history.remove(Dialect::Postgres, table, version, before),
        };
        // One round trip. Outside a transaction the commit is a mere warning, which is switched off, and a file that
        // left its own transaction open gets it closed, as goose would when it hands the connection back.
        self.send(format!("RESET SESSION AUTHORIZATION; {change}; COMMIT")).await
    }

    async fn rollback(&mut self) -> Result<(), DriverError> {
        self.send("ROLLBACK").await
    }
}
