//! What can go wrong with a run, for people and for the code that decides what to do next.

use super::hint;
use slipway_core::migration::{Migration, Version, statements_done};
use thiserror::Error;

/// How much of a statement an error shows.
const EXCERPT_LIMIT_CHARS: usize = 300;
/// How much of the database's message an error shows.
pub(super) const MESSAGE_LIMIT_CHARS: usize = 500;

/// Why a run stopped, or could not begin.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The address cannot be understood.
    #[error("The database address cannot be used: {reason}.")]
    BadUrl {
        /// Why, without any part of the address that may be secret.
        reason: String,
    },
    /// The database cannot be reached.
    #[error("{database} cannot be reached: {reason}.")]
    Connect {
        /// The address without credentials.
        database: String,
        /// Why.
        reason: String,
    },
    /// Another run holds the lock.
    #[error(
        "Another migration run holds the lock on {database} for more than {waited_s} s. Wait for it to end. If none \
         runs, SELECT pid FROM pg_locks WHERE locktype = 'advisory' names the session that is left over."
    )]
    Locked {
        /// The address without credentials.
        database: String,
        /// How long was waited.
        waited_s: u64,
    },
    /// The history table cannot be read or written, or the connection broke between statements.
    #[error("{what} failed: {reason}.")]
    History {
        /// What was tried.
        what: String,
        /// The database's message.
        reason: String,
        /// The versions that this run had applied.
        applied_before: Vec<Version>,
    },
    /// The history table of the tool's name is another tool's.
    #[error(
        "The table {table} of {database} is not {expected}'s{}. Say with which tool the migrations are run, or look \
         whether this is the right database.",
        found.map_or(String::new(), |found| format!(": it has the columns of {found}'s"))
    )]
    OtherTool {
        /// The address without credentials.
        database: String,
        /// The table.
        table: String,
        /// The tool that was asked for.
        expected: &'static str,
        /// The tool whose columns it has, if we know it.
        found: Option<&'static str>,
    },
    /// A migration is older than what is applied already.
    #[error(
        "{file} was not run: version {newest}, which is newer, is applied already. Give the file a \
         newer version number."
    )]
    OutOfOrder {
        /// The file.
        file: String,
        /// The newest applied version.
        newest: Version,
        /// Whether it would be applied if [`Late::Apply`](slipway_core::migration::Late::Apply) was asked for.
        can_apply: bool,
        /// The versions that this run had applied.
        applied_before: Vec<Version>,
    },
    /// The tool began a migration and did not see it end, as its history table says.
    #[error(
        "{tool} began version {version}{} and did not see it end. Nothing was run. Look at the database. {way_out}",
        file.as_ref().map_or(String::new(), |file| format!(" ({file})"))
    )]
    Dirty {
        /// The team's tool.
        tool: &'static str,
        /// The version that its table names.
        version: Version,
        /// The file, if the folder has it.
        file: Option<String>,
        /// What to do when.
        way_out: String,
    },
    /// A statement failed.
    #[error("{0}")]
    Failed(Box<FailedStatement>),
    /// The connection broke while a migration was being committed.
    #[error(
        "{file}: the connection broke during the commit ({reason}), so it may be applied or not. The history table \
         knows; plan again."
    )]
    Uncertain {
        /// The version.
        version: Version,
        /// The file.
        file: String,
        /// The database's message.
        reason: String,
        /// The versions that this run had applied.
        applied_before: Vec<Version>,
    },
    /// A file without a transaction was begun by an earlier run and not finished.
    #[error("{0}")]
    HalfDone(Box<HalfDoneFile>),
    /// Somebody asked for the run to stop.
    #[error("{}", cancelled(file.as_deref(), *rolled_back, *statements_done, *total, notes))]
    Cancelled {
        /// The file that was being run, if one was.
        file: Option<String>,
        /// Whether nothing of it is left in the database.
        rolled_back: bool,
        /// How many of its statements are done and stay.
        statements_done: usize,
        /// How many it has.
        total: usize,
        /// What else is to be known, such as an invalid index that was left behind.
        notes: Vec<String>,
        /// The versions that this run had applied (or taken back).
        applied_before: Vec<Version>,
    },
    /// The history says something else than what is to be written down.
    #[error("{file} was not recorded, nor was any other: {reason}.")]
    Contradiction {
        /// The file.
        file: String,
        /// What the history says.
        reason: String,
    },
    /// What happened could not be written down, so the run was stopped.
    #[error("The run was stopped because its journal could not be written: {reason}.")]
    Journal {
        /// Why.
        reason: String,
        /// The versions that this run had applied.
        applied_before: Vec<Version>,
    },
    /// The migration cannot be taken back.
    #[error("{file} cannot be taken back: {reason}.")]
    NoWayBack {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
}

impl MigrateError {
    /// The versions that the run had applied before it stopped.
    #[must_use]
    pub fn applied_before(&self) -> &[Version] {
        match self {
            Self::Failed(failed) => &failed.applied_before,
            Self::History { applied_before, .. }
            | Self::OutOfOrder { applied_before, .. }
            | Self::Uncertain { applied_before, .. }
            | Self::Cancelled { applied_before, .. }
            | Self::Journal { applied_before, .. } => applied_before,
            Self::HalfDone(half_done) => &half_done.applied_before,
            Self::BadUrl { .. }
            | Self::Connect { .. }
            | Self::Locked { .. }
            | Self::OtherTool { .. }
            | Self::Dirty { .. }
            | Self::Contradiction { .. }
            | Self::NoWayBack { .. } => &[],
        }
    }
}

fn cancelled(file: Option<&str>, rolled_back: bool, done: usize, total: usize, notes: &[String]) -> String {
    let mut text = match file {
        None => "The run was stopped as asked.".to_owned(),
        Some(file) if rolled_back => {
            format!("The run was stopped as asked, in {file}. Nothing of this file is left in the database.")
        }
        Some(file) => format!(
            "The run was stopped as asked, in {file}, which runs without a transaction: {}; what is \
             done stays.",
            statements_done(done, total)
        ),
    };
    for note in notes {
        text.push(' ');
        text.push_str(note);
    }
    text
}

/// A file without a transaction that an earlier run did not bring to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfDoneFile {
    /// The version.
    pub version: Version,
    /// The file.
    pub file: String,
    /// Whether it was being taken back.
    pub taking_back: bool,
    /// How many statements are known to be done.
    pub statements_done: usize,
    /// How many there are.
    pub total: usize,
    /// What the database said, if a statement failed.
    pub error: Option<String>,
    /// Whether the run can go on with the first statement that is not known to be done.
    pub can_continue: bool,
    /// The SQL that records it once it is finished by hand.
    pub finished: String,
    /// The SQL that forgets it once what is done is undone by hand.
    pub undone: String,
    /// The versions that this run had applied.
    pub applied_before: Vec<Version>,
    /// The invalid index that stands where the next statement would build one, with its schema, as SQL has it.
    pub invalid_index: Option<String>,
}

impl std::fmt::Display for HalfDoneFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, taking_back, statements_done: done, total, error, can_continue, .. } = self;
        let runs = if *taking_back { "is taken back" } else { "runs" };
        let (next, are_done) = (done + 1, statements_done(*done, *total));
        write!(
            f,
            "{file} {runs} without a transaction and an earlier run did not come to its end: {are_done}, and statement \
             {next} "
        )?;
        match error {
            Some(error) => write!(f, "failed: {error}.")?,
            None => f.write_str("may have run or not.")?,
        }
        f.write_str(" Look at the database.")?;
        // What is recorded as finished is never looked at again, so that way out is the last.
        let or = match (can_continue, &self.invalid_index) {
            (true, Some(index)) => {
                write!(
                    f,
                    " The invalid index {index} is there, which no query uses, and this statement may not be what left it. \
                     Let the run go on with statement {next}: it drops that index and builds it anew."
                )?;
                "Or undo"
            }
            (true, None) => {
                write!(f, " Let the run go on with statement {next}.")?;
                "Or undo"
            }
            (false, _) => "Undo",
        };
        let (index, valid) = match &self.invalid_index {
            Some(index) => (format!(", with DROP INDEX CONCURRENTLY {index}"), ", until that index is valid,"),
            None => (String::new(), ""),
        };
        write!(f, " {or} by hand what is done{index}, and forget it: {}.", self.undone)?;
        write!(f, " Or finish the file by hand{valid} and record it: {}.", self.finished)
    }
}

/// A statement that the database refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedStatement {
    /// The migration's version.
    pub version: Version,
    /// Its file.
    pub file: String,
    /// Which statement, from 1; one more than `total` for the history row and the commit.
    pub statement_index: usize,
    /// How many there are.
    pub total: usize,
    /// How the statement begins, with substituted values masked.
    pub excerpt: String,
    /// The database's own message, without its detail, which may contain rows.
    pub message: String,
    /// PostgreSQL's SQLSTATE, or SQLite's result code.
    pub code: Option<String>,
    /// The versions that this run had applied before.
    pub applied_before: Vec<Version>,
    /// Whether nothing of this migration is left in the database.
    pub rolled_back: bool,
    /// How often it was tried again because of locks.
    pub lock_retries: u32,
    /// What else is to be known, such as an invalid index that was left behind.
    pub notes: Vec<String>,
    /// The index that the statement was building and left invalid, with its schema, as SQL has it. The next run drops it and
    /// builds it anew.
    pub left_index: Option<String>,
}

/// What is said of an index that a failed build left, and that the next run builds anew.
#[must_use]
pub fn rebuilt_next(index: &str) -> String {
    format!("It left the invalid index {index}, which no query uses; the next run drops it and builds it anew.")
}

impl FailedStatement {
    /// Whether the statement could not get its lock in time.
    #[must_use]
    pub fn is_lock_timeout(&self) -> bool {
        self.code.as_deref() == Some(LOCK_NOT_AVAILABLE)
    }
}

impl std::fmt::Display for FailedStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, statement_index, total, message, .. } = self;
        if statement_index > total {
            write!(f, "{file}: the commit failed: {message}")?;
        } else {
            write!(f, "{file}: statement {statement_index} of {total} failed: {message}")?;
        }
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if self.lock_retries > 0 {
            write!(f, ", after {} tries", self.lock_retries + 1)?;
        }
        f.write_str(if self.rolled_back {
            ". Nothing of this file is left in the database."
        } else {
            ". What the file did before stays in the database."
        })?;
        for note in &self.notes {
            write!(f, " {note}")?;
        }
        Ok(())
    }
}

/// Why a journal could not be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct JournalError(pub String);

/// PostgreSQL's SQLSTATE for a lock that was not to be had within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// SQLite's result codes for the same, in their lowest byte.
const SQLITE_LOCKED: [u32; 2] = [5, 6];

/// What the driver said, reduced to what may be shown.
#[derive(Clone, Debug)]
pub(super) struct DriverError {
    pub(super) message: String,
    pub(super) code: Option<String>,
    /// What to do about it.
    pub(super) hint: Option<&'static str>,
    /// Somebody else has what the statement needs.
    pub(super) is_lock: bool,
    /// There is no connection any more.
    pub(super) is_lost: bool,
}

/// PostgreSQL's SQLSTATE for a statement that was broken off, and SQLite's result code.
const BROKEN_OFF: [&str; 2] = ["57014", "9"];

impl DriverError {
    /// What failed, as long as no migration has been begun.
    pub(super) fn while_doing(&self, what: impl Into<String>) -> MigrateError {
        MigrateError::History { what: what.into(), reason: self.reason(), applied_before: Vec::new() }
    }

    /// The message and what to do, to stand before a full stop.
    pub(super) fn reason(&self) -> String {
        let message = self.message.trim_end_matches('.');
        match self.hint {
            Some(hint) => format!("{message}. {}", hint.trim_end_matches('.')),
            None => message.to_owned(),
        }
    }

    /// There is a whole index of the name of one that an earlier run left.
    pub(super) fn whole(index: &str) -> Self {
        let message = format!("somebody has built the index {index} meanwhile; see whether it is what the file wants");
        Self { message, code: None, hint: None, is_lock: false, is_lost: false }
    }

    /// Somebody else works on an index that an earlier run left. They come to an end, so that it is worth another try.
    pub(super) fn in_hand(index: &str) -> Self {
        let message = format!("somebody else is at work on the index {index}");
        Self { message, code: None, hint: None, is_lock: true, is_lost: false }
    }

    /// Neither a statement nor the server answered when the run was to be stopped.
    pub(super) fn gave_up() -> Self {
        let message = "neither the statement nor the server answers any more".to_owned();
        Self { message, code: None, hint: None, is_lock: false, is_lost: true }
    }

    /// Whether the statement was broken off from outside or by its time limit.
    pub(super) fn is_broken_off(&self) -> bool {
        self.code.as_deref().is_some_and(|code| BROKEN_OFF.contains(&code))
    }
}

impl From<sqlx::Error> for DriverError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().map(std::borrow::Cow::into_owned);
                let sqlite = database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
                let is_lock = match (&code, sqlite) {
                    (Some(code), false) => code == LOCK_NOT_AVAILABLE,
                    (Some(code), true) => code.parse::<u32>().is_ok_and(|code| SQLITE_LOCKED.contains(&(code & 0xff))),
                    (None, _) => false,
                };
                // Class 57P and the two of 25P: the server ends the session; class 08: what is before it says so.
                let ends = |code: &str| ["57P", "08", "25P03", "25P04"].iter().any(|begin| code.starts_with(begin));
                let is_lost = !sqlite && code.as_deref().is_some_and(ends);
                let hint = match (&code, sqlite) {
                    (Some(code), false) => hint::postgres(code),
                    (Some(code), true) => code.parse().ok().and_then(hint::sqlite),
                    (None, _) => None,
                };
                Self { message: cut(database.message(), MESSAGE_LIMIT_CHARS), code, hint, is_lock, is_lost }
            }
            other => {
                let is_lost = !matches!(other, sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. });
                let message = cut(&other.to_string(), MESSAGE_LIMIT_CHARS);
                Self { message, code: None, hint: hint::network(&other), is_lock: false, is_lost }
            }
        }
    }
}

/// The statement for an error: substituted values masked first, then cut.
pub(super) fn excerpt(migration: &Migration, statement: &str) -> String {
    cut(&migration.substituted.mask(statement), EXCERPT_LIMIT_CHARS)
}

/// The text, cut to so many characters.
pub(super) fn cut(text: &str, limit_chars: usize) -> String {
    match text.char_indices().nth(limit_chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
