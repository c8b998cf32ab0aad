//! golang-migrate's files and its table of one row, as its `source`, `database/postgres` and `database/sqlite3` have
//! them (read at v4, July 2026).
//!
//! A file is sent as one simple query. PostgreSQL runs such a query in a transaction of its own unless it ends one, so
//! a file that may run in a transaction does so together with the change of the history: it can then never be left
//! dirty. All others run as the tool runs them, between a dirty row and a clean one.

use super::{
    Dialect, Direction, Entry, FileName, Format, Half, HistoryTable, LateRule, Lookup, MigrationFile, ParseError,
    Parsed, Place, Statement,
};
use crate::migration::{Version, sql};

/// What lock ids are multiplied with.
const LOCK_SALT: u32 = 1_486_364_155;

/// The format.
#[derive(Clone, Copy, Debug)]
pub struct GolangMigrate;

impl Format for GolangMigrate {
    fn name(&self) -> &'static str {
        "golang-migrate"
    }

    /// Of several `.up.` and `.down.` in a name the last one counts. A number that is too large makes the tool leave
    /// the file out without a word; here it is refused.
    fn file_name(&self, file: &str) -> Result<Option<FileName>, String> {
        let Some((digits, rest)) = file.split_once('_').filter(|_| !file.contains('\n')) else { return Ok(None) };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        let (up, down) = (rest.rfind(".up."), rest.rfind(".down."));
        let (half, at) = match (up, down) {
            (None, None) => return Ok(None),
            (Some(at), None) => (Half::Up, at),
            (None, Some(at)) => (Half::Down, at),
            (Some(up), Some(down)) if up > down => (Half::Up, up),
            (Some(_), Some(down)) => (Half::Down, down),
        };
        let number: i64 = digits.parse().map_err(|_| {
            format!(
                "the version number is greater than {}, which the history table cannot hold. Give it a smaller one",
                i64::MAX
            )
        })?;
        let version = Version::parse(&number.to_string());
        Ok(version.map(|version| FileName { version, description: rest[..at].to_owned(), half }))
    }

    fn not_sql(&self, file: &str) -> Option<&'static str> {
        let why = "the name does not end in .sql. Rename it if it is SQL, or apply it with golang-migrate";
        (!file.ends_with(".sql")).then_some(why)
    }

    fn has_down_files(&self) -> bool {
        true
    }

    /// The tool counts such a version as applied without running anything.
    fn applies_down_alone(&self) -> bool {
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
        let use_transaction = !sql::controls_transaction(source) && !sql::refuses_transaction(source);
        Ok(Parsed { statements, use_transaction, substituted: Vec::new() })
    }

    fn late_rule(&self) -> LateRule {
        LateRule::Skips
    }

    fn dirty_advice(&self) -> &'static str {
        "It may also have been taking back the version after this one. Finish it by hand or undo it, and then say which \
         version is in place: \"migrate force VERSION\"."
    }

    fn history(&self) -> &'static dyn HistoryTable {
        &GolangMigrateHistory
    }

    fn new_files(&self, version: &Version, name: &str, _newest: Option<&MigrationFile>) -> Vec<(String, String)> {
        ["up", "down"].map(|half| (format!("{version}_{name}.{half}.sql"), String::new())).to_vec()
    }

    fn recognises(&self, name: &str, _text: &str) -> bool {
        matches!(self.file_name(name), Ok(Some(_)))
    }
}

/// Its history table: one row, which stands for all versions up to it.
struct GolangMigrateHistory;

/// The row, and no other. On SQLite in an order in which no moment is without a row: there the two statements are not
/// one transaction unless somebody has begun one.
fn set(dialect: Dialect, table: &str, version: &str, dirty: bool) -> String {
    match dialect {
        Dialect::Postgres => {
            format!("TRUNCATE {table}; INSERT INTO {table} (version, dirty) VALUES ({version}, {dirty})")
        }
        Dialect::Sqlite => {
            let dirty = u8::from(dirty);
            format!(
                "INSERT OR REPLACE INTO {table} (version, dirty) VALUES ({version}, {dirty}); DELETE FROM {table} WHERE \
                 version <> {version}"
            )
        }
    }
}

impl HistoryTable for GolangMigrateHistory {
    fn table(&self) -> &'static str {
        "schema_migrations"
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version", "dirty"]
    }

    fn create(&self, dialect: Dialect, table: &str) -> String {
        match dialect {
            Dialect::Postgres => {
                format!(
                    "CREATE TABLE IF NOT EXISTS {table} (version bigint not null primary key, dirty boolean not null)"
                )
            }
            Dialect::Sqlite => format!(
                "CREATE TABLE IF NOT EXISTS {table} (version uint64,dirty bool); CREATE UNIQUE INDEX IF NOT EXISTS \
                 version_unique ON {table} (version)"
            ),
        }
    }

    /// Taking back the very first migration leaves version -1, dirty, when it fails: read as version 0, dirty.
    fn read(&self, dialect: Dialect, table: &str) -> String {
        let (one, version, dirty) = match dialect {
            Dialect::Postgres => ("1::bigint", "GREATEST(version, 0)", "dirty::integer"),
            Dialect::Sqlite => ("1", "MAX(version, 0)", "CAST(dirty AS integer)"),
        };
        format!(
            "SELECT {one} AS ordinal, CAST({version} AS text) AS version, 1 AS is_applied, {dirty} AS is_dirty, CAST(NULL AS \
             text) AS checksum, CAST(NULL AS text) AS applied_at FROM {table} LIMIT 1"
        )
    }

    fn keeps_newest_only(&self) -> bool {
        true
    }

    fn begin_alone(&self, dialect: Dialect, table: &str, version: &Version) -> Option<String> {
        Some(set(dialect, table, version.as_str(), true))
    }

    fn begin_back_alone(
        &self,
        dialect: Dialect,
        table: &str,
        _version: &Version,
        before: Option<&Version>,
    ) -> Option<String> {
        Some(set(dialect, table, before.map_or("-1", Version::as_str), true))
    }

    fn add(&self, dialect: Dialect, table: &str, entry: &Entry<'_>) -> String {
        set(dialect, table, entry.version.as_str(), false)
    }

    fn remove(&self, dialect: Dialect, table: &str, _version: &Version, before: Option<&Version>) -> String {
        match (before, dialect) {
            (Some(before), _) => set(dialect, table, before.as_str(), false),
            (None, Dialect::Postgres) => format!("TRUNCATE {table}"),
            (None, Dialect::Sqlite) => format!("DELETE FROM {table}"),
        }
    }

    /// The tool's id depends on how it was given the database: by a URL, whose path it takes, or by an open handle.
    fn lock_ids(&self, place: &Place) -> Vec<i64> {
        let id = |database: &str| {
            let names = [place.schema.as_str(), self.table(), database].join("\0");
            i64::from(crc32fast::hash(names.as_bytes()).wrapping_mul(LOCK_SALT))
        };
        vec![id(&format!("/{}", place.database)), id(&place.database)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names() {
        let read = |file: &str| {
            GolangMigrate.file_name(file).unwrap().map(|name| (name.version.to_string(), name.description, name.half))
        };
        for (file, version, description, half) in [
            ("000001_users.up.sql", "1", "users", Half::Up),
            ("20251104120000_a_b.down.sql", "20251104120000", "a_b", Half::Down),
            ("0_.up.", "0", "", Half::Up),
            ("1_a.up.b.down.json", "1", "a.up.b", Half::Down),
            ("1_a.down.up.up.sql", "1", "a.down.up", Half::Up),
            ("9223372036854775807_x.up.sql", "9223372036854775807", "x", Half::Up),
        ] {
            assert_eq!(read(file), Some((version.to_owned(), description.to_owned(), half)), "{file}");
        }
        for file in ["README.md", "1_a.sql", "a_1.up.sql", "_a.up.sql", "1a_b.up.sql", "-1_a.up.sql", "1_a.UP.sql"] {
            assert_eq!(read(file), None, "{file}");
        }
        for file in ["9223372036854775808_x.up.sql", "18446744073709551616_x.down.sql"] {
            let reason = GolangMigrate.file_name(file).unwrap_err();
            assert!(reason.contains("greater than 9223372036854775807"), "{reason}");
        }
    }

    #[test]
    fn one_statement_in_a_transaction_where_that_can_be() {
        let parse = |source: &str| GolangMigrate.parse(source, Direction::Up, &|_| None).unwrap();
        let both = "\nCREATE TABLE a (id int);\r\nALTER TYPE c ADD VALUE 'x';\n";
        let parsed = parse(both);
        assert_eq!(parsed.statements, [Statement { text: both.to_owned(), line: 1 }]);
        assert!(parsed.use_transaction);
        for source in ["CREATE INDEX CONCURRENTLY i ON a (b)", "SELECT 1;\nBEGIN; SELECT 2; COMMIT;", "vacuum a;"] {
            assert!(!parse(source).use_transaction, "{source}");
        }
        assert!(parse(" \n").statements.is_empty());
    }

    /// The ids that the tool itself takes, from its own formula worked out by hand with another CRC32.
    #[test]
    fn both_lock_ids() {
        let place = Place { database: "goals".into(), schema: "public".into() };
        let ids = GolangMigrateHistory.lock_ids(&place);
        assert_eq!(ids, [3_352_958_331, 1_824_692_879]);
    }
}
