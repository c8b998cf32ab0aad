//! What planning migrations costs: `cargo bench -p slipway-core --bench migrations`. A folder of 10,000 files, of which
//! ten are not applied.

use slipway_core::migration::format::{Format, by_name};
use slipway_core::migration::{
    AppliedRow, Folder, History, MigrationFile, PendingOptions, Record, RecordState, plan_pending, standing,
};
use std::hint::black_box;

fn main() {
    divan::main();
}

const FILES: u64 = 10_000;
const PENDING: u64 = 10;
const FIRST_VERSION: u64 = 20_240_101_000_000;
const FORMATS: [&str; 4] = ["goose", "dbmate", "golang-migrate", "sqlx"];

fn format(name: &str) -> &'static dyn Format {
    by_name(name).expect("one of ours")
}

fn files(format: &str) -> Vec<(String, Vec<u8>)> {
    let (up, down) = match format {
        "goose" => ("-- +goose Up\n", "-- +goose Down\n"),
        "dbmate" => ("-- migrate:up\n", "-- migrate:down\n"),
        _ => ("", ""),
    };
    let ending = if up.is_empty() { ".up.sql" } else { ".sql" };
    let file = |n: u64| {
        let text = format!(
            "{up}CREATE TABLE likes_{n} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    goal_id bigint NOT \
             NULL,\n    person_id bigint NOT NULL,\n    created_at timestamptz NOT NULL DEFAULT now()\n);\nCREATE INDEX \
             likes_{n}_goal ON likes_{n} (goal_id);\n{down}"
        );
        (format!("{}_add_likes_{n}{ending}", FIRST_VERSION + n), text.into_bytes())
    };
    (0..FILES).map(file).collect()
}

/// As the database gives it, with Slipway's own record of each file.
fn history(name: &str, folder: &Folder<'_>) -> History {
    let format = format(name);
    let applied: Vec<_> = folder.files().take((FILES - PENDING) as usize).collect();
    let row = |(ordinal, file): (i64, &&MigrationFile)| AppliedRow {
        ordinal,
        version: file.version.clone(),
        is_applied: true,
        is_dirty: false,
        checksum: format.checksum(file).map(hex::encode),
        applied_at: None,
    };
    let rows: Vec<_> = (1..).zip(&applied).map(row).collect();
    let newest = if format.history().keeps_newest_only() { rows.len() - 1 } else { 0 };
    let records = applied.iter().map(|file| Record {
        version: file.version.clone(),
        file: file.up.file.clone(),
        checksum: file.up.checksum.clone(),
        state: RecordState::Found,
        statements: 1,
        statements_done: 1,
        error: None,
    });
    History::of(format, rows[newest..].to_vec()).with_records(records.collect())
}

/// Reading the folder and planning what is pending: all that a plan does without the database.
#[divan::bench(args = FORMATS)]
fn plan(bencher: divan::Bencher<'_, '_>, name: &str) {
    let files = files(name);
    let history = history(name, &Folder::read(format(name), files.clone(), &|_| None).expect("a folder in order"));
    bencher.with_inputs(|| files.clone()).bench_local_values(|files| {
        let folder = Folder::read(format(name), files, &|_| None).expect("a folder in order");
        let pending = plan_pending(&folder, &history, &PendingOptions::default()).expect("nothing in the way");
        assert_eq!(black_box(pending).migrations.len() as u64, PENDING);
    });
}

/// The list of `slipway migrate status`.
#[divan::bench(args = FORMATS)]
fn status(bencher: divan::Bencher<'_, '_>, name: &str) {
    let folder = Folder::read(format(name), files(name), &|_| None).expect("a folder in order");
    let history = history(name, &folder);
    bencher.bench_local(|| assert_eq!(standing(&folder, &history, &PendingOptions::default()).len() as u64, FILES));
}

/// Finding out whose the folder is.
#[divan::bench(args = FORMATS)]
fn detect(bencher: divan::Bencher<'_, '_>, name: &str) {
    let (files, tables) = (files(name), [format(name)]);
    bencher.bench_local(|| {
        let found = slipway_core::migration::format::detect(&files, &tables).expect("one tool's");
        assert_eq!(found.name(), name);
    });
}
