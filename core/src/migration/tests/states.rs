//! How migrations stand, tool by tool.

use super::super::*;
use format::by_name;

/// A folder of that tool with migrations of these versions.
pub(super) fn folder_of(tool: &str, versions: &[u64]) -> Folder<'static> {
    let file = |version: &u64| match tool {
        "goose" => (format!("{version}_a.sql"), "-- +goose Up\nSELECT 1;\n".to_owned()),
        "dbmate" => (format!("{version}_a.sql"), "-- migrate:up\nSELECT 1;\n-- migrate:down\n".to_owned()),
        _ => (format!("{version}_a.up.sql"), "SELECT 1;\n".to_owned()),
    };
    let files = versions.iter().map(file).map(|(name, text)| (name, text.into_bytes()));
    Folder::read(by_name(tool).unwrap(), files, &|_| None).unwrap()
}

fn row(version: u64) -> AppliedRow {
    let ordinal = i64::try_from(version).unwrap();
    AppliedRow { ordinal, version: version.into(), is_applied: true, is_dirty: false, checksum: None, applied_at: None }
}

fn dirty(version: u64) -> AppliedRow {
    AppliedRow { is_dirty: true, ..row(version) }
}

/// Slipway's record of a version of [`folder_of`], as the folder has it.
fn record(folder: &Folder<'_>, version: u64, state: RecordState) -> Record {
    let file = folder.file(&version.into());
    Record {
        version: version.into(),
        file: file.map_or_else(|| format!("{version}_gone.sql"), |file| file.up.file.clone()),
        checksum: file.map_or_else(String::new, |file| file.up.checksum.clone()),
        state,
        statements: 3,
        statements_done: 1,
        error: None,
    }
}

/// Each version with its state, and with what the state says.
fn states(folder: &Folder<'_>, history: &History) -> String {
    let entries = standing(folder, history, &PendingOptions::default());
    let name = |entry: &StandingEntry| {
        let json = serde_json::to_value(entry).unwrap();
        format!("{} {}", entry.version, json["state"].as_str().unwrap())
    };
    entries.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn history(tool: &str, rows: &[AppliedRow]) -> History {
    History::of(by_name(tool).unwrap(), rows.to_vec())
}

/// What would run, or the error's sentence.
fn planned(folder: &Folder<'_>, history: &History, late: Late) -> String {
    match plan_pending(folder, history, &PendingOptions { late, ..PendingOptions::default() }) {
        Err(error) => error.to_string(),
        Ok(pending) => {
            let planned = pending.planned(&LintOptions::default());
            let each = planned.iter().map(|m| format!("{}{}", m.version, if m.late { " late" } else { "" }));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

#[test]
fn late_files_are_treated_as_their_tool_does_but_never_left_out_without_a_word() {
    for (tool, as_the_tool, apply) in [
        (
            "goose",
            "2_a.sql is not applied, but older than version 3, which is applied. Give it a newer version number.",
            "2 late, 4",
        ),
        ("dbmate", "2 late, 4", "2 late, 4"),
        ("sqlx", "2 late, 4", "2 late, 4"),
    ] {
        let folder = folder_of(tool, &[1, 2, 3, 4]);
        let history = history(tool, &[row(1), row(3)]);
        assert_eq!(planned(&folder, &history, Late::AsTheTool), as_the_tool, "{tool}");
        assert_eq!(planned(&folder, &history, Late::Apply), apply, "{tool}");
        assert_eq!(states(&folder, &history), "1 applied, 2 late, 3 applied, 4 pending", "{tool}");
    }
}

#[test]
fn a_table_of_one_row_stands_for_all_before_it() {
    let folder = folder_of("golang-migrate", &[1, 2, 3, 4]);
    let three = history("golang-migrate", &[row(3)]);
    assert_eq!(planned(&folder, &three, Late::AsTheTool), "4");
    assert_eq!(states(&folder, &three), "1 applied, 2 applied, 3 applied, 4 pending");
    assert_eq!(planned(&folder, &history("golang-migrate", &[]), Late::AsTheTool), "1, 2, 3, 4");
}

#[test]
fn what_golang_migrate_would_leave_out_is_known_by_the_record() {
    let folder = folder_of("golang-migrate", &[1, 2, 3, 4]);
    let records = [1, 3].map(|version| record(&folder, version, RecordState::Found)).to_vec();
    let left_out = history("golang-migrate", &[row(3)]).with_records(records.clone());
    let says = "2_a.up.sql is not applied, but older than version 3, which is applied. golang-migrate would leave it out for \
                ever. Give it a newer version number.";
    for late in [Late::AsTheTool, Late::Apply] {
        assert_eq!(planned(&folder, &left_out, late), says);
    }
    assert_eq!(states(&folder, &left_out), "1 applied, 2 late, 3 applied, 4 pending");
    // The tool has taken 3 back and goes on with 2: what the record says of 3 is no more true.
    let back = history("golang-migrate", &[row(2)]).with_records(records);
    assert_eq!(planned(&folder, &back, Late::AsTheTool), "3, 4");
}

#[test]
fn missing_ones_are_listed_where_they_belong() {
    for tool in ["goose", "dbmate", "sqlx"] {
        let folder = folder_of(tool, &[1, 4]);
        let history = history(tool, &[row(1), row(2), row(9)]);
        assert_eq!(states(&folder, &history), "1 applied, 2 missing, 4 late, 9 missing");
        let pending = plan_pending(&folder, &history, &PendingOptions { late: Late::Apply, ..Default::default() });
        assert_eq!(pending.unwrap().unknown_applied, [2.into(), 9.into()]);
    }
    let folder = folder_of("golang-migrate", &[1, 4]);
    let records = [1, 2].map(|version| record(&folder, version, RecordState::Applied)).to_vec();
    let history = history("golang-migrate", &[row(3)]).with_records(records);
    assert_eq!(states(&folder, &history), "1 applied, 2 missing, 3 missing, 4 pending");
}

#[test]
fn edited_files_are_known_by_the_record_and_by_the_tools_checksum() {
    for tool in ["goose", "dbmate", "golang-migrate", "sqlx"] {
        let folder = folder_of(tool, &[1, 2, 3]);
        let edited = Record { checksum: "0".repeat(64), ..record(&folder, 1, RecordState::Found) };
        let not_yet = Record { checksum: "0".repeat(64), ..record(&folder, 3, RecordState::Applied) };
        let same = record(&folder, 2, RecordState::Applied);
        let history = history(tool, &[row(1), row(2)]).with_records(vec![edited, same, not_yet]);
        assert_eq!(states(&folder, &history), "1 edited, 2 applied, 3 pending", "{tool}");
        let pending = plan_pending(&folder, &history, &PendingOptions::default()).unwrap();
        assert_eq!(pending.edited, [folder.file(&1.into()).unwrap().up.file.clone()]);
    }
    let folder = folder_of("sqlx", &[1, 2]);
    let sqlx = folder.format();
    let kept =
        |version: u64, checksum: Option<Vec<u8>>| AppliedRow { checksum: checksum.map(hex::encode), ..row(version) };
    let good = sqlx.checksum(folder.file(&1.into()).unwrap());
    let history = History::of(sqlx, vec![kept(1, good), kept(2, Some(vec![0; 48]))]);
    assert_eq!(states(&folder, &history), "1 applied, 2 edited");
}

#[test]
fn what_the_tool_left_dirty_stops_everything_and_says_the_way_out() {
    for (tool, says) in [
        (
            "golang-migrate",
            "golang-migrate began version 2 (2_a.up.sql) and did not see it end. Nothing can be applied until that is \
             settled: look at what is done of it. It may also have been taking back the version after this one. Finish it \
             by hand or undo it, and then say which version is in place: \"migrate force VERSION\".",
        ),
        (
            "sqlx",
            "sqlx began version 2 (2_a.up.sql) and did not see it end. Nothing can be applied until that is settled: look \
             at what is done of it. Finish it by hand and set success to true in its row of _sqlx_migrations, or undo it \
             and delete the row.",
        ),
    ] {
        let folder = folder_of(tool, &[1, 2, 3]);
        let rows = if tool == "sqlx" { vec![row(1), dirty(2)] } else { vec![dirty(2)] };
        let history = history(tool, &rows);
        assert_eq!(planned(&folder, &history, Late::Apply), says);
        assert_eq!(states(&folder, &history), "1 applied, 2 dirty, 3 pending");
    }
    let folder = folder_of("sqlx", &[1, 3]);
    assert_eq!(states(&folder, &history("sqlx", &[row(1), dirty(2)])), "1 applied, 2 dirty, 3 pending");
}

#[test]
fn what_slipway_left_half_done_is_pending_with_what_is_known_of_it() {
    for tool in ["goose", "dbmate", "golang-migrate", "sqlx"] {
        let folder = folder_of(tool, &[1, 2, 3]);
        // Slipway leaves golang-migrate's dirty row there as the tool does.
        let rows = if tool == "golang-migrate" { vec![dirty(2)] } else { vec![row(1)] };
        let failed = Record { error: Some("no space".to_owned()), ..record(&folder, 2, RecordState::Failed) };
        let history = history(tool, &rows).with_records(vec![record(&folder, 1, RecordState::Applied), failed]);
        assert_eq!(states(&folder, &history), "1 applied, 2 half_done, 3 pending", "{tool}");
        let pending = plan_pending(&folder, &history, &PendingOptions::default()).unwrap();
        assert_eq!(pending.migrations.len(), 2, "{tool}");
        assert_eq!((pending.half_done.len(), pending.half_done[0].done, pending.half_done[0].total), (1, 1, 3));
        let migration = pending.half_done[0].clone();
        assert!(migration.is_stuck());
        let says = PendingError::HalfDone { migration, taking_back: false }.to_string();
        assert!(says.contains("1 of 3 statements is done, statement 2 failed: no space."), "{says}");
        assert!(!says.contains("slipway"), "it is read in a chat too: {says}");
    }
}

#[test]
fn a_run_that_was_cut_off_is_a_warning() {
    let folder = folder_of("goose", &[1, 2]);
    let running = record(&folder, 2, RecordState::Running);
    let history = history("goose", &[row(1)]).with_records(vec![running]);
    let half = plan_pending(&folder, &history, &PendingOptions::default()).unwrap().half_done.remove(0);
    assert!(!half.is_stuck());
    let begin = "2_a.sql was left half done by an earlier run: 1 of 3 statements is done; the run ";
    assert_eq!(
        half.warning(false),
        format!(
            "{begin}looks what became of statement 2, and stops without having run anything if that cannot be seen"
        )
    );
    assert_eq!(half.warning(true), format!("{begin}goes on with statement 2"));
}

#[test]
fn a_migration_that_is_no_sql_matters_only_while_it_is_pending() {
    let go = "00002_b.go: a migration in Go, which only goose can run. Apply it with goose, or write it as SQL.";
    let json = "2_b.up.json: the name does not end in .sql. Rename it if it is SQL, or apply it with golang-migrate.";
    for (tool, first, file, says) in
        [("goose", "1_a.sql", "00002_b.go", go), ("golang-migrate", "1_a.up.sql", "2_b.up.json", json)]
    {
        let files = [(first, "-- +goose Up\nSELECT 1;\n"), (file, "package migrations")];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        let folder = Folder::read(by_name(tool).unwrap(), files, &|_| None).unwrap();
        assert_eq!(planned(&folder, &history(tool, &[row(1)]), Late::AsTheTool), says);
        let both = history(tool, &[row(1), row(2)]);
        assert_eq!(planned(&folder, &both, Late::AsTheTool), "");
        assert_eq!(states(&folder, &both), "1 applied, 2 applied");
        assert!(plan_back(&folder, &both, 1, &[]).is_err());
    }
}

#[test]
fn a_record_that_the_history_contradicts_says_nothing() {
    let folder = folder_of("goose", &[1, 2, 3]);
    let running = record(&folder, 2, RecordState::Running);
    let gone = record(&folder, 3, RecordState::TakingBack);
    let history = history("goose", &[row(1), row(2)]).with_records(vec![running, gone]);
    assert_eq!(states(&folder, &history), "1 applied, 2 applied, 3 pending");
    assert_eq!(planned(&folder, &history, Late::AsTheTool), "3");
}

#[test]
fn what_is_half_taken_back_stops_everything() {
    for tool in ["goose", "dbmate", "golang-migrate", "sqlx"] {
        let folder = folder_of(tool, &[1, 2, 3]);
        let rows = if tool == "golang-migrate" { vec![dirty(1)] } else { vec![row(1), row(2)] };
        let history = history(tool, &rows).with_records(vec![record(&folder, 2, RecordState::TakingBack)]);
        let says = planned(&folder, &history, Late::Apply);
        assert!(says.contains("is being taken back without a transaction, and an earlier run did not come"), "{says}");
        assert_eq!(states(&folder, &history), "1 applied, 2 half_done, 3 pending", "{tool}");
    }
}

#[test]
fn a_list_for_machines_has_stable_names() {
    let folder = folder_of("sqlx", &[1, 2]);
    let applied = AppliedRow { applied_at: Some("2026-11-24 12:00:00+00".to_owned()), ..row(1) };
    let cannot_run = [(2.into(), "no PostgreSQL here".to_owned())].into();
    let options = PendingOptions { cannot_run, ..PendingOptions::default() };
    let list = standing(&folder, &history("sqlx", &[applied]), &options);
    let checksum = folder.file(&1.into()).unwrap().up.checksum.clone();
    assert_eq!(
        serde_json::to_value(list).unwrap(),
        serde_json::json!([
            {
                "version": 1, "file": "1_a.up.sql", "description": "a", "checksum": checksum, "state": "applied",
                "applied_at": "2026-11-24 12:00:00+00"
            },
            {
                "version": 2, "file": "2_a.up.sql", "description": "a", "checksum": checksum, "state": "not_run",
                "reason": "no PostgreSQL here", "applied_at": null
            },
        ])
    );
}

#[test]
fn only_what_is_not_applied_is_parsed() {
    let broken = ("1_a.sql".to_owned(), b"no mark".to_vec());
    let fine = ("2_a.sql".to_owned(), b"-- +goose Up\nSELECT 1;".to_vec());
    let folder = Folder::read(&format::goose::Goose, [broken, fine], &|_| None).unwrap();
    assert_eq!(states(&folder, &history("goose", &[row(1)])), "1 applied, 2 pending");
    assert_eq!(states(&folder, &history("goose", &[row(2)])), "1 unreadable, 2 applied");
}
