//! Slipway's own record beside the tool's history, as SQL: what ran, from which file, and how far a file without a
//! transaction came. Tools do not look at it.

use slipway_core::migration::format::{Dialect, safe_literal};
use slipway_core::migration::{Record, RecordState, Version};

/// The table's name; it lies in the schema of the tool's table.
pub(super) const RECORD_TABLE: &str = "slipway_migrations";
/// How many rows one statement writes.
const ROWS_LIMIT: usize = 1_000;
/// How much of a failure is kept: a database's message, which is cut before, and the index that was left.
const ERROR_LIMIT_CHARS: usize = 1_000;

/// The table, by its full name.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordTable<'a> {
    pub(super) dialect: Dialect,
    pub(super) name: &'a str,
}

impl RecordTable<'_> {
    pub(super) fn create(self) -> String {
        let name = self.name;
        let at = match self.dialect {
            Dialect::Postgres => "timestamptz NOT NULL DEFAULT now()",
            Dialect::Sqlite => "text NOT NULL DEFAULT CURRENT_TIMESTAMP",
        };
        format!(
            "CREATE TABLE IF NOT EXISTS {name} (version text PRIMARY KEY, file text NOT NULL, checksum text NOT NULL, \
             state text NOT NULL, statements integer NOT NULL, statements_done integer NOT NULL, error text, at {at})"
        )
    }

    /// Reads all rows, as [`record`] takes them.
    pub(super) fn read(self) -> String {
        format!(
            "SELECT version, file, checksum, state, CAST(statements AS bigint) AS statements, CAST(statements_done AS \
             bigint) AS statements_done, error FROM {}",
            self.name
        )
    }

    /// Writes rows, whether they are there or not.
    pub(super) fn put(self, records: &[Record]) -> String {
        let chunks = records.chunks(ROWS_LIMIT).map(|chunk| {
            let rows: Vec<_> = chunk.iter().map(|record| self.row(record)).collect();
            format!(
                "INSERT INTO {} (version, file, checksum, state, statements, statements_done, error) VALUES {} ON \
                 CONFLICT (version) DO UPDATE SET file = excluded.file, checksum = excluded.checksum, state = \
                 excluded.state, statements = excluded.statements, statements_done = excluded.statements_done, error = \
                 excluded.error, at = CURRENT_TIMESTAMP",
                self.name,
                rows.join(", ")
            )
        });
        chunks.collect::<Vec<_>>().join("; ")
    }

    fn row(self, record: &Record) -> String {
        let Record { version, file, checksum, state, statements, statements_done, error } = record;
        let error = error.as_deref().map_or("NULL".to_owned(), |error| self.text(error));
        format!(
            "({}, {}, {}, '{}', {statements}, {statements_done}, {error})",
            self.text(version.as_str()),
            self.text(file),
            self.text(checksum),
            state.name()
        )
    }

    /// How far it has come. Part of whatever transaction the file itself has open, so that it is taken back with it.
    pub(super) fn progress(self, version: &Version, statements_done: usize) -> String {
        format!(
            "UPDATE {} SET statements_done = {statements_done}, error = NULL, at = CURRENT_TIMESTAMP WHERE version = {}",
            self.name,
            self.text(version.as_str())
        )
    }

    /// A statement failed; what is done of it stays as it was last written.
    pub(super) fn failed(self, version: &Version, state: RecordState, error: &str) -> String {
        format!(
            "UPDATE {} SET state = '{}', error = {}, at = CURRENT_TIMESTAMP WHERE version = {}",
            self.name,
            state.name(),
            self.text(&super::error::cut(error, ERROR_LIMIT_CHARS)),
            self.text(version.as_str())
        )
    }

    pub(super) fn delete(self, version: &Version) -> String {
        format!("DELETE FROM {} WHERE version = {}", self.name, self.text(version.as_str()))
    }

    /// A text as a literal. PostgreSQL's texts have no zero bytes.
    fn text(self, text: &str) -> String {
        safe_literal(self.dialect, &text.replace('\0', ""))
    }
}

/// A row as it is read; `None` for what no version of Slipway that we know has written.
pub(super) fn record(row: StoredRecord) -> Option<Record> {
    let state = RecordState::ALL.into_iter().find(|state| state.name() == row.state)?;
    Some(Record {
        version: Version::parse(&row.version)?,
        file: row.file,
        checksum: row.checksum,
        state,
        statements: usize::try_from(row.statements).ok()?,
        statements_done: usize::try_from(row.statements_done).ok()?,
        error: row.error,
    })
}

/// A row before it is understood.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct StoredRecord {
    pub(super) version: String,
    pub(super) file: String,
    pub(super) checksum: String,
    pub(super) state: String,
    pub(super) statements: i64,
    pub(super) statements_done: i64,
    pub(super) error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_literals_whatever_is_in_them() {
        let table = RecordTable { dialect: Dialect::Postgres, name: "s.t" };
        let failed = table.failed(&Version::from(1), RecordState::Failed, "it's \\' here\0");
        assert_eq!(
            failed,
            "UPDATE s.t SET state = 'failed', error = E'it''s \\\\'' here', at = CURRENT_TIMESTAMP WHERE version = '1'"
        );
        let table = RecordTable { dialect: Dialect::Sqlite, ..table };
        assert!(table.failed(&Version::from(1), RecordState::Failed, "a\\b").contains("error = 'a\\b'"));
    }
}
