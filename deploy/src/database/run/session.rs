//! One connection, as the run needs it.

use super::super::error::{DriverError, MigrateError};
use super::super::record::RecordTable;
use super::super::watch::LockWait;
use super::{Run, RunOptions};
use async_trait::async_trait;
use slipway_core::migration::format::{Dialect, Format};
use slipway_core::migration::{History, Migration};

/// The full names of the tables that a run writes. Kept, because a migration may change the search path.
#[derive(Clone, Debug)]
pub(in super::super) struct Tables {
    /// The tool's history.
    pub(in super::super) history: String,
    /// Slipway's own record.
    pub(in super::super) record: String,
}

/// A statement of a migration on its way to the database, for whoever watches it.
#[derive(Clone, Copy)]
pub(in super::super) struct Step<'a> {
    /// The run.
    pub(in super::super) run: &'a Run<'a>,
    /// The migration.
    pub(in super::super) migration: &'a Migration,
    /// Which of its statements, from 1.
    pub(in super::super) index: usize,
    /// Of how many.
    pub(in super::super) total: usize,
    /// Whether it runs outside a transaction of ours.
    pub(in super::super) alone: bool,
}

/// Why a statement did not do what it should.
#[derive(Debug)]
pub(in super::super) struct StatementError {
    pub(in super::super) error: DriverError,
    /// What else is to be known.
    pub(in super::super) notes: Vec<String>,
    /// The index that it was building and left invalid, by its full name.
    pub(in super::super) left_index: Option<String>,
}

impl From<DriverError> for StatementError {
    fn from(error: DriverError) -> Self {
        Self { error, notes: Vec::new(), left_index: None }
    }
}

/// Why there is no history to be had.
#[derive(Debug)]
pub(in super::super) enum HistoryError {
    /// The database said no.
    Driver(DriverError),
    /// The table is another tool's.
    OtherTool(MigrateError),
}

impl From<DriverError> for HistoryError {
    fn from(error: DriverError) -> Self {
        Self::Driver(error)
    }
}

impl From<sqlx::Error> for HistoryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error.into())
    }
}

/// What can be seen of a statement of which nobody knows whether it ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Seen {
    /// It is done.
    Done,
    /// It has not taken effect.
    NotDone,
    /// It builds an index, and this one, by its full name, is there and invalid.
    Broken(String),
    /// Nothing can be said.
    Unknown,
}

/// One connection, as the run needs it.
#[async_trait]
pub(in super::super) trait Session: Send {
    /// The SQL it speaks.
    fn dialect(&self) -> Dialect;
    /// The tool whose history is kept.
    fn format(&self) -> &'static dyn Format;
    /// The tables, once [`Self::history`] has found them or [`Self::create_tables`] has made them.
    fn tables(&self) -> Tables;
    /// Takes the locks of the whole run: the tool's own and ours.
    async fn lock(&mut self, run: &Run<'_>) -> Result<(), MigrateError>;
    /// Gives them back; a warning when they were not ours any more.
    async fn unlock(&mut self) -> Result<Option<String>, DriverError>;
    /// What somebody should know at the end of a run.
    async fn warnings(&mut self) -> Result<Vec<String>, DriverError>;
    /// The history with Slipway's record; `None` when there is no history table.
    async fn history(&mut self) -> Result<Option<History>, HistoryError>;
    /// Creates those of the tables that are not there, the history as the tool does.
    async fn create_tables(&mut self) -> Result<(), HistoryError>;
    /// Whether somebody else may have written since the history was read. Where the lock keeps others out, never.
    async fn changed_elsewhere(&mut self) -> Result<bool, DriverError>;
    /// Makes the session as new, with the timeouts set, and opens a transaction if asked.
    async fn prepare(&mut self, options: &RunOptions, transaction: bool) -> Result<(), DriverError>;
    /// Runs one statement of a migration as it is.
    async fn execute(&mut self, statement: &str, step: &Step<'_>) -> Result<(), StatementError>;
    /// Notes in the record how far a file without a transaction is. `guarded`: the file may have changed the role.
    async fn progress(&mut self, sql: String, guarded: bool) -> Result<(), DriverError>;
    /// Whether statements can still be run: not in a transaction of the file's own that has failed.
    async fn is_usable(&mut self) -> bool;
    /// Changes tables of ours and commits, together with whatever is open.
    async fn commit_with(&mut self, sql: String) -> Result<(), DriverError>;
    /// The same where perhaps nothing is open: all of it happens, or nothing.
    async fn write(&mut self, sql: String) -> Result<(), DriverError>;
    /// Takes back the open transaction, if there is one.
    async fn rollback(&mut self) -> Result<(), DriverError>;
    /// What can be seen of the effect of a statement that may have run or not.
    async fn look_for(&mut self, statement: &str) -> Result<Seen, DriverError>;
    /// Whom the last statement waited for, if it did not get its lock. Where that cannot be seen, nobody.
    fn waited_for(&self) -> LockWait {
        LockWait::default()
    }
    /// Replaces a connection that is gone; the locks went with it.
    async fn reconnect(&mut self) -> Result<(), MigrateError>;

    /// Slipway's own record.
    fn record_in<'t>(&self, tables: &'t Tables) -> RecordTable<'t> {
        RecordTable { dialect: self.dialect(), name: &tables.record }
    }
}

/// What the history says; an empty one when there is no table.
pub(in super::super) async fn history<S: Session>(session: &mut S) -> Result<History, MigrateError> {
    match session.history().await {
        Ok(history) => Ok(history.unwrap_or_default()),
        Err(HistoryError::OtherTool(error)) => Err(error),
        Err(HistoryError::Driver(error)) => Err(error.while_doing("Reading the history table")),
    }
}
