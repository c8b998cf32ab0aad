//! Two runners on one database at once.

use super::place::{Place, THIRD};
use sqlx::PgConnection;

const INDEX: (&str, &str) = (
    "00002_index.sql",
    "-- +goose NO TRANSACTION\n-- +goose Up\nINSERT INTO deeds (what) VALUES ('2');\n\
     CREATE INDEX CONCURRENTLY by_what ON deeds (what);\n",
);

/// The first is held in the build of an index by somebody's open transaction while the second waits for it: a waiter with
/// a snapshot of its own would be waited for by the build, for ever.
#[tokio::test]
async fn each_migration_is_applied_once_beside_a_concurrent_index_build() {
    let mut place = Place::new().await;
    place.sql("INSERT INTO deeds (what) SELECT 'before' FROM generate_series(1, 1000)").await;
    place.file(INDEX);
    place.file(THIRD);
    let mut writer = Place::session(&place.url).await;
    Place::send(&mut writer, "BEGIN; INSERT INTO deeds (what) VALUES ('gone')").await;
    let first = place.start(&["up"]);
    let session = place.until_held().await;
    let second = place.start(&["up"]);
    place.until_polling(&session).await;
    Place::send(&mut writer, "ROLLBACK").await;
    let (first, second) = tokio::join!(first.end(), second.end());
    let said = [first.done(), second.done()];
    assert_eq!(place.column("SELECT what FROM deeds WHERE what <> 'before' ORDER BY id").await, ["1", "2", "3"]);
    assert_eq!(place.history().await, ["1 applied", "2 applied", "3 applied"], "{said:?}");
}

/// Neither is held: whoever comes first. Four, so that it is not always the same two steps that meet.
#[tokio::test]
async fn runners_that_start_together_share_the_work_or_wait() {
    let mut place = Place::new().await;
    place.file(INDEX);
    place.file(THIRD);
    let names: Vec<_> = (4..20).map(|version| format!("{version:05}_more.sql")).collect();
    for (name, version) in names.iter().zip(4..) {
        place.file((name, &format!("-- +goose Up\nINSERT INTO deeds (what) VALUES ('{version}');\n")));
    }
    let runners: Vec<_> = (0..4).map(|_| place.start(&["up"]).end()).collect();
    for ended in futures::future::join_all(runners).await {
        ended.done();
    }
    let all: Vec<_> = (1..20).map(|version| version.to_string()).collect();
    assert_eq!(place.deeds().await, all);
    let history: Vec<_> = all.iter().map(|version| format!("{version} applied")).collect();
    assert_eq!(place.history().await, history);
}

/// goose's own session lock, as its library takes it. Slipway waits for it, and holds it while it runs.
#[tokio::test]
async fn a_runner_that_holds_gooses_lock_is_waited_for_and_kept_out() {
    const LOCK: &str = "pg_try_advisory_lock(4097083626)";
    let mut place = Place::new().await;
    let mut goose: PgConnection = Place::session(&place.url).await;
    Place::send(&mut goose, &format!("SELECT {LOCK}")).await;
    let run = place.start(&["up"]);
    place.until("Slipway asks for goose's lock", &asks_for("4097083626")).await;
    assert_eq!(place.deeds().await, Vec::<String>::new());
    Place::send(&mut goose, "SELECT pg_advisory_unlock(4097083626)").await;
    run.end().await.done();
    let second = "-- +goose Up\nINSERT INTO deeds (what) SELECT '2' WHERE gate();\n";
    place.file(("00002_second.sql", second));
    let gate = place.close_gate().await;
    let run = place.start(&["up"]);
    place.until_held().await;
    assert_eq!(place.column(&format!("SELECT {LOCK}::text")).await, ["false"], "goose would wait");
    gate.open().await;
    run.end().await.done();
    assert_eq!(place.column(&format!("SELECT {LOCK}::text")).await, ["true"], "and come to its turn");
    assert_eq!(place.deeds().await, ["1", "2"]);
}

/// What a session that is not ours sent last, if it asks for that lock. While it is not got, ours is asked for and given
/// back in turn, so that either is seen.
fn asks_for(lock: &str) -> String {
    format!(
        "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND query LIKE \
         'SELECT pg_try_advisory_lock({lock})' AND pid <> pg_backend_pid() AND state = 'idle'"
    )
}
