//! Migration folders: files, formats, what is pending.

mod danger;
pub mod format;
mod interpolate;
mod pending;
mod sql;
mod summary;

pub use danger::{BIG_BYTES, BIG_ROWS, Danger, DangerKind, TableSize};
pub use pending::{AppliedRow, History, Pending, PendingError, plan_pending, plan_pending_without};

use crate::plan::PlannedMigration;
use format::{Direction, Format, Lookup, ParseError};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
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
    /// The file's name is not what the tool asks for.
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
        version: i64,
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
        reason: &'static str,
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

/// A migration file as it lies in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationFile {
    /// The version in its name.
    pub version: i64,
    /// Its name, without the folder.
    pub file: String,
    /// Its text.
    pub source: String,
    /// SHA-256 of its bytes, in hex.
    pub checksum: String,
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
    pub version: i64,
    /// The file's name, without the folder.
    pub file: String,
    /// SHA-256 of the file's bytes, in hex.
    pub checksum: String,
    /// The statements that apply it.
    pub up: Vec<String>,
    /// The statements that take it back; empty if there are none or they cannot be read.
    pub down: Vec<String>,
    /// Whether it runs in one transaction with its history row. A file that begins or ends transactions by itself
    /// does not.
    pub transactional: bool,
    /// Whether there is a way back.
    pub reversible: bool,
    /// What it does in a few words. Contains names from the file: untrusted text.
    pub summary: String,
    /// The dangers that the file allows, with the reasons.
    pub allowed: BTreeMap<DangerKind, String>,
    /// Why the way back cannot be read. Does not stop the way up.
    pub down_problem: Option<FolderError>,
    /// Values to be masked wherever a statement is shown.
    pub substituted: Substituted,
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Migration({}, {} up, {} down)", self.file, self.up.len(), self.down.len())
    }
}

impl Migration {
    /// The statements that apply it, without secret values.
    fn shown(&self) -> Vec<String> {
        self.up.iter().map(|statement| self.substituted.mask(statement)).collect()
    }

    /// What a plan says about it; `not_run` is why it will not be run here although it is pending.
    ///
    /// `new` are the tables that earlier pending migrations create.
    fn planned(&self, not_run: Option<String>, new: &BTreeSet<String>) -> PlannedMigration {
        PlannedMigration {
            version: self.version,
            file: self.file.clone(),
            checksum: self.checksum.clone(),
            reversible: self.reversible,
            transactional: self.transactional,
            summary: self.summary.clone(),
            dangers: danger::dangers(&self.shown(), new, &self.allowed),
            not_run,
            statements: beginning(&self.shown()),
        }
    }
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

/// A folder's migrations in the order of their versions.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    entries: Vec<Entry>,
}

/// A file, and what could be made of it. A file that cannot be read stands in nobody's way once it is applied, as
/// with the tools themselves.
#[derive(Clone, Debug)]
struct Entry {
    file: MigrationFile,
    migration: Result<Migration, FolderError>,
}

impl Folder {
    /// Reads the files of one folder, given as name without folder and bytes. Files that the tool does not look at
    /// are ignored; those that it cannot parse are kept as [`Self::problems`], for they matter only while pending.
    ///
    /// # Errors
    /// When a name is not in order, two files have one version, a file is no text, or a limit is exceeded.
    pub fn read<I>(format: &dyn Format, files: I, lookup: Lookup<'_>) -> Result<Self, FolderError>
    where
        I: IntoIterator<Item = (String, Vec<u8>)>,
    {
        let mut entries: Vec<Entry> = Vec::new();
        let mut total = 0_usize;
        for (name, bytes) in files {
            let Some(file) = MigrationFile::read(format, &name, &bytes)? else { continue };
            total = total.saturating_add(bytes.len());
            let too_large = |limit| FolderError::TooLarge { what: "The migrations folder".into(), limit };
            if total > FOLDER_LIMIT_BYTES {
                return Err(too_large(format!("{FOLDER_LIMIT_BYTES} bytes")));
            }
            if entries.len() >= FILES_LIMIT {
                return Err(too_large(format!("{FILES_LIMIT} files")));
            }
            let migration = parse(format, &file, lookup);
            entries.push(Entry { file, migration });
        }
        entries.sort_by(|a, b| (a.file.version, &a.file.file).cmp(&(b.file.version, &b.file.file)));
        for pair in entries.windows(2) {
            if let [a, b] = pair
                && a.file.version == b.file.version
            {
                return Err(FolderError::Duplicate {
                    version: a.file.version,
                    first: a.file.file.clone(),
                    second: b.file.file.clone(),
                });
            }
        }
        Ok(Self { entries })
    }

    /// The files in order, whether they can be parsed or not.
    pub fn files(&self) -> impl Iterator<Item = &MigrationFile> {
        self.entries.iter().map(|entry| &entry.file)
    }

    /// The migrations in order, without those that cannot be parsed.
    #[must_use]
    pub fn migrations(&self) -> Vec<Migration> {
        self.entries.iter().filter_map(|entry| entry.migration.clone().ok()).collect()
    }

    /// The migration of that version.
    ///
    /// # Errors
    /// When its file cannot be parsed.
    pub fn get(&self, version: i64) -> Option<Result<&Migration, &FolderError>> {
        let at = self.entries.binary_search_by_key(&version, |entry| entry.file.version).ok()?;
        Some(self.entries[at].migration.as_ref())
    }

    /// What is wrong with files that cannot be parsed, in order.
    pub fn problems(&self) -> impl Iterator<Item = &FolderError> {
        self.entries.iter().filter_map(|entry| entry.migration.as_ref().err())
    }

    /// Whether there is no migration at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl MigrationFile {
    /// Reads one file; `None` when the tool does not look at files of that name.
    ///
    /// # Errors
    /// When the name is not in order, or the file is too large or no text.
    pub fn read(format: &dyn Format, file: &str, bytes: &[u8]) -> Result<Option<Self>, FolderError> {
        let named = format.version(file).map_err(|reason| FolderError::Name { file: file.to_owned(), reason })?;
        let Some(version) = named else { return Ok(None) };
        if bytes.len() > FILE_LIMIT_BYTES {
            return Err(FolderError::TooLarge { what: file.to_owned(), limit: format!("{FILE_LIMIT_BYTES} bytes") });
        }
        let not_text = |at: usize, reason| FolderError::NotText {
            file: file.to_owned(),
            line: bytes[..at].iter().filter(|b| **b == b'\n').count() + 1,
            reason,
        };
        if bytes.starts_with("\u{feff}".as_bytes()) {
            return Err(not_text(0, "the file begins with a byte order mark, which goose refuses"));
        }
        if let Some(at) = bytes.iter().position(|b| *b == 0) {
            return Err(not_text(at, "a zero byte, so this is no text"));
        }
        let source = std::str::from_utf8(bytes).map_err(|e| not_text(e.valid_up_to(), "not UTF-8"))?.to_owned();
        let checksum = hex::encode(Sha256::digest(bytes));
        Ok(Some(Self { version, file: file.to_owned(), source, checksum }))
    }
}

fn parse(format: &dyn Format, file: &MigrationFile, lookup: Lookup<'_>) -> Result<Migration, FolderError> {
    let read = |direction| {
        let parsed = format
            .parse(&file.source, direction, lookup)
            .map_err(|problem| FolderError::Parse { file: file.file.clone(), problem })?;
        refuse_psql_commands(file, &parsed.statements)?;
        Ok(parsed)
    };
    let up = read(Direction::Up)?;
    let (down, down_problem) = match read(Direction::Down) {
        Ok(down) => (down, None),
        Err(problem) => (format::Parsed::default(), Some(problem)),
    };
    let own_transaction = up.statements.iter().chain(&down.statements).any(|s| sql::controls_transaction(s));
    let mut values: Vec<String> = up.substituted.into_iter().chain(down.substituted).collect();
    values.retain(|value| value.chars().count() >= MASKED_FROM_CHARS);
    // The longest first, so that a value inside another one does not spoil it.
    values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    values.dedup();
    let substituted = Substituted(values);
    let shown: Vec<String> = up.statements.iter().map(|statement| substituted.mask(statement)).collect();
    Ok(Migration {
        version: file.version,
        file: file.file.clone(),
        checksum: file.checksum.clone(),
        transactional: up.use_transaction && !own_transaction,
        reversible: down.statements.iter().any(|s| !s.is_empty()),
        summary: summary::summary(&shown),
        allowed: danger::allowed(&file.source),
        up: up.statements,
        down: down.statements,
        down_problem,
        substituted,
    })
}

fn refuse_psql_commands(file: &MigrationFile, statements: &[String]) -> Result<(), FolderError> {
    let Some(found) = statements.iter().find_map(|statement| sql::psql_command(statement)) else { return Ok(()) };
    let line = file.source.lines().position(|line| line.trim_start().starts_with(found.trim_end()));
    let command = found.split_whitespace().next().unwrap_or(found).to_owned();
    Err(FolderError::PsqlCommand { file: file.file.clone(), line: line.map_or(1, |at| at + 1), command })
}

#[cfg(test)]
mod tests;
