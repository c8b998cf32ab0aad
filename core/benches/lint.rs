//! How long it takes to lint what is pending.

use divan::Bencher;
use slipway_core::migration::format::{Dialect, by_name};
use slipway_core::migration::{Folder, LintOptions, Migration, lint_all};

fn main() {
    divan::main();
}

/// Files as teams write them: a table, an index, a column, a block.
fn folder(files: usize) -> Vec<Migration> {
    let texts = (1..=files).map(|n| {
        let text = format!(
            "-- +goose Up\nCREATE TABLE t{n} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    name text NOT NULL,\n    \
             created_at timestamptz NOT NULL DEFAULT now(),\n    owner_id bigint REFERENCES users (id)\n);\n\
             CREATE INDEX t{n}_owner ON t{n} (owner_id);\nALTER TABLE users ADD COLUMN c{n} int NOT NULL DEFAULT 0;\n\
             -- +goose StatementBegin\nDO $$\nBEGIN\n  IF EXISTS (SELECT 1 FROM users) THEN\n    UPDATE users SET c{n} = 1 WHERE id = 1;\n  \
             END IF;\nEND $$;\n-- +goose StatementEnd\n-- +goose Down\nALTER TABLE users DROP COLUMN c{n};\nDROP TABLE t{n};\n"
        );
        (format!("{n:05}_t.sql"), text.into_bytes())
    });
    let format = by_name("goose").expect("goose is a format");
    Folder::read(format, texts, &|_| None).expect("the files are in order").migrations()
}

#[divan::bench(args = [1, 100])]
fn files(bencher: Bencher<'_, '_>, count: usize) {
    let migrations = folder(count);
    let options = LintOptions { dialect: Dialect::Postgres, postgres_version: Some(15) };
    bencher.bench(|| lint_all(&migrations, &options));
}
