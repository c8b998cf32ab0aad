//! The history tables of the teams' tools on real databases: what each tool itself would have made and written.

use expect_test::{Expect, expect};
use slipway_core::migration::Version;
use slipway_core::migration::format::{Dialect, Entry, HistoryTable, by_name};
use slipway_sandbox::postgres;
use sqlx::{AssertSqlSafe, Connection as _, Database, Executor, PgConnection, Row, SqliteConnection};

/// How PostgreSQL describes the columns of a table.
const COLUMNS: &str = "SELECT column_name || ' ' || data_type || coalesce('(' || character_maximum_length || ')', '') || \
                       CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || coalesce(' default ' || column_default, \
                       '') || CASE is_identity WHEN 'YES' THEN ' identity ' || identity_generation ELSE '' END FROM \
                       information_schema.columns WHERE table_schema = 'public' ORDER BY ordinal_position";
const INDEXES: &str = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
const SQLITE_SCHEMA: &str =
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid";

async fn postgres() -> PgConnection {
    let server = tokio::task::spawn_blocking(postgres::shared).await.unwrap().unwrap();
    PgConnection::connect(&server.fresh_database().await.unwrap()).await.unwrap()
}

async fn sqlite() -> SqliteConnection {
    SqliteConnection::connect("sqlite::memory:").await.unwrap()
}

/// The first column of each row.
async fn column<C, D>(connection: &mut C, query: &str) -> Vec<String>
where
    D: Database,
    for<'c> &'c mut C: Executor<'c, Database = D>,
    usize: sqlx::ColumnIndex<D::Row>,
    String: for<'r> sqlx::Decode<'r, D> + sqlx::Type<D>,
{
    let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(query.to_owned()))).await.unwrap();
    rows.iter().map(|row| row.try_get_unchecked::<String, _>(0).unwrap()).collect()
}

/// The table as it is made, and what is in it after three migrations were applied and the last one was taken back, with
/// each change of the table, each line a row.
async fn story<C, D>(connection: &mut C, tool: &str, dialect: Dialect, columns: &str, schema: &[&str]) -> String
where
    D: Database,
    for<'c> &'c mut C: Executor<'c, Database = D>,
    usize: sqlx::ColumnIndex<D::Row>,
    String: for<'r> sqlx::Decode<'r, D> + sqlx::Type<D>,
{
    let history: &dyn HistoryTable = by_name(tool).unwrap().history();
    let table = history.table();
    let mut told = String::new();
    let mut steps = vec![("made", history.create(dialect, table))];
    let versions = [9, 10, 11].map(Version::from);
    let checksum = [0xab_u8, 0x01];
    for version in &versions {
        steps.extend(history.begin_alone(dialect, table, version).map(|sql| ("begun", sql)));
        let entry = Entry { version, description: "it's \\ here", checksum: Some(&checksum), nanos: 12_345 };
        steps.push(("applied", history.add(dialect, table, &entry)));
    }
    let [nine, ten, eleven] = &versions;
    for (version, before) in [(eleven, Some(ten)), (ten, Some(nine)), (nine, None)] {
        steps.extend(history.begin_back_alone(dialect, table, version, before).map(|sql| ("begun to take back", sql)));
        steps.push(("taken back", history.remove(dialect, table, version, before)));
    }
    for (what, sql) in steps {
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
        if what == "made" {
            for query in schema {
                told.push_str(&format!("{}\n", column(connection, query).await.join("\n")));
            }
        }
        let rows = column(connection, &format!("SELECT {columns} FROM {table} ORDER BY 1")).await;
        let rows = if rows.is_empty() { "nothing".to_owned() } else { rows.join("; ") };
        told.push_str(&format!("{what}: {rows}\n"));
    }
    told
}

async fn on_postgres(tool: &str, columns: &str, expected: Expect) {
    expected.assert_eq(&story(&mut postgres().await, tool, Dialect::Postgres, columns, &[COLUMNS, INDEXES]).await);
}

async fn on_sqlite(tool: &str, columns: &str, expected: Expect) {
    expected.assert_eq(&story(&mut sqlite().await, tool, Dialect::Sqlite, columns, &[SQLITE_SCHEMA]).await);
}

#[tokio::test]
async fn dbmate() {
    on_postgres(
        "dbmate",
        "version",
        expect![[r#"
        version character varying not null
        CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (version)
        made: nothing
        applied: 9
        applied: 10; 9
        applied: 10; 11; 9
        taken back: 10; 9
        taken back: 9
        taken back: nothing
    "#]],
    )
    .await;
    on_sqlite(
        "dbmate",
        "version",
        expect![[r#"
        CREATE TABLE "schema_migrations" (version varchar(128) primary key)
        made: nothing
        applied: 9
        applied: 10; 9
        applied: 10; 11; 9
        taken back: 10; 9
        taken back: 9
        taken back: nothing
    "#]],
    )
    .await;
}

#[tokio::test]
async fn golang_migrate() {
    on_postgres(
        "golang-migrate",
        "version || ' ' || dirty",
        expect![[r#"
        version bigint not null
        dirty boolean not null
        CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (version)
        made: nothing
        begun: 9 true
        applied: 9 false
        begun: 10 true
        applied: 10 false
        begun: 11 true
        applied: 11 false
        begun to take back: 10 true
        taken back: 10 false
        begun to take back: 9 true
        taken back: 9 false
        begun to take back: -1 true
        taken back: nothing
    "#]],
    )
    .await;
    on_sqlite(
        "golang-migrate",
        "version || ' ' || dirty",
        expect![[r#"
        CREATE TABLE schema_migrations (version uint64,dirty bool)
        CREATE UNIQUE INDEX version_unique ON schema_migrations (version)
        made: nothing
        begun: 9 1
        applied: 9 0
        begun: 10 1
        applied: 10 0
        begun: 11 1
        applied: 11 0
        begun to take back: 10 1
        taken back: 10 0
        begun to take back: 9 1
        taken back: 9 0
        begun to take back: -1 1
        taken back: nothing
    "#]],
    )
    .await;
}

#[tokio::test]
async fn goose() {
    on_postgres(
        "goose",
        "version_id || ' ' || is_applied",
        expect![[r#"
        id integer not null identity BY DEFAULT
        version_id bigint not null
        is_applied boolean not null
        tstamp timestamp without time zone not null default now()
        CREATE UNIQUE INDEX goose_db_version_pkey ON public.goose_db_version USING btree (id)
        made: 0 true
        applied: 0 true; 9 true
        applied: 0 true; 10 true; 9 true
        applied: 0 true; 10 true; 11 true; 9 true
        taken back: 0 true; 10 true; 9 true
        taken back: 0 true; 9 true
        taken back: 0 true
    "#]],
    )
    .await;
    on_sqlite(
        "goose",
        "version_id || ' ' || is_applied",
        expect![[r#"
        CREATE TABLE goose_db_version (
        		id INTEGER PRIMARY KEY AUTOINCREMENT,
        		version_id INTEGER NOT NULL,
        		is_applied INTEGER NOT NULL,
        		tstamp TIMESTAMP DEFAULT (datetime('now'))
        	)
        made: 0 1
        applied: 0 1; 9 1
        applied: 0 1; 10 1; 9 1
        applied: 0 1; 10 1; 11 1; 9 1
        taken back: 0 1; 10 1; 9 1
        taken back: 0 1; 9 1
        taken back: 0 1
    "#]],
    )
    .await;
}

#[tokio::test]
async fn sqlx() {
    let rest = "|| ' ' || execution_time || ' ' || description";
    let columns = format!("version || ' ' || success || ' ' || encode(checksum, 'hex') {rest}");
    on_postgres(
        "sqlx",
        &columns,
        expect![[r#"
        version bigint not null
        description text not null
        installed_on timestamp with time zone not null default now()
        success boolean not null
        checksum bytea not null
        execution_time bigint not null
        CREATE UNIQUE INDEX _sqlx_migrations_pkey ON public._sqlx_migrations USING btree (version)
        made: nothing
        applied: 9 true ab01 12345 it's \ here
        applied: 10 true ab01 12345 it's \ here; 9 true ab01 12345 it's \ here
        applied: 10 true ab01 12345 it's \ here; 11 true ab01 12345 it's \ here; 9 true ab01 12345 it's \ here
        taken back: 10 true ab01 12345 it's \ here; 9 true ab01 12345 it's \ here
        taken back: 9 true ab01 12345 it's \ here
        taken back: nothing
    "#]],
    )
    .await;
    on_sqlite(
        "sqlx",
        &format!("version || ' ' || success || ' ' || hex(checksum) {rest}"),
        expect![[r#"
        CREATE TABLE _sqlx_migrations (
            version BIGINT PRIMARY KEY,
            description TEXT NOT NULL,
            installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
            success BOOLEAN NOT NULL,
            checksum BLOB NOT NULL,
            execution_time BIGINT NOT NULL
        )
        made: nothing
        applied: 9 1 AB01 12345 it's \ here
        applied: 10 1 AB01 12345 it's \ here; 9 1 AB01 12345 it's \ here
        applied: 10 1 AB01 12345 it's \ here; 11 1 AB01 12345 it's \ here; 9 1 AB01 12345 it's \ here
        taken back: 10 1 AB01 12345 it's \ here; 9 1 AB01 12345 it's \ here
        taken back: 9 1 AB01 12345 it's \ here
        taken back: nothing
    "#]],
    )
    .await;
}

/// What is read back, in the types in which it is asked for.
#[tokio::test]
async fn every_history_is_read_in_the_order_in_which_it_is_taken_back() {
    for (tool, expected) in [
        ("goose", "11 10 9"),
        // Text, as the files' names are ordered.
        ("dbmate", "10 11 9"),
        ("golang-migrate", "9"),
        ("sqlx", "9 10 11"),
    ] {
        let history = by_name(tool).unwrap().history();
        let table = history.table();
        let (mut postgres, mut sqlite) = (postgres().await, sqlite().await);
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let mut script = vec![history.create(dialect, table)];
            for version in [11, 10, 9].map(Version::from) {
                let checksum = [0xab_u8, 0x01];
                let entry = Entry { version: &version, description: "", checksum: Some(&checksum), nanos: 1 };
                script.push(history.add(dialect, table, &entry));
            }
            let (script, read) = (AssertSqlSafe(script.join("; ")), AssertSqlSafe(history.read(dialect, table)));
            let rows: Vec<_> = if dialect == Dialect::Postgres {
                postgres.execute(sqlx::raw_sql(script)).await.unwrap();
                let rows = postgres.fetch_all(sqlx::raw_sql(read)).await.unwrap();
                let row = |row: &sqlx::postgres::PgRow| {
                    assert_eq!(row.try_get::<i32, _>("is_applied").unwrap(), 1);
                    assert_eq!(row.try_get::<i32, _>("is_dirty").unwrap(), 0);
                    let checksum = row.try_get::<Option<String>, _>("checksum").unwrap();
                    row.try_get::<Option<String>, _>("applied_at").unwrap();
                    (row.try_get::<i64, _>("ordinal").unwrap(), row.try_get::<String, _>("version").unwrap(), checksum)
                };
                rows.iter().map(row).collect()
            } else {
                sqlite.execute(sqlx::raw_sql(script)).await.unwrap();
                let rows = sqlite.fetch_all(sqlx::raw_sql(read)).await.unwrap();
                let row = |row: &sqlx::sqlite::SqliteRow| {
                    assert_eq!(row.try_get_unchecked::<i64, _>("is_applied").unwrap(), 1);
                    assert_eq!(row.try_get_unchecked::<i64, _>("is_dirty").unwrap(), 0);
                    let checksum = row.try_get_unchecked::<Option<String>, _>("checksum").unwrap();
                    row.try_get_unchecked::<Option<String>, _>("applied_at").unwrap();
                    let ordinal = row.try_get_unchecked::<i64, _>("ordinal").unwrap();
                    (ordinal, row.try_get_unchecked::<String, _>("version").unwrap(), checksum)
                };
                rows.iter().map(row).collect()
            };
            let versions: Vec<_> = rows.iter().map(|(_, version, _)| version.as_str()).collect();
            assert_eq!(versions.join(" "), expected, "{tool} {dialect:?}");
            assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let kept = (tool == "sqlx").then_some("ab01");
            assert!(rows.iter().all(|(_, _, checksum)| checksum.as_deref() == kept), "{rows:?}");
        }
    }
}

/// golang-migrate is at version -1, dirty, when taking back the very first migration failed.
#[tokio::test]
async fn no_version_at_all_can_be_dirty() {
    let history = by_name("golang-migrate").unwrap().history();
    let mut sqlite = sqlite().await;
    let begun = history.begin_back_alone(Dialect::Sqlite, "t", &9.into(), None).unwrap();
    let script = format!("{}; {begun}", history.create(Dialect::Sqlite, "t"));
    sqlite.execute(sqlx::raw_sql(AssertSqlSafe(script))).await.unwrap();
    let read = AssertSqlSafe(history.read(Dialect::Sqlite, "t"));
    let row = sqlite.fetch_one(sqlx::raw_sql(read)).await.unwrap();
    let (version, dirty): (String, i64) =
        (row.try_get_unchecked("version").unwrap(), row.try_get_unchecked("is_dirty").unwrap());
    assert_eq!((version.as_str(), dirty), ("0", 1));
}
