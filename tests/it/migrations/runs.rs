//! Runs: order, locks, failures, limits.

use super::support::*;
use slipway_core::migration::Late;
use slipway_deploy::database::{CancelSwitch, MigrateError, NoJournal, Run, RunOptions, connect};
use slipway_sandbox::postgres;
use std::time::Duration;

#[tokio::test]
async fn up_and_down_in_order_and_each_step_is_told() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let told = Told::default();
    let all = folder(&[LIKES, USERS, INDEX]);
    let options = RunOptions::default();
    let report = run_up(&*database, &all, &options, &told).await.unwrap();
    assert_eq!(report.done, versions(&[1, 2, 3]));
    assert_eq!(told.lines(), ["1 starts", "1 done", "2 starts", "2 done", "3 starts", "3 done"]);
    let again = run_up(&*database, &all, &options, &NoJournal).await.unwrap();
    assert_eq!((again.done, again.found_applied), (vec![], versions(&[1, 2, 3])));
    let refused = down(&*database, &all, &[3], &NoJournal).await.unwrap_err().to_string();
    assert_eq!(refused, "00003_index.sql cannot be taken back: it has no statements that take it back.");
    let refused = down(&*database, &all, &[2], &NoJournal).await.unwrap_err().to_string();
    assert!(refused.contains("version 3 was applied after it"), "{refused}");
    let mut look = sql(&url).await;
    send(&mut look, "DELETE FROM goose_db_version WHERE version_id = 3").await;
    let told = Told::default();
    assert_eq!(down(&*database, &all, &[2, 1], &told).await.unwrap(), versions(&[2, 1]));
    assert_eq!(told.lines(), ["2 starts", "2 done", "1 starts", "1 done"]);
    assert_eq!(applied(&*database).await, vec![]);
    assert_eq!(column(&mut look, "SELECT coalesce(to_regclass('users')::text, 'none')").await, ["none"]);
    assert_eq!(
        records(&mut look).await,
        ["3 00003_index.sql applied 2/2"],
        "what the history contradicts is left alone"
    );
    let refused = down(&*database, &all, &[1], &NoJournal).await.unwrap_err().to_string();
    assert_eq!(refused, "00001_likes.sql cannot be taken back: it is not applied.");
    let locks = "SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(column(&mut look, locks).await, Vec::<String>::new(), "the locks are given back");
}

#[tokio::test]
async fn two_runners_apply_each_migration_once() {
    let url = fresh().await;
    let (one, other) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
    let all = folder(&[LIKES, USERS, INDEX]);
    let options = RunOptions::default();
    let (one, other) =
        tokio::join!(run_up(&*one, &all, &options, &NoJournal), run_up(&*other, &all, &options, &NoJournal));
    let (one, other) = (one.unwrap(), other.unwrap());
    let mut done = [one.done, other.done].concat();
    done.sort();
    assert_eq!(done, versions(&[1, 2, 3]));
    assert_eq!(applied(&*connect(&url).await.unwrap()).await, versions(&[1, 2, 3]));
}

#[tokio::test]
async fn gooses_own_lock_is_respected() {
    let url = fresh().await;
    let mut goose = sql(&url).await;
    sqlx::raw_sql("SELECT pg_advisory_lock(4097083626)").execute(&mut goose).await.unwrap();
    let database = connect(&url).await.unwrap();
    let options = RunOptions { run_lock_wait: Duration::ZERO, ..RunOptions::default() };
    let refused = run_up(&*database, &folder(&[LIKES]), &options, &NoJournal).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Locked { .. }), "{refused}");
    sqlx::raw_sql("SELECT pg_advisory_unlock(4097083626)").execute(&mut goose).await.unwrap();
    assert_eq!(up(&*database, &[LIKES]).await.unwrap(), versions(&[1]), "the first attempt left no lock behind");
}

#[tokio::test]
async fn a_failing_statement_takes_its_whole_file_back_and_no_other() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let MigrateError::Failed(failed) = up(&*database, &[LIKES, USERS, BROKEN]).await.unwrap_err() else { panic!() };
    assert_eq!((failed.version.as_str(), failed.statement_index, failed.total), ("4", 2, 2));
    assert_eq!((failed.code.as_deref(), failed.rolled_back), (Some("42703"), true));
    assert_eq!((&failed.applied_before, failed.excerpt.as_str()), (&versions(&[1, 2]), "SELECT nonsense;"));
    assert_eq!(
        failed.to_string(),
        "00004_broken.sql: statement 2 of 2 failed: column \"nonsense\" does not exist (42703). Nothing of this file \
         is left in the database."
    );
    assert_eq!(applied(&*database).await, versions(&[1, 2]));
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
    assert_eq!(applied(&*database).await, vec![]);
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
        run_up(&*database, &folder(&[LIKES, alter]), &never, &NoJournal).await.unwrap_err()
    else {
        panic!()
    };
    assert!(failed.is_lock_timeout() && failed.rolled_back, "{failed}");
    let told = Told { release: tokio::sync::Mutex::new(Some(holder)), ..Told::default() };
    let report = run_up(&*database, &folder(&[LIKES, alter]), &options, &told).await.unwrap();
    assert_eq!(report.done, versions(&[2]));
    let lines = told.lines();
    assert_eq!(lines[..2], ["2 starts", "2 waits 1"]);
    assert_eq!(lines.last().unwrap(), "2 done");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let slow = folder(&[("00001_slow.sql", "-- +goose Up\nSELECT pg_sleep(60);\n")]);
    // Long enough for what is noted before and after it.
    let options = RunOptions { statement_timeout: Some(Duration::from_secs(2)), ..RunOptions::default() };
    let MigrateError::Failed(failed) = run_up(&*database, &slow, &options, &NoJournal).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(failed.code.as_deref(), Some("57014"));
}

#[tokio::test]
async fn a_late_file_is_refused_under_the_lock_too() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    up(&*database, &[USERS]).await.unwrap();
    let late = up(&*database, &[LIKES]).await.unwrap_err();
    assert_eq!(
        late.to_string(),
        "00001_likes.sql was not run: version 2, which is newer, is applied already. Give the file a newer version \
         number."
    );
    assert!(matches!(late, MigrateError::OutOfOrder { can_apply: true, .. }), "{late:?}");
    let apply = RunOptions { late: Late::Apply, ..RunOptions::default() };
    let report = run_up(&*database, &folder(&[LIKES, USERS]), &apply, &NoJournal).await.unwrap();
    assert_eq!((report.done, report.found_applied), (versions(&[1]), versions(&[2])));
    let refused = down(&*database, &folder(&[LIKES, USERS]), &[2], &NoJournal).await.unwrap_err().to_string();
    assert!(refused.contains("version 1 was applied after it"), "{refused}");
    assert_eq!(down(&*database, &folder(&[LIKES, USERS]), &[1, 2], &NoJournal).await.unwrap(), versions(&[1, 2]));
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
    assert_eq!(up(&*database, &[block, own, open]).await.unwrap(), versions(&[1, 2, 3]));
    let mut look = sql(&url).await;
    assert_eq!(
        column(&mut look, "SELECT count(*)::text FROM pg_tables WHERE tablename IN ('a', 'b', 'c')").await,
        ["3"]
    );
    assert_eq!(applied(&*connect(&url).await.unwrap()).await, versions(&[1, 2, 3]));
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
async fn another_run_is_told_of_and_its_end_is_waited_for_until_somebody_stops_it() {
    let url = fresh().await;
    let mut other = sql(&url).await;
    send(&mut other, "SELECT pg_advisory_lock(4097083626)").await;
    let database = connect(&url).await.unwrap();
    let (switch, cancel) = CancelSwitch::new();
    let told = Told { cancel_at: Some(("another run", switch)), ..Told::default() };
    let all = folder(&[LIKES]);
    let run = Run { options: &RunOptions::default(), journal: &told, cancel };
    let stopped = database.up(&all, &all.migrations(), &run).await.unwrap_err();
    assert_eq!(stopped.to_string(), "The run was stopped as asked.");
    assert_eq!(told.lines(), ["another run"]);
    // The other run ends while this one waits.
    let told = Told { release: tokio::sync::Mutex::new(Some(other)), ..Told::default() };
    assert_eq!(run_up(&*database, &all, &RunOptions::default(), &told).await.unwrap().done, versions(&[1]));
}

#[tokio::test]
async fn a_run_is_stopped_between_migrations_and_between_tries() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let all = folder(&[LIKES, USERS]);
    let (switch, cancel) = CancelSwitch::new();
    let told = Told { cancel_at: Some(("1 done", switch)), ..Told::default() };
    let run = Run { options: &RunOptions::default(), journal: &told, cancel };
    let stopped = database.up(&all, &all.migrations(), &run).await.unwrap_err();
    assert!(matches!(stopped, MigrateError::Cancelled { file: None, .. }), "{stopped}");
    assert_eq!((stopped.applied_before(), applied(&*database).await), (&versions(&[1])[..], versions(&[1])));

    let mut holder = sql(&url).await;
    send(&mut holder, "BEGIN; LOCK TABLE likes").await;
    let alter = folder(&[LIKES, ("00002_alter.sql", "-- +goose Up\nALTER TABLE likes ADD x int;\n")]);
    let (switch, cancel) = CancelSwitch::new();
    let told = Told { cancel_at: Some(("2 waits 1", switch)), ..Told::default() };
    let options = RunOptions { lock_timeout: Duration::from_millis(20), ..RunOptions::default() };
    let run = Run { options: &options, journal: &told, cancel };
    let stopped = database.up(&alter, &alter.migrations(), &run).await.unwrap_err();
    assert_eq!(
        stopped.to_string(),
        "The run was stopped as asked, in 00002_alter.sql. Nothing of this file is left in the database."
    );
    assert_eq!(told.lines(), ["2 starts", "2 waits 1"]);
    assert_eq!(applied(&*database).await, versions(&[1]));
}

#[test]
fn no_server_outlives_the_one_who_started_it() {
    let server = postgres::Postgres::start().unwrap();
    let address = server.url("x").split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    std::net::TcpStream::connect(&address).unwrap();
    drop(server);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
