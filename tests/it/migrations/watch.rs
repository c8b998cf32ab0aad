//! Statements that take long: what is said of them meanwhile, and breaking them off.

use super::support::{column, folder, fresh, sql};
use slipway_core::migration::{Folder, Migration};
use slipway_deploy::database::{
    Cancel, CancelSwitch, JournalError, MigrateError, Run, RunJournal, RunNews, RunOptions, connect,
};
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

/// Hands the news on, as long as somebody listens.
struct Listening(mpsc::UnboundedSender<RunNews>);

#[async_trait::async_trait]
impl RunJournal for Listening {
    async fn starting(&self, _migration: &Migration) -> Result<(), JournalError> {
        Ok(())
    }
    async fn done(&self, _migration: &Migration, _millis: u64) -> Result<(), JournalError> {
        Ok(())
    }
    async fn news(&self, news: RunNews) {
        let _ = self.0.send(news);
    }
}

/// Long enough that only what a test does ends the wait.
fn patient() -> RunOptions {
    RunOptions { lock_timeout: Duration::from_secs(600), ..RunOptions::default() }
}

/// The first news that has a phase with these words.
async fn phase(news: &mut mpsc::UnboundedReceiver<RunNews>, words: &str) -> String {
    loop {
        match news.recv().await.unwrap() {
            RunNews::Statement { phase: Some(phase), index, total, .. } if phase.contains(words) => {
                assert!(index >= 1 && index <= total);
                return phase;
            }
            _ => {}
        }
    }
}

/// Runs a folder, does something once the statement is in the phase, and gives both outcomes.
async fn run_until(
    url: &str,
    folder: &Folder<'_>,
    words: &str,
    then: impl AsyncFnOnce(&CancelSwitch),
) -> (String, Result<(), MigrateError>) {
    let database = connect(url).await.unwrap();
    let (sender, mut news) = mpsc::unbounded_channel();
    let journal = Listening(sender);
    let (switch, cancel) = CancelSwitch::new();
    let options = patient();
    let run = Run { options: &options, journal: &journal, cancel };
    let pending = folder.migrations();
    let watching = async {
        let said = phase(&mut news, words).await;
        then(&switch).await;
        said
    };
    let (outcome, said) = tokio::join!(database.up(folder, &pending, &run), watching);
    (said, outcome.map(|_| ()))
}

async fn hold(url: &str, what: &'static str) -> Mutex<Option<PgConnection>> {
    let mut holder = sql(url).await;
    sqlx::raw_sql(what).execute(&mut holder).await.unwrap();
    Mutex::new(Some(holder))
}

async fn let_go(holder: &Mutex<Option<PgConnection>>) {
    holder.lock().await.take().unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_waits_names_whom_it_waits_for() {
    let url = fresh().await;
    sqlx::raw_sql("CREATE TABLE likes (id int)").execute(&mut sql(&url).await).await.unwrap();
    let holder = hold(&url, "SET application_name = 'psql'; BEGIN; LOCK TABLE likes").await;
    let pid = column(holder.lock().await.as_mut().unwrap(), "SELECT pg_backend_pid()::text").await.remove(0);
    let alter = folder(&[("1_alter.sql", "-- +goose Up\nALTER TABLE likes ADD x int;\n")]);
    let (said, outcome) = run_until(&url, &alter, "waits for pid", async |_| let_go(&holder).await).await;
    outcome.unwrap();
    assert_eq!(said, format!("waits for pid {pid} (slipway, psql)"));
}

#[tokio::test]
async fn an_index_that_is_being_built_says_how_far_it_is() {
    let url = fresh().await;
    sqlx::raw_sql("CREATE TABLE likes (id int)").execute(&mut sql(&url).await).await.unwrap();
    let holder = hold(&url, "BEGIN; INSERT INTO likes VALUES (1)").await;
    let file = ("1_index.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON likes (id);\n");
    let (said, outcome) = run_until(&url, &folder(&[file]), "building an index", async |_| let_go(&holder).await).await;
    outcome.unwrap();
    assert!(said.starts_with("building an index: waiting for writers before build, waits for pid "), "{said}");
}

#[tokio::test]
async fn whoever_holds_the_lock_is_named_when_it_is_tried_again() {
    let url = fresh().await;
    sqlx::raw_sql("CREATE TABLE likes (id int)").execute(&mut sql(&url).await).await.unwrap();
    let holder = hold(&url, "SET application_name = psql; BEGIN; LOCK TABLE likes").await;
    let alter = folder(&[("1_alter.sql", "-- +goose Up\nALTER TABLE likes ADD x int;\n")]);
    let database = connect(&url).await.unwrap();
    let (sender, mut news) = mpsc::unbounded_channel();
    let journal = Listening(sender);
    // Half a second is looked at once, and may be too short for that on a busy machine.
    let options = RunOptions { lock_timeout: Duration::from_secs(3), ..RunOptions::default() };
    let run = Run { options: &options, journal: &journal, cancel: Cancel::never() };
    let pending = alter.migrations();
    let watching = async {
        loop {
            if let RunNews::Retry { holders, table, .. } = news.recv().await.unwrap() {
                let_go(&holder).await;
                return (holders, table);
            }
        }
    };
    let (outcome, (holders, table)) = tokio::join!(database.up(&alter, &pending, &run), watching);
    outcome.unwrap();
    assert_eq!(table.as_deref(), Some("likes"));
    let [holder] = holders.as_slice() else { panic!("{holders:?}") };
    let says = regex::Regex::new(r"^pid \d+ \([^,]+, psql, idle in transaction since \d\d:\d\d:\d\d UTC\)$").unwrap();
    assert!(says.is_match(holder), "{holder}");
}

#[tokio::test]
async fn cancelling_breaks_a_statement_off_and_takes_its_transaction_back() {
    let url = fresh().await;
    sqlx::raw_sql("CREATE TABLE likes (id int)").execute(&mut sql(&url).await).await.unwrap();
    let holder = hold(&url, "BEGIN; LOCK TABLE likes").await;
    let files = folder(&[
        ("1_first.sql", "-- +goose Up\nCREATE TABLE first (id int);\n"),
        ("2_stuck.sql", "-- +goose Up\nCREATE TABLE second (id int);\nALTER TABLE likes ADD x int;\n"),
    ]);
    let (_, outcome) = run_until(&url, &files, "waits for pid", async |switch| switch.ask()).await;
    let error = outcome.unwrap_err();
    let MigrateError::Cancelled { file, rolled_back, applied_before, .. } = &error else { panic!("{error}") };
    assert_eq!(
        (file.as_deref(), *rolled_back, applied_before.as_slice()),
        (Some("2_stuck.sql"), true, &[1.into()][..])
    );
    let_go(&holder).await;
    let mut look = sql(&url).await;
    let tables = "SELECT tablename::text FROM pg_tables WHERE tablename IN ('first', 'second') ORDER BY 1";
    assert_eq!(column(&mut look, tables).await, ["first"]);
    assert_eq!(column(&mut look, "SELECT version_id::text FROM goose_db_version WHERE version_id > 0").await, ["1"]);
    let database = connect(&url).await.unwrap();
    let again = database.up(&files, &files.migrations(), &Run::quiet(&patient())).await.unwrap();
    assert_eq!(again.done, [2.into()], "nothing is in the way of the next run");
}

#[tokio::test]
async fn cancelling_a_concurrent_build_names_what_it_leaves() {
    let url = fresh().await;
    sqlx::raw_sql("CREATE TABLE likes (id int)").execute(&mut sql(&url).await).await.unwrap();
    let holder = hold(&url, "BEGIN; INSERT INTO likes VALUES (1)").await;
    let file = ("1_index.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON likes (id);\n");
    let files = folder(&[file]);
    let (_, outcome) = run_until(&url, &files, "building an index", async |switch| switch.ask()).await;
    let said = outcome.unwrap_err().to_string();
    assert!(said.contains("It left the invalid index public.i, which no query uses; the next run drops it"), "{said}");
    let_go(&holder).await;
}

#[tokio::test]
async fn sqlite_breaks_off_too() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("goals.db").display());
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;";
    let file = format!("-- +goose Up\nCREATE TABLE likes (id int);\n{endless}\n");
    let files = folder(&[("1_endless.sql", &file)]);
    let database = connect(&url).await.unwrap();
    let (sender, mut news) = mpsc::unbounded_channel();
    let (journal, options) = (Listening(sender), patient());
    let (switch, cancel): (CancelSwitch, Cancel) = CancelSwitch::new();
    let run = Run { options: &options, journal: &journal, cancel };
    let pending = files.migrations();
    let stop = async {
        while !matches!(news.recv().await.unwrap(), RunNews::Statement { index: 2, .. }) {}
        switch.ask();
    };
    let (outcome, ()) = tokio::join!(database.up(&files, &pending, &run), stop);
    assert!(matches!(outcome, Err(MigrateError::Cancelled { rolled_back: true, .. })), "{outcome:?}");
    assert!(!database.history(files.format()).await.unwrap().contains(&1.into()));
}
