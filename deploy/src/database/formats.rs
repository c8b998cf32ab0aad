//! Whose history table a table is.

use super::error::MigrateError;
use slipway_core::migration::format::{self, Format};

/// A table of the name that a tool's history has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) table: String,
    /// Its schema, quoted where it must be; empty in SQLite.
    pub(super) schema: String,
    pub(super) columns: Vec<String>,
    /// Whether Slipway's own table is beside it.
    pub(super) has_record: bool,
}

/// The names of all tools' history tables, each once.
pub(super) fn history_tables() -> Vec<&'static str> {
    let mut names: Vec<_> = format::ALL.iter().map(|format| format.history().table()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Found {
    /// The tool that it belongs to.
    pub(super) fn format(&self) -> Option<&'static dyn Format> {
        let has = |column: &&str| self.columns.iter().any(|found| found.eq_ignore_ascii_case(column));
        let fits = |format: &&dyn Format| {
            let history = format.history();
            history.table() == self.table
                && history.columns().iter().all(has)
                && !history.foreign_columns().iter().any(has)
        };
        format::ALL.iter().copied().find(fits)
    }

    /// Refuses a table of another tool.
    pub(super) fn must_be(&self, expected: &dyn Format, database: &str) -> Result<(), MigrateError> {
        let found = self.format().map(Format::name);
        if found == Some(expected.name()) {
            return Ok(());
        }
        Err(MigrateError::OtherTool {
            database: database.to_owned(),
            table: self.table.clone(),
            expected: expected.name(),
            found,
        })
    }
}
