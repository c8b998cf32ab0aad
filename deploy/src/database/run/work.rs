//! One migration at a time, up or down: in one transaction with what is written down, or in steps.

use super::super::error::{DriverError, FailedStatement, JournalError, MigrateError, excerpt};
use super::super::watch::LockWait;
use super::left_over::{Rest, StillLeft};
use super::session::{HistoryError, Session, StatementError, Step};
use super::sql::{changes_role, controls_transactions, is_all_or_nothing};
use super::{Run, RunNews, RunReport};
use slipway_core::migration::format::Entry;
use slipway_core::migration::{Folder, History, Migration, Record, RecordState, Statement, Version};
use std::time::{Duration, Instant};

/// The first pause before trying again; each further one is twice as long.
const LOCK_BACKOFF_MIN_MS: u64 = 200;
/// The longest pause.
const LOCK_BACKOFF_MAX_MS: u64 = 5_000;
/// How long a database that went away during a commit is asked for, to learn how the commit ended.
const SETTLE_LIMIT_S: u64 = 10;
/// How often.
const SETTLE_POLL_MS: u64 = 250;

/// Which way a migration goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    Up,
    /// `before` is the version that is the newest afterwards, in the folder.
    Down {
        before: Option<&'a Version>,
    },
}

/// A migration to be run.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) migration: &'a Migration,
    pub(super) way: Way<'a>,
    /// What an earlier run left of it.
    pub(super) rest: &'a Rest,
}

impl<'a> Job<'a> {
    pub(super) fn statements(&self) -> &'a [Statement] {
        match self.way {
            Way::Up => &self.migration.up,
            Way::Down { .. } => &self.migration.down,
        }
    }

    fn transactional(&self) -> bool {
        match self.way {
            Way::Up => self.migration.transactional,
            Way::Down { .. } => self.migration.down_transactional,
        }
    }

    /// The state in which a file without a transaction is while it runs.
    fn running(&self) -> RecordState {
        match self.way {
            Way::Up => RecordState::Running,
            Way::Down { .. } => RecordState::TakingBack,
        }
    }

    fn step<'s>(&'s self, run: &'s Run<'s>, at: usize) -> Step<'s> {
        Step {
            run,
            migration: self.migration,
            index: at + 1,
            total: self.statements().len(),
            alone: !self.transactional(),
        }
    }
}

/// A run that goes on.
pub(super) struct Work<'a, S> {
    pub(super) session: &'a mut S,
    pub(super) folder: &'a Folder<'a>,
    pub(super) run: &'a Run<'a>,
    /// As it is in the database, as far as nobody else writes.
    pub(super) history: History,
    pub(super) report: RunReport,
    /// How many statements of the file are done for good where that could not be written down.
    pub(super) unwritten: Option<usize>,
}

/// What is to be known where one piece of several statements failed.
const PARTS_MAY_BE_DONE: &str = "It holds several statements, and those before the one that failed may be done.";

/// How one try of a migration ended badly.
pub(super) enum Stop {
    /// A statement failed.
    Failed(Failure),
    /// Somebody asked for it, before this statement or during it.
    Cancelled { notes: Vec<String>, left_index: Option<String> },
    /// Nothing was tried.
    Refused(MigrateError),
}

/// A statement that failed.
pub(super) struct Failure {
    pub(super) error: DriverError,
    /// Counted from 0; the number of statements for what is written down and the commit.
    at: usize,
    pub(super) notes: Vec<String>,
    /// Nothing was tried but to begin.
    is_begin: bool,
    /// The index that it was building and left invalid, by its full name.
    pub(super) left_index: Option<String>,
}

impl Failure {
    fn of(error: DriverError, at: usize) -> Self {
        Self { error, at, notes: Vec::new(), is_begin: false, left_index: None }
    }
}

fn backoff(retry: u32) -> Duration {
    let doubled = LOCK_BACKOFF_MIN_MS.saturating_mul(1_u64.checked_shl(retry - 1).unwrap_or(u64::MAX));
    Duration::from_millis(doubled.min(LOCK_BACKOFF_MAX_MS))
}

impl<S: Session> Work<'_, S> {
    /// Does one migration; `false` when another runner was faster.
    pub(super) async fn one(&mut self, job: &Job<'_>) -> Result<bool, MigrateError> {
        self.stop_if_asked()?;
        let begun = Instant::now();
        self.wrote(self.run.journal.starting(job.migration).await)?;
        let done = if job.transactional() {
            self.in_transaction(job, begun).await?
        } else {
            self.in_steps(job, begun).await?
        };
        if !done {
            return Ok(false);
        }
        let version = &job.migration.version;
        match job.way {
            Way::Up => self.history.now_applied(version),
            Way::Down { before } => self.history.now_taken_back(version, before),
        }
        self.report.done.push(version.clone());
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.wrote(self.run.journal.done(job.migration, millis).await)?;
        Ok(true)
    }

    async fn in_transaction(&mut self, job: &Job<'_>, begun: Instant) -> Result<bool, MigrateError> {
        let mut retries = 0;
        loop {
            let failure = match self.transaction(job, begun).await {
                Ok(done) => return Ok(done),
                Err(Stop::Refused(error)) => return Err(error),
                Err(Stop::Cancelled { notes, .. }) => {
                    let rolled_back = self.session.rollback().await.is_ok();
                    return Err(self.cancelled(job, rolled_back, notes));
                }
                Err(Stop::Failed(failure)) => failure,
            };
            if failure.error.is_lost && failure.at == job.statements().len() {
                return self.settle(job, failure).await;
            }
            // A session that is gone took its transaction with it.
            let rolled_back = failure.error.is_lost || self.session.rollback().await.is_ok();
            if !failure.error.is_lock || !rolled_back || retries >= self.run.options.lock_retry_limit {
                return Err(self.failed(job, failure, rolled_back, retries));
            }
            retries += 1;
            self.pause(Some(job), retries).await?;
        }
    }

    async fn transaction(&mut self, job: &Job<'_>, begun: Instant) -> Result<bool, Stop> {
        if !self.begin(job).await? {
            return Ok(false);
        }
        for (at, statement) in job.statements().iter().enumerate() {
            if !job.rest.has_to_run(at, statement) {
                continue;
            }
            self.statement(job, at, statement).await?;
        }
        let sql = self.written_down(job, begun);
        let committed = self.session.commit_with(sql).await;
        committed.map_err(|error| failure(error, job.statements().len()))?;
        Ok(true)
    }

    /// Opens a transaction, in which the history is still what it was; `false` when another runner was faster.
    async fn begin(&mut self, job: &Job<'_>) -> Result<bool, Stop> {
        let fail = |error| match failure(error, 0) {
            Stop::Failed(failure) => Stop::Failed(Failure { is_begin: true, ..failure }),
            other => other,
        };
        self.session.prepare(self.run.options, true).await.map_err(fail)?;
        if !self.session.changed_elsewhere().await.map_err(fail)? {
            return Ok(true);
        }
        match self.session.history().await {
            Ok(history) => self.history = history.unwrap_or_default(),
            Err(HistoryError::Driver(error)) => return Err(fail(error)),
            Err(HistoryError::OtherTool(error)) => return Err(Stop::Refused(error)),
        }
        if let Way::Down { .. } = job.way {
            self.is_current(job.migration).map_err(Stop::Refused)?;
        }
        let up = matches!(job.way, Way::Up);
        if up && !self.history.contains(&job.migration.version) && *job.rest == Rest::default() {
            // Another runner may be in the middle of it.
            self.refuse_left_over(&job.migration.version).map_err(Stop::Refused)?;
        }
        let still_to_do = self.history.contains(&job.migration.version) != up;
        if !still_to_do {
            self.session.rollback().await.map_err(fail)?;
        }
        Ok(still_to_do)
    }

    async fn statement(&mut self, job: &Job<'_>, at: usize, statement: &Statement) -> Result<(), Stop> {
        if self.run.cancel.is_asked() {
            return Err(Stop::Cancelled { notes: Vec::new(), left_index: None });
        }
        let outcome = self.session.execute(&statement.text, &job.step(self.run, at)).await;
        outcome.map_err(|StatementError { error, notes, left_index }| {
            if self.run.cancel.is_asked() && error.is_broken_off() {
                Stop::Cancelled { notes, left_index }
            } else {
                Stop::Failed(Failure { error, at, notes, is_begin: false, left_index })
            }
        })
    }

    /// What is written down once all statements are done.
    fn written_down(&self, job: &Job<'_>, begun: Instant) -> String {
        let Job { migration, way, .. } = job;
        let (dialect, tool, tables) = (self.session.dialect(), self.session.format().history(), self.session.tables());
        let record = self.session.record_in(&tables);
        match way {
            Way::Up => {
                let entry = entry(migration, begun);
                let ours = record_of(migration, RecordState::Applied, migration.up.len());
                format!("{}; {}", tool.add(dialect, &tables.history, &entry), record.put(&[ours]))
            }
            Way::Down { before } => format!(
                "{}; {}",
                tool.remove(dialect, &tables.history, &migration.version, *before),
                record.delete(&migration.version)
            ),
        }
    }

    /// Without a transaction: each statement is written down by itself.
    async fn in_steps(&mut self, job: &Job<'_>, begun: Instant) -> Result<bool, MigrateError> {
        if !self.write_down_begin(job).await? {
            return Ok(false);
        }
        if let Err(error) = self.session.prepare(self.run.options, false).await {
            return Err(self.history_error("Preparing the session", &error));
        }
        let guarded = changes_role(job.migration);
        let mut done = job.rest.done;
        for (at, statement) in job.statements().iter().enumerate() {
            if !job.rest.has_to_run(at, statement) {
                continue;
            }
            self.step(job, at, statement).await?;
            done = done.max(at + 1);
            let tables = self.session.tables();
            let sql = self.session.record_in(&tables).progress(&job.migration.version, done);
            if let Err(error) = self.note_progress(&sql, guarded).await {
                if !controls_transactions(job.statements()) {
                    self.unwritten = Some(done);
                }
                let note = "The statement is done, but that could not be written down.".to_owned();
                let failure = Failure { notes: vec![note], ..Failure::of(error, at) };
                return Err(self.step_failed(job, failure, 0).await);
            }
        }
        let sql = self.written_down(job, begun);
        match self.insist_on_writing(job, &sql).await {
            Ok(()) => Ok(true),
            Err(error) => {
                let failure = Failure::of(error, job.statements().len());
                if failure.error.is_lost {
                    return self.settle(job, failure).await;
                }
                Err(self.step_failed(job, failure, 0).await)
            }
        }
    }

    /// Writes down how far a file is, however long others hold the lock that it needs, up to the usual limit. Nobody can stop
    /// it: what is done has to be known.
    async fn note_progress(&mut self, sql: &str, guarded: bool) -> Result<(), DriverError> {
        let mut retries = 0;
        while let Err(error) = self.session.progress(sql.to_owned(), guarded).await {
            if !error.is_lock || retries >= self.run.options.lock_retry_limit || !self.session.is_usable().await {
                return Err(error);
            }
            retries += 1;
            tokio::time::sleep(backoff(retries)).await;
        }
        Ok(())
    }

    /// The same for the row that says that all of it is done. A transaction that the file left open is gone after the first
    /// try, and what it did with it.
    async fn insist_on_writing(&mut self, job: &Job<'_>, sql: &str) -> Result<(), DriverError> {
        let mut retries = 0;
        while let Err(error) = self.session.write(sql.to_owned()).await {
            let again = error.is_lock && !controls_transactions(job.statements());
            if !again || retries >= self.run.options.lock_retry_limit {
                return Err(error);
            }
            // Best effort: where nothing is open this fails, which is as good.
            let _ = self.session.rollback().await;
            retries += 1;
            tokio::time::sleep(backoff(retries)).await;
        }
        Ok(())
    }

    /// Writes down, before the first statement, that the file is begun: as the tool does, and in Slipway's record.
    async fn write_down_begin(&mut self, job: &Job<'_>) -> Result<bool, MigrateError> {
        let mut retries = 0;
        loop {
            let error = match self.begin(job).await {
                Ok(false) => return Ok(false),
                Ok(true) => match self.session.commit_with(self.begin_sql(job)).await {
                    Ok(()) => return Ok(true),
                    Err(error) => error,
                },
                Err(Stop::Failed(failure)) => failure.error,
                Err(Stop::Refused(error)) => return Err(error),
                Err(Stop::Cancelled { notes, .. }) => return Err(self.cancelled(job, true, notes)),
            };
            // Best effort: the first error is the one to be told.
            let _ = self.session.rollback().await;
            if !error.is_lock || retries >= self.run.options.lock_retry_limit {
                return Err(self.history_error(&format!("Writing down that {} begins", job.migration.file), &error));
            }
            retries += 1;
            self.pause(Some(job), retries).await?;
        }
    }

    fn begin_sql(&self, job: &Job<'_>) -> String {
        let Job { migration, way, rest } = job;
        let (dialect, tool, tables) = (self.session.dialect(), self.session.format().history(), self.session.tables());
        let begun = match way {
            Way::Up => tool.begin_alone(dialect, &tables.history, &migration.version),
            Way::Down { before } => tool.begin_back_alone(dialect, &tables.history, &migration.version, *before),
        };
        let mut ours = record_of(migration, job.running(), rest.done);
        ours.statements = job.statements().len();
        let ours = self.session.record_in(&tables).put(&[ours]);
        begun.into_iter().chain([ours]).collect::<Vec<_>>().join("; ")
    }

    /// One statement outside a transaction, tried again while others hold its locks.
    async fn step(&mut self, job: &Job<'_>, at: usize, statement: &Statement) -> Result<(), MigrateError> {
        let mut retries = 0;
        let broken = job.rest.drop_first.as_ref().filter(|_| at == job.rest.done);
        let dropping = broken.map(|index| Statement {
            text: format!("DROP INDEX CONCURRENTLY IF EXISTS {index}"),
            line: statement.line,
        });
        let build = statement;
        for (statement, broken) in dropping.iter().map(|drop| (drop, broken)).chain([(statement, None)]) {
            loop {
                // Since it was looked somebody may have begun to mend the index, or have mended it.
                let left = match broken {
                    Some(index) => self.still_left(index, &build.text).await?,
                    None => StillLeft::Yes,
                };
                let outcome = match (left, broken) {
                    (StillLeft::Whole, Some(index)) => Err(Stop::Failed(Failure::of(DriverError::whole(index), at))),
                    (StillLeft::InHand, Some(index)) => Err(Stop::Failed(Failure::of(DriverError::in_hand(index), at))),
                    _ => self.statement(job, at, statement).await,
                };
                match outcome {
                    Ok(()) => break,
                    Err(Stop::Refused(error)) => return Err(error),
                    Err(Stop::Cancelled { notes, left_index }) => {
                        return Err(self.step_cancelled(job, notes, left_index.or(broken.cloned())).await);
                    }
                    Err(Stop::Failed(failure)) => {
                        // What left something behind is not tried again blindly, and in a transaction that the file
                        // began by itself and that has failed, nothing can be tried any more.
                        // Of several statements in one piece, those before the one that waited may be done for good.
                        let whole = is_all_or_nothing(&statement.text);
                        let again = failure.error.is_lock
                            && failure.notes.is_empty()
                            && whole
                            && retries < self.run.options.lock_retry_limit;
                        if !again || !self.session.is_usable().await {
                            let notes = if whole { None } else { Some(PARTS_MAY_BE_DONE.to_owned()) };
                            let notes = failure.notes.iter().cloned().chain(notes).collect();
                            let left_index = failure.left_index.clone().or(broken.cloned());
                            return Err(self.step_failed(job, Failure { notes, left_index, ..failure }, retries).await);
                        }
                    }
                }
                retries += 1;
                if let Err(error) = self.pause(Some(job), retries).await {
                    return Err(match error {
                        MigrateError::Cancelled { notes, .. } => self.step_cancelled(job, notes, broken.cloned()).await,
                        other => other,
                    });
                }
            }
        }
        Ok(())
    }

    /// The connection broke while what was done was being committed: asks the database how that ended.
    async fn settle(&mut self, job: &Job<'_>, failure: Failure) -> Result<bool, MigrateError> {
        let deadline = Instant::now() + Duration::from_secs(SETTLE_LIMIT_S);
        let file = self.file_of(job);
        let uncertain = |reason: String, applied_before: Vec<Version>| MigrateError::Uncertain {
            version: job.migration.version.clone(),
            file: file.clone(),
            reason,
            applied_before,
        };
        while self.session.reconnect().await.is_err() {
            if Instant::now() >= deadline || self.run.cancel.is_asked() {
                return Err(uncertain(failure.error.message, self.report.done.clone()));
            }
            tokio::time::sleep(Duration::from_millis(SETTLE_POLL_MS)).await;
        }
        let locked = self.session.lock(self.run).await;
        locked.map_err(|error| uncertain(error.to_string(), self.report.done.clone()))?;
        let history = super::history(self.session).await;
        self.history = history.map_err(|error| uncertain(error.to_string(), self.report.done.clone()))?;
        let is_done = self.history.contains(&job.migration.version) == matches!(job.way, Way::Up);
        if is_done {
            return Ok(true);
        }
        let note = if job.transactional() {
            "The connection broke during the commit; the history says that it did not come about."
        } else {
            "The connection broke before the file was recorded. All of its statements are done; the next run records it."
        };
        let failure = Failure { notes: vec![note.to_owned()], ..failure };
        Err(self.failed(job, failure, job.transactional(), 0))
    }

    /// Waits before the next try: twice as long each time, up to a limit.
    pub(super) async fn pause(&mut self, job: Option<&Job<'_>>, retry: u32) -> Result<(), MigrateError> {
        if let Some(job) = job {
            let LockWait { table, holders } = self.session.waited_for();
            let news = RunNews::Retry { version: job.migration.version.clone(), retry, holders, table };
            self.run.journal.news(news).await;
        }
        let mut cancel = self.run.cancel.clone();
        tokio::select! {
            () = tokio::time::sleep(backoff(retry)) => Ok(()),
            () = cancel.asked() => Err(match job {
                Some(job) => self.cancelled(job, job.transactional(), Vec::new()),
                None => self.cancelled_between(),
            }),
        }
    }

    fn stop_if_asked(&self) -> Result<(), MigrateError> {
        if self.run.cancel.is_asked() { Err(self.cancelled_between()) } else { Ok(()) }
    }

    fn cancelled_between(&self) -> MigrateError {
        MigrateError::Cancelled {
            file: None,
            rolled_back: true,
            statements_done: 0,
            total: 0,
            notes: Vec::new(),
            applied_before: self.report.done.clone(),
        }
    }

    pub(super) fn cancelled(&self, job: &Job<'_>, rolled_back: bool, notes: Vec<String>) -> MigrateError {
        let done = self.history.record(&job.migration.version).map_or(0, |record| record.statements_done);
        MigrateError::Cancelled {
            file: Some(self.file_of(job)),
            rolled_back,
            statements_done: if rolled_back { 0 } else { done },
            total: job.statements().len(),
            notes,
            applied_before: self.report.done.clone(),
        }
    }

    fn wrote(&self, outcome: Result<(), JournalError>) -> Result<(), MigrateError> {
        outcome.map_err(|error| MigrateError::Journal { reason: error.0, applied_before: self.report.done.clone() })
    }

    pub(super) fn history_error(&self, what: &str, error: &DriverError) -> MigrateError {
        MigrateError::History {
            what: what.to_owned(),
            reason: error.reason(),
            applied_before: self.report.done.clone(),
        }
    }

    /// The file whose statements are run.
    fn file_of(&self, job: &Job<'_>) -> String {
        let down = match job.way {
            Way::Up => None,
            Way::Down { .. } => self.folder.file(&job.migration.version).and_then(|file| file.down.as_ref()),
        };
        down.map_or_else(|| job.migration.file.clone(), |down| down.file.clone())
    }

    pub(super) fn failed(&self, job: &Job<'_>, failure: Failure, rolled_back: bool, lock_retries: u32) -> MigrateError {
        if failure.is_begin && failure.error.is_lost {
            return self.history_error("Beginning a transaction", &failure.error);
        }
        let (migration, statements) = (job.migration, job.statements());
        let mut notes = failure.notes;
        let LockWait { table, holders } = self.session.waited_for();
        if failure.error.is_lock && !holders.is_empty() {
            let table = table.unwrap_or_else(|| "a lock".to_owned());
            notes.push(format!("It waited for {table}, held by {}.", holders.join(" and ")));
        }
        notes.extend(failure.error.hint.map(str::to_owned));
        let statement = statements.get(failure.at).map_or("COMMIT", |statement| &statement.text);
        MigrateError::Failed(Box::new(FailedStatement {
            version: migration.version.clone(),
            file: self.file_of(job),
            statement_index: failure.at + 1,
            total: statements.len(),
            excerpt: excerpt(migration, statement),
            message: migration.substituted.mask(&failure.error.message),
            code: failure.error.code,
            applied_before: self.report.done.clone(),
            rolled_back,
            lock_retries,
            notes,
            left_index: failure.left_index,
        }))
    }
}

fn failure(error: DriverError, at: usize) -> Stop {
    Stop::Failed(Failure::of(error, at))
}

fn entry(migration: &Migration, begun: Instant) -> Entry<'_> {
    Entry {
        version: &migration.version,
        description: &migration.description,
        checksum: migration.tool_checksum.as_deref(),
        nanos: i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX),
    }
}

/// What Slipway writes down of a migration.
pub(super) fn record_of(migration: &Migration, state: RecordState, statements_done: usize) -> Record {
    Record {
        version: migration.version.clone(),
        file: migration.file.clone(),
        checksum: migration.checksum.clone(),
        state,
        statements: migration.up.len(),
        statements_done,
        error: None,
    }
}
