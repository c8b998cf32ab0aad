mod input;
mod states;

use super::format::goose::Goose;
use super::*;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

fn folder(files: &[(&str, &str)]) -> Result<Folder<'static>, FolderError> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Folder::read(&Goose, files, &|name| (name == "ROLE_PASSWORD").then(|| "hunter22".to_owned()))
}

fn simple(name: &'static str) -> (&'static str, &'static str) {
    (name, "-- +goose Up\nCREATE TABLE likes (id int);\n-- +goose Down\nDROP TABLE likes;\n")
}

fn row(ordinal: i64, version: u64, is_applied: bool) -> AppliedRow {
    let version = version.into();
    AppliedRow { ordinal, version, is_applied, is_dirty: false, checksum: None, applied_at: None }
}

fn applied(versions: &[u64]) -> History {
    History::of(&Goose, (1..).zip(versions).map(|(ordinal, version)| row(ordinal, *version, true)).collect())
}

fn plan(folder: &Folder<'_>, history: &History) -> Result<Pending, PendingError> {
    plan_pending(folder, history, &PendingOptions::default())
}

fn versions(pending: &Pending) -> Vec<String> {
    pending.migrations.iter().map(|m| m.version.to_string()).collect()
}

fn texts(statements: &[Statement]) -> Vec<&str> {
    statements.iter().map(|statement| statement.text.as_str()).collect()
}

#[test]
fn files_are_ordered_by_version_and_others_ignored() {
    let folder = folder(&[simple("10_c.sql"), simple("9_b.sql"), simple("0001_a.sql"), ("README.md", "hi")]).unwrap();
    assert_eq!(folder.files().map(|f| f.up.file.as_str()).collect::<Vec<_>>(), ["0001_a.sql", "9_b.sql", "10_c.sql"]);
    let first = folder.get(&1.into()).unwrap().unwrap();
    assert_eq!(texts(&first.up), ["CREATE TABLE likes (id int);"]);
    assert_eq!(texts(&first.down), ["DROP TABLE likes;"]);
    let planned = first.planned(None, &mut Tables::default(), &LintOptions::default());
    assert_eq!(planned.summary, "creates table likes");
    assert!(planned.reversible && planned.transactional && planned.not_run.is_none());
    assert_eq!(planned.checksum, hex::encode(Sha256::digest(simple("x").1)));
}

#[test]
fn errors_name_file_and_line() {
    let broken = [
        ("likes.sql", "", "likes.sql: the name has no \"_\""),
        ("1_a.sql", "-- +goose Up\n\0", "1_a.sql, line 2: a zero byte"),
    ];
    for (name, text, expected) in broken {
        let error = folder(&[(name, text)]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let latin = Folder::read(&Goose, [("1_a.sql".to_owned(), b"-- +goose Up\n\n-- caf\xe9\n".to_vec())], &|_| None);
    assert!(latin.unwrap_err().to_string().starts_with("1_a.sql, line 3: not UTF-8"));
    let twice = folder(&[simple("1_a.sql"), simple("01_b.sql")]).unwrap_err().to_string();
    assert_eq!(twice, "01_b.sql and 1_a.sql have the same version 1. Give one of them another number.");
    let large = Folder::read(&Goose, [("1_a.sql".to_owned(), vec![b' '; FILE_LIMIT_BYTES + 1])], &|_| None);
    assert!(matches!(large, Err(FolderError::TooLarge { .. })));
}

#[test]
fn psql_commands_are_refused_by_name() {
    let folder = folder(&[("1_a.sql", "-- +goose Up\nSELECT 1;\n\\connect goals\nSELECT 2;\n")]).unwrap();
    let problem = folder.problems()[0].to_string();
    assert!(problem.starts_with("1_a.sql, line 3: \\connect is a command for psql"), "{problem}");
}

#[test]
fn a_broken_file_matters_only_while_it_is_pending() {
    let folder = folder(&[("1_a.sql", "SELECT 1;"), simple("2_b.sql")]).unwrap();
    assert!(plan(&folder, &applied(&[])).unwrap_err().to_string().starts_with("1_a.sql, line 1: SQL before"));
    assert_eq!(versions(&plan(&folder, &applied(&[1])).unwrap()), ["2"]);
}

#[test]
fn a_broken_way_back_does_not_stop_the_way_up() {
    let folder = folder(&[("1_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2\n")]).unwrap();
    let migration = folder.get(&1.into()).unwrap().unwrap();
    assert!(!migration.reversible);
    assert!(migration.down_problem.is_some());
}

#[test]
fn a_file_with_its_own_transaction_is_not_wrapped_in_another() {
    let folder = folder(&[("1_a.sql", "-- +goose Up\nBEGIN;\nSELECT 1;\nCOMMIT;\n")]).unwrap();
    assert!(!folder.get(&1.into()).unwrap().unwrap().transactional);
}

#[test]
fn substituted_values_are_never_shown() {
    let text = "-- +goose ENVSUB ON\n-- +goose Up\nCREATE TABLE ${ROLE_PASSWORD} (id int);\n";
    let folder = folder(&[("1_a.sql", text)]).unwrap();
    let migration = folder.get(&1.into()).unwrap().unwrap();
    assert!(migration.up[0].text.contains("hunter22"));
    assert_eq!(migration.substituted.mask("near \"hunter22\""), "near \"***\"");
    assert!(!format!("{folder:?} {migration:?}").contains("hunter22"));
    assert_eq!(migration.summary, "1 statement");
}

#[test]
fn pending_are_those_not_applied_in_order() {
    let folder = folder(&[simple("1_a.sql"), simple("2_b.sql"), simple("3_c.sql")]).unwrap();
    assert_eq!(versions(&plan(&folder, &applied(&[])).unwrap()), ["1", "2", "3"]);
    let pending = plan(&folder, &applied(&[1, 9])).unwrap_err();
    assert_eq!(
        pending.to_string(),
        "2_b.sql, 3_c.sql are not applied, but older than version 9, which is applied. Give them newer version \
         numbers."
    );
    let pending = plan(&folder, &applied(&[1, 2, 3, 9])).unwrap();
    assert_eq!((versions(&pending), pending.unknown_applied), (vec![], vec![9.into()]));
}

#[test]
fn the_newest_row_of_a_version_counts() {
    let of = |rows: &[AppliedRow]| History::of(&Goose, rows.to_vec());
    let one = &Version::from(1);
    // Given newest first, as goose reads them.
    let history = of(&[row(4, 2, false), row(3, 2, true), row(2, 1, true)]);
    assert_eq!((history.current(), history.newest(), history.contains(&2.into())), (Some(one), Some(one), false));
    let again = of(&[row(5, 1, true), row(4, 2, true), row(3, 2, false)]);
    assert_eq!((again.current(), again.newest()), (Some(one), Some(&2.into())));
}

#[test]
fn what_cannot_run_here_stays_pending_and_is_no_disorder() {
    let folder = folder(&[simple("1_a.sql"), simple("2_b.sql"), simple("3_c.sql")]).unwrap();
    let cannot = PendingOptions {
        cannot_run: BTreeMap::from([(2.into(), "no PostgreSQL here".to_owned())]),
        ..PendingOptions::default()
    };
    let pending = plan_pending(&folder, &applied(&[1]), &cannot).unwrap();
    assert_eq!(versions(&pending), ["2", "3"]);
    assert_eq!(pending.to_run().iter().map(|m| m.version.as_str()).collect::<Vec<_>>(), ["3"]);
    assert_eq!(pending.planned(&LintOptions::default())[0].not_run.as_deref(), Some("no PostgreSQL here"));
    let later = plan_pending(&folder, &applied(&[1, 3]), &cannot).unwrap();
    assert_eq!(versions(&later), ["2"]);
    assert!(later.to_run().is_empty());
}
