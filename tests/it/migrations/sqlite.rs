//! The same on SQLite.

use super::support::*;
use slipway_core::migration::format::goose::Goose;
use slipway_core::migration::{PendingOptions, Version, plan_pending};
use slipway_deploy::database::{MigrateError, NoJournal, Run, RunOptions, connect, sqlite_cannot_run};
use sqlx::{Connection as _, Row as _};

#[tokio::test]
async fn sqlite_keeps_the_same_history() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("goals.db");
    let database = connect(&format!("sqlite:{}", path.display())).await.unwrap();
    assert_eq!(applied(&*database).await, vec![]);
    assert!(!path.exists(), "observing creates nothing");
    assert_eq!(up(&*database, &[LIKES, USERS]).await.unwrap(), versions(&[1, 2]));
    let MigrateError::Failed(failed) = up(&*database, &[LIKES, USERS, BROKEN]).await.unwrap_err() else { panic!() };
    assert_eq!((failed.statement_index, failed.rolled_back), (2, true));

    let mut look = sqlx::SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let rows = sqlx::raw_sql("SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || coalesce(dflt_value, '') || ' ' || pk FROM pragma_table_info('goose_db_version')")
        .fetch_all(&mut look)
        .await
        .unwrap();
    let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        columns,
        [
            "id INTEGER 0  1",
            "version_id INTEGER 1  0",
            "is_applied INTEGER 1  0",
            "tstamp TIMESTAMP 0 datetime('now') 0"
        ]
    );
    let tables =
        sqlx::raw_sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1");
    let tables: Vec<String> = tables.fetch_all(&mut look).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(tables, ["goose_db_version", "likes", "slipway_migrations", "users"]);
    assert_eq!(down(&*database, &folder(&[LIKES, USERS]), &[2], &NoJournal).await.unwrap(), versions(&[2]));
    assert_eq!(applied(&*database).await, versions(&[1]));
}

#[tokio::test]
async fn two_runners_on_sqlite_apply_each_migration_once() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite3:{}", directory.path().join("goals.db").display());
    let (one, other) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
    let all = folder(&[LIKES, USERS]);
    let options = RunOptions::default();
    let (one, other) =
        tokio::join!(run_up(&*one, &all, &options, &NoJournal), run_up(&*other, &all, &options, &NoJournal));
    assert_eq!(one.unwrap().done.len() + other.unwrap().done.len(), 2);
    assert_eq!(applied(&*connect(&url).await.unwrap()).await, versions(&[1, 2]));
}

#[tokio::test]
async fn what_sqlite_cannot_run_is_found_out_and_left_out() {
    let extension = ("00003_extension.sql", "-- +goose Up\nCREATE TABLE half (id int);\nCREATE EXTENSION citext;\n");
    let needs = ("00004_needs.sql", "-- +goose Up\nINSERT INTO half VALUES (1);\n");
    let vacuum = ("00005_vacuum.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n");
    let own = ("00006_own.sql", "-- +goose Up\nBEGIN;\nCREATE TABLE own (id int);\nCOMMIT;\n");
    let attach = ("00007_attach.sql", "-- +goose Up\n/* /* */ ATTACH 'slipway.db' AS store; /* */ */;\n");
    let last = ("00008_last.sql", "-- +goose Up\nINSERT INTO own VALUES (1);\n");
    let folder = folder(&[LIKES, USERS, extension, needs, vacuum, own, attach, last]);
    let cannot = sqlite_cannot_run(&folder.migrations()).await.unwrap();
    assert_eq!(cannot.keys().cloned().collect::<Vec<_>>(), versions(&[3, 4, 7]));
    assert_eq!(cannot[&Version::from(3)], "near \"EXTENSION\": syntax error");
    assert_eq!(cannot[&Version::from(4)], "no such table: half");

    let directory = tempfile::tempdir().unwrap();
    let database = connect(&format!("sqlite:{}", directory.path().join("goals.db").display())).await.unwrap();
    for expected in [&[1, 2, 5, 6, 8][..], &[]] {
        let options = PendingOptions { cannot_run: cannot.clone(), ..PendingOptions::default() };
        let pending = plan_pending(&folder, &database.history(&Goose).await.unwrap(), &options).unwrap();
        assert_eq!(pending.not_run, cannot, "what could not run stays planned");
        let report = database.up(&folder, &pending.to_run(), &Run::quiet(&RunOptions::default())).await.unwrap();
        assert_eq!(report.done, versions(expected));
    }
    assert!(!database.history(&Goose).await.unwrap().contains(&Version::from(3)));
}
