//! sqlx' own library and Slipway in turn on one database: nothing is applied twice, and each accepts the other's history.

use super::support::*;
use super::tools::{Step, files_of, folder_for, shape};
use slipway_core::migration::format;
use slipway_deploy::database::{Database, NoJournal, Run, RunOptions, connect};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Row as _, SqliteConnection};

/// Each would fail if it were run twice.
const STEPS: [Step; 4] = [
    (1, "goals", "CREATE TABLE goals (id int);\n", "DROP TABLE goals;\n", true),
    (2, "with_crlf", "CREATE TABLE a (id int);\r\n", "DROP TABLE a;\r\n", true),
    (3, "alone", "CREATE TABLE b (id int);\n", "DROP TABLE b;\n", false),
    (10, "last_one", "CREATE TABLE c (id int);\n", "DROP TABLE c;\n", true),
];

/// What sqlx reads from a directory.
async fn migrator(steps: &[Step]) -> (tempfile::TempDir, Migrator) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in steps.iter().flat_map(|step| files_of("sqlx", *step)) {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let migrator = Migrator::new(directory.path()).await.unwrap();
    (directory, migrator)
}

async fn slipway_up(database: &dyn Database, steps: &[Step]) -> Vec<String> {
    let report = run_up(database, &folder_for("sqlx", steps), &RunOptions::default(), &NoJournal).await.unwrap();
    report.done.iter().map(ToString::to_string).collect()
}

/// Everything but the times.
const ROWS: &str = "SELECT version || ' ' || description || ' ' || success || ' ' || (execution_time > 0) || ' ' || \
                    encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY version";

#[tokio::test]
async fn on_postgresql() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let mut theirs = sql(&url).await;
    let (_kept, two) = migrator(&STEPS[..2]).await;
    two.run_direct(None, &mut theirs, false).await.unwrap();
    assert_eq!(database.formats().await.unwrap(), [format::by_name("sqlx").unwrap()]);
    assert_eq!(slipway_up(&*database, &STEPS[..3]).await, ["3"]);
    let (_kept, all) = migrator(&STEPS).await;
    all.run_direct(None, &mut theirs, false).await.unwrap();
    assert_eq!(slipway_up(&*database, &STEPS).await, [""; 0]);
    let folder = folder_for("sqlx", &STEPS);
    assert_eq!(down(&*database, &folder, &[10, 3], &NoJournal).await.unwrap(), versions(&[10, 3]));
    all.run_direct(None, &mut theirs, false).await.unwrap();
    all.undo(&mut theirs, 2).await.unwrap();
    assert_eq!(slipway_up(&*database, &STEPS).await, ["3", "10"]);
    all.run_direct(None, &mut theirs, false).await.unwrap();

    // A database that only sqlx has seen, beside one that only Slipway has seen.
    let (pure, ours) = (fresh().await, fresh().await);
    all.run_direct(None, &mut sql(&pure).await, false).await.unwrap();
    slipway_up(&*connect(&ours).await.unwrap(), &STEPS).await;
    assert_eq!(shape(&ours, "_sqlx_migrations").await, shape(&pure, "_sqlx_migrations").await);
    assert_eq!(column(&mut sql(&ours).await, ROWS).await, column(&mut sql(&pure).await, ROWS).await);
}

#[tokio::test]
async fn on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("goals.db").display());
    let database = connect(&url).await.unwrap();
    assert_eq!(slipway_up(&*database, &STEPS[..2]).await, ["1", "2"]);
    let (_kept, all) = migrator(&STEPS).await;
    let mut theirs = SqliteConnection::connect(&url).await.unwrap();
    all.run_direct(None, &mut theirs, false).await.unwrap();
    assert_eq!(slipway_up(&*database, &STEPS).await, [""; 0]);
    all.undo(&mut theirs, 2).await.unwrap();
    assert_eq!(slipway_up(&*database, &STEPS).await, ["3", "10"]);
    all.run_direct(None, &mut theirs, false).await.unwrap();
    let shape = "SELECT group_concat(name || ' ' || type || ' ' || \"notnull\" || ' ' || coalesce(dflt_value, '') || ' ' || pk) \
                 FROM pragma_table_info('_sqlx_migrations')";
    let ours: String = sqlx::raw_sql(shape).fetch_one(&mut theirs).await.unwrap().get(0);
    let mut pure = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    all.run_direct(None, &mut pure, false).await.unwrap();
    let theirs: String = sqlx::raw_sql(shape).fetch_one(&mut pure).await.unwrap().get(0);
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn sqlx_waits_for_slipways_lock_and_slipway_for_its() {
    let url = fresh().await;
    let (_kept, all) = migrator(&STEPS).await;
    let (database, mut theirs) = (connect(&url).await.unwrap(), sql(&url).await);
    let options = RunOptions::default();
    let folder = folder_for("sqlx", &STEPS);
    let (migrations, run) = (folder.migrations(), Run::quiet(&options));
    let (ours, theirs) =
        tokio::join!(database.up(&folder, &migrations, &run), all.run_direct(None, &mut theirs, false));
    theirs.unwrap();
    let report = ours.unwrap();
    assert_eq!(report.done.len() + report.found_applied.len(), 4);
    assert_eq!(column(&mut sql(&url).await, "SELECT count(*)::text FROM _sqlx_migrations").await, ["4"]);
}
