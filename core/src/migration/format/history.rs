//! How a tool keeps its history table, as SQL. Nothing is run here.

use crate::migration::Version;
use std::fmt;

/// Which database's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// The names that tools make their lock ids of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The database, as `current_database()` gives it.
    pub database: String,
    /// The schema that new tables go to, as `current_schema()` gives it.
    pub schema: String,
}

/// A migration to be written into the history.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its version.
    pub version: &'a Version,
    /// The description that its file's name states.
    pub description: &'a str,
    /// What [`super::Format::checksum`] says of it.
    pub checksum: Option<&'a [u8]>,
    /// How long its statements took.
    pub nanos: i64,
}

/// A history table. Each piece of SQL is sent as it is, without a transaction of its own: whoever sends it has one open
/// where that is possible. `table` is the full name of the table, quoted where it must be.
pub trait HistoryTable: Sync {
    /// The table's name when nothing else is said.
    fn table(&self) -> &'static str;

    /// The columns by which it is told from other tools' tables of the same name: all of them must be there.
    fn columns(&self) -> &'static [&'static str];

    /// Columns by which a table of the same name is known to be another tool's: none of them may be there.
    fn foreign_columns(&self) -> &'static [&'static str] {
        &[]
    }

    /// Makes the table, with the rows that the tool itself puts into a new one.
    fn create(&self, dialect: Dialect, table: &str) -> String;

    /// Reads all rows, oldest first, as `ordinal` (bigint), `version` (text), `is_applied` (integer 0 or 1), `is_dirty`
    /// (integer 0 or 1), `checksum` (lower-case hex text or null), `applied_at` (text or null).
    fn read(&self, dialect: Dialect, table: &str) -> String;

    /// Whether the table has only the newest version, which stands for all before it.
    fn keeps_newest_only(&self) -> bool {
        false
    }

    /// Writes down that a file which runs without a transaction has begun, where the tool does that.
    fn begin_alone(&self, _dialect: Dialect, _table: &str, _version: &Version) -> Option<String> {
        None
    }

    /// The same for taking a migration back; `before` is the version that is then the newest.
    fn begin_back_alone(
        &self,
        _dialect: Dialect,
        _table: &str,
        _version: &Version,
        _before: Option<&Version>,
    ) -> Option<String> {
        None
    }

    /// Writes down that a migration is applied.
    fn add(&self, dialect: Dialect, table: &str, entry: &Entry<'_>) -> String;

    /// Writes down that it is taken back; `before` is the version that is then the newest.
    fn remove(&self, dialect: Dialect, table: &str, version: &Version, before: Option<&Version>) -> String;

    /// The advisory locks that the tool takes on PostgreSQL, in the order in which they are to be taken.
    fn lock_ids(&self, place: &Place) -> Vec<i64>;
}

impl fmt::Debug for dyn HistoryTable + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HistoryTable({})", self.table())
    }
}

/// A text as a literal that means the same whatever `standard_conforming_strings` is, which a migration may change.
#[must_use]
pub fn safe_literal(dialect: Dialect, text: &str) -> String {
    match dialect {
        Dialect::Postgres if text.contains('\\') => format!("E{}", literal(&text.replace('\\', "\\\\"))),
        Dialect::Postgres | Dialect::Sqlite => literal(text),
    }
}

/// A text as a literal of either dialect, for text without backslashes.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
