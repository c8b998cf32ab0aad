//! Databases that take a question and do not answer it: looking at them ends, and says why.

use super::support::*;
use slipway_core::migration::format::goose::Goose;
use slipway_deploy::database::{
    CancelSwitch, Database, DatabaseUrl, MigrateError, NoJournal, ReadLimits, Run, RunOptions, open_within,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How much goes through at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Limits that a test can wait for: a second for locks, the whole look longer than the test waits.
const LOCKS_SOON: ReadLimits =
    ReadLimits { answer: Duration::from_secs(300), statement: Duration::from_secs(60), lock: Duration::from_secs(1) };

async fn opened(url: &str, limits: ReadLimits) -> Box<dyn Database> {
    open_within(&DatabaseUrl::parse(url).unwrap(), limits).await.unwrap()
}

/// The same database by way of a peer that takes everything, and answers nothing from the message on that contains `last`. Each
/// permit stands for a connection that has become silent.
async fn silent_from(url: &str, last: &'static str) -> (String, Arc<Semaphore>) {
    let (before, rest) = url.split_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, silent) = (listener.local_addr().unwrap(), Arc::new(Semaphore::new(0)));
    let (server, became) = (server.parse().unwrap(), silent.clone());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, server, last, became.clone()));
        }
    });
    (format!("{before}@{address}/{database}"), silent)
}

async fn pass_on(mut client: TcpStream, server: SocketAddr, last: &'static str, became: Arc<Semaphore>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let (mut asked, mut answered) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
    let mut silent = false;
    loop {
        tokio::select! {
            Ok(n) = client.read(&mut asked) => {
                if n == 0 {
                    return;
                }
                if !silent && String::from_utf8_lossy(&asked[..n]).contains(last) {
                    silent = true;
                    became.add_permits(1);
                }
                if !silent && server.write_all(&asked[..n]).await.is_err() {
                    return;
                }
            }
            Ok(n) = server.read(&mut answered), if !silent => {
                if n == 0 || client.write_all(&answered[..n]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

#[tokio::test]
async fn a_history_that_somebody_has_locked_names_whoever_that_is() {
    let url = fresh().await;
    let database = opened(&url, LOCKS_SOON).await;
    assert_eq!(up(&*database, &[LIKES]).await.unwrap(), versions(&[1]));
    let mut holder = sql(&url).await;
    let pid = column(&mut holder, "SELECT pg_backend_pid()::text").await.remove(0);
    send(&mut holder, "SET application_name = 'psql'; BEGIN; LOCK TABLE goose_db_version IN ACCESS EXCLUSIVE MODE")
        .await;
    let error = timeout(WAIT_LIMIT, database.history(&Goose)).await.expect("it ends").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Reading the history table failed: public.goose_db_version is locked by pid {pid} (slipway, psql) for more than \
             1 s."
        )
    );
    // What else is read of it is not to be had either, and waits no longer.
    let tables = ["goose_db_version".to_owned()].into();
    timeout(WAIT_LIMIT, database.sizes(&tables)).await.expect("it ends").unwrap_err();
    send(&mut holder, "ROLLBACK").await;
    assert_eq!(applied(&*database).await, versions(&[1]), "the same database, once it is let go");
}

#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_is_one_that_cannot_be_reached() {
    let url = fresh().await;
    up(&*opened(&url, LOCKS_SOON).await, &[LIKES]).await.unwrap();
    let (gone, _silent) = silent_from(&url, "to_regclass").await;
    let database = opened(&gone, ReadLimits { answer: Duration::from_secs(1), ..LOCKS_SOON }).await;
    let error = timeout(WAIT_LIMIT, database.history(&Goose)).await.expect("it ends").unwrap_err();
    assert!(matches!(error, MigrateError::Connect { .. }), "{error:?}");
    assert!(error.to_string().ends_with(" cannot be reached: no answer within 1 s."), "{error}");
    let error = timeout(WAIT_LIMIT, database.formats()).await.expect("it ends").unwrap_err();
    assert!(matches!(error, MigrateError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn a_run_that_gets_no_answer_about_its_locks_can_be_stopped() {
    let url = fresh().await;
    for last in ["current_database()", "SET client_min_messages = error; SET lock_timeout", "pg_try_advisory_lock"] {
        let (gone, silent) = silent_from(&url, last).await;
        let database = opened(&gone, LOCKS_SOON).await;
        let folder = folder(&[LIKES]);
        let (pending, options) = (folder.migrations(), RunOptions::default());
        let (switch, cancel) = CancelSwitch::new();
        let run = Run { options: &options, journal: &NoJournal, cancel };
        let stops = async {
            silent.acquire().await.unwrap().forget();
            switch.ask();
        };
        // Less than the time after which such an answer is given up.
        let ran = async { tokio::join!(database.up(&folder, &pending, &run), stops).0 };
        let error = timeout(WAIT_LIMIT / 3, ran).await.expect("it ends").unwrap_err();
        assert!(matches!(error, MigrateError::Cancelled { file: None, .. }), "{last}: {error:?}");
    }
    assert_eq!(applied(&*opened(&url, LOCKS_SOON).await).await, versions(&[]));
}

#[tokio::test]
async fn the_limits_of_reading_are_none_of_a_run() {
    let limits = "CREATE TABLE limits AS SELECT current_setting('statement_timeout') AS statement, \
                  current_setting('transaction_read_only') AS reads";
    let text = format!("-- +goose Up\n{limits};\n");
    let file = ("00002_limits.sql", text.as_str());
    let alone = (
        "00003_alone.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\nINSERT INTO limits SELECT \
                  current_setting('statement_timeout'), current_setting('transaction_read_only');\n",
    );
    let url = fresh().await;
    let database = opened(&url, LOCKS_SOON).await;
    assert_eq!(up(&*database, &[LIKES]).await.unwrap(), versions(&[1]));
    // On one connection: what is read before a run must leave nothing behind.
    assert_eq!(applied(&*database).await, versions(&[1]));
    database.postgres_version().await.unwrap();
    database.schema().await.unwrap();
    assert_eq!(up(&*database, &[LIKES, file, alone]).await.unwrap(), versions(&[2, 3]));
    let mut look = sql(&url).await;
    assert_eq!(column(&mut look, "SELECT statement || ' ' || reads FROM limits").await, ["0 off", "0 off"]);
}
