//! The formats that teams' own tools use, one file each.

pub mod dbmate;
mod detect;
pub mod golang_migrate;
pub mod goose;
mod history;
pub mod sqlx;

pub use detect::{AUTO, Candidates, DetectError, detect};
pub use history::{Dialect, Entry, HistoryTable, Place, literal, safe_literal};

use super::{MigrationFile, Version};
use std::fmt;
use thiserror::Error;

/// Gives the value of a variable that a migration substitutes, or `None` when it is not set.
pub type Lookup<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// Which half of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What applies it.
    Up,
    /// What takes it back.
    Down,
}

/// Which halves a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Both, or the one that applies it.
    Whole,
    /// The one that applies it; the other is in a file of its own, if there is one.
    Up,
    /// The one that takes it back.
    Down,
}

/// What a file's name states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// The version.
    pub version: Version,
    /// What follows the version, as the tool records it.
    pub description: String,
    /// Which halves the file has.
    pub half: Half,
}

/// A statement as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its text. May contain substituted secrets.
    pub text: String,
    /// The line of the file where it begins, from 1.
    pub line: usize,
}

/// One direction of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The statements, each to be sent as it is.
    pub statements: Vec<Statement>,
    /// Whether they may run in one transaction with the history row.
    pub use_transaction: bool,
    /// The values that variables were replaced with. They may be secret.
    pub substituted: Vec<String>,
}

/// Why a file cannot be read as a migration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a tool does with a file that is older than the newest applied one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateRule {
    /// It refuses to run.
    Refuses,
    /// It applies it without a word.
    Applies,
    /// It leaves it out without a word.
    Skips,
}

/// What differs from one tool's folder to the next.
pub trait Format: Sync {
    /// The tool's name, as the configuration has it.
    fn name(&self) -> &'static str;

    /// What a file's name states; `None` for a file that the tool does not look at.
    ///
    /// # Errors
    /// When the tool would refuse the name.
    fn file_name(&self, file: &str) -> Result<Option<FileName>, String>;

    /// Why a file of that name, although it is a migration of the tool, cannot be read as SQL. It matters only while the
    /// migration is pending or taken back.
    fn not_sql(&self, _file: &str) -> Option<&'static str> {
        None
    }

    /// Whether the tool knows its files by marks in them.
    fn has_marks(&self) -> bool {
        false
    }

    /// Whether the tool sorts by the files' names rather than by version.
    fn sorts_by_file_name(&self) -> bool {
        false
    }

    /// Whether the way back is in a file of its own.
    fn has_down_files(&self) -> bool {
        false
    }

    /// Whether a version that has only a way back is a migration that does nothing.
    fn applies_down_alone(&self) -> bool {
        false
    }

    /// Whether a file may begin with a byte order mark. Where it may, [`Self::parse`] gets the text with it.
    fn allows_byte_order_mark(&self) -> bool {
        false
    }

    /// The statements of one direction, as the tool would find them. Where up and down are files of their own,
    /// `source` is the file of that direction.
    ///
    /// # Errors
    /// When the tool would refuse the file in that direction.
    fn parse(&self, source: &str, direction: Direction, lookup: Lookup<'_>) -> Result<Parsed, ParseError>;

    /// What the tool does with a file that is older than the newest applied one.
    fn late_rule(&self) -> LateRule;

    /// What to do by hand about a migration that the history says was begun and not ended, as sentences.
    fn dirty_advice(&self) -> &'static str {
        "Finish it by hand and mark its row of the history as done, or undo it and take the row away."
    }

    /// The checksum that the tool keeps in its history, if it keeps one.
    fn checksum(&self, _file: &MigrationFile) -> Option<Vec<u8>> {
        None
    }

    /// Its history table.
    fn history(&self) -> &'static dyn HistoryTable;

    /// The files of a new migration, name and text, as the tool's own `new` would make them beside the newest one.
    fn new_files(&self, version: &Version, name: &str, newest: Option<&MigrationFile>) -> Vec<(String, String)>;

    /// Whether a file looks like this tool's, by its name and the beginning of its text.
    fn recognises(&self, name: &str, text: &str) -> bool;
}

/// Formats are known by their names.
impl PartialEq for dyn Format + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Format + '_ {}

impl fmt::Debug for dyn Format + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All formats.
pub static ALL: &[&dyn Format] = &[&goose::Goose, &dbmate::Dbmate, &golang_migrate::GolangMigrate, &sqlx::Sqlx];

/// The format of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.name() == name)
}
