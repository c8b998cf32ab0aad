//! The run itself, the same for every kind of database: lock, read the history again, apply each pending migration
//! once, say what was done.

use super::cancel::Cancel;
use super::error::{DriverError, FailedStatement, JournalError, MigrateError, excerpt};
use async_trait::async_trait;
use slipway_core::migration::format::Entry;
use slipway_core::migration::{Folder, History, Late, Migration, Statement, Version};
use std::time::{Duration, Instant};

/// How long a statement waits for a lock before it gives way, so that nobody queues behind it for long.
const LOCK_TIMEOUT_MS: u64 = 500;
/// How often a migration is tried again when it did not get its locks.
const LOCK_RETRY_LIMIT: u32 = 10;
/// The first pause before trying again; each further one is twice as long.
const LOCK_BACKOFF_MIN_MS: u64 = 200;
/// The longest pause.
const LOCK_BACKOFF_MAX_MS: u64 = 5_000;
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
        /// Who holds them, as far as can be seen: `pid 4711 (ana, psql)`.
        holders: Vec<String>,
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
    /// Before the first statement of a migration. An error stops the run.
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

/// A change to the history table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    Add(Entry<'a>),
    Delete(&'a Version, Option<&'a Version>),
}

/// One connection, as the run needs it.
#[async_trait]
pub(super) trait Session: Send {
    /// Takes the locks of the whole run: the tool's own and ours.
    async fn lock(&mut self, run: &Run<'_>) -> Result<(), MigrateError>;
    /// Gives them back; a warning when they were not ours any more.
    async fn unlock(&mut self) -> Result<Option<String>, DriverError>;
    /// Whether [`Self::lock`] keeps others out. If not, the history is read again in each transaction.
    fn is_exclusive(&self) -> bool;
    /// The history; `None` when there is no table.
    async fn history(&mut self) -> Result<Option<History>, DriverError>;
    /// Creates the history table as the tool does.
    async fn create_history(&mut self) -> Result<(), DriverError>;
    /// Makes the session as new, with the timeouts set, and opens a transaction if asked.
    async fn prepare(&mut self, options: &RunOptions, transaction: bool) -> Result<(), DriverError>;
    /// Runs one statement of a migration as it is.
    async fn execute(&mut self, statement: &str) -> Result<(), DriverError>;
    /// Runs one statement outside a transaction. Notes go with the error.
    async fn execute_alone(&mut self, statement: &str, options: &RunOptions) -> Result<(), (DriverError, Vec<String>)>;
    /// Changes the history and commits.
    async fn record(&mut self, change: Change<'_>) -> Result<(), DriverError>;
    /// Takes back the open transaction.
    async fn rollback(&mut self) -> Result<(), DriverError>;
}

/// What the history says; an empty one when there is no table.
pub(super) async fn history<S: Session>(session: &mut S) -> Result<History, MigrateError> {
    let history = session.history().await.map_err(|error| MigrateError::History {
        what: "Reading the history table".into(),
        reason: error.message,
        applied_before: vec![],
    })?;
    Ok(history.unwrap_or_default())
}

/// Applies pending migrations on a session.
pub(super) async fn up<S: Session>(
    session: &mut S,
    pending: &[Migration],
    run: &Run<'_>,
) -> Result<RunReport, MigrateError> {
    session.lock(run).await?;
    let mut work = Work { session, options: run.options, journal: run.journal, report: RunReport::default() };
    let outcome = work.all(pending).await;
    let report = work.report;
    finish(session, outcome, report).await
}

/// Takes migrations back on a session.
pub(super) async fn down<S: Session>(
    session: &mut S,
    folder: &Folder<'_>,
    back: &[Migration],
    run: &Run<'_>,
) -> Result<RunReport, MigrateError> {
    for migration in back {
        let no_way = |reason: String| MigrateError::NoWayBack { file: migration.file.clone(), reason };
        if let Some(problem) = &migration.down_problem {
            return Err(no_way(format!("its way back cannot be read. {problem}")));
        }
        if !migration.reversible {
            return Err(no_way("it has no statements that take it back".into()));
        }
    }
    session.lock(run).await?;
    let mut work = Work { session, options: run.options, journal: run.journal, report: RunReport::default() };
    let mut outcome = Ok(());
    for migration in back {
        let before =
            folder.files().map(|file| &file.version).filter(|version| **version < migration.version).next_back();
        outcome = work.back(migration, before).await;
        if outcome.is_err() {
            break;
        }
    }
    let report = work.report;
    finish(session, outcome, report).await
}

async fn finish<S: Session>(
    session: &mut S,
    outcome: Result<(), MigrateError>,
    mut report: RunReport,
) -> Result<RunReport, MigrateError> {
    let unlocked = session.unlock().await;
    outcome?;
    match unlocked {
        Ok(warning) => report.warnings.extend(warning),
        Err(error) => report.warnings.push(format!("The lock could not be given back: {}.", error.message)),
    }
    Ok(report)
}

struct Work<'a, S> {
    session: &'a mut S,
    options: &'a RunOptions,
    journal: &'a dyn RunJournal,
    report: RunReport,
}

fn entry(migration: &Migration, begun: Instant) -> Entry<'_> {
    Entry {
        version: &migration.version,
        description: &migration.description,
        checksum: migration.tool_checksum.as_deref(),
        nanos: i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX),
    }
}

fn backoff(retry: u32) -> Duration {
    let doubled = LOCK_BACKOFF_MIN_MS.saturating_mul(1_u64.checked_shl(retry - 1).unwrap_or(u64::MAX));
    Duration::from_millis(doubled.min(LOCK_BACKOFF_MAX_MS))
}

/// How one try of a migration ended badly.
struct Failure {
    error: DriverError,
    /// Counted from 0; the number of statements for the history row and the commit.
    at: usize,
    notes: Vec<String>,
}

impl<S: Session> Work<'_, S> {
    async fn all(&mut self, pending: &[Migration]) -> Result<(), MigrateError> {
        if pending.is_empty() {
            return Ok(());
        }
        let mut history = self.history().await?;
        for migration in pending {
            if history.contains(&migration.version) {
                self.report.found_applied.push(migration.version.clone());
                continue;
            }
            if let Some(newest) = history.newest().filter(|newest| **newest > migration.version) {
                let (newest, applied_before) = (newest.clone(), self.report.done.clone());
                return Err(MigrateError::OutOfOrder { file: migration.file.clone(), newest, applied_before });
            }
            if !self.one(migration).await? {
                self.report.found_applied.push(migration.version.clone());
                history = self.history().await?;
            }
        }
        Ok(())
    }

    /// The history as it is now, in a table that is created if need be.
    async fn history(&mut self) -> Result<History, MigrateError> {
        let mut retries = 0;
        let rows = loop {
            let rows = match self.session.history().await {
                Ok(Some(rows)) => Ok(rows),
                Ok(None) => self.session.create_history().await.map(|()| History::default()),
                Err(error) => Err(error),
            };
            match rows {
                Err(error) if error.is_lock && retries < self.options.lock_retry_limit => {
                    retries += 1;
                    tokio::time::sleep(backoff(retries)).await;
                }
                other => break other,
            }
        };
        rows.map_err(|error| self.history_error("Reading the history table", error))
    }

    /// Applies one migration; `false` when another runner was faster.
    async fn one(&mut self, migration: &Migration) -> Result<bool, MigrateError> {
        let begun = Instant::now();
        self.wrote(self.journal.starting(migration).await)?;
        if migration.transactional {
            if !self.in_transaction(migration).await? {
                return Ok(false);
            }
        } else {
            self.without_transaction(migration).await?;
        }
        self.report.done.push(migration.version.clone());
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.wrote(self.journal.done(migration, millis).await)?;
        Ok(true)
    }

    async fn in_transaction(&mut self, migration: &Migration) -> Result<bool, MigrateError> {
        let mut retries = 0;
        loop {
            let failure = match self.transaction(migration).await {
                Ok(applied) => return Ok(applied),
                Err(failure) => failure,
            };
            let at_commit = failure.at == migration.up.len();
            if failure.error.is_lost && at_commit {
                return Err(MigrateError::Uncertain {
                    version: migration.version.clone(),
                    file: migration.file.clone(),
                    reason: failure.error.message,
                    applied_before: self.report.done.clone(),
                });
            }
            // A session that is gone took its transaction with it.
            let rolled_back = failure.error.is_lost || self.session.rollback().await.is_ok();
            if !failure.error.is_lock || !rolled_back || retries >= self.options.lock_retry_limit {
                return Err(self.failed(migration, &migration.up, failure, rolled_back, retries));
            }
            retries += 1;
            self.pause(migration, retries).await?;
        }
    }

    async fn transaction(&mut self, migration: &Migration) -> Result<bool, Failure> {
        let fail = |at| move |error| Failure { error, at, notes: Vec::new() };
        let begun = Instant::now();
        self.session.prepare(self.options, true).await.map_err(fail(0))?;
        if !self.session.is_exclusive() {
            let history = self.session.history().await.map_err(fail(0))?.unwrap_or_default();
            if history.contains(&migration.version) {
                self.session.rollback().await.map_err(fail(0))?;
                return Ok(false);
            }
        }
        for (at, statement) in migration.up.iter().enumerate() {
            self.session.execute(&statement.text).await.map_err(fail(at))?;
        }
        self.session.record(Change::Add(entry(migration, begun))).await.map_err(fail(migration.up.len()))?;
        Ok(true)
    }

    async fn without_transaction(&mut self, migration: &Migration) -> Result<(), MigrateError> {
        let (total, begun) = (migration.up.len(), Instant::now());
        if let Err(error) = self.session.prepare(self.options, false).await {
            return Err(self.history_error("Preparing the session", error));
        }
        for (at, statement) in migration.up.iter().enumerate() {
            let mut retries = 0;
            while let Err((error, notes)) = self.session.execute_alone(&statement.text, self.options).await {
                // What left something behind is not tried again blindly, and in a transaction that the file began by
                // itself and that has failed, nothing can be tried any more.
                let again = error.is_lock && notes.is_empty() && retries < self.options.lock_retry_limit;
                if !again || self.session.execute("SELECT 1").await.is_err() {
                    return Err(self.failed(migration, &migration.up, Failure { error, at, notes }, false, retries));
                }
                retries += 1;
                self.pause(migration, retries).await?;
            }
        }
        let recorded = self.session.record(Change::Add(entry(migration, begun))).await;
        recorded.map_err(|error| {
            self.failed(migration, &migration.up, Failure { error, at: total, notes: Vec::new() }, false, 0)
        })
    }

    async fn back(&mut self, migration: &Migration, before: Option<&Version>) -> Result<(), MigrateError> {
        let rows = self.session.history().await.map_err(|e| self.history_error("Reading the history table", e))?;
        let history = rows.unwrap_or_default();
        let refuse = |reason| MigrateError::NoWayBack { file: migration.file.clone(), reason };
        match history.current() {
            Some(current) if *current == migration.version => {}
            _ if !history.contains(&migration.version) => return Err(refuse("it is not applied".to_owned())),
            current => {
                let current = current.map(Version::as_str).unwrap_or_default();
                return Err(refuse(format!("version {current} was applied after it. Take that one back first")));
            }
        }
        let transaction = migration.down_transactional;
        let prepared = self.session.prepare(self.options, transaction).await;
        prepared.map_err(|error| self.history_error("Preparing the session", error))?;
        for (at, statement) in migration.down.iter().enumerate() {
            let outcome = if transaction {
                self.session.execute(&statement.text).await.map_err(|error| (error, Vec::new()))
            } else {
                self.session.execute_alone(&statement.text, self.options).await
            };
            if let Err((error, notes)) = outcome {
                return Err(self.taking_back_failed(migration, Failure { error, at, notes }).await);
            }
        }
        if let Err(error) = self.session.record(Change::Delete(&migration.version, before)).await {
            let failure = Failure { error, at: migration.down.len(), notes: Vec::new() };
            return Err(self.taking_back_failed(migration, failure).await);
        }
        self.report.done.push(migration.version.clone());
        Ok(())
    }

    async fn taking_back_failed(&mut self, migration: &Migration, failure: Failure) -> MigrateError {
        let rolled_back =
            migration.down_transactional && (failure.error.is_lost || self.session.rollback().await.is_ok());
        self.failed(migration, &migration.down, failure, rolled_back, 0)
    }

    /// Waits before the next try: twice as long each time, up to a limit.
    async fn pause(&self, migration: &Migration, retry: u32) -> Result<(), MigrateError> {
        let news = RunNews::Retry { version: migration.version.clone(), retry, holders: Vec::new() };
        self.journal.news(news).await;
        tokio::time::sleep(backoff(retry)).await;
        Ok(())
    }

    fn wrote(&self, outcome: Result<(), JournalError>) -> Result<(), MigrateError> {
        outcome.map_err(|error| MigrateError::Journal { reason: error.0, applied_before: self.report.done.clone() })
    }

    fn history_error(&self, what: &str, error: DriverError) -> MigrateError {
        MigrateError::History { what: what.to_owned(), reason: error.message, applied_before: self.report.done.clone() }
    }

    fn failed(
        &self,
        migration: &Migration,
        statements: &[Statement],
        failure: Failure,
        rolled_back: bool,
        lock_retries: u32,
    ) -> MigrateError {
        let statement = statements.get(failure.at).map_or("COMMIT", |statement| &statement.text);
        MigrateError::Failed(Box::new(FailedStatement {
            version: migration.version.clone(),
            file: migration.file.clone(),
            statement_index: failure.at + 1,
            total: statements.len(),
            excerpt: excerpt(migration, statement),
            message: migration.substituted.mask(&failure.error.message),
            code: failure.error.code,
            applied_before: self.report.done.clone(),
            rolled_back,
            lock_retries,
            notes: failure.notes,
        }))
    }
}
