//! The databases that migrations run on. The history table is kept exactly as goose keeps it, so that goose and
//! Slipway can be used in turn on one database.

mod error;
mod postgres;
mod run;
mod sqlite;
mod sqlite_probe;
mod url;

pub use error::{FailedStatement, JournalError, MigrateError};
pub use run::{HalfDone, NoJournal, RunJournal, RunOptions, RunReport, Started};
pub use sqlite_probe::sqlite_cannot_run;
pub use url::DatabaseUrl;

use async_trait::async_trait;
use slipway_core::migration::{AppliedRow, Migration, TableSize};
use std::collections::{BTreeMap, BTreeSet};

/// How long a connection may take to be made.
pub const CONNECT_LIMIT_S: u64 = 10;

/// What a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// A database with a history of migrations. Each operation has one connection to itself; operations on one value
/// take turns.
#[async_trait]
pub trait Database: Send + Sync {
    /// What it is.
    fn kind(&self) -> DatabaseKind;

    /// The rows of the history table, oldest first; none when there is no such table. Creates nothing.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    async fn applied(&self) -> Result<Vec<AppliedRow>, MigrateError>;

    /// How big these tables are, as the database estimates it, by the name as a migration writes it. What it does not
    /// have is not in the answer.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    async fn sizes(&self, tables: &BTreeSet<String>) -> Result<BTreeMap<String, TableSize>, MigrateError>;

    /// Applies those of `pending` that are still not applied once the lock is held, in order, each with its history
    /// row in one transaction unless the file says otherwise. `resume` is what the journal knows of a run that did
    /// not come to its end.
    ///
    /// # Errors
    /// See [`MigrateError`]. What was applied before stays applied.
    async fn up(
        &self,
        pending: &[Migration],
        options: &RunOptions,
        resume: Option<Started>,
        journal: &dyn RunJournal,
    ) -> Result<RunReport, MigrateError>;

    /// Takes back one migration, which must be the one that was applied last, and deletes its history row.
    ///
    /// # Errors
    /// See [`MigrateError`].
    async fn down(&self, migration: &Migration, options: &RunOptions) -> Result<RunReport, MigrateError>;
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
    match &url.address {
        url::Address::Postgres(options) => {
            Ok(Box::new(postgres::Postgres::connect((**options).clone(), url.to_string()).await?))
        }
        url::Address::Sqlite(options) => {
            Ok(Box::new(sqlite::Sqlite::connect((**options).clone(), url.to_string()).await?))
        }
    }
}
