//! SIGKILL in each phase of `slipway migrate up`. The server does not notice at once that its client is dead: it ends the
//! statement that it has. So each phase is seen twice: the dead session does what it was told to and another run is
//! waiting meanwhile, and the dead session is ended before.

use super::place::{Place, THIRD};
use regex::Regex;

/// What becomes of the session whose client was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dead {
    /// It carries out what it was sent last.
    CarriesOut,
    /// It is ended before that.
    IsEnded,
}

/// What the next run does.
#[derive(Clone, Copy)]
enum Next {
    /// It brings the rest.
    Goes,
    /// It stops and says this. Somebody finishes the file by hand with these statements and records it as it is told,
    /// and then the rest comes.
    IsFinishedByHand(&'static str, &'static str),
    /// It stops and says this. Somebody looks, and it goes on.
    Continues(&'static str),
}

struct Phase {
    /// The SQL by which it is held.
    held_by: &'static str,
    second: &'static str,
    carried_out: Next,
    ended: Next,
    deeds: &'static [&'static str],
}

const WHOLE: &str = "-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\nINSERT INTO deeds (what) VALUES ('2b');\n";
const STEPS: &str = "-- +goose NO TRANSACTION\n-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\n\
                     INSERT INTO deeds (what) VALUES ('2b');\n";
const TWO_STATEMENTS: &[&str] = &["1", "2a", "2b", "3"];

impl Phase {
    async fn play(&self) {
        tokio::join!(self.play_with(Dead::CarriesOut), self.play_with(Dead::IsEnded));
    }

    async fn play_with(&self, dead: Dead) {
        let mut place = Place::new().await;
        place.run(&["up"]).await.done();
        place.file(("00002_second.sql", self.second));
        place.file(THIRD);
        place.sql(self.held_by).await;
        let next = kill_and_run_again(&mut place, dead).await;
        let expected = if dead == Dead::CarriesOut { self.carried_out } else { self.ended };
        follow(&mut place, expected, next, dead).await;
        assert_eq!(place.deeds().await, self.deeds, "{dead:?}");
        assert_eq!(place.history().await, ["1 applied", "2 applied", "3 applied"], "{dead:?}");
        place.run(&["up"]).await.done();
        assert_eq!(place.deeds().await, self.deeds, "{dead:?}: nothing is left to do");
    }
}

/// Gives how the run after the killed one ended.
async fn kill_and_run_again(place: &mut Place, dead: Dead) -> super::runner::Ended {
    let gate = place.close_gate().await;
    let run = place.start(&["up"]);
    let session = place.until_held().await;
    run.kill().await;
    if dead == Dead::IsEnded {
        place.sql(&format!("SELECT pg_terminate_backend({session})")).await;
        place.until_gone(&session).await;
        gate.open().await;
        return place.run(&["up"]).await;
    }
    let another = place.start(&["up"]);
    place.until_polling(&session).await;
    gate.open().await;
    another.end().await
}

async fn follow(place: &mut Place, expected: Next, next: super::runner::Ended, dead: Dead) {
    match expected {
        Next::Goes => {
            next.done();
        }
        Next::IsFinishedByHand(says, by_hand) => {
            let said = next.refused();
            assert!(said.contains(says), "{dead:?}: {said}");
            let record = Regex::new(r"INSERT INTO public\.goose_db_version [^;.]*VALUES \(2, true\)").unwrap();
            let record = record.find(&said).unwrap_or_else(|| panic!("how it is recorded: {said}"));
            place.sql(&format!("{by_hand}; {}", record.as_str())).await;
            place.run(&["up"]).await.done();
            // What somebody else recorded is only found.
            place.sql("UPDATE slipway_migrations SET state = 'applied' WHERE version = '2' AND state = 'found'").await;
        }
        Next::Continues(says) => {
            let said = next.refused();
            assert!(said.contains(says) && said.contains("--continue"), "{dead:?}: {said}");
            let again = place.run(&["up"]).await.refused();
            assert!(again.contains(says), "{dead:?}: it says the same again: {again}");
            place.run(&["up", "--continue"]).await.done();
        }
    }
}

#[tokio::test]
async fn in_a_statement_of_a_transaction() {
    let second =
        "-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\nINSERT INTO deeds (what) SELECT '2b' WHERE gate();\n";
    let phase = Phase { held_by: "", second, carried_out: Next::Goes, ended: Next::Goes, deeds: TWO_STATEMENTS };
    phase.play().await;
}

#[tokio::test]
async fn at_the_history_row_of_a_transaction() {
    let held_by = "CREATE TRIGGER held BEFORE INSERT ON goose_db_version FOR EACH ROW WHEN (NEW.version_id = 2) EXECUTE \
                   FUNCTION gate_row()";
    Phase { held_by, second: WHOLE, carried_out: Next::Goes, ended: Next::Goes, deeds: TWO_STATEMENTS }.play().await;
}

#[tokio::test]
async fn at_the_record_of_a_transaction() {
    let held_by = "CREATE TRIGGER held BEFORE INSERT ON slipway_migrations FOR EACH ROW WHEN (NEW.version = '2') EXECUTE \
                   FUNCTION gate_row()";
    Phase { held_by, second: WHOLE, carried_out: Next::Goes, ended: Next::Goes, deeds: TWO_STATEMENTS }.play().await;
}

#[tokio::test]
async fn during_a_commit() {
    let held_by = "CREATE CONSTRAINT TRIGGER held AFTER INSERT ON deeds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN \
                   (NEW.what = '2a') EXECUTE FUNCTION gate_row()";
    Phase { held_by, second: WHOLE, carried_out: Next::Goes, ended: Next::Goes, deeds: TWO_STATEMENTS }.play().await;
}

#[tokio::test]
async fn during_the_last_commit_of_the_run() {
    let held_by = "CREATE CONSTRAINT TRIGGER held AFTER INSERT ON deeds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN \
                   (NEW.what = '3') EXECUTE FUNCTION gate_row()";
    Phase { held_by, second: WHOLE, carried_out: Next::Goes, ended: Next::Goes, deeds: TWO_STATEMENTS }.play().await;
}

#[tokio::test]
async fn before_the_first_statement_without_a_transaction() {
    let held_by = "CREATE TRIGGER held BEFORE INSERT ON slipway_migrations FOR EACH ROW WHEN (NEW.state = 'running') \
                   EXECUTE FUNCTION gate_row()";
    // That it begins is on record, and whether the first statement was sent is not known.
    let carried_out = Next::Continues("0 of 2 statements are done, and statement 1 may have run or not");
    Phase { held_by, second: STEPS, carried_out, ended: Next::Goes, deeds: TWO_STATEMENTS }.play().await;
}

#[tokio::test]
async fn in_a_statement_without_a_transaction() {
    let second = "-- +goose NO TRANSACTION\n-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\n\
                  INSERT INTO deeds (what) SELECT '2b' WHERE gate();\nINSERT INTO deeds (what) VALUES ('2c');\n";
    let says = "1 of 3 statements is done, and statement 2 may have run or not";
    let phase = Phase {
        held_by: "",
        second,
        carried_out: Next::IsFinishedByHand(says, "INSERT INTO deeds (what) VALUES ('2c')"),
        ended: Next::Continues(says),
        deeds: &["1", "2a", "2b", "2c", "3"],
    };
    phase.play().await;
}

#[tokio::test]
async fn between_a_statement_and_its_record() {
    let held_by = "CREATE TRIGGER held BEFORE UPDATE ON slipway_migrations FOR EACH ROW WHEN (NEW.statements_done = 1) \
                   EXECUTE FUNCTION gate_row()";
    let phase = Phase {
        held_by,
        second: STEPS,
        carried_out: Next::Continues("1 of 2 statements is done, and statement 2 may have run or not"),
        ended: Next::IsFinishedByHand(
            "0 of 2 statements are done, and statement 1 may have run or not",
            "INSERT INTO deeds (what) VALUES ('2b')",
        ),
        deeds: TWO_STATEMENTS,
    };
    phase.play().await;
}

#[tokio::test]
async fn at_the_history_row_without_a_transaction() {
    let held_by = "CREATE TRIGGER held BEFORE INSERT ON goose_db_version FOR EACH ROW WHEN (NEW.version_id = 2) EXECUTE \
                   FUNCTION gate_row()";
    // All statements are on record as done.
    Phase { held_by, second: STEPS, carried_out: Next::Goes, ended: Next::Goes, deeds: TWO_STATEMENTS }.play().await;
}

/// Somebody's open transaction holds the build; the table is written in it, so that it is waited for.
#[tokio::test]
async fn in_a_concurrent_index_build() {
    let second = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY by_what ON deeds (what);\n\
                  INSERT INTO deeds (what) VALUES ('2b');\n";
    for dead in [Dead::CarriesOut, Dead::IsEnded] {
        let mut place = Place::new().await;
        place.run(&["up"]).await.done();
        place.file(("00002_second.sql", second));
        place.file(THIRD);
        let mut writer = Place::session(&place.url).await;
        Place::send(&mut writer, "BEGIN; INSERT INTO deeds (what) VALUES ('gone')").await;
        let run = place.start(&["up"]);
        let session = place.until_held().await;
        run.kill().await;
        let another = if dead == Dead::IsEnded {
            place.sql(&format!("SELECT pg_terminate_backend({session})")).await;
            place.until_gone(&session).await;
            let invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid";
            assert_eq!(place.column(invalid).await, ["by_what"], "it is left behind");
            place.start(&["up"])
        } else {
            let another = place.start(&["up"]);
            place.until_polling(&session).await;
            another
        };
        Place::send(&mut writer, "ROLLBACK").await;
        another.end().await.done();
        let valid = "SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid AND indrelid = 'deeds'::regclass \
                     AND NOT indisprimary";
        assert_eq!(place.column(valid).await, ["by_what"], "{dead:?}");
        let strays = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid";
        assert_eq!(place.column(strays).await, Vec::<String>::new(), "{dead:?}");
        assert_eq!(place.deeds().await, ["1", "2b", "3"], "{dead:?}");
        assert_eq!(place.history().await, ["1 applied", "2 applied", "3 applied"], "{dead:?}");
    }
}

#[tokio::test]
async fn while_the_lock_is_waited_for() {
    let mut place = Place::new().await;
    place.run(&["up"]).await.done();
    place.file(("00002_second.sql", WHOLE));
    place.file(THIRD);
    let mut other = Place::session(&place.url).await;
    Place::send(&mut other, "SELECT pg_advisory_lock(x'536c697077617901'::bigint)").await;
    let run = place.start(&["up"]);
    place.until_polling("0").await;
    run.kill().await;
    assert_eq!(place.history().await, ["1 applied"]);
    Place::send(&mut other, "SELECT pg_advisory_unlock_all()").await;
    place.run(&["up"]).await.done();
    assert_eq!(place.deeds().await, TWO_STATEMENTS);
    assert_eq!(place.history().await, ["1 applied", "2 applied", "3 applied"]);
}

#[tokio::test]
async fn while_the_history_table_is_made() {
    for table in ["goose_db_version", "slipway_migrations"] {
        for dead in [Dead::CarriesOut, Dead::IsEnded] {
            let mut place = Place::new().await;
            place.file(("00002_second.sql", WHOLE));
            place.file(THIRD);
            place
                .sql(&format!(
                    "CREATE FUNCTION gate_table() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM gate() FROM \
                     pg_event_trigger_ddl_commands() WHERE object_identity = 'public.{table}'; END $$; CREATE EVENT \
                     TRIGGER held ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION gate_table()"
                ))
                .await;
            kill_and_run_again(&mut place, dead).await.done();
            assert_eq!(place.deeds().await, TWO_STATEMENTS, "{table} {dead:?}");
            assert_eq!(place.history().await, ["1 applied", "2 applied", "3 applied"], "{table} {dead:?}");
            let zero = "SELECT count(*)::text FROM goose_db_version WHERE version_id = 0";
            assert_eq!(place.column(zero).await, ["1"], "goose's first row is there once");
        }
    }
}
