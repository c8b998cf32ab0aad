//! Migration folders: files, formats, what is pending.

mod back;
mod danger;
mod folder;
pub mod format;
mod history;
mod interpolate;
mod left_over;
mod lint;
mod pending;
mod rehearsal;
mod review;
mod schema;
mod sql;
mod standing;
mod summary;
mod version;

pub use back::{BackError, applied_newest_first, plan_back};
pub use danger::{BIG_BYTES, BIG_ROWS, Danger, DangerKind, IgnoredComment, TableSize};
pub use folder::{Folder, Survey};
pub use format::Statement;
pub use history::{AppliedRow, History, Record, RecordState};
pub use left_over::Outlook;
pub use lint::{Finding, LintOptions, Severity, lint, lint_all};
pub use pending::{HalfDoneMigration, Late, Pending, PendingError, PendingOptions, late_is_refused, plan_pending};
pub use rehearsal::{DownTrial, LockMode, MigrationTrial, Rehearsal, Touched};
pub use review::{Review, TouchedFile, review};
pub use schema::{Schema, SchemaDifference, SchemaObject};
pub use standing::{StandingEntry, StandingState, standing};
pub use version::{VERSION_LIMIT_CHARS, Version};

pub(crate) use danger::{amount, key as table_key};

use crate::plan::PlannedMigration;
use danger::Tables;
use format::ParseError;
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// How many migrations a folder may have.
pub const FILES_LIMIT: usize = 10_000;
/// How large one file may be.
pub const FILE_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// How large all files may be together.
pub const FOLDER_LIMIT_BYTES: usize = 128 * 1024 * 1024;

/// Values shorter than this are not masked: they are no secrets, and every "1" would turn into stars.
const MASKED_FROM_CHARS: usize = 4;

/// How many lines of a migration's statements a plan keeps.
const STATEMENT_LINES_LIMIT: usize = 19;
/// How many bytes of them.
const STATEMENTS_LIMIT_BYTES: usize = 2_000;

/// Why a folder or one of its files cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FolderError {
    /// The file's name is not what the tool asks for, or says that the file is no SQL.
    #[error("{file}: {reason}.")]
    Name {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// Two files state one version.
    #[error("{first} and {second} have the same version {version}. Give one of them another number.")]
    Duplicate {
        /// The version.
        version: Version,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// Not a text file.
    #[error("{file}, line {line}: {reason}. Save the file as UTF-8 text.")]
    NotText {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What was found.
        reason: String,
    },
    /// The tool would refuse the file.
    #[error("{file}, line {}: {}.", problem.line, problem.message)]
    Parse {
        /// The file.
        file: String,
        /// What is wrong, and where.
        problem: ParseError,
    },
    /// A command for psql, which no migration tool understands.
    #[error("{file}, line {line}: {command} is a command for psql, not SQL. Take it out of the migration.")]
    PsqlCommand {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The command without its arguments.
        command: String,
    },
    /// Too much.
    #[error("{what} is over the limit of {limit}.")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
}

/// One file as it lies in the folder.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, without the folder.
    pub file: String,
    /// Its text.
    pub source: String,
    /// SHA-256 of its bytes, in hex.
    pub checksum: String,
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({})", self.file)
    }
}

/// A migration as it lies in the folder, not parsed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationFile {
    /// The version in its name.
    pub version: Version,
    /// The description in its name, as the tool records it.
    pub description: String,
    /// The file that applies it.
    pub up: SourceFile,
    /// The file that takes it back, for tools that have two.
    pub down: Option<SourceFile>,
}

/// The values that variables in a migration were replaced with. They may be secret, so they are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Substituted(Vec<String>);

impl Substituted {
    /// The text with each of the values replaced by `***`.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, value| text.replace(value, "***"))
    }
}

impl fmt::Debug for Substituted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}

/// A migration that can be run. Not serializable: its statements may contain substituted secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its version.
    pub version: Version,
    /// The description in its name, as the tool records it.
    pub description: String,
    /// The name of the file that applies it, without the folder.
    pub file: String,
    /// SHA-256 of that file's bytes, in hex.
    pub checksum: String,
    /// The checksum that the tool keeps in its history.
    pub tool_checksum: Option<Vec<u8>>,
    /// The statements that apply it.
    pub up: Vec<Statement>,
    /// The statements that take it back; empty if there are none or they cannot be read.
    pub down: Vec<Statement>,
    /// Whether it runs in one transaction with its history row. A file that begins or ends transactions by itself
    /// does not.
    pub transactional: bool,
    /// The same for the way back.
    pub down_transactional: bool,
    /// Whether there is a way back.
    pub reversible: bool,
    /// What it does in a few words. Contains names from the file: untrusted text.
    pub summary: String,
    /// The rules and kinds of danger that the file allows, by name, with the reasons.
    pub allowed: BTreeMap<String, String>,
    /// Why the way back cannot be read. Does not stop the way up.
    pub down_problem: Option<FolderError>,
    /// Values to be masked wherever a statement is shown.
    pub substituted: Substituted,
    /// The comments of the file that were meant to allow something and allow nothing.
    pub ignored: Vec<IgnoredComment>,
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Migration({}, {} up, {} down)", self.file, self.up.len(), self.down.len())
    }
}

impl Migration {
    /// The statements that apply it, without secret values.
    fn shown(&self) -> Vec<String> {
        self.up.iter().map(|statement| self.substituted.mask(&statement.text)).collect()
    }

    /// What a plan says about it; `not_run` is why it will not be run here although it is pending.
    ///
    /// `tables` knows those that earlier pending migrations create, and learns those that this one does.
    fn planned(&self, not_run: Option<String>, tables: &mut Tables, options: &LintOptions) -> PlannedMigration {
        let dangers = lint::dangers(self, tables, options);
        PlannedMigration {
            version: self.version.clone(),
            file: self.file.clone(),
            checksum: self.checksum.clone(),
            down_checksum: None,
            reversible: self.reversible,
            transactional: self.transactional,
            summary: self.summary.clone(),
            late: false,
            dangers,
            down_loses_data: lint::down_loses_data(self, options),
            not_run,
            statements: beginning(&self.shown()),
            ignored: self.ignored.clone(),
        }
    }
}

impl Migration {
    /// What a plan says about it when it is to be taken back; `down_checksum` is that of the file that does it.
    #[must_use]
    pub fn planned_back(&self, down_checksum: Option<String>, options: &LintOptions) -> PlannedMigration {
        // The way back is what runs, so it is what is read.
        let back = Self {
            up: self.down.clone(),
            down: self.up.clone(),
            transactional: self.down_transactional,
            down_transactional: self.transactional,
            ..self.clone()
        };
        PlannedMigration {
            down_checksum,
            reversible: self.reversible,
            summary: self.summary.clone(),
            down_loses_data: false,
            ..back.planned(None, &mut Tables::default(), options)
        }
    }
}

/// `1 of 3 statements is done`.
#[must_use]
pub fn statements_done(done: usize, total: usize) -> String {
    let statements = if total == 1 { "statement" } else { "statements" };
    let are = if done == 1 || total == 1 { "is" } else { "are" };
    format!("{done} of {total} {statements} {are} done")
}

/// As much of the statements as a plan keeps, and a last line that says so where there is more.
fn beginning(statements: &[String]) -> String {
    let lines: Vec<_> = statements.iter().flat_map(|statement| statement.trim().lines()).collect();
    let mut shown = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number == STATEMENT_LINES_LIMIT || shown.len() + line.len() > STATEMENTS_LIMIT_BYTES {
            shown.push_str(&format!("and {} more lines", lines.len() - number));
            return shown;
        }
        shown.push_str(line.trim_end());
        shown.push('\n');
    }
    shown.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
