//! dbmate's files, accepted and refused exactly as dbmate does (its `pkg/dbmate/migration.go`, read at v2, August 2026).
//!
//! A file has sections, each an up block and a down block; a block begins with its `-- migrate:` line and goes out as
//! one simple query. Of a file with several sections dbmate runs the first and fails to record the second; here all up
//! blocks are run and recorded once, which is what such a file means.

use super::{
    Dialect, Direction, Entry, FileName, Format, Half, HistoryTable, LateRule, Lookup, MigrationFile, ParseError,
    Parsed, Place, Statement, literal,
};
use crate::migration::{VERSION_LIMIT_CHARS, Version};

/// The format.
#[derive(Clone, Copy, Debug)]
pub struct Dbmate;

impl Format for Dbmate {
    fn name(&self) -> &'static str {
        "dbmate"
    }

    fn file_name(&self, file: &str) -> Result<Option<FileName>, String> {
        let Some(stem) = file.strip_suffix(".sql").filter(|stem| !stem.contains('\n')) else { return Ok(None) };
        let end = stem.find(|c: char| !c.is_ascii_digit()).unwrap_or(stem.len());
        let (digits, rest) = stem.split_at(end);
        if digits.is_empty() {
            return Ok(None);
        }
        let version = Version::parse(digits)
            .ok_or_else(|| format!("the version number has more than {VERSION_LIMIT_CHARS} digits. Give it fewer"))?;
        let description = rest.strip_prefix('_').unwrap_or(rest).to_owned();
        Ok(Some(FileName { version, description, half: Half::Whole }))
    }

    fn has_marks(&self) -> bool {
        true
    }

    fn sorts_by_file_name(&self) -> bool {
        true
    }

    fn parse(&self, source: &str, direction: Direction, _lookup: Lookup<'_>) -> Result<Parsed, ParseError> {
        let sections = sections(source)?;
        let blocks: Vec<Block<'_>> = sections
            .into_iter()
            .map(|section| if direction == Direction::Up { section.up } else { section.down })
            .collect();
        Ok(Parsed {
            use_transaction: blocks.iter().all(|block| transaction(block.text)),
            statements: blocks
                .into_iter()
                .map(|block| Statement { text: block.text.to_owned(), line: line_of(source, block.at) })
                .collect(),
            substituted: Vec::new(),
        })
    }

    fn late_rule(&self) -> LateRule {
        LateRule::Applies
    }

    fn history(&self) -> &'static dyn HistoryTable {
        &DbmateHistory
    }

    fn new_files(&self, version: &Version, name: &str, _newest: Option<&MigrationFile>) -> Vec<(String, String)> {
        vec![(format!("{version}_{name}.sql"), "-- migrate:up\n\n\n-- migrate:down\n\n".to_owned())]
    }

    fn recognises(&self, name: &str, text: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(".sql") && has_up(text)
    }
}

/// Whether there is an up block.
pub(super) fn has_up(text: &str) -> bool {
    text.contains("migrate:up") && directives(text, "migrate:up").next().is_some()
}

/// Its history table: the versions, as text.
struct DbmateHistory;

impl HistoryTable for DbmateHistory {
    fn table(&self) -> &'static str {
        "schema_migrations"
    }

    fn columns(&self) -> &'static [&'static str] {
        &["version"]
    }

    /// golang-migrate's and Ecto's tables have the same name.
    fn foreign_columns(&self) -> &'static [&'static str] {
        &["dirty", "inserted_at"]
    }

    fn create(&self, dialect: Dialect, table: &str) -> String {
        match dialect {
            Dialect::Postgres => format!("CREATE TABLE IF NOT EXISTS {table} (version varchar primary key)"),
            // SQLite keeps the text as it is written, and dbmate quotes the name.
            Dialect::Sqlite => {
                format!("CREATE TABLE IF NOT EXISTS {} (version varchar(128) primary key)", quoted(table))
            }
        }
    }

    /// dbmate takes back the last file by name. Ordered as the names are when an underscore follows the version.
    fn read(&self, dialect: Dialect, table: &str) -> String {
        let order = match dialect {
            Dialect::Postgres => "(version || '_') COLLATE \"C\"",
            Dialect::Sqlite => "version || '_'",
        };
        format!(
            "SELECT row_number() OVER (ORDER BY {order}) AS ordinal, CAST(version AS text) AS version, 1 AS is_applied, \
             0 AS is_dirty, CAST(NULL AS text) AS checksum, CAST(NULL AS text) AS applied_at FROM {table} ORDER BY 1"
        )
    }

    fn add(&self, _dialect: Dialect, table: &str, entry: &Entry<'_>) -> String {
        format!("INSERT INTO {table} (version) VALUES ({})", literal(entry.version.as_str()))
    }

    fn remove(&self, _dialect: Dialect, table: &str, version: &Version, _before: Option<&Version>) -> String {
        format!("DELETE FROM {table} WHERE version = {}", literal(version.as_str()))
    }

    fn lock_ids(&self, _place: &Place) -> Vec<i64> {
        Vec::new()
    }
}

fn quoted(table: &str) -> String {
    if table.contains(['"', '.']) { table.to_owned() } else { format!("\"{table}\"") }
}

/// From a `-- migrate:` line up to the next one.
#[derive(Clone, Copy)]
struct Block<'a> {
    text: &'a str,
    /// Where in the file.
    at: usize,
}

struct Section<'a> {
    up: Block<'a>,
    down: Block<'a>,
}

fn sections(source: &str) -> Result<Vec<Section<'_>>, ParseError> {
    let fail = |at: usize, message: &str| ParseError { line: line_of(source, at), message: message.to_owned() };
    let ups: Vec<usize> = directives(source, "migrate:up").collect();
    let Some(first) = ups.first() else {
        return Err(fail(0, "there is no \"-- migrate:up\". Begin the file with that line"));
    };
    let mut at = 0;
    for line in source[..*first].split('\n') {
        let text = line.trim_start_matches(is_space);
        if !text.is_empty() && !text.starts_with("--") {
            return Err(fail(at, "SQL before \"-- migrate:up\". Move it below that line"));
        }
        at += line.len() + 1;
    }
    let ends = ups.iter().skip(1).copied().chain([source.len()]);
    let section = |(begin, end): (usize, usize)| {
        let mut downs = directives(&source[begin..end], "migrate:down").map(|at| begin + at);
        let Some(down) = downs.next() else {
            return Err(fail(
                begin,
                "there is no \"-- migrate:down\" after this line. Add one, even if nothing follows it",
            ));
        };
        if let Some(second) = downs.next() {
            return Err(fail(second, "a second \"-- migrate:down\" without a \"-- migrate:up\" before it"));
        }
        let block = |begin: usize, end: usize| Block { text: &source[begin..end], at: begin };
        Ok(Section { up: block(begin, down), down: block(down, end) })
    };
    ups.iter().copied().zip(ends).map(section).collect()
}

/// Where lines begin that consist of `--`, white space and the word, with white space or nothing after it. That white
/// space may contain ends of lines is dbmate's own rule.
fn directives<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let begins = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    begins.filter(move |at| {
        let rest = text[*at..].strip_prefix("--").map(|rest| rest.trim_start_matches(is_space));
        let rest = rest.and_then(|rest| rest.strip_prefix(word));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(is_space))
    })
}

/// What `\s` is in Go's regular expressions.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{c}' | '\r' | ' ')
}

/// Whether the block's first line leaves it in a transaction. Of options that are given twice the last one counts.
fn transaction(block: &str) -> bool {
    let line = block.split('\n').next().unwrap_or_default();
    let rest = line.trim_start_matches('-').trim_start_matches(is_space);
    let options = rest.strip_prefix("migrate:up").or_else(|| rest.strip_prefix("migrate:down")).unwrap_or(rest);
    let pairs = options.split(is_space).filter_map(|pair| pair.split_once(':'));
    pairs.rev().find(|(key, _)| *key == "transaction").is_none_or(|(_, value)| value != "false")
}

fn line_of(source: &str, at: usize) -> usize {
    source.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(source: &str, direction: Direction) -> Result<Parsed, ParseError> {
        Dbmate.parse(source, direction, &|_| None)
    }

    fn up(source: &str) -> Parsed {
        parse(source, Direction::Up).unwrap()
    }

    #[test]
    fn blocks_are_sent_as_they_stand() {
        for (source, above, below) in [
            ("-- migrate:up\nA;\n-- migrate:down\nB;\n", "-- migrate:up\nA;\n", "-- migrate:down\nB;\n"),
            ("\n-- about\n--migrate:up\nA;\n\n--migrate:down", "--migrate:up\nA;\n\n", "--migrate:down"),
            ("-- migrate:up\r\nA;\r\n-- migrate:down\r\n", "-- migrate:up\r\nA;\r\n", "-- migrate:down\r\n"),
            (
                "--\nmigrate:up x\n--migrate:upper\n-- migrate:down",
                "--\nmigrate:up x\n--migrate:upper\n",
                "-- migrate:down",
            ),
            ("-- migrate:down\n-- migrate:up\n-- migrate:down\n", "-- migrate:up\n", "-- migrate:down\n"),
        ] {
            let texts = [Direction::Up, Direction::Down].map(|direction| parse(source, direction).unwrap().statements);
            assert_eq!(texts.each_ref().map(Vec::len), [1, 1], "{source:?}");
            assert_eq!([texts[0][0].text.as_str(), texts[1][0].text.as_str()], [above, below]);
        }
    }

    #[test]
    fn what_dbmate_refuses_is_refused() {
        for (source, line, says) in [
            ("", 1, "no \"-- migrate:up\""),
            ("SELECT 1;\n", 1, "no \"-- migrate:up\""),
            (" -- migrate:up\n-- migrate:down\n", 1, "no \"-- migrate:up\""),
            ("-- Migrate:Up\n-- migrate:down\n", 1, "no \"-- migrate:up\""),
            ("\nSELECT 1;\n-- migrate:up\n-- migrate:down\n", 2, "SQL before"),
            ("-- x\n-- migrate:up\nSELECT 1;\n", 2, "no \"-- migrate:down\""),
            ("-- migrate:up\n-- migrate:up\n-- migrate:down\n", 1, "no \"-- migrate:down\""),
            ("-- migrate:up\n-- migrate:down\n-- migrate:down\n", 3, "second \"-- migrate:down\""),
            ("-- migrate:down\nB;\n-- migrate:up\n-- migrate:down\n", 2, "SQL before"),
        ] {
            for direction in [Direction::Up, Direction::Down] {
                let problem = parse(source, direction).unwrap_err();
                assert!(problem.line == line && problem.message.contains(says), "{source:?}: {problem}");
            }
        }
    }

    #[test]
    fn options() {
        for (line, expected) in [
            ("-- migrate:up", true),
            ("-- migrate:up transaction:false", false),
            ("--  migrate:up\ttransaction:false\r", false),
            ("-- migrate:up x transaction:true transaction:false", false),
            ("-- migrate:up transaction:false transaction:true", true),
            ("-- migrate:up transaction:false:", true),
            ("-- migrate:up transaction: false", true),
            ("-- migrate:up Transaction:false", true),
        ] {
            assert_eq!(up(&format!("{line}\n-- migrate:down transaction:false\n")).use_transaction, expected, "{line}");
        }
        let down = "-- migrate:up\n-- migrate:down transaction:false\n";
        assert!(!parse(down, Direction::Down).unwrap().use_transaction);
    }

    #[test]
    fn all_sections_count() {
        let source =
            "-- migrate:up\nA;\n-- migrate:down\nB;\n-- migrate:up transaction:false\nC;\n-- migrate:down\nD;\n";
        let parsed = up(source);
        assert_eq!(parsed.statements.iter().map(|s| s.line).collect::<Vec<_>>(), [1, 5]);
        assert!(!parsed.use_transaction);
        let down = parse(source, Direction::Down).unwrap();
        assert_eq!(down.statements.iter().map(|s| s.line).collect::<Vec<_>>(), [3, 7]);
        assert!(down.use_transaction);
    }

    #[test]
    fn file_names() {
        let read =
            |file: &str| Dbmate.file_name(file).unwrap().map(|name| (name.version.to_string(), name.description));
        for (file, version, description) in [
            ("20251104120000_a_b.sql", "20251104120000", "a_b"),
            ("007.sql", "007", ""),
            ("1-x.sql", "1", "-x"),
            ("99999999999999999999_x.sql", "99999999999999999999", "x"),
        ] {
            assert_eq!(read(file), Some((version.to_owned(), description.to_owned())));
        }
        for file in ["README.md", "a.sql", ".sql", "_1.sql", "1_a.sql.bak", "٣_a.sql"] {
            assert_eq!(read(file), None, "{file}");
        }
        assert!(Dbmate.file_name(&format!("{}_x.sql", "1".repeat(51))).is_err());
    }
}
