//! Migrations on real databases: PostgreSQL, started for the tests, and SQLite.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use slipway_core::migration::format::goose::Goose;
use slipway_core::migration::{Folder, History, Migration, plan_pending, plan_pending_without};
use slipway_deploy::database::{
    Database, HalfDone, JournalError, MigrateError, NoJournal, RunJournal, RunOptions, Started, connect,
    sqlite_cannot_run,
};
use slipway_sandbox::postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use std::sync::Mutex;
use std::time::Duration;

const LIKES: (&str, &str) = (
    "00001_likes.sql",
    "-- +goose Up\nCREATE TABLE likes (id int);\nINSERT INTO likes VALUES (1);\n-- +goose Down\nDROP TABLE likes;\n",
);
const USERS: (&str, &str) =
    ("00002_users.sql", "-- +goose Up\nCREATE TABLE users (id int);\n-- +goose Down\nDROP TABLE users;\n");
const INDEX: (&str, &str) = (
    "00003_index.sql",
    "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY likes_id ON likes (id);\nCREATE TABLE tags (id int);\n",
);
const BROKEN: (&str, &str) = ("00004_broken.sql", "-- +goose Up\nCREATE TABLE gone (id int);\nSELECT nonsense;\n");

fn folder(files: &[(&str, &str)]) -> Folder {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Folder::read(&Goose, files, &|name| (name == "SECRET").then(|| "hunter22".to_owned())).unwrap()
}

fn migrations(files: &[(&str, &str)]) -> Vec<Migration> {
    folder(files).migrations()
}

async fn fresh() -> String {
    let server = tokio::task::spawn_blocking(postgres::shared).await.unwrap().unwrap();
    server.fresh_database().await.unwrap()
}

async fn sql(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// The first column of the answer, as text.
async fn column(connection: &mut PgConnection, query: &str) -> Vec<String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.try_get::<String, _>(0).unwrap()).collect()
}

async fn applied(database: &dyn Database) -> Vec<i64> {
    database.applied().await.unwrap().iter().map(|row| row.version).collect()
}

async fn up(database: &dyn Database, files: &[(&str, &str)]) -> Result<Vec<i64>, MigrateError> {
    let report = database.up(&migrations(files), &RunOptions::default(), None, &NoJournal).await?;
    assert_eq!(report.warnings, Vec::<String>::new());
    Ok(report.done)
}

/// Remembers what it was told, and may do something at a given line.
#[derive(Default)]
struct Told {
    lines: Mutex<Vec<String>>,
    fail_at: Option<&'static str>,
    release: tokio::sync::Mutex<Option<PgConnection>>,
}

impl Told {
    fn line(&self, line: String) -> Result<(), JournalError> {
        let fails = self.fail_at == Some(line.as_str());
        self.lines.lock().unwrap().push(line);
        if fails { Err(JournalError("disk full".into())) } else { Ok(()) }
    }
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl RunJournal for Told {
    async fn starting(&self, version: i64, transactional: bool) -> Result<(), JournalError> {
        self.line(format!("{version} starts {}", if transactional { "whole" } else { "in steps" }))
    }
    async fn statement_done(&self, version: i64, done: usize, total: usize) -> Result<(), JournalError> {
        self.line(format!("{version} {done}/{total}"))
    }
    async fn applied(&self, version: i64, statements: usize, _millis: u64) -> Result<(), JournalError> {
        self.line(format!("{version} applied {statements}"))
    }
    async fn waiting(&self, version: i64, retry: u32) -> Result<(), JournalError> {
        if let Some(holder) = self.release.lock().await.take() {
            holder.close().await.unwrap();
        }
        self.line(format!("{version} waits {retry}"))
    }
}

#[tokio::test]
async fn the_history_table_is_gooses_own() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    assert_eq!(database.applied().await.unwrap(), vec![]);
    let mut look = sql(&url).await;
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    assert_eq!(column(&mut look, tables).await, Vec::<String>::new(), "observing creates nothing");
    assert_eq!(up(&*database, &[LIKES]).await.unwrap(), [1]);
    // What goose 3 leaves behind for the same table.
    let columns = column(
        &mut look,
        "SELECT concat_ws(' ', column_name, data_type, is_nullable, is_identity, identity_generation, column_default) \
         FROM information_schema.columns WHERE table_name = 'goose_db_version' ORDER BY ordinal_position",
    )
    .await;
    assert_eq!(
        columns,
        [
            "id integer NO YES BY DEFAULT",
            "version_id bigint NO NO",
            "is_applied boolean NO NO",
            "tstamp timestamp without time zone NO NO now()",
        ]
    );
    let key = "SELECT indexdef FROM pg_indexes WHERE tablename = 'goose_db_version'";
    assert_eq!(
        column(&mut look, key).await,
        ["CREATE UNIQUE INDEX goose_db_version_pkey ON public.goose_db_version USING btree (id)"]
    );
    let rows = "SELECT concat_ws(' ', id, version_id, is_applied) FROM goose_db_version ORDER BY id";
    assert_eq!(column(&mut look, rows).await, ["1 0 t", "2 1 t"]);
}

#[tokio::test]
async fn a_history_that_goose_wrote_is_continued() {
    let url = fresh().await;
    let mut goose = sql(&url).await;
    let history = "CREATE SCHEMA app; ALTER DATABASE current_db SET search_path = app";
    let name = column(&mut goose, "SELECT current_database()::text").await.remove(0);
    let history = history.replace("current_db", &name);
    sqlx::raw_sql(AssertSqlSafe(history)).execute(&mut goose).await.unwrap();
    goose.close().await.unwrap();
    let mut goose = sql(&url).await;
    // Goose of old times: a serial id, and rows that say a version was taken back.
    sqlx::raw_sql(
        "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL, \
         tstamp timestamp DEFAULT now()); CREATE TABLE likes (id int); \
         INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false)",
    )
    .execute(&mut goose)
    .await
    .unwrap();
    let database = connect(&url).await.unwrap();
    let rows = database.applied().await.unwrap();
    let pending = plan_pending(&folder(&[LIKES, USERS]), &rows).unwrap();
    assert_eq!(pending.to_run().iter().map(|m| m.version).collect::<Vec<_>>(), [2]);
    // A file that changes the search path, as dumps do, must not lose its history row.
    let dump = (
        "00003_dump.sql",
        "-- +goose Up\nSELECT set_config('search_path', '', false);\nCREATE TABLE app.d (id int);\n",
    );
    assert_eq!(up(&*database, &[LIKES, USERS, dump]).await.unwrap(), [2, 3]);
    assert_eq!(applied(&*database).await, [0, 1, 2, 2, 2, 3]);
    let places = "SELECT schemaname::text FROM pg_tables WHERE tablename IN ('users', 'goose_db_version')";
    assert_eq!(column(&mut goose, places).await, ["app", "app"]);
}

#[tokio::test]
async fn up_and_down_in_order_and_each_step_is_told() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let told = Told::default();
    let all = migrations(&[LIKES, USERS, INDEX]);
    let report = database.up(&all, &RunOptions::default(), None, &told).await.unwrap();
    assert_eq!(report.done, [1, 2, 3]);
    assert_eq!(
        told.lines(),
        [
            "1 starts whole",
            "1 applied 2",
            "2 starts whole",
            "2 applied 1",
            "3 starts in steps",
            "3 1/2",
            "3 2/2",
            "3 applied 2"
        ]
    );
    let again = database.up(&all, &RunOptions::default(), None, &NoJournal).await.unwrap();
    assert_eq!((again.done, again.found_applied), (vec![], vec![1, 2, 3]));
    let refused = database.down(&all[2], &RunOptions::default()).await.unwrap_err().to_string();
    assert_eq!(refused, "00003_index.sql cannot be taken back: it has no statements after \"-- +goose Down\".");
    let refused = database.down(&all[1], &RunOptions::default()).await.unwrap_err().to_string();
    assert!(refused.contains("version 3 was applied after it"), "{refused}");
    let mut look = sql(&url).await;
    sqlx::raw_sql("DELETE FROM goose_db_version WHERE version_id = 3").execute(&mut look).await.unwrap();
    assert_eq!(database.down(&all[1], &RunOptions::default()).await.unwrap().done, [2]);
    assert_eq!(applied(&*database).await, [0, 1]);
    assert_eq!(column(&mut look, "SELECT coalesce(to_regclass('users')::text, 'none')").await, ["none"]);
    let locks = "SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(column(&mut look, locks).await, Vec::<String>::new(), "the locks are given back");
}

#[tokio::test]
async fn two_runners_apply_each_migration_once() {
    let url = fresh().await;
    let (one, other) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
    let all = migrations(&[LIKES, USERS, INDEX]);
    let options = RunOptions::default();
    let (one, other) =
        tokio::join!(one.up(&all, &options, None, &NoJournal), other.up(&all, &options, None, &NoJournal));
    let (one, other) = (one.unwrap(), other.unwrap());
    let mut done = [one.done, other.done].concat();
    done.sort_unstable();
    assert_eq!(done, [1, 2, 3]);
    assert_eq!(applied(&*connect(&url).await.unwrap()).await, [0, 1, 2, 3]);
}

#[tokio::test]
async fn gooses_own_lock_is_respected() {
    let url = fresh().await;
    let mut goose = sql(&url).await;
    sqlx::raw_sql("SELECT pg_advisory_lock(4097083626)").execute(&mut goose).await.unwrap();
    let database = connect(&url).await.unwrap();
    let options = RunOptions { run_lock_wait: Duration::ZERO, ..RunOptions::default() };
    let refused = database.up(&migrations(&[LIKES]), &options, None, &NoJournal).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Locked { .. }), "{refused}");
    sqlx::raw_sql("SELECT pg_advisory_unlock(4097083626)").execute(&mut goose).await.unwrap();
    assert_eq!(up(&*database, &[LIKES]).await.unwrap(), [1], "the first attempt left no lock behind");
}

#[tokio::test]
async fn a_failing_statement_takes_its_whole_file_back_and_no_other() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let MigrateError::Failed(failed) = up(&*database, &[LIKES, USERS, BROKEN]).await.unwrap_err() else { panic!() };
    assert_eq!((failed.version, failed.statement_index, failed.total), (4, 2, 2));
    assert_eq!((failed.code.as_deref(), failed.rolled_back), (Some("42703"), true));
    assert_eq!((failed.applied_before.as_slice(), failed.excerpt.as_str()), (&[1, 2][..], "SELECT nonsense;"));
    assert_eq!(
        failed.to_string(),
        "00004_broken.sql: statement 2 of 2 failed: column \"nonsense\" does not exist (42703). Nothing of this file \
         is left in the database."
    );
    assert_eq!(applied(&*database).await, [0, 1, 2]);
    let mut look = sql(&url).await;
    assert_eq!(column(&mut look, "SELECT coalesce(to_regclass('gone')::text, 'none')").await, ["none"]);
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing() {
    let deferred = (
        "00001_deferred.sql",
        "-- +goose Up\nCREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n\
         INSERT INTO a VALUES (1, 2);\n",
    );
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let MigrateError::Failed(failed) = up(&*database, &[deferred]).await.unwrap_err() else { panic!() };
    assert_eq!((failed.statement_index, failed.total, failed.rolled_back), (3, 2, true));
    assert!(failed.to_string().starts_with("00001_deferred.sql: the commit failed: "), "{failed}");
    assert_eq!(applied(&*database).await, [0]);
}

#[tokio::test]
async fn a_lock_that_is_not_to_be_had_is_tried_again() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    up(&*database, &[LIKES]).await.unwrap();
    let alter = ("00002_alter.sql", "-- +goose Up\nCREATE TABLE first (id int);\nALTER TABLE likes ADD x int;\n");
    let options = RunOptions { lock_timeout: Duration::from_millis(20), ..RunOptions::default() };
    let mut holder = sql(&url).await;
    sqlx::raw_sql("BEGIN; LOCK TABLE likes").execute(&mut holder).await.unwrap();
    let never = RunOptions { lock_retry_limit: 0, ..options.clone() };
    let MigrateError::Failed(failed) =
        database.up(&migrations(&[LIKES, alter]), &never, None, &NoJournal).await.unwrap_err()
    else {
        panic!()
    };
    assert!(failed.is_lock_timeout() && failed.rolled_back, "{failed}");
    let told = Told { release: tokio::sync::Mutex::new(Some(holder)), ..Told::default() };
    let report = database.up(&migrations(&[LIKES, alter]), &options, None, &told).await.unwrap();
    assert_eq!(report.done, [2]);
    let lines = told.lines();
    assert_eq!(lines[..2], ["2 starts whole", "2 waits 1"]);
    assert_eq!(lines.last().unwrap(), "2 applied 2");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let slow = migrations(&[("00001_slow.sql", "-- +goose Up\nSELECT pg_sleep(60);\n")]);
    let options = RunOptions { statement_timeout: Some(Duration::from_millis(20)), ..RunOptions::default() };
    let MigrateError::Failed(failed) = database.up(&slow, &options, None, &NoJournal).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(failed.code.as_deref(), Some("57014"));
}

#[tokio::test]
async fn what_was_left_half_done_is_not_repeated_blindly() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let all = migrations(&[LIKES, INDEX]);
    let options = RunOptions::default();
    let told = Told { fail_at: Some("3 1/2"), ..Told::default() };
    let stopped = database.up(&all, &options, None, &told).await.unwrap_err();
    assert_eq!(stopped, MigrateError::Journal { reason: "disk full".into(), applied_before: vec![1] });

    let known = Some(Started { version: 3, statements_done: Some(1) });
    let refused = database.up(&all, &options, known, &NoJournal).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "00003_index.sql runs without a transaction and an earlier run did not come to its end: 1 of 2 statements are \
         done, and statement 2 may have run or not. Look at the database, finish the file by hand, and record it: \
         INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, true). Or let the run go on with statement 2."
    );
    let go_on = RunOptions { half_done: HalfDone::Continue, ..options.clone() };
    let unknown = Some(Started { version: 3, statements_done: None });
    let refused = database.up(&all, &go_on, unknown, &NoJournal).await.unwrap_err();
    assert!(matches!(refused, MigrateError::HalfDone { done: None, .. }), "{refused}");

    let told = Told::default();
    assert_eq!(database.up(&all, &go_on, known, &told).await.unwrap().done, [3]);
    assert_eq!(told.lines(), ["3 starts in steps", "3 2/2", "3 applied 2"]);
}

#[tokio::test]
async fn a_transaction_that_was_cut_off_and_a_lost_history_row_are_simply_finished() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let options = RunOptions::default();
    let whole = Some(Started { version: 1, statements_done: Some(1) });
    assert_eq!(database.up(&migrations(&[LIKES]), &options, whole, &NoJournal).await.unwrap().done, [1]);
    let all_done = Some(Started { version: 3, statements_done: Some(2) });
    assert_eq!(database.up(&migrations(&[INDEX]), &options, all_done, &NoJournal).await.unwrap().done, [3]);
    let mut look = sql(&url).await;
    assert_eq!(column(&mut look, "SELECT coalesce(to_regclass('tags')::text, 'none')").await, ["none"]);
}

#[tokio::test]
async fn an_index_that_could_not_be_built_is_named() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let twice = ("00001_twice.sql", "-- +goose Up\nCREATE TABLE likes (id int);\nINSERT INTO likes VALUES (1), (1);\n");
    let index = (
        "00002_index.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one ON likes (id);\n",
    );
    for expected in ["could not create unique index", "the index is invalid"] {
        let MigrateError::Failed(failed) = up(&*database, &[twice, index]).await.unwrap_err() else { panic!() };
        assert!(failed.message.starts_with(expected), "{failed}");
        assert!(failed.to_string().ends_with("DROP INDEX CONCURRENTLY public.one."), "{failed}");
    }
    assert_eq!(applied(&*database).await, [0, 1]);
}

#[tokio::test]
async fn a_late_file_is_refused_under_the_lock_too() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    up(&*database, &[USERS]).await.unwrap();
    let late = up(&*database, &[LIKES]).await.unwrap_err();
    assert!(matches!(late, MigrateError::OutOfOrder { newest: 2, .. }), "{late}");
}

#[tokio::test]
async fn blocks_go_out_whole_and_files_with_own_transactions_work() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let block = (
        "00001_block.sql",
        "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE a (id int);\nDO $$ BEGIN INSERT INTO a VALUES (1); END $$;\n\
         -- +goose StatementEnd\n",
    );
    let own = ("00002_own.sql", "-- +goose Up\nBEGIN;\nCREATE TABLE b (id int);\nCOMMIT;\n");
    let open = ("00003_open.sql", "-- +goose Up\nBEGIN;\nCREATE TABLE c (id int);\n");
    assert_eq!(up(&*database, &[block, own, open]).await.unwrap(), [1, 2, 3]);
    let mut look = sql(&url).await;
    assert_eq!(
        column(&mut look, "SELECT count(*)::text FROM pg_tables WHERE tablename IN ('a', 'b', 'c')").await,
        ["3"]
    );
    assert_eq!(applied(&*connect(&url).await.unwrap()).await, [0, 1, 2, 3]);
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let url = fresh().await;
    let wrong = url.replace("slipway@", "nobody:hunter22@").replace("sandbox_", "missing_");
    let Err(refused) = connect(&wrong).await else { panic!("there is no such database") };
    assert!(!format!("{refused} {refused:?}").contains("hunter22"), "{refused}");
    assert!(refused.to_string().contains("cannot be reached"), "{refused}");
    let file = ("00001_role.sql", "-- +goose ENVSUB ON\n-- +goose Up\nSELECT ${SECRET} FROM likes;\n");
    let failed = up(&*connect(&url).await.unwrap(), &[file]).await.unwrap_err();
    assert!(!format!("{failed} {failed:?}").contains("hunter22"), "{failed:?}");
}

#[tokio::test]
async fn sqlite_keeps_the_same_history() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("goals.db");
    let database = connect(&format!("sqlite:{}", path.display())).await.unwrap();
    assert_eq!(database.applied().await.unwrap(), vec![]);
    assert!(!path.exists(), "observing creates nothing");
    assert_eq!(up(&*database, &[LIKES, USERS]).await.unwrap(), [1, 2]);
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
    assert_eq!(tables, ["goose_db_version", "likes", "users"]);
    assert_eq!(database.down(&migrations(&[USERS])[0], &RunOptions::default()).await.unwrap().done, [2]);
    assert_eq!(applied(&*database).await, [0, 1]);
}

#[tokio::test]
async fn two_runners_on_sqlite_apply_each_migration_once() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite3:{}", directory.path().join("goals.db").display());
    let (one, other) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
    let all = migrations(&[LIKES, USERS]);
    let options = RunOptions::default();
    let (one, other) =
        tokio::join!(one.up(&all, &options, None, &NoJournal), other.up(&all, &options, None, &NoJournal));
    assert_eq!(one.unwrap().done.len() + other.unwrap().done.len(), 2);
    assert_eq!(applied(&*connect(&url).await.unwrap()).await, [0, 1, 2]);
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
    assert_eq!(cannot.keys().copied().collect::<Vec<_>>(), [3, 4, 7]);
    assert_eq!(cannot[&3], "near \"EXTENSION\": syntax error");
    assert_eq!(cannot[&4], "no such table: half");

    let directory = tempfile::tempdir().unwrap();
    let database = connect(&format!("sqlite:{}", directory.path().join("goals.db").display())).await.unwrap();
    for expected in [vec![1, 2, 5, 6, 8], vec![]] {
        let pending = plan_pending_without(&folder, &database.applied().await.unwrap(), &cannot).unwrap();
        assert_eq!(pending.not_run, cannot, "what could not run stays planned");
        let report = database.up(&pending.to_run(), &RunOptions::default(), None, &NoJournal).await.unwrap();
        assert_eq!(report.done, expected);
    }
    assert!(!History::of(&database.applied().await.unwrap()).contains(3));
}

#[test]
fn no_server_outlives_the_one_who_started_it() {
    let server = postgres::Postgres::start().unwrap();
    let address = server.url("x").split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    std::net::TcpStream::connect(&address).unwrap();
    drop(server);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
