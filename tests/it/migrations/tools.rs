//! One set of migrations as each tool would have it, and what each tool would leave behind.

use super::support::*;
use slipway_core::migration::format::{self, Format};
use slipway_core::migration::{Folder, Version};
use slipway_deploy::database::{Database, HalfDone, MigrateError, NoJournal, RunOptions, connect};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

/// Version, name, way up, way back, whether in a transaction.
pub(super) type Step = (u64, &'static str, &'static str, &'static str, bool);

pub(super) const STEPS: [Step; 3] = [
    (1, "likes", "CREATE TABLE likes (id int);\nINSERT INTO likes VALUES (1);\n", "DROP TABLE likes;\n", true),
    (
        2,
        "likes_by_id",
        "CREATE INDEX CONCURRENTLY likes_id ON likes (id);\n",
        "DROP INDEX CONCURRENTLY likes_id;\n",
        false,
    ),
    (3, "add_users", "CREATE TABLE users (id int);\n", "DROP TABLE users;\n", true),
];

/// The files of one migration as the tool wants them.
pub(super) fn files_of(tool: &str, step: Step) -> Vec<(String, String)> {
    let (version, name, up, down, whole) = step;
    match tool {
        "goose" => {
            let mark = if whole { "" } else { "-- +goose NO TRANSACTION\n" };
            vec![(format!("{version:05}_{name}.sql"), format!("{mark}-- +goose Up\n{up}-- +goose Down\n{down}"))]
        }
        "dbmate" => {
            let option = if whole { "" } else { " transaction:false" };
            let text = format!("-- migrate:up{option}\n{up}\n-- migrate:down{option}\n{down}");
            vec![(format!("{version:03}_{name}.sql"), text)]
        }
        "golang-migrate" => {
            let file = |half: &str, text: &str| (format!("{version:06}_{name}.{half}.sql"), text.to_owned());
            vec![file("up", up), file("down", down)]
        }
        "sqlx" => {
            let mark = if whole { "" } else { "-- no-transaction\n" };
            let file = |half: &str, text: &str| (format!("{version:04}_{name}.{half}.sql"), format!("{mark}{text}"));
            vec![file("up", up), file("down", down)]
        }
        other => panic!("no files for {other}"),
    }
}

pub(super) fn folder_for(tool: &str, steps: &[Step]) -> Folder<'static> {
    let files = steps.iter().flat_map(|step| files_of(tool, *step));
    let files = files.map(|(name, text)| (name, text.into_bytes()));
    Folder::read(format::by_name(tool).unwrap(), files, &|_| None).unwrap()
}

/// The same without what only PostgreSQL knows.
fn plain_steps() -> [Step; 3] {
    STEPS.map(|(version, name, up, down, whole)| {
        let plain = |text: &'static str| -> &'static str {
            match text {
                "CREATE INDEX CONCURRENTLY likes_id ON likes (id);\n" => "CREATE INDEX likes_id ON likes (id);\n",
                "DROP INDEX CONCURRENTLY likes_id;\n" => "DROP INDEX likes_id;\n",
                other => other,
            }
        };
        (version, name, plain(up), plain(down), whole)
    })
}

fn format_of(tool: &str) -> &'static dyn Format {
    format::by_name(tool).unwrap()
}

/// The applied versions, as the tool writes them.
async fn applied_of(database: &dyn Database, folder: &Folder<'_>) -> Vec<Version> {
    let history = database.history(folder.format()).await.unwrap();
    folder.files().map(|file| file.version.clone()).filter(|version| history.contains(version)).collect()
}

/// A table, as PostgreSQL describes it.
pub(super) async fn shape(url: &str, table: &str) -> Vec<String> {
    let query = format!(
        "SELECT concat_ws(' ', column_name, data_type, is_nullable, column_default) FROM information_schema.columns WHERE \
         table_name = '{table}' ORDER BY ordinal_position"
    );
    let mut shape = column(&mut sql(url).await, &query).await;
    let indexes = format!("SELECT indexdef FROM pg_indexes WHERE tablename = '{table}' ORDER BY 1");
    shape.extend(column(&mut sql(url).await, &indexes).await);
    shape
}

async fn all_up(database: &dyn Database, folder: &Folder<'_>) -> Vec<String> {
    let report = run_up(database, folder, &RunOptions::default(), &NoJournal).await.unwrap();
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    report.done.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn dbmates_history() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let all = folder_for("dbmate", &STEPS);
    assert_eq!(all_up(&*database, &all).await, ["001", "002", "003"]);
    assert_eq!(
        shape(&url, "schema_migrations").await,
        [
            "version character varying NO",
            "CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (version)",
        ]
    );
    let mut look = sql(&url).await;
    let rows = "SELECT version FROM schema_migrations ORDER BY 1";
    assert_eq!(column(&mut look, rows).await, ["001", "002", "003"]);
    let back: Vec<_> = ["003", "002"].map(|v| all.get(&Version::parse(v).unwrap()).unwrap().unwrap()).into();
    let options = RunOptions::default();
    database.down(&all, &back, &slipway_deploy::database::Run::quiet(&options)).await.unwrap();
    assert_eq!(column(&mut look, rows).await, ["001"]);
}

#[tokio::test]
async fn golang_migrates_history_has_one_row_and_is_dirty_only_while_a_file_runs_alone() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let all = folder_for("golang-migrate", &STEPS);
    assert_eq!(all_up(&*database, &all).await, ["1", "2", "3"]);
    assert_eq!(
        shape(&url, "schema_migrations").await,
        [
            "version bigint NO",
            "dirty boolean NO",
            "CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (version)",
        ]
    );
    let mut look = sql(&url).await;
    let rows = "SELECT version || ' ' || dirty FROM schema_migrations";
    assert_eq!(column(&mut look, rows).await, ["3 false"]);
    assert_eq!(down(&*database, &all, &[3, 2], &NoJournal).await.unwrap(), versions(&[3, 2]));
    assert_eq!(column(&mut look, rows).await, ["1 false"]);
    assert_eq!(down(&*database, &all, &[1], &NoJournal).await.unwrap(), versions(&[1]));
    assert_eq!(column(&mut look, rows).await, [""; 0]);

    // A file in a transaction that fails leaves no trace, one without leaves the row as the tool would.
    let broken = folder_for("golang-migrate", &[STEPS[0], (2, "broken", "SELECT wrong;", "", true)]);
    run_up(&*database, &broken, &RunOptions::default(), &NoJournal).await.unwrap_err();
    assert_eq!(column(&mut look, rows).await, ["1 false"]);
    let broken = folder_for("golang-migrate", &[STEPS[0], (2, "broken", "VACUUM wrong;", "", true)]);
    run_up(&*database, &broken, &RunOptions::default(), &NoJournal).await.unwrap_err();
    assert_eq!(column(&mut look, rows).await, ["2 true"]);
    let refused = run_up(&*database, &broken, &RunOptions::default(), &NoJournal).await.unwrap_err();
    assert!(matches!(refused, MigrateError::HalfDone(_)), "{refused}");
    assert!(
        refused.to_string().contains(
            "record it: TRUNCATE public.schema_migrations; INSERT INTO public.schema_migrations (version, dirty) VALUES \
             (2, false)."
        ),
        "{refused}"
    );
    let mended = folder_for("golang-migrate", &[STEPS[0], (2, "broken", "VACUUM likes;", "", true)]);
    let go_on = RunOptions { half_done: HalfDone::Continue, ..RunOptions::default() };
    assert_eq!(run_up(&*database, &mended, &go_on, &NoJournal).await.unwrap().done, versions(&[2]));
    assert_eq!(column(&mut look, rows).await, ["2 false"]);
}

#[tokio::test]
async fn what_golang_migrate_left_dirty_stops_everything() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    let all = folder_for("golang-migrate", &STEPS);
    let mut look = sql(&url).await;
    send(
        &mut look,
        "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL); \
         INSERT INTO schema_migrations VALUES (2, true)",
    )
    .await;
    let refused = run_up(&*database, &all, &RunOptions::default(), &NoJournal).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "golang-migrate began version 2 (000002_likes_by_id.up.sql) and did not see it end. Nothing was run. Look at the \
         database. It may also have been taking back the version after this one. Finish it by hand or undo it, and then \
         say which version is in place: \"migrate force VERSION\". In SQL: TRUNCATE public.schema_migrations; INSERT INTO \
         public.schema_migrations (version, dirty) VALUES (1, false) says that nothing of it is there, TRUNCATE \
         public.schema_migrations; INSERT INTO public.schema_migrations (version, dirty) VALUES (2, false) that all of it \
         is."
    );
    assert!(matches!(down(&*database, &all, &[1], &NoJournal).await.unwrap_err(), MigrateError::Dirty { .. }));
    let tables =
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'slipway_migrations'";
    assert_eq!(column(&mut look, tables).await, ["schema_migrations"]);
}

#[tokio::test]
async fn a_version_that_golang_migrate_went_past_is_refused_and_not_left_out() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    all_up(&*database, &folder_for("golang-migrate", &[STEPS[0], STEPS[2]])).await;
    let all = folder_for("golang-migrate", &STEPS);
    let late = run_up(&*database, &all, &RunOptions::default(), &NoJournal).await.unwrap_err();
    assert!(matches!(late, MigrateError::OutOfOrder { .. }), "{late}");
}

#[tokio::test]
async fn a_table_of_the_same_name_but_another_tool_is_named() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    all_up(&*database, &folder_for("golang-migrate", &STEPS)).await;
    assert_eq!(database.formats().await.unwrap(), [format_of("golang-migrate")]);
    let refused = database.history(format_of("dbmate")).await.unwrap_err();
    assert!(refused.to_string().contains("is not dbmate's: it has the columns of golang-migrate's."), "{refused}");
}

#[tokio::test]
async fn two_runners_with_an_index_build_among_them_apply_each_migration_once() {
    for tool in ["goose", "dbmate", "golang-migrate", "sqlx"] {
        let url = fresh().await;
        let (one, other) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
        let all = folder_for(tool, &STEPS);
        let options = RunOptions::default();
        let (one, other) =
            tokio::join!(run_up(&*one, &all, &options, &NoJournal), run_up(&*other, &all, &options, &NoJournal));
        let (one, other) = (one.unwrap(), other.unwrap());
        let mut done = [one.done, other.done].concat();
        done.sort();
        assert_eq!(done, all.files().map(|file| file.version.clone()).collect::<Vec<_>>(), "{tool}");
        let database = connect(&url).await.unwrap();
        assert_eq!(applied_of(&*database, &all).await, done, "{tool}");
        let mut look = sql(&url).await;
        assert_eq!(column(&mut look, "SELECT count(*)::text FROM likes").await, ["1"], "{tool}");
        let states = "SELECT state || ' ' || statements_done FROM slipway_migrations ORDER BY file";
        assert!(column(&mut look, states).await.iter().all(|state| state.starts_with("applied ")), "{tool}");
    }
}

#[tokio::test]
async fn every_tools_set_goes_up_and_down_on_sqlite() {
    for tool in ["goose", "dbmate", "golang-migrate", "sqlx"] {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("goals.db").display());
        let database = connect(&url).await.unwrap();
        let all = folder_for(tool, &plain_steps());
        let versions: Vec<_> = all.files().map(|file| file.version.clone()).collect();
        all_up(&*database, &all).await;
        assert_eq!(applied_of(&*database, &all).await, versions, "{tool}");
        assert_eq!(database.formats().await.unwrap(), [format_of(tool)], "{tool}");
        let mut back = all.migrations();
        back.reverse();
        let options = RunOptions::default();
        let report = database.down(&all, &back, &slipway_deploy::database::Run::quiet(&options)).await.unwrap();
        assert_eq!(report.done.len(), 3, "{tool}");
        assert_eq!(applied_of(&*database, &all).await, vec![], "{tool}");
        let mut look = SqliteConnection::connect(&url).await.unwrap();
        let left = "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('likes', 'users')";
        assert_eq!(sqlx::raw_sql(left).fetch_all(&mut look).await.unwrap().len(), 0, "{tool}");
    }
}

/// The tables that the tools make on SQLite, word for word: SQLite keeps the text.
#[tokio::test]
async fn the_tools_tables_on_sqlite() {
    for (tool, table, expected) in [
        ("dbmate", "schema_migrations", "CREATE TABLE \"schema_migrations\" (version varchar(128) primary key)"),
        ("golang-migrate", "schema_migrations", "CREATE TABLE schema_migrations (version uint64,dirty bool)"),
        (
            "goose",
            "goose_db_version",
            "CREATE TABLE goose_db_version (\n\t\tid INTEGER PRIMARY KEY AUTOINCREMENT,\n\t\tversion_id INTEGER NOT \
             NULL,\n\t\tis_applied INTEGER NOT NULL,\n\t\ttstamp TIMESTAMP DEFAULT (datetime('now'))\n\t)",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("goals.db").display());
        all_up(&*connect(&url).await.unwrap(), &folder_for(tool, &plain_steps())).await;
        let mut look = SqliteConnection::connect(&url).await.unwrap();
        let query = format!("SELECT sql FROM sqlite_master WHERE name = '{table}'");
        let row = sqlx::raw_sql(AssertSqlSafe(query)).fetch_one(&mut look).await.unwrap();
        assert_eq!(row.get::<String, _>(0), expected, "{tool}");
    }
}
