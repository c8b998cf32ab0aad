//! The run itself, the same for every kind of database: lock, read the history again, apply each pending migration
//! once, say what was done.

mod baseline;
mod down;
mod failing;
mod left_over;
mod session;
mod sql;
mod up;
mod work;

pub(super) use baseline::baseline;
pub(super) use down::down;
pub(super) use left_over::foresee;
pub(super) use session::{HistoryError, Seen, Session, StatementError, Step, Tables, history};
pub(super) use sql::{Concurrent, concurrent, words};
pub(super) use up::up;

use super::cancel::Cancel;
use super::error::JournalError;
use async_trait::async_trait;
use slipway_core::migration::{Late, Migration, Version};
use std::time::Duration;

/// How long a statement waits for a lock before it gives way, so that nobody queues behind it for long.
const LOCK_TIMEOUT_MS: u64 = 500;
/// How often a migration is tried again when it did not get its locks.
const LOCK_RETRY_LIMIT: u32 = 10;
/// How long another run is waited for.
const RUN_LOCK_WAIT_S: u64 = 300;

/// How to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How long a statement waits for a lock. `CONCURRENTLY` ones, which block nobody, wait without this limit.
    pub lock_timeout: Duration,
    /// How often to try again after that.
    pub lock_retry_limit: u32,
    /// How long one statement may take; `None` for as long as it needs. SQLite has no such limit.
    pub statement_timeout: Option<Duration>,
    /// How long to wait for another run to end.
    pub run_lock_wait: Duration,
    /// What to do with a file without a transaction that an earlier run left half done.
    pub half_done: HalfDone,
    /// What to do with files that are older than the newest applied one.
    pub late: Late,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_millis(LOCK_TIMEOUT_MS),
            lock_retry_limit: LOCK_RETRY_LIMIT,
            statement_timeout: None,
            run_lock_wait: Duration::from_secs(RUN_LOCK_WAIT_S),
            half_done: HalfDone::Refuse,
            late: Late::AsTheTool,
        }
    }
}

/// What to do with a file without a transaction that an earlier run left half done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HalfDone {
    /// Stop, and say how far it came and what to do.
    #[default]
    Refuse,
    /// Go on with the first statement that is not known to be done, if that is known. Somebody has looked.
    Continue,
}

/// How to run, who is told, and who may stop it.
#[derive(Clone)]
pub struct Run<'a> {
    /// How.
    pub options: &'a RunOptions,
    /// Who is told.
    pub journal: &'a dyn RunJournal,
    /// Whether somebody wants it to stop.
    pub cancel: Cancel,
}

impl<'a> Run<'a> {
    /// A run that nobody watches or stops.
    #[must_use]
    pub fn quiet(options: &'a RunOptions) -> Self {
        Self { options, journal: &NoJournal, cancel: Cancel::never() }
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// The versions that this run applied (or took back), in order.
    pub done: Vec<Version>,
    /// The versions that were found applied under the lock: another runner was faster.
    pub found_applied: Vec<Version>,
    /// What somebody should know although all went well.
    pub warnings: Vec<String>,
}

/// What happens while a run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunNews {
    /// Another run holds the lock.
    AnotherRun {
        /// For how long it was waited for.
        waited: Duration,
    },
    /// The locks were not to be had; the migration is tried again.
    Retry {
        /// Which.
        version: Version,
        /// Counted from 1.
        retry: u32,
        /// Who holds them, as far as can be seen: `pid 4711 (ana, psql, idle in transaction since 09:12:30 UTC)`.
        holders: Vec<String>,
        /// The table that they are on, as far as can be seen.
        table: Option<String>,
    },
    /// A statement is running for some time.
    Statement {
        /// Of which migration.
        version: Version,
        /// Which, from 1.
        index: usize,
        /// Of how many.
        total: usize,
        /// For how long.
        running: Duration,
        /// What the database says of it: `building index: scanning table`, `waits for pid 4711 (ana, psql)`.
        phase: Option<String>,
        /// How far it is, in thousandths.
        permille: Option<u16>,
    },
}

/// Is told what a run does.
#[async_trait]
pub trait RunJournal: Send + Sync {
    /// Before the first statement of a migration, or of its way back. An error stops the run.
    async fn starting(&self, migration: &Migration) -> Result<(), JournalError>;

    /// After the migration and its history row are committed (or taken back). An error stops the run.
    async fn done(&self, migration: &Migration, millis: u64) -> Result<(), JournalError>;

    /// Something to be shown.
    async fn news(&self, _news: RunNews) {}
}

/// A journal that keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoJournal;

#[async_trait]
impl RunJournal for NoJournal {
    async fn starting(&self, _migration: &Migration) -> Result<(), JournalError> {
        Ok(())
    }
    async fn done(&self, _migration: &Migration, _millis: u64) -> Result<(), JournalError> {
        Ok(())
    }
}
