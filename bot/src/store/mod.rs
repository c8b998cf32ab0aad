//! The store: SQLite in WAL mode, every commit on disk before anybody is told.
//!
//! One connection writes, in `BEGIN IMMEDIATE` transactions; a few read. One process at a time opens a store:
//! it holds an operating-system lock on a file beside it, so that the leases of a killed predecessor can be
//! taken over at once.

mod audit;
mod configurations;
mod dry;
mod effects;
mod environments;
mod flows;
mod gateway;
mod github;
mod inbox;
mod intents;
mod links;
mod lookups;
mod memberships;
mod messages;
mod policies;
mod promotions;
mod reactions;
mod releases;
mod sql;
mod terminal;
#[cfg(test)]
mod tests;
mod told;
mod unreadable;

pub use audit::{AuditRow, RECORD_LIMIT_BYTES, StrangerRow};
pub use configurations::Configuration;
pub use dry::DryRun;
pub use effects::{AbandonedEffect, EffectRow, IntentRefused, UnreadableEffect};
pub use gateway::GatewaySession;
pub use inbox::{Delivery, InboxRow};
pub use intents::intent_key;
pub use lookups::{Lookup, Question};
pub use messages::{CARD_KEY_PREFIX, MessageRow, NewMessage, Shown, ShownPlan, UnreadableMessage, card_key};
pub use policies::{NewPolicyVersion, PolicyVersion};
pub use promotions::{StoredPromotion, promotion_key};
pub use reactions::SeenReaction;
pub use releases::StoredRelease;
pub use terminal::TerminalMessage;
pub use told::Told;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, Transaction};
use std::cmp::Ordering;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// How many connections read at once.
const READERS_LIMIT: u32 = 4;
/// How long a connection waits for another process (a backup, a shell) to let go of the database.
const BUSY_TIMEOUT_MS: u64 = 5_000;

/// The schema of this version, step by step.
static MIGRATOR: Migrator = sqlx::migrate!("../migrations/sqlite");

/// A transaction that writes.
pub type Tx = Transaction<'static, Sqlite>;

/// Why the store cannot do what it should.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database said no.
    #[error("the store failed: {0}")]
    Database(#[from] sqlx::Error),
    /// Its schema could not be brought up to date.
    #[error("the store's schema could not be brought up to date: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// Its schema is older than that of this version.
    #[error(
        "the store {} was written by an earlier version: start Slipway once with this version, then try again",
        .0.display()
    )]
    Earlier(PathBuf),
    /// Its schema is newer than that of this version.
    #[error("the store {} was written by a later version: use the version that wrote it", .0.display())]
    Later(PathBuf),
    /// What is stored cannot be read back.
    #[error("the store holds {what} that this version cannot read: {error}")]
    Unreadable {
        /// What it is.
        what: &'static str,
        /// How it fails.
        error: String,
    },
    /// The newest audit record is none, so that no other can follow it.
    #[error(
        "row {seq}, the newest of the audit log, was changed from outside; nothing is done until it is put right, and \
         `slipway audit verify` says what is wrong"
    )]
    AuditHead {
        /// The number of its row.
        seq: i64,
    },
    /// Another process has it.
    #[error("another slipway process uses the store {}; stop it first", .0.display())]
    InUse(PathBuf),
    /// The file cannot be made or opened.
    #[error("cannot open the store {}: {error}; check that the folder exists and is writable", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// How it fails.
        error: std::io::Error,
    },
    /// There is none yet.
    #[error("there is no store {} yet: the bot has not run with it; slipway serve makes it", .0.display())]
    Absent(PathBuf),
    /// The file is something else.
    #[error(
        "{} is no store of Slipway's, nor any SQLite database: name another file as url in [store], or put the right one \
         back from a copy",
        .0.display()
    )]
    NoDatabase(PathBuf),
}

/// What SQLite says of a file that is none of its own.
const SQLITE_NOTADB: &str = "26";

impl StoreError {
    /// Names the file where it is no database at all.
    fn in_file(self, file: &Path) -> Self {
        let failed = match &self {
            Self::Database(error) | Self::Schema(sqlx::migrate::MigrateError::Execute(error)) => error,
            _ => return self,
        };
        match failed.as_database_error().and_then(|error| error.code()) {
            Some(code) if code == SQLITE_NOTADB => Self::NoDatabase(file.to_owned()),
            _ => self,
        }
    }
}

/// The open store.
#[derive(Clone, Debug)]
pub struct Store {
    write: SqlitePool,
    read: SqlitePool,
    // Held as long as any clone lives.
    _lock: Arc<File>,
    logged: Arc<unreadable::Logged>,
}

impl Store {
    /// Opens the store in a file, makes it where it does not exist, and brings its schema up to date.
    ///
    /// # Errors
    /// When another process uses it, the file cannot be opened, or its schema is newer than this version.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS));
        let lock = lock_beside(file)?;
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await;
        let write = write.map_err(|error| StoreError::from(error).in_file(file))?;
        MIGRATOR.run(&write).await?;
        let read =
            SqlitePoolOptions::new().max_connections(READERS_LIMIT).connect_with(options.read_only(true)).await?;
        Ok(Self { write, read, _lock: Arc::new(lock), logged: Arc::default() })
    }

    /// Opens a store only to read it, beside the process that uses it.
    ///
    /// # Errors
    /// When there is none, or its schema is of another version.
    pub async fn open_to_read(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let lock = File::open(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::Absent(file.to_owned()),
            _ => StoreError::File { path: file.to_owned(), error },
        })?;
        let read = SqlitePoolOptions::new().max_connections(READERS_LIMIT).connect_with(options).await;
        let read = read.map_err(|error| StoreError::from(error).in_file(file))?;
        let newest = MIGRATOR.iter().map(|step| step.version).max().unwrap_or(0);
        let written = written_schema(&read).await.map_err(|error| error.in_file(file))?;
        match written.cmp(&newest) {
            Ordering::Less => Err(StoreError::Earlier(file.to_owned())),
            Ordering::Equal => Ok(Self { write: read.clone(), read, _lock: Arc::new(lock), logged: Arc::default() }),
            Ordering::Greater => Err(StoreError::Later(file.to_owned())),
        }
    }

    /// Begins a transaction that writes; others wait.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(self.write.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Begins a transaction that only reads: it sees one moment, whatever is written meanwhile.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin_to_read(&self) -> Result<Tx, StoreError> {
        Ok(self.read.begin().await?)
    }
}

/// The newest step of the schema that a store has; 0 before the first one.
async fn written_schema(store: &SqlitePool) -> Result<i64, StoreError> {
    let has_steps: bool = sqlx::query_scalar(sql::HAS_SCHEMA_STEPS).fetch_one(store).await?;
    if !has_steps {
        return Ok(0);
    }
    Ok(sqlx::query_scalar(sql::SCHEMA_NEWEST_STEP).fetch_one(store).await?)
}

fn lock_beside(database: &Path) -> Result<File, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let failed = |error| StoreError::File { path: path.clone(), error };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(database.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable { what: "a value", error: error.to_string() })
}

fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable { what, error: error.to_string() })
}
