//! Files without a transaction: how far one came is in the database, and nothing is repeated blindly.

use super::support::*;
use slipway_core::migration::Folder;
use slipway_deploy::database::{Database, HalfDone, MigrateError, NoJournal, RunOptions, connect};
use sqlx::PgConnection;

const STEPS: (&str, &str) = (
    "00002_steps.sql",
    "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE tags (id int);\nALTER TABLE likes ADD x int;\n\
     -- +goose Down\nDROP TABLE tags;\nALTER TABLE likes DROP x;\n",
);
const UNIQUE: (&str, &str) = (
    "00002_unique.sql",
    "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE UNIQUE INDEX CONCURRENTLY one ON likes (id);\n",
);

fn go_on() -> RunOptions {
    RunOptions { half_done: HalfDone::Continue, ..RunOptions::default() }
}

/// Ends the session of the run once it waits in such a statement, as a crash would.
pub(super) async fn kill_in(look: &mut PgConnection, statement: &str) {
    let waiting = format!(
        "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity, pg_sleep(0.01) WHERE datname = \
         current_database() AND wait_event_type = 'Lock' AND query LIKE '{statement}%' AND pid <> pg_backend_pid()"
    );
    let killed = async { while column(look, &waiting).await.is_empty() {} };
    tokio::time::timeout(WAIT_LIMIT, killed).await.expect("the statement waits for a lock");
}

/// Runs a folder while `hold` is held by somebody else, and kills the run in `statement`.
async fn crash_up(url: &str, folder: &Folder<'_>, hold: &str, statement: &str) -> String {
    let database = connect(url).await.unwrap();
    let (mut holder, mut look) = (sql(url).await, sql(url).await);
    send(&mut holder, &format!("BEGIN; {hold}")).await;
    let options = RunOptions { lock_timeout: WAIT_LIMIT, ..RunOptions::default() };
    let (failed, ()) = tokio::join!(run_up(&*database, folder, &options, &NoJournal), kill_in(&mut look, statement));
    send(&mut holder, "ROLLBACK").await;
    failed.unwrap_err().to_string()
}

async fn up_with(
    database: &dyn Database,
    folder: &Folder<'_>,
    options: &RunOptions,
) -> Result<Vec<String>, MigrateError> {
    let report = run_up(database, folder, options, &NoJournal).await?;
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    Ok(report.done.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_failing_step_is_on_record_and_the_mended_file_can_be_gone_on_with() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let text = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE steps (id int);\nSELECT wrong;\n";
    let broken = ("00002_steps.sql", text);
    let MigrateError::Failed(failed) = up(&*database, &[LIKES, broken]).await.unwrap_err() else { panic!() };
    assert_eq!(
        failed.to_string(),
        "00002_steps.sql: statement 2 of 2 failed: column \"wrong\" does not exist (42703). What the file did before \
         stays in the database. 1 of 2 statements is done."
    );
    assert_eq!(
        records(&mut look).await,
        ["1 00001_likes.sql applied 2/2", "2 00002_steps.sql failed 1/2 column \"wrong\" does not exist"]
    );
    let refused = up(&*database, &[LIKES, broken, INDEX]).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "00002_steps.sql runs without a transaction and an earlier run did not come to its end: 1 of 2 statements is \
         done, and statement 2 failed: column \"wrong\" does not exist. Look at the database. Let the run go on with \
         statement 2. Or undo by hand what is done, and forget it: DELETE FROM public.slipway_migrations WHERE version \
         = '2'. Or finish the file by hand and record it: INSERT INTO public.goose_db_version (version_id, is_applied) \
         VALUES (2, true)."
    );
    let mended = text.replace("wrong", "1");
    let all = folder(&[LIKES, ("00002_steps.sql", &mended), INDEX]);
    let report = run_up(&*database, &all, &go_on(), &NoJournal).await.unwrap();
    assert_eq!(report.done, versions(&[2, 3]));
    assert_eq!(
        report.warnings,
        ["00002_steps.sql was changed after its first statement ran; the run went on with statement 2."]
    );
}

#[tokio::test]
async fn a_file_finished_by_hand_is_found() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let all = folder(&[LIKES, STEPS]);
    up(&*database, &[LIKES]).await.unwrap();
    crash_up(&url, &all, "LOCK TABLE likes", "ALTER TABLE").await;
    let MigrateError::HalfDone(file) = up_with(&*database, &all, &RunOptions::default()).await.unwrap_err() else {
        panic!()
    };
    send(&mut look, &format!("ALTER TABLE likes ADD x int; {}", file.finished)).await;
    assert_eq!(up(&*database, &[LIKES, STEPS]).await.unwrap(), vec![]);
    assert_eq!(records(&mut look).await, ["1 00001_likes.sql applied 2/2", "2 00002_steps.sql found 0/0"]);
}

#[tokio::test]
async fn after_a_crash_in_a_step_the_run_stops_and_can_be_told_to_go_on() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let all = folder(&[LIKES, STEPS]);
    up(&*database, &[LIKES]).await.unwrap();
    let failed = crash_up(&url, &all, "LOCK TABLE likes", "ALTER TABLE").await;
    assert!(failed.contains("whether this statement took effect is not known"), "{failed}");
    assert_eq!(records(&mut look).await[1], "2 00002_steps.sql running 1/2");
    let refused = up_with(&*database, &all, &RunOptions::default()).await.unwrap_err();
    let MigrateError::HalfDone(file) = &refused else { panic!("{refused}") };
    assert_eq!((file.statements_done, file.total, file.can_continue), (1, 2, true));
    assert!(refused.to_string().contains("statement 2 may have run or not."), "{refused}");
    // Nothing else runs beside it either, in neither direction.
    let others = folder(&[LIKES, INDEX]);
    assert!(matches!(up_with(&*database, &others, &go_on()).await.unwrap_err(), MigrateError::HalfDone(_)));
    assert!(matches!(down(&*database, &all, &[1], &NoJournal).await.unwrap_err(), MigrateError::HalfDone(_)));
    assert_eq!(up_with(&*database, &all, &go_on()).await.unwrap(), ["2"]);
    assert_eq!(records(&mut look).await[1], "2 00002_steps.sql applied 2/2");
}

#[tokio::test]
async fn an_index_build_that_crashed_is_cleared_away_and_done_again() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let all = folder(&[LIKES, UNIQUE]);
    up(&*database, &[LIKES]).await.unwrap();
    crash_up(&url, &all, "UPDATE likes SET id = 2", "CREATE UNIQUE INDEX").await;
    let valid = "SELECT indisvalid::text FROM pg_index WHERE indexrelid = to_regclass('one')";
    assert_eq!(column(&mut look, valid).await, ["false"]);
    assert_eq!(records(&mut look).await[1], "2 00002_unique.sql running 0/1");
    assert_eq!(up_with(&*database, &all, &RunOptions::default()).await.unwrap(), ["2"]);
    assert_eq!(column(&mut look, valid).await, ["true"]);
    assert_eq!(records(&mut look).await[1], "2 00002_unique.sql applied 1/1");
}

#[tokio::test]
async fn of_an_index_build_the_catalog_says_whether_it_is_done() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let all = folder(&[
        LIKES,
        INDEX,
        ("00004_drop.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nDROP INDEX CONCURRENTLY likes_id;\n"),
    ]);
    up(&*database, &[LIKES]).await.unwrap();
    // As after a crash before the build, after it, and after the drop.
    let running = |migration: usize| {
        let migration = &all.migrations()[migration];
        let (version, file, checksum, total) =
            (&migration.version, &migration.file, &migration.checksum, migration.up.len());
        format!(
            "INSERT INTO slipway_migrations (version, file, checksum, state, statements, statements_done) VALUES \
             ('{version}', '{file}', '{checksum}', 'running', {total}, 0)"
        )
    };
    send(&mut look, &running(1)).await;
    let two = folder(&[LIKES, INDEX]);
    assert_eq!(up_with(&*database, &two, &RunOptions::default()).await.unwrap(), ["3"]);
    let oid = "SELECT 'likes_id'::regclass::oid::text";
    let built = column(&mut look, oid).await;
    send(&mut look, "DELETE FROM goose_db_version WHERE version_id = 3; DELETE FROM slipway_migrations WHERE version = '3'; DROP TABLE tags").await;
    send(&mut look, &running(1)).await;
    assert_eq!(up_with(&*database, &two, &RunOptions::default()).await.unwrap(), ["3"]);
    assert_eq!(column(&mut look, oid).await, built, "it was not built again");
    send(&mut look, &format!("DROP INDEX likes_id; {}", running(2))).await;
    assert_eq!(up_with(&*database, &all, &RunOptions::default()).await.unwrap(), ["4"]);
    assert_eq!(records(&mut look).await[2], "4 00004_drop.sql applied 1/1");
}

#[tokio::test]
async fn a_file_whose_steps_are_all_done_is_simply_recorded() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let all = folder(&[LIKES, INDEX]);
    up(&*database, &[LIKES]).await.unwrap();
    let checksum = migration(INDEX).checksum;
    send(
        &mut look,
        &format!("INSERT INTO slipway_migrations VALUES ('3', '00003_index.sql', '{checksum}', 'running', 2, 2)"),
    )
    .await;
    assert_eq!(up_with(&*database, &all, &RunOptions::default()).await.unwrap(), ["3"]);
    assert_eq!(column(&mut look, "SELECT coalesce(to_regclass('tags')::text, 'none')").await, ["none"]);
}

#[tokio::test]
async fn a_files_own_transaction_takes_its_progress_back_with_it() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    up(&*database, &[LIKES]).await.unwrap();
    let own = "-- +goose Up\nCREATE TABLE tags (id int);\nBEGIN;\nCREATE TABLE more (id int);\nALTER TABLE likes ADD x int;\nCOMMIT;\n";
    let all = folder(&[LIKES, ("00002_own.sql", own)]);
    crash_up(&url, &all, "LOCK TABLE likes", "ALTER TABLE").await;
    assert_eq!(records(&mut look).await[1], "2 00002_own.sql running 1/5");
    // What was not committed is not there, so it goes on without a question.
    assert_eq!(up_with(&*database, &all, &RunOptions::default()).await.unwrap(), ["2"]);
    let wrong = ("00003_wrong.sql", "-- +goose Up\nBEGIN;\nCREATE TABLE lost (id int);\nSELECT wrong;\nCOMMIT;\n");
    let failed = up(&*database, &[LIKES, ("00002_own.sql", own), wrong]).await.unwrap_err().to_string();
    assert!(failed.ends_with("0 of 4 statements are done."), "{failed}");
    assert_eq!(column(&mut look, "SELECT coalesce(to_regclass('lost')::text, 'none')").await, ["none"]);
}

#[tokio::test]
async fn a_way_back_that_stopped_in_the_middle_is_not_gone_twice() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let all = folder(&[LIKES, STEPS]);
    up(&*database, &[LIKES, STEPS]).await.unwrap();
    send(&mut look, "ALTER TABLE likes DROP x").await;
    let failed = down(&*database, &all, &[2], &NoJournal).await.unwrap_err().to_string();
    assert!(failed.ends_with("1 of 2 statements is done."), "{failed}");
    assert_eq!(
        records(&mut look).await[1],
        "2 00002_steps.sql taking back 1/2 column \"x\" of relation \"likes\" does not exist"
    );
    let again = down(&*database, &all, &[2], &NoJournal).await.unwrap_err();
    let MigrateError::HalfDone(file) = &again else { panic!("{again}") };
    assert!(file.taking_back && again.to_string().contains("is taken back without a transaction"), "{again}");
    assert!(matches!(up(&*database, &[LIKES, STEPS, INDEX]).await.unwrap_err(), MigrateError::HalfDone(_)));
    send(&mut look, "ALTER TABLE likes ADD x int").await;
    assert_eq!(down_with(&*database, &all, &[2], &go_on(), &NoJournal).await.unwrap(), versions(&[2]));
    assert_eq!(records(&mut look).await, ["1 00001_likes.sql applied 2/2"]);
}

#[tokio::test]
async fn progress_is_kept_although_the_file_becomes_somebody_else() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let role = column(&mut look, "SELECT current_database() || '_app'").await.remove(0);
    send(&mut look, &format!("CREATE ROLE {role}; CREATE SCHEMA app AUTHORIZATION {role}")).await;
    let text = format!(
        "-- +goose NO TRANSACTION\n-- +goose Up\nSET ROLE {role};\nCREATE TABLE app.a (id int);\nCREATE TABLE app.b (id int);\nSELECT wrong;\n"
    );
    let failed = up(&*database, &[("00001_role.sql", &text)]).await.unwrap_err().to_string();
    assert!(failed.ends_with("3 of 4 statements are done."), "{failed}");
    let owner = "SELECT tableowner::text FROM pg_tables WHERE schemaname = 'app'";
    assert_eq!(column(&mut look, owner).await, [role.as_str(), role.as_str()]);
    // The role is taken on again before the rest.
    let mended = text.replace("SELECT wrong", "CREATE TABLE app.c (id int)");
    let all = folder(&[("00001_role.sql", &mended)]);
    assert_eq!(run_up(&*database, &all, &go_on(), &NoJournal).await.unwrap().done, versions(&[1]));
    assert_eq!(column(&mut look, owner).await.len(), 3);
    assert!(column(&mut look, owner).await.iter().all(|owner| *owner == role));
}

#[tokio::test]
async fn only_the_index_that_the_very_statement_left_is_dropped() {
    let url = fresh().await;
    let (database, mut look) = (connect(&url).await.unwrap(), sql(&url).await);
    let twice = ("00001_twice.sql", "-- +goose Up\nCREATE TABLE likes (id int);\nINSERT INTO likes VALUES (1), (1);\n");
    up(&*database, &[twice, UNIQUE]).await.unwrap_err();
    assert_eq!(
        records(&mut look).await[1],
        "2 00002_unique.sql failed 0/1 could not create unique index \"one\"; it left the invalid index public.one"
    );
    // Nothing is mended: it is built anew, fails again, and is known again.
    up(&*database, &[twice, UNIQUE]).await.unwrap_err();
    assert!(records(&mut look).await[1].ends_with("it left the invalid index public.one"));
    // The file is another one than the one that failed.
    let text = format!("{}-- so that it is another\n", UNIQUE.1);
    let edited = (UNIQUE.0, text.as_str());
    let oid = "SELECT 'one'::regclass::oid::text";
    let MigrateError::HalfDone(file) = up(&*database, &[twice, edited]).await.unwrap_err() else { panic!() };
    assert_eq!((file.invalid_index.as_deref(), file.can_continue), (Some("public.one"), true));
    // A valid index of that name is somebody's: it is neither dropped nor taken for what the file wants.
    send(&mut look, "DROP INDEX one; CREATE INDEX one ON likes (id)").await;
    let built = column(&mut look, oid).await;
    assert!(matches!(up(&*database, &[twice, UNIQUE]).await.unwrap_err(), MigrateError::HalfDone(_)));
    assert_eq!(column(&mut look, oid).await, built);
    // Nothing is there any more: it is built.
    send(&mut look, "DROP INDEX one; TRUNCATE likes").await;
    assert_eq!(up(&*database, &[twice, UNIQUE]).await.unwrap(), versions(&[2]));
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
    let mut look = sql(&url).await;
    for (expected, ends, left) in [
        (
            "could not create unique index",
            "It left the invalid index public.one, which no query uses; the next run drops it and builds it anew.",
            Some("public.one"),
        ),
        ("the index is invalid", "DROP INDEX CONCURRENTLY public.one.", None),
    ] {
        let MigrateError::Failed(failed) = up(&*database, &[twice, index]).await.unwrap_err() else { panic!() };
        assert!(failed.message.starts_with(expected), "{failed}");
        assert!(failed.to_string().ends_with(ends), "{failed}");
        assert_eq!(failed.left_index.as_deref(), left);
        // As if somebody else had left the index.
        send(&mut look, "DELETE FROM slipway_migrations WHERE version = '2'").await;
    }
    assert_eq!(applied(&*database).await, versions(&[1]));
    let other = ("00003_other.sql", "-- +goose Up\nCREATE TABLE other (id int);\n");
    let report = run_up(&*database, &folder(&[twice, other]), &RunOptions::default(), &NoJournal).await.unwrap();
    assert_eq!(
        report.warnings,
        [
            "The index public.one is invalid: an earlier attempt to build it failed, and no query uses it. REINDEX INDEX \
          CONCURRENTLY public.one mends it, DROP INDEX CONCURRENTLY public.one removes it."
        ]
    );
}
