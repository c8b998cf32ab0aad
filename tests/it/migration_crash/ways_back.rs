//! SIGKILL in `slipway migrate down`.

use super::place::Place;

const WHOLE: &str = "-- +goose Up\nINSERT INTO deeds (what) VALUES ('2');\n-- +goose Down\n\
                     INSERT INTO deeds (what) VALUES ('-2a');\nINSERT INTO deeds (what) VALUES ('-2b');\n";
const HELD: &str = "-- +goose Up\nINSERT INTO deeds (what) VALUES ('2');\n-- +goose Down\n\
                    INSERT INTO deeds (what) VALUES ('-2a');\nINSERT INTO deeds (what) SELECT '-2b' WHERE gate();\n";
const STEPS: &str = "-- +goose NO TRANSACTION\n-- +goose Up\nINSERT INTO deeds (what) VALUES ('2');\n-- +goose Down\n\
                     INSERT INTO deeds (what) VALUES ('-2a');\nINSERT INTO deeds (what) SELECT '-2b' WHERE gate();\n\
                     INSERT INTO deeds (what) VALUES ('-2c');\n";

/// Both migrations are applied, and the run that takes the second back is killed where it is held. The dead session
/// carries out what it has, or is ended before.
async fn killed(second: &str, held_by: &str, carries_out: bool) -> Place {
    let mut place = Place::new().await;
    place.file(("00002_second.sql", second));
    place.run(&["up"]).await.done();
    place.sql(held_by).await;
    let gate = place.close_gate().await;
    let run = place.start(&["down"]);
    let session = place.until_held().await;
    run.kill().await;
    if !carries_out {
        place.sql(&format!("SELECT pg_terminate_backend({session})")).await;
        place.until_gone(&session).await;
    }
    gate.open().await;
    place.until_gone(&session).await;
    place
}

#[tokio::test]
async fn in_a_statement_of_a_transaction() {
    for carries_out in [true, false] {
        let mut place = killed(HELD, "", carries_out).await;
        assert_eq!(place.history().await, ["1 applied", "2 applied"], "nothing of it happened");
        place.run(&["down"]).await.done();
        assert_eq!(place.deeds().await, ["1", "2", "-2a", "-2b"]);
        assert_eq!(place.history().await, ["1 applied"]);
    }
}

#[tokio::test]
async fn at_the_history_row_of_a_transaction() {
    let held_by = "CREATE TRIGGER held BEFORE DELETE ON goose_db_version FOR EACH ROW EXECUTE FUNCTION gate_row()";
    for carries_out in [true, false] {
        let mut place = killed(WHOLE, held_by, carries_out).await;
        if carries_out {
            assert_eq!(place.history().await, ["1 applied"], "it was committed after the kill");
        } else {
            assert_eq!(place.history().await, ["1 applied", "2 applied"], "nothing of it happened");
            place.run(&["down"]).await.done();
        }
        assert_eq!(place.deeds().await, ["1", "2", "-2a", "-2b"]);
        assert_eq!(place.history().await, ["1 applied"]);
        place.run(&["up"]).await.done();
        assert_eq!(place.deeds().await, ["1", "2", "-2a", "-2b", "2"], "it can be applied anew");
    }
}

#[tokio::test]
async fn during_the_commit() {
    let held_by = "CREATE CONSTRAINT TRIGGER held AFTER DELETE ON goose_db_version DEFERRABLE INITIALLY DEFERRED FOR \
                   EACH ROW EXECUTE FUNCTION gate_row()";
    for carries_out in [true, false] {
        let mut place = killed(WHOLE, held_by, carries_out).await;
        if !carries_out {
            assert_eq!(place.history().await, ["1 applied", "2 applied"], "nothing of it happened");
            place.run(&["down"]).await.done();
        }
        assert_eq!(place.deeds().await, ["1", "2", "-2a", "-2b"]);
        assert_eq!(place.history().await, ["1 applied"]);
    }
}

#[tokio::test]
async fn in_a_statement_without_a_transaction() {
    for carries_out in [true, false] {
        let mut place = killed(STEPS, "", carries_out).await;
        // Going on upwards is no way out of it.
        for command in [&["down"][..], &["up"], &["up", "--continue"]] {
            let said = place.run(command).await.refused();
            assert!(said.contains("1 of 3 statements is done"), "{command:?}: {said}");
            assert!(said.contains("taken back"), "{command:?}: {said}");
        }
        if carries_out {
            // Somebody looks and does the rest by hand, as they are told.
            let said = place.run(&["down"]).await.refused();
            let record = "DELETE FROM public.goose_db_version WHERE version_id = 2";
            assert!(said.contains(record), "{said}");
            place.sql(&format!("INSERT INTO deeds (what) VALUES ('-2c'); {record}")).await;
        } else {
            place.run(&["down", "--continue"]).await.done();
        }
        assert_eq!(place.deeds().await, ["1", "2", "-2a", "-2b", "-2c"]);
        assert_eq!(place.history().await, ["1 applied"]);
        place.run(&["up"]).await.done();
        assert_eq!(place.history().await, ["1 applied", "2 applied"]);
    }
}
