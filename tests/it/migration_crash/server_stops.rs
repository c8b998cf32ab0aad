//! PostgreSQL is stopped under a run (`pg_ctl stop -m immediate`), started again, and so is the run.

use super::place::{Place, THIRD};
use super::runner::Ended;
use slipway_sandbox::postgres::Postgres;

const WHOLE: &str = "-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\nINSERT INTO deeds (what) VALUES ('2b');\n";

/// A database with the first migration on a server of its own, which keeps what is committed.
async fn durable() -> (Postgres, Place) {
    let server = tokio::task::spawn_blocking(Postgres::start).await.unwrap().unwrap();
    let url = server.fresh_database().await.unwrap();
    let mut admin = Place::session(&url).await;
    let durable =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$";
    Place::send(&mut admin, durable).await;
    let place = Place::at(url).await;
    place.run(&["up"]).await.done();
    (server, place)
}

/// Stops the server once a run is held, and starts it again; the run's end, and the place with a new session.
async fn stop_under(server: &mut Postgres, place: &mut Place, gate: super::place::Gate) -> Ended {
    let run = place.start(&["up"]);
    place.until_held().await;
    server.stop_immediately().await.unwrap();
    drop(gate);
    // A run that wants to know how its commit ended asks for some time.
    let (ended, started) = tokio::join!(run.end(), server.start_again());
    started.unwrap();
    place.look = Place::session(&place.url).await;
    ended
}

async fn rest(place: &mut Place, deeds: &[&str]) {
    assert_eq!(place.deeds().await, deeds);
    assert_eq!(place.history().await, ["1 applied", "2 applied", "3 applied"]);
}

#[tokio::test]
async fn in_a_statement_of_a_transaction() {
    let (mut server, mut place) = durable().await;
    let second =
        "-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\nINSERT INTO deeds (what) SELECT '2b' WHERE gate();\n";
    place.file(("00002_second.sql", second));
    place.file(THIRD);
    let gate = place.close_gate().await;
    let said = stop_under(&mut server, &mut place, gate).await.refused();
    assert!(said.contains("00002_second.sql: statement 2 of 2"), "{said}");
    assert_eq!(place.deeds().await, ["1"], "nothing of it is left");
    assert_eq!(place.history().await, ["1 applied"]);
    place.run(&["up"]).await.done();
    rest(&mut place, &["1", "2a", "2b", "3"]).await;
}

#[tokio::test]
async fn during_a_commit() {
    let (mut server, mut place) = durable().await;
    place.file(("00002_second.sql", WHOLE));
    place.file(THIRD);
    place
        .sql(
            "CREATE CONSTRAINT TRIGGER held AFTER INSERT ON deeds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN \
             (NEW.what = '2a') EXECUTE FUNCTION gate_row()",
        )
        .await;
    let gate = place.close_gate().await;
    let said = stop_under(&mut server, &mut place, gate).await.refused();
    assert!(said.contains("00002_second.sql"), "{said}");
    assert!(said.contains("did not come about") || said.contains("may be applied or not"), "{said}");
    assert_eq!(place.deeds().await, ["1"], "it did not come about");
    place.run(&["up"]).await.done();
    rest(&mut place, &["1", "2a", "2b", "3"]).await;
}

#[tokio::test]
async fn in_a_statement_without_a_transaction() {
    let (mut server, mut place) = durable().await;
    let second = "-- +goose NO TRANSACTION\n-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\n\
                  INSERT INTO deeds (what) SELECT '2b' WHERE gate();\n";
    place.file(("00002_second.sql", second));
    place.file(THIRD);
    let gate = place.close_gate().await;
    let said = stop_under(&mut server, &mut place, gate).await.refused();
    assert!(said.contains("00002_second.sql: statement 2 of 2"), "{said}");
    assert!(said.contains("not known"), "{said}");
    let says = "1 of 2 statements is done, and statement 2 may have run or not";
    let said = place.run(&["up"]).await.refused();
    assert!(said.contains(says), "{said}");
    assert_eq!(place.deeds().await, ["1", "2a"], "not run blindly");
    place.run(&["up", "--continue"]).await.done();
    rest(&mut place, &["1", "2a", "2b", "3"]).await;
}

#[tokio::test]
async fn in_a_concurrent_index_build() {
    let (mut server, mut place) = durable().await;
    let second = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY by_what ON deeds (what);\n";
    place.file(("00002_second.sql", second));
    place.file(THIRD);
    let mut writer = Place::session(&place.url).await;
    Place::send(&mut writer, "BEGIN; INSERT INTO deeds (what) VALUES ('gone')").await;
    let gate = place.close_gate().await;
    let said = stop_under(&mut server, &mut place, gate).await.refused();
    assert!(said.contains("00002_second.sql"), "{said}");
    let invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid";
    assert_eq!(place.column(invalid).await, ["by_what"], "it is left behind");
    place.run(&["up"]).await.done();
    assert_eq!(place.column(invalid).await, Vec::<String>::new(), "and built anew");
    rest(&mut place, &["1", "3"]).await;
}
