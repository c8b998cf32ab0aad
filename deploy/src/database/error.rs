//! What can go wrong with a run, for people and for the code that decides what to do next.

use slipway_core::migration::{Migration, Version};
use thiserror::Error;

/// How much of a statement an error shows.
const EXCERPT_LIMIT_CHARS: usize = 300;
/// How much of the database's message an error shows.
const MESSAGE_LIMIT_CHARS: usize = 500;

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
    /// A migration is older than what somebody else applied meanwhile.
    #[error(
        "{file} was not run: version {newest}, which is newer, is applied already. Give the file a newer version \
         number, or apply it with \"goose up -allow-missing\"."
    )]
    OutOfOrder {
        /// The file.
        file: String,
        /// The newest applied version.
        newest: Version,
        /// The versions that this run had applied.
        applied_before: Vec<Version>,
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
    #[error(
        "{file} runs without a transaction and an earlier run did not come to its end: {}. {}",
        far(*done, *total),
        way_out(*done, *total, version)
    )]
    HalfDone {
        /// The version.
        version: Version,
        /// The file.
        file: String,
        /// How many statements are known to be done.
        done: Option<usize>,
        /// How many there are.
        total: usize,
        /// The versions that this run had applied.
        applied_before: Vec<Version>,
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
            | Self::HalfDone { applied_before, .. }
            | Self::Journal { applied_before, .. } => applied_before,
            Self::BadUrl { .. } | Self::Connect { .. } | Self::Locked { .. } | Self::NoWayBack { .. } => &[],
        }
    }
}

fn far(done: Option<usize>, total: usize) -> String {
    match done {
        None => "how far it came is not known".to_owned(),
        Some(done) => {
            let next = done + 1;
            format!("{done} of {total} statements are done, and statement {next} may have run or not")
        }
    }
}

fn way_out(done: Option<usize>, total: usize, version: &Version) -> String {
    let by_hand = format!(
        "Look at the database, finish the file by hand, and record it: INSERT INTO goose_db_version (version_id, \
         is_applied) VALUES ({version}, true)"
    );
    match done {
        Some(done) if done < total => format!("{by_hand}. Or let the run go on with statement {}.", done + 1),
        _ => format!("{by_hand}."),
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
    /// Somebody else has what the statement needs.
    pub(super) is_lock: bool,
    /// There is no connection any more.
    pub(super) is_lost: bool,
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
                // Class 57P: the server ends the session.
                let is_lost = code.as_deref().is_some_and(|code| code.starts_with("57P"));
                Self { message: cut(database.message(), MESSAGE_LIMIT_CHARS), code, is_lock, is_lost }
            }
            other => {
                let is_lost = !matches!(other, sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. });
                Self { message: cut(&other.to_string(), MESSAGE_LIMIT_CHARS), code: None, is_lock: false, is_lost }
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
