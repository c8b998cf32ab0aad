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

impl Found {
    /// Refuses a table of another tool.
    pub(super) fn must_be(&self, expected: &dyn Format, database: &str) -> Result<(), MigrateError> {
        let found = told_apart(&self.table, &self.columns).map(Format::name);
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

/// The tool that a table with these columns belongs to.
pub(super) fn told_apart(table: &str, columns: &[String]) -> Option<&'static dyn Format> {
    let has = |column: &&str| columns.iter().any(|found| found.eq_ignore_ascii_case(column));
    let fits = |format: &&dyn Format| {
        let history = format.history();
        history.table() == table && history.columns().iter().all(has) && !history.foreign_columns().iter().any(has)
    };
    format::ALL.iter().copied().find(fits)
}
