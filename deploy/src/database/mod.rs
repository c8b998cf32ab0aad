//! The databases that migrations run on. The history table is kept exactly as the team's own tool keeps it, so that
//! tool and Slipway can be used in turn on one database.

mod cancel;
mod error;
mod foresight;
mod formats;
mod hint;
mod postgres;
mod reading;
mod record;
mod rehearsal;
mod rows;
mod run;
mod schema_postgres;
mod schema_sqlite;
mod sizes;
mod sqlite;
mod sqlite_probe;
mod url;
mod watch;

pub use cancel::{Cancel, CancelSwitch};
pub use error::{FailedStatement, HalfDoneFile, JournalError, MigrateError, rebuilt_next};
pub use foresight::foresee;
pub use reading::ReadLimits;
pub use rehearsal::{RehearsalError, RehearsalOptions, rehearsal_server, rehearse, rehearse_back, reproduce};
pub use run::{HalfDone, NoJournal, Run, RunJournal, RunNews, RunOptions, RunReport};
pub use sizes::measure;
pub use sqlite_probe::sqlite_cannot_run;
pub use url::DatabaseUrl;

use async_trait::async_trait;
use slipway_core::migration::format::{Dialect, Direction, Format};
use slipway_core::migration::{Folder, History, Migration, Outlook, Schema, TableSize, Version};
use std::collections::{BTreeMap, BTreeSet};

/// How long a connection may take to be made.
pub const CONNECT_LIMIT_S: u64 = 10;

/// A database with a history of migrations. Each operation has one connection to itself; operations on one value
/// take turns.
#[async_trait]
pub trait Database: Send + Sync {
    /// What it is.
    fn dialect(&self) -> Dialect;

    /// Its address without credentials.
    fn shown(&self) -> &str;

    /// PostgreSQL's major version; `None` for SQLite.
    ///
    /// # Errors
    /// When the database cannot be reached.
    async fn postgres_version(&self) -> Result<Option<u32>, MigrateError>;

    /// The tools whose history tables are there.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    async fn formats(&self) -> Result<Vec<&'static dyn Format>, MigrateError>;

    /// What the history table and Slipway's own record say; nothing when there are no such tables. Creates nothing.
    ///
    /// # Errors
    /// When the database cannot be reached or read, or the table is another tool's.
    async fn history(&self, format: &'static dyn Format) -> Result<History, MigrateError>;

    /// How big these tables are, as the database estimates it, by the name as a migration writes it. What it does not
    /// have is not in the answer.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    async fn sizes(&self, tables: &BTreeSet<String>) -> Result<BTreeMap<String, TableSize>, MigrateError>;

    /// The schema, without history tables and Slipway's own record.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    async fn schema(&self) -> Result<Schema, MigrateError>;

    /// Applies those of `pending` that are still not applied once the lock is held, in order, each with its history
    /// row in one transaction unless the file says otherwise.
    ///
    /// # Errors
    /// See [`MigrateError`]. What was applied before stays applied.
    async fn up(&self, folder: &Folder<'_>, pending: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError>;

    /// Takes back migrations, in the order given. Each must be the one that was applied last when its turn comes.
    /// `folder` is where they come from; it may be that of another commit than the one that runs.
    ///
    /// # Errors
    /// See [`MigrateError`]. What was taken back before stays taken back.
    async fn down(&self, folder: &Folder<'_>, back: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError>;

    /// Writes down that migrations are applied without running them.
    ///
    /// # Errors
    /// See [`MigrateError`].
    async fn baseline(&self, folder: &Folder<'_>, done: &[Migration], run: &Run<'_>)
    -> Result<RunReport, MigrateError>;

    /// What a run of these would do about a file without a transaction that an earlier one left half done, as far as that can
    /// be seen now; `None` when there is no such file. Changes nothing.
    ///
    /// # Errors
    /// When the run would stop because of it, with the very error, or the database cannot be reached or read.
    async fn foresee(
        &self,
        folder: &Folder<'_>,
        wanted: &[Migration],
        way: Direction,
        options: &RunOptions,
    ) -> Result<Option<(Version, Outlook)>, MigrateError>;
}

/// Opens a database: `postgres://…`, `postgresql://…`, `user=… host=… dbname=…`, `sqlite:PATH` or `sqlite3:PATH`.
/// A SQLite file that does not exist has an empty history and is created by the first migration.
///
/// # Errors
/// When the text cannot be understood or the database cannot be reached. The error never contains the password.
pub async fn connect(url: &str) -> Result<Box<dyn Database>, MigrateError> {
    open(&DatabaseUrl::parse(url)?).await
}

/// The same for an address that is parsed already.
///
/// # Errors
/// When the database cannot be reached.
pub async fn open(url: &DatabaseUrl) -> Result<Box<dyn Database>, MigrateError> {
    open_within(url, ReadLimits::default()).await
}

/// The same with other limits for what is read.
///
/// # Errors
/// When the database cannot be reached.
pub async fn open_within(url: &DatabaseUrl, limits: ReadLimits) -> Result<Box<dyn Database>, MigrateError> {
    let database: Box<dyn Database> = match &url.address {
        url::Address::Postgres(options) => {
            Box::new(postgres::Postgres::connect((**options).clone(), url.to_string(), limits).await?)
        }
        url::Address::Sqlite(options) => Box::new(sqlite::Sqlite::connect((**options).clone(), url.to_string()).await?),
    };
    Ok(Box::new(reading::Bounded { database, limits }))
}
