//! The formats that teams' own tools use, one file each.

pub mod goose;

use thiserror::Error;

/// Gives the value of a variable that a migration substitutes, or `None` when it is not set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Which half of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What applies it.
    Up,
    /// What takes it back.
    Down,
}

/// One direction of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The statements, each to be sent as it is.
    pub statements: Vec<String>,
    /// Whether the tool would run them in one transaction with the history row.
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

/// What differs from one tool's folder to the next.
pub trait Format: Sync {
    /// The tool's name, as the configuration has it.
    fn name(&self) -> &'static str;

    /// The version that a file's name states; `None` for a file that the tool does not look at.
    ///
    /// # Errors
    /// When the tool would refuse the name.
    fn version(&self, file: &str) -> Result<Option<i64>, String>;

    /// The statements of one direction, as the tool would find them.
    ///
    /// # Errors
    /// When the tool would refuse the file in that direction.
    fn parse(&self, source: &str, direction: Direction, lookup: Lookup<'_>) -> Result<Parsed, ParseError>;
}

/// All formats.
pub static ALL: &[&dyn Format] = &[&goose::Goose];

/// The format of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.name() == name)
}
