//! Connections that break: what is committed is known afterwards, and nothing is recorded that did not happen.

use super::half_done::kill_in;
use super::support::*;
use slipway_deploy::database::{MigrateError, NoJournal, RunOptions, connect};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How much goes through at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Passes everything on, but the answer to the first message that contains `cut`: there both ends are closed, after the
/// server has done what it was asked to.
async fn proxy(server: SocketAddr, cut: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let spent = Arc::new(AtomicBool::new(false));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, server, cut, spent.clone()));
        }
    });
    address
}

async fn pass_on(mut client: TcpStream, server: SocketAddr, cut: &'static str, spent: Arc<AtomicBool>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let (mut asked, mut answered) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
    let mut cutting = false;
    loop {
        let done = tokio::select! {
            Ok(n) = client.read(&mut asked) => {
                let text = String::from_utf8_lossy(&asked[..n]);
                cutting |= text.contains(cut) && !spent.swap(true, Ordering::SeqCst);
                n == 0 || server.write_all(&asked[..n]).await.is_err()
            }
            Ok(n) = server.read(&mut answered) => n == 0 || cutting || client.write_all(&answered[..n]).await.is_err(),
            else => true,
        };
        if done {
            return;
        }
    }
}

/// The same database by way of a proxy.
async fn through_proxy(url: &str, cut: &'static str) -> String {
    let (before, rest) = url.split_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    format!("{before}@{}/{database}", proxy(server.parse().unwrap(), cut).await)
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_counts_and_the_run_goes_on() {
    let url = fresh().await;
    let cut = through_proxy(&url, "goose_db_version (version_id, is_applied) VALUES (1, true)").await;
    assert_eq!(up(&*connect(&cut).await.unwrap(), &[LIKES, USERS]).await.unwrap(), versions(&[1, 2]));
    let mut look = sql(&url).await;
    assert_eq!(column(&mut look, "SELECT count(*)::text FROM likes").await, ["1"]);
    assert_eq!(records(&mut look).await, ["1 00001_likes.sql applied 2/2", "2 00002_users.sql applied 1/1"]);
}

#[tokio::test]
async fn a_way_back_whose_commit_was_lost_counts_too() {
    let url = fresh().await;
    up(&*connect(&url).await.unwrap(), &[LIKES, USERS]).await.unwrap();
    let cut = connect(&through_proxy(&url, "DELETE FROM public.goose_db_version WHERE version_id = 2").await).await;
    let all = folder(&[LIKES, USERS]);
    assert_eq!(down(&*cut.unwrap(), &all, &[2, 1], &NoJournal).await.unwrap(), versions(&[2, 1]));
}

#[tokio::test]
async fn a_statement_whose_connection_was_lost_is_taken_back() {
    let url = fresh().await;
    let cut = through_proxy(&url, "CREATE TABLE users").await;
    let MigrateError::Failed(failed) = up(&*connect(&cut).await.unwrap(), &[LIKES, USERS]).await.unwrap_err() else {
        panic!()
    };
    assert_eq!((failed.version.as_str(), failed.rolled_back), ("2", true));
    assert_eq!(up(&*connect(&url).await.unwrap(), &[LIKES, USERS]).await.unwrap(), versions(&[2]));
}

#[tokio::test]
async fn a_commit_that_did_not_come_about_is_a_plain_failure() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    up(&*database, &[LIKES]).await.unwrap();
    let (mut holder, mut look) = (sql(&url).await, sql(&url).await);
    send(&mut holder, "BEGIN; LOCK TABLE goose_db_version IN SHARE MODE").await;
    let options = RunOptions { lock_timeout: WAIT_LIMIT, ..RunOptions::default() };
    let all = folder(&[LIKES, USERS]);
    let (failed, ()) = tokio::join!(
        run_up(&*database, &all, &options, &NoJournal),
        kill_in(&mut look, "RESET SESSION AUTHORIZATION; INSERT")
    );
    let failed = failed.unwrap_err();
    let MigrateError::Failed(statement) = &failed else { panic!("{failed}") };
    assert!(statement.rolled_back && failed.to_string().contains("did not come about"), "{failed}");
    send(&mut holder, "ROLLBACK").await;
    assert_eq!(column(&mut look, "SELECT coalesce(to_regclass('users')::text, 'none')").await, ["none"]);
    assert_eq!(up(&*connect(&url).await.unwrap(), &[LIKES, USERS]).await.unwrap(), versions(&[2]));
}
