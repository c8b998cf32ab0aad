//! What may lie in a folder, and what becomes of it in each format.

use super::super::*;
use format::{ALL, Direction, Format, by_name};
use proptest::prelude::*;

const TOOLS: [&str; 4] = ["goose", "dbmate", "golang-migrate", "sqlx"];

fn read(tool: &str, files: &[(&str, &[u8])]) -> Result<Folder<'static>, FolderError> {
    let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    Folder::read(by_name(tool).unwrap(), files, &|_| None)
}

/// A file's name and text in that tool's form.
fn file(tool: &str, sql: &str) -> (&'static str, String) {
    match tool {
        "goose" => ("1_a.sql", format!("-- +goose Up\n{sql}\n")),
        "dbmate" => ("1_a.sql", format!("-- migrate:up\n{sql}\n-- migrate:down\n")),
        "golang-migrate" => ("1_a.up.sql", sql.to_owned()),
        _ => ("1_a.sql", sql.to_owned()),
    }
}

/// The problem of the only file, wherever it is found.
fn problem(tool: &str, name: &str, bytes: &[u8]) -> Option<String> {
    match read(tool, &[(name, bytes)]) {
        Err(error) => Some(error.to_string()),
        Ok(folder) => folder.problems().first().map(ToString::to_string),
    }
}

#[test]
fn a_byte_order_mark_where_the_tool_takes_it() {
    for (tool, expected) in [
        (
            "goose",
            Some(
                "1_a.sql, line 1: the file begins with a byte order mark, which goose refuses. Save the file as UTF-8 text.",
            ),
        ),
        (
            "dbmate",
            Some(
                "1_a.sql, line 1: the file begins with a byte order mark, which dbmate refuses. Save the file as UTF-8 text.",
            ),
        ),
        ("golang-migrate", None),
        ("sqlx", None),
    ] {
        let (name, text) = file(tool, "SELECT 1;");
        assert_eq!(problem(tool, name, format!("\u{feff}{text}").as_bytes()).as_deref(), expected);
    }
}

#[test]
fn ends_of_lines_stay_as_the_tool_sends_them() {
    for (tool, sent) in [
        // goose puts lines together again by itself.
        ("goose", "SELECT 1,\n2;"),
        ("dbmate", "-- migrate:up\r\nSELECT 1,\r\n2;\r\n"),
        ("golang-migrate", "SELECT 1,\r\n2;"),
        ("sqlx", "SELECT 1,\r\n2;"),
    ] {
        let (name, text) = file(tool, "SELECT 1,\n2;");
        let folder = read(tool, &[(name, text.replace('\n', "\r\n").as_bytes())]).unwrap();
        assert_eq!(folder.migrations()[0].up[0].text, sent, "{tool}");
    }
}

#[test]
fn bytes_that_are_no_text() {
    for tool in TOOLS {
        let (name, text) = file(tool, "SELECT 1;");
        let binary = [text.as_bytes(), b"\n\x7fELF\0"].concat();
        let says = problem(tool, name, &binary).unwrap();
        assert!(says.contains("a zero byte, so this is no text. Save the file as UTF-8 text."), "{says}");
        let says = problem(tool, name, &[text.as_bytes(), b"\xff\xfe"].concat()).unwrap();
        assert!(says.contains("not UTF-8"), "{says}");
    }
}

#[test]
fn too_much() {
    let large = vec![b' '; 50 * 1024 * 1024];
    for tool in TOOLS {
        let (name, _) = file(tool, "");
        assert_eq!(problem(tool, name, &large).unwrap(), format!("{name} is over the limit of 16 MiB."));
    }
    let half = vec![b' '; FILE_LIMIT_BYTES];
    let names: Vec<_> = (1..=9).map(|n| format!("{n}_a.sql")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), half.as_slice())).collect();
    let says = read("goose", &files).unwrap_err().to_string();
    assert_eq!(says, "The migrations folder is over the limit of 128 MiB.");
    let names: Vec<_> = (1..=FILES_LIMIT + 1).map(|n| format!("{n}_a.sql")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    assert_eq!(
        read("goose", &files).unwrap_err().to_string(),
        "The migrations folder is over the limit of 10000 files."
    );
}

#[test]
fn commands_for_psql_in_every_format() {
    for tool in TOOLS {
        let (name, text) = file(tool, "SELECT 1;\n\\copy a from 'b'\nSELECT 2;");
        let says = problem(tool, name, text.as_bytes()).unwrap();
        assert!(says.contains(": \\copy is a command for psql, not SQL. Take it out of the migration."), "{says}");
        let (name, text) = file(tool, "SELECT '\n\\copy';");
        assert_eq!(problem(tool, name, text.as_bytes()), None);
    }
}

#[test]
fn one_version_twice() {
    for (tool, first, second) in [
        ("goose", "01_b.sql", "1_a.sql"),
        ("dbmate", "1_a.sql", "1_b.sql"),
        ("golang-migrate", "01_b.up.sql", "1_a.up.sql"),
        ("golang-migrate", "1_a.down.sql", "1_b.down.json"),
        ("sqlx", "01_b.up.sql", "1_a.sql"),
    ] {
        let says = read(tool, &[(second, b""), (first, b"")]).unwrap_err().to_string();
        assert_eq!(says, format!("{first} and {second} have the same version 1. Give one of them another number."));
    }
    // Versions are text to dbmate.
    assert_eq!(read("dbmate", &[("1_a.sql", b""), ("01_b.sql", b"")]).unwrap().files().count(), 2);
}

#[test]
fn gaps_are_fine_and_each_tool_has_its_order() {
    for (tool, names, expected) in [
        ("goose", ["10_a.sql", "9_a.sql", "500_a.sql"], ["9_a.sql", "10_a.sql", "500_a.sql"]),
        ("sqlx", ["10_a.sql", "9_a.sql", "500_a.sql"], ["9_a.sql", "10_a.sql", "500_a.sql"]),
        (
            "golang-migrate",
            ["10_a.up.sql", "9_a.up.sql", "500_a.up.sql"],
            ["9_a.up.sql", "10_a.up.sql", "500_a.up.sql"],
        ),
        ("dbmate", ["10_a.sql", "9_a.sql", "500_a.sql"], ["10_a.sql", "500_a.sql", "9_a.sql"]),
    ] {
        let folder = read(tool, &names.map(|name| (name, b"".as_slice()))).unwrap();
        assert_eq!(folder.files().map(|file| file.up.file.as_str()).collect::<Vec<_>>(), expected, "{tool}");
    }
}

#[test]
fn ways_up_and_down_in_two_files() {
    for tool in ["golang-migrate", "sqlx"] {
        let up = ("1_a.up.sql", b"CREATE TABLE a (b int);".as_slice());
        let down = ("1_a.down.sql", b"DROP TABLE a;".as_slice());
        for files in [[up, down], [down, up]] {
            let migration = read(tool, &files).unwrap().migrations().remove(0);
            assert_eq!((migration.file.as_str(), migration.reversible), ("1_a.up.sql", true));
            assert_eq!(migration.down[0].text, "DROP TABLE a;");
        }
        let alone = read(tool, &[up]).unwrap().migrations().remove(0);
        assert!(!alone.reversible && alone.down.is_empty() && alone.down_problem.is_none());
    }
    let down = [("1_a.down.sql", b"DROP TABLE a;".as_slice())];
    assert!(read("sqlx", &down).unwrap().is_empty());
    // golang-migrate counts it as a version that does nothing.
    let nothing = read("golang-migrate", &down).unwrap().migrations().remove(0);
    assert_eq!((nothing.up.len(), nothing.reversible, nothing.summary.as_str()), (0, true, "no statements"));
}

#[test]
fn sqlx_takes_simple_files_among_reversible_ones() {
    let text = b"SELECT 1;".as_slice();
    let files =
        [("1_a.sql", text), ("2_b.up.sql", text), ("2_b.down.sql", text), ("3_c.sql", text), ("3_c.down.sql", text)];
    let migrations = read("sqlx", &files).unwrap().migrations();
    assert_eq!(migrations.iter().map(|m| m.reversible).collect::<Vec<_>>(), [false, true, true]);
    assert!(migrations[0].down.is_empty());
}

#[test]
fn a_way_down_of_comments_alone_is_none() {
    let none = b"-- migrate:up\nSELECT 1;\n-- migrate:down\n-- nothing\n".as_slice();
    assert!(!read("dbmate", &[("1_a.sql", none)]).unwrap().migrations()[0].reversible);
}

/// Lines that formats, quotes and ends of lines are made of.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("-- +goose Up"),
        Just("-- +goose Down"),
        Just("-- +goose StatementBegin"),
        Just("-- +goose StatementEnd"),
        Just("-- +goose NO TRANSACTION"),
        Just("-- migrate:up"),
        Just("-- migrate:down transaction:false"),
        Just("--\nmigrate:up"),
        Just("-- no-transaction"),
        Just("SELECT 1;"),
        Just("SELECT E'\\'"),
        Just("$$ BEGIN"),
        Just("CREATE TRIGGER t BEGIN SELECT 1; END;"),
        Just("/* "),
        Just("\""),
        Just(""),
        Just("é;"),
        Just("\\d"),
        Just("\u{feff}"),
        Just("END"),
    ];
    let lines = prop::collection::vec((line, prop_oneof![Just("\n"), Just("\r\n"), Just(" "), Just("")]), 0..12);
    lines.prop_map(|lines| lines.into_iter().map(|(line, end)| format!("{line}{end}")).collect())
}

fn parsed(format: &dyn Format, text: &str) -> Vec<Statement> {
    let both = [Direction::Up, Direction::Down].map(|direction| format.parse(text, direction, &|_| None));
    both.into_iter().flatten().flat_map(|parsed| parsed.statements).collect()
}

proptest! {
    #[test]
    fn nothing_panics_on_any_text(text in "\\PC*|[\\x00-\\x7f]*", name in "[0-9_a-z.+]{0,20}(\\.up|\\.down)?\\.sql") {
        for format in ALL {
            parsed(*format, &text);
            format.recognises(&name, &text);
            let _ = format.file_name(&name);
            let files = [(name.clone(), text.clone().into_bytes())];
            if let Ok(folder) = Folder::read(*format, files, &|_| None) {
                let _ = folder.problems();
                let _ = folder.migrations();
            }
        }
    }

    /// The first line of a statement stands in that line of the file.
    #[test]
    fn a_statement_begins_in_its_line(text in text()) {
        for format in ALL {
            for statement in parsed(*format, &text) {
                let line = text.split('\n').nth(statement.line - 1).unwrap();
                let first = statement.text.split('\n').next().unwrap().trim();
                prop_assert!(line.contains(first), "{}: {first:?} is not in line {}: {line:?}", format.name(), statement.line);
            }
        }
    }

    /// What is sent of these is the file itself, or pieces of it that leave nothing out.
    #[test]
    fn nothing_is_lost_between_blocks(text in text()) {
        for tool in ["golang-migrate", "sqlx"] {
            let sent: String = parsed(by_name(tool).unwrap(), &text).into_iter().take(1).map(|s| s.text).collect();
            prop_assert!(sent == text || (sent.is_empty() && text.trim().is_empty()));
        }
        let dbmate = by_name("dbmate").unwrap();
        let halves = [Direction::Up, Direction::Down].map(|direction| dbmate.parse(&text, direction, &|_| None));
        if let [Ok(up), Ok(down)] = halves {
            let blocks = up.statements.iter().zip(&down.statements).map(|(up, down)| format!("{}{}", up.text, down.text));
            let sent: String = blocks.collect();
            prop_assert!(text.ends_with(&sent));
            prop_assert!(text[..text.len() - sent.len()].lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("--")));
        }
    }

    #[test]
    fn versions_are_in_one_order(mut versions in prop::collection::vec("(0{0,2}[0-9]{1,20}\\.){0,2}0{0,2}[0-9]{1,20}", 3)) {
        let mut read: Vec<Version> = versions.drain(..).filter_map(|text| Version::parse(&text)).collect();
        read.sort();
        for pair in read.windows(2) {
            prop_assert!(pair[0] <= pair[1] && (pair[0] == pair[1]) == (pair[0].cmp(&pair[1]).is_eq()));
            prop_assert_eq!(pair[0].cmp(&pair[1]), pair[1].cmp(&pair[0]).reverse());
        }
        if let (Some(first), Some(last)) = (read.first(), read.last()) {
            prop_assert!(first <= last);
        }
    }
}
