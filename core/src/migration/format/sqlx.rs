//! sqlx' files, accepted and refused as sqlx does (its `sqlx-core/src/migrate` and the CLI, read at 0.9, March 2026).
//!
//! A file is sent as one simple query, in a transaction unless its first bytes are `-- no-transaction`.

use super::{
    Dialect, Direction, Entry, FileName, Format, Half, HistoryTable, LateRule, Lookup, MigrationFile, ParseError,
    Parsed, Place, Statement, dbmate, safe_literal,
};
use crate::migration::Version;
use sha2::{Digest as _, Sha384};

/// What the lock id is multiplied with.
const LOCK_FACTOR: i64 = 0x3d32_ad9e;

/// What must be the first bytes of a file that runs without a transaction.
const NO_TRANSACTION: &str = "-- no-transaction";

/// The format.
#[derive(Clone, Copy, Debug)]
pub struct Sqlx;

impl Format for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    /// sqlx takes negative numbers too; nobody has them, and no order of other tools knows them.
    fn file_name(&self, file: &str) -> Result<Option<FileName>, String> {
        let Some((digits, rest)) = file.split_once('_').filter(|(_, rest)| rest.ends_with(".sql")) else {
            return Ok(None);
        };
        let number = digits.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(|| {
            "the name does not begin with a version number. Name it like 0001_users.sql, or give it another ending than \
             .sql if it is no migration"
                .to_owned()
        })?;
        let (half, suffix) = match rest {
            _ if rest.ends_with(".up.sql") => (Half::Up, ".up.sql"),
            _ if rest.ends_with(".down.sql") => (Half::Down, ".down.sql"),
            _ => (Half::Up, ".sql"),
        };
        let description = rest.trim_end_matches(suffix).replace('_', " ");
        Ok(Version::parse(&number.to_string()).map(|version| FileName { version, description, half }))
    }

    fn has_down_files(&self) -> bool {
        true
    }

    fn allows_byte_order_mark(&self) -> bool {
        true
    }

    fn parse(&self, source: &str, _direction: Direction, _lookup: Lookup<'_>) -> Result<Parsed, ParseError> {
        let statements = match source.trim().is_empty() {
            true => Vec::new(),
            false => vec![Statement { text: source.to_owned(), line: 1 }],
        };
        Ok(Parsed { statements, use_transaction: !source.starts_with(NO_TRANSACTION), substituted: Vec::new() })
    }

    fn late_rule(&self) -> LateRule {
        LateRule::Applies
    }

    fn dirty_advice(&self) -> &'static str {
        "Finish it by hand and set success to true in its row of _sqlx_migrations, or undo it and delete the row."
    }

    fn checksum(&self, file: &MigrationFile) -> Option<Vec<u8>> {
        Some(Sha384::digest(file.up.source.as_bytes()).to_vec())
    }

    fn history(&self) -> &'static dyn HistoryTable {
        &SqlxHistory
    }

    /// Two files if the newest migration has two, as sqlx guesses it.
    fn new_files(&self, version: &Version, name: &str, newest: Option<&MigrationFile>) -> Vec<(String, String)> {
        let reversible = newest.is_some_and(|newest| newest.down.is_some() || newest.up.file.ends_with(".up.sql"));
        let kinds: &[(&str, &str)] = match reversible {
            true => &[(".up.sql", "up migration"), (".down.sql", "down migration")],
            false => &[(".sql", "migration")],
        };
        let name = name.replace(' ', "_");
        kinds
            .iter()
            .map(|(suffix, what)| (format!("{version}_{name}{suffix}"), format!("-- Add {what} script here\n")))
            .collect()
    }

    /// A plain file has no mark of sqlx, but it must have none of others either.
    fn recognises(&self, name: &str, text: &str) -> bool {
        matches!(self.file_name(name), Ok(Some(_))) && !super::goose::has_marker(text) && !dbmate::has_up(text)
    }
}

/// Its history table.
struct SqlxHistory;

impl HistoryTable for SqlxHistory {
    fn table(&self) -> &'static str {
        "_sqlx_migrations"
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version", "description", "installed_on", "success", "checksum", "execution_time"]
    }

    fn create(&self, dialect: Dialect, table: &str) -> String {
        let (installed_on, checksum) = match dialect {
            Dialect::Postgres => ("TIMESTAMPTZ NOT NULL DEFAULT now()", "BYTEA"),
            Dialect::Sqlite => ("TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP", "BLOB"),
        };
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (\n    version BIGINT PRIMARY KEY,\n    description TEXT NOT NULL,\n    \
             installed_on {installed_on},\n    success BOOLEAN NOT NULL,\n    checksum {checksum} NOT NULL,\n    \
             execution_time BIGINT NOT NULL\n)"
        )
    }

    /// sqlx takes back the greatest version, whenever it was applied.
    fn read(&self, dialect: Dialect, table: &str) -> String {
        let (dirty, checksum) = match dialect {
            Dialect::Postgres => ("(NOT success)::integer", "encode(checksum, 'hex')"),
            Dialect::Sqlite => ("CAST(NOT success AS integer)", "lower(hex(checksum))"),
        };
        format!(
            "SELECT version AS ordinal, CAST(version AS text) AS version, 1 AS is_applied, {dirty} AS is_dirty, {checksum} \
             AS checksum, CAST(installed_on AS text) AS applied_at FROM {table} ORDER BY 1"
        )
    }

    /// sqlx itself writes -1 and puts the time in afterwards; the outcome is the same.
    fn add(&self, dialect: Dialect, table: &str, entry: &Entry<'_>) -> String {
        let hex = hex::encode(entry.checksum.unwrap_or_default());
        let checksum = match dialect {
            Dialect::Postgres => format!("decode('{hex}', 'hex')"),
            Dialect::Sqlite => format!("X'{hex}'"),
        };
        format!(
            "INSERT INTO {table} (version, description, success, checksum, execution_time) VALUES ({}, {}, TRUE, \
             {checksum}, {})",
            entry.version,
            safe_literal(dialect, entry.description),
            entry.nanos
        )
    }

    fn remove(&self, _dialect: Dialect, table: &str, version: &Version, _before: Option<&Version>) -> String {
        format!("DELETE FROM {table} WHERE version = {version}")
    }

    fn lock_ids(&self, place: &Place) -> Vec<i64> {
        vec![LOCK_FACTOR * i64::from(crc32fast::hash(place.database.as_bytes()))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::SourceFile;

    #[test]
    fn file_names() {
        let read = |file: &str| {
            Sqlx.file_name(file).unwrap().map(|name| (name.version.to_string(), name.description, name.half))
        };
        for (file, version, description, half) in [
            ("0001_create_users.sql", "1", "create users", Half::Up),
            ("20251104120000_a.up.sql", "20251104120000", "a", Half::Up),
            ("20251104120000_a.down.sql", "20251104120000", "a", Half::Down),
            ("+5_a.sql.sql", "5", "a", Half::Up),
            ("0_a.up.sql.up.sql", "0", "a", Half::Up),
        ] {
            assert_eq!(read(file), Some((version.to_owned(), description.to_owned(), half)), "{file}");
        }
        for file in ["README.md", "a.sql", "1.sql", "1_a.sql.bak", "a_b.md"] {
            assert_eq!(read(file), None, "{file}");
        }
        for file in ["seed_users.sql", "_a.sql", "1.5_a.sql", "9223372036854775808_a.sql", "-1_a.sql"] {
            assert!(Sqlx.file_name(file).is_err(), "{file}");
        }
    }

    #[test]
    fn a_transaction_unless_the_first_bytes_say_otherwise() {
        let parse = |source: &str| Sqlx.parse(source, Direction::Up, &|_| None).unwrap().use_transaction;
        assert!(!parse("-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (b);"));
        assert!(!parse("-- no-transactions"));
        for source in ["\n-- no-transaction", "\u{feff}-- no-transaction", "--no-transaction", "VACUUM;"] {
            assert!(parse(source), "{source}");
        }
    }

    #[test]
    fn lock_id() {
        let place = Place { database: "goals".into(), schema: "public".into() };
        assert_eq!(SqlxHistory.lock_ids(&place), [3_430_343_570_226_045_954]);
    }

    #[test]
    fn new_files_are_like_the_newest() {
        let names = |newest: Option<&str>| {
            let up = newest.map(|file| MigrationFile {
                version: 1.into(),
                description: String::new(),
                up: SourceFile { file: file.to_owned(), source: String::new(), checksum: String::new() },
                down: None,
            });
            let files = Sqlx.new_files(&2.into(), "add likes", up.as_ref());
            files.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["2_add_likes.sql"]);
        assert_eq!(names(Some("1_a.sql")), ["2_add_likes.sql"]);
        assert_eq!(names(Some("1_a.up.sql")), ["2_add_likes.up.sql", "2_add_likes.down.sql"]);
    }
}
