//! The history table is the tool's own, and Slipway's record beside it.

use super::support::*;
use slipway_core::migration::format::goose::Goose;
use slipway_core::migration::{PendingOptions, plan_pending};
use slipway_deploy::database::{MigrateError, connect};
use sqlx::Connection as _;

#[tokio::test]
async fn the_history_table_is_gooses_own() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    assert_eq!(applied(&*database).await, vec![]);
    let mut look = sql(&url).await;
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    assert_eq!(column(&mut look, tables).await, Vec::<String>::new(), "observing creates nothing");
    assert_eq!(up(&*database, &[LIKES]).await.unwrap(), versions(&[1]));
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
    send(&mut goose, &history).await;
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
    let history = database.history(&Goose).await.unwrap();
    let pending = plan_pending(&folder(&[LIKES, USERS]), &history, &PendingOptions::default()).unwrap();
    assert_eq!(pending.to_run().iter().map(|m| m.version.clone()).collect::<Vec<_>>(), versions(&[2]));
    // A file that changes the search path, as dumps do, must not lose its history row.
    let dump = (
        "00003_dump.sql",
        "-- +goose Up\nSELECT set_config('search_path', '', false);\nCREATE TABLE app.d (id int);\n",
    );
    assert_eq!(up(&*database, &[LIKES, USERS, dump]).await.unwrap(), versions(&[2, 3]));
    let rows = "SELECT version_id || ' ' || is_applied FROM goose_db_version ORDER BY id";
    assert_eq!(column(&mut goose, rows).await, ["0 true", "1 true", "2 true", "2 false", "2 true", "3 true"]);
    assert_eq!(applied(&*database).await, versions(&[1, 2, 3]));
    let places = "SELECT schemaname::text FROM pg_tables WHERE tablename IN ('users', 'goose_db_version', \
                  'slipway_migrations')";
    assert_eq!(column(&mut goose, places).await, ["app", "app", "app"]);
    assert_eq!(
        records(&mut goose).await,
        ["1 00001_likes.sql found 0/0", "2 00002_users.sql applied 1/1", "3 00003_dump.sql applied 2/2"]
    );
}

#[tokio::test]
async fn an_edited_file_is_noticed_by_the_record() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let mut look = sql(&url).await;
    up(&*database, &[LIKES]).await.unwrap();
    send(
        &mut look,
        "CREATE TABLE users (id int); INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)",
    )
    .await;
    up(&*database, &[LIKES, USERS, INDEX]).await.unwrap();
    let history = database.history(&Goose).await.unwrap();
    let edited = ("00001_likes.sql", "-- +goose Up\nCREATE TABLE likes (id bigint);\n");
    for (file, as_applied) in [(LIKES, true), (edited, false), (USERS, true), (INDEX, true)] {
        let migration = migration(file);
        let record = history.record(&migration.version).unwrap();
        assert_eq!(record.checksum == migration.checksum, as_applied, "{}", migration.file);
    }
    assert_eq!(
        records(&mut look).await,
        ["1 00001_likes.sql applied 2/2", "2 00002_users.sql found 0/0", "3 00003_index.sql applied 2/2"]
    );
}

#[tokio::test]
async fn a_table_of_another_tool_is_not_touched() {
    let url = fresh().await;
    let mut look = sql(&url).await;
    send(&mut look, "CREATE TABLE goose_db_version (wild text, geese int)").await;
    let database = connect(&url).await.unwrap();
    let refused = database.history(&Goose).await.unwrap_err();
    assert!(matches!(refused, MigrateError::OtherTool { expected: "goose", found: None, .. }), "{refused}");
    let refused = up(&*database, &[LIKES]).await.unwrap_err();
    assert!(refused.to_string().contains("The table goose_db_version of "), "{refused}");
    assert!(database.formats().await.unwrap().is_empty());
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    assert_eq!(column(&mut look, tables).await, ["goose_db_version"], "nothing was created");
}
