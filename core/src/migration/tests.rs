use super::format::goose::Goose;
use super::*;
use std::collections::BTreeMap;

fn folder(files: &[(&str, &str)]) -> Result<Folder, FolderError> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Folder::read(&Goose, files, &|name| (name == "ROLE_PASSWORD").then(|| "hunter22".to_owned()))
}

fn simple(name: &'static str) -> (&'static str, &'static str) {
    (name, "-- +goose Up\nCREATE TABLE likes (id int);\n-- +goose Down\nDROP TABLE likes;\n")
}

fn rows(versions: &[i64]) -> Vec<AppliedRow> {
    std::iter::once(&0)
        .chain(versions)
        .zip(1..)
        .map(|(version, id)| AppliedRow { id, version: *version, is_applied: true })
        .collect()
}

fn versions(pending: &Pending) -> Vec<i64> {
    pending.migrations.iter().map(|m| m.version).collect()
}

#[test]
fn files_are_ordered_by_version_and_others_ignored() {
    let folder = folder(&[simple("10_c.sql"), simple("9_b.sql"), simple("0001_a.sql"), ("README.md", "hi")]).unwrap();
    assert_eq!(folder.files().map(|f| f.file.as_str()).collect::<Vec<_>>(), ["0001_a.sql", "9_b.sql", "10_c.sql"]);
    let first = folder.get(1).unwrap().unwrap();
    assert_eq!(first.up, ["CREATE TABLE likes (id int);"]);
    assert_eq!(first.down, ["DROP TABLE likes;"]);
    let planned = first.planned(None, &BTreeSet::new());
    assert_eq!(planned.summary, "creates table likes");
    assert!(planned.reversible && planned.transactional && planned.not_run.is_none());
    assert_eq!(planned.checksum, hex::encode(Sha256::digest(simple("x").1)));
}

#[test]
fn errors_name_file_and_line() {
    let broken = [
        ("likes.sql", "", "likes.sql: the name has no \"_\""),
        ("1_a.sql", "\u{feff}-- +goose Up\n", "1_a.sql, line 1: the file begins with a byte order mark"),
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
    let problem = folder.problems().next().unwrap().to_string();
    assert!(problem.starts_with("1_a.sql, line 3: \\connect is a command for psql"), "{problem}");
}

#[test]
fn a_broken_file_matters_only_while_it_is_pending() {
    let folder = folder(&[("1_a.sql", "SELECT 1;"), simple("2_b.sql")]).unwrap();
    assert!(plan_pending(&folder, &rows(&[])).unwrap_err().to_string().starts_with("1_a.sql, line 1: SQL before"));
    assert_eq!(versions(&plan_pending(&folder, &rows(&[1])).unwrap()), [2]);
}

#[test]
fn a_broken_way_back_does_not_stop_the_way_up() {
    let folder = folder(&[("1_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2\n")]).unwrap();
    let migration = folder.get(1).unwrap().unwrap();
    assert!(!migration.reversible);
    assert!(migration.down_problem.is_some());
}

#[test]
fn a_file_with_its_own_transaction_is_not_wrapped_in_another() {
    let folder = folder(&[("1_a.sql", "-- +goose Up\nBEGIN;\nSELECT 1;\nCOMMIT;\n")]).unwrap();
    assert!(!folder.get(1).unwrap().unwrap().transactional);
}

#[test]
fn substituted_values_are_never_shown() {
    let text = "-- +goose ENVSUB ON\n-- +goose Up\nCREATE TABLE ${ROLE_PASSWORD} (id int);\n";
    let folder = folder(&[("1_a.sql", text)]).unwrap();
    let migration = folder.get(1).unwrap().unwrap();
    assert!(migration.up[0].contains("hunter22"));
    assert_eq!(migration.substituted.mask("near \"hunter22\""), "near \"***\"");
    assert!(!format!("{folder:?} {migration:?}").contains("hunter22"));
    assert_eq!(migration.summary, "1 statement");
}

#[test]
fn pending_are_those_not_applied_in_order() {
    let folder = folder(&[simple("1_a.sql"), simple("2_b.sql"), simple("3_c.sql")]).unwrap();
    assert_eq!(versions(&plan_pending(&folder, &[]).unwrap()), [1, 2, 3]);
    let pending = plan_pending(&folder, &rows(&[1, 9])).unwrap_err();
    assert_eq!(
        pending.to_string(),
        "2_b.sql, 3_c.sql are not applied, but older than version 9, which is applied. Give them a newer version \
         number, or apply them with \"goose up -allow-missing\"."
    );
    let pending = plan_pending(&folder, &rows(&[1, 2, 3, 9])).unwrap();
    assert_eq!((versions(&pending), pending.unknown_applied), (vec![], vec![9]));
}

#[test]
fn the_newest_row_of_a_version_counts() {
    let row = |id, version, is_applied| AppliedRow { id, version, is_applied };
    // Given newest first, as goose reads them.
    let taken_back = [row(4, 2, false), row(3, 2, true), row(2, 1, true), row(1, 0, true)];
    let history = History::of(&taken_back);
    assert_eq!((history.current(), history.newest(), history.contains(2)), (Some(1), Some(1), false));
    let again = [row(5, 1, true), row(4, 2, true), row(3, 2, false)];
    assert_eq!((History::of(&again).current(), History::of(&again).newest()), (Some(1), Some(2)));
}

#[test]
fn what_cannot_run_here_stays_pending_and_is_no_disorder() {
    let folder = folder(&[simple("1_a.sql"), simple("2_b.sql"), simple("3_c.sql")]).unwrap();
    let cannot = BTreeMap::from([(2, "no PostgreSQL here".to_owned())]);
    let pending = plan_pending_without(&folder, &rows(&[1]), &cannot).unwrap();
    assert_eq!(versions(&pending), [2, 3]);
    assert_eq!(pending.to_run().iter().map(|m| m.version).collect::<Vec<_>>(), [3]);
    assert_eq!(pending.planned()[0].not_run.as_deref(), Some("no PostgreSQL here"));
    let later = plan_pending_without(&folder, &rows(&[1, 3]), &cannot).unwrap();
    assert_eq!(versions(&later), [2]);
    assert!(later.to_run().is_empty());
}
