//! Rehearsals on a real PostgreSQL and on SQLite: what they see, and that nothing of them is left.

mod back;
mod beyond;
mod rig;
mod schema;

use rig::{File, Rig, column, goose, open, run};
use slipway_core::migration::LockMode::{AccessExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};
use slipway_core::migration::{DownTrial, LockMode, MigrationTrial, Touched};
use slipway_deploy::database::{
    DatabaseUrl, RehearsalError, RehearsalOptions, Run, RunOptions, connect, rehearse, reproduce,
};

const BASE: &str = "CREATE TABLE users (id int PRIMARY KEY, email varchar(10), age int);
CREATE TABLE posts (id int PRIMARY KEY, author int);
CREATE SCHEMA app; CREATE TABLE app.goals (id int);
CREATE INDEX posts_author ON posts (author);
INSERT INTO users SELECT n, 'a', n FROM generate_series(1, 1000) n; ANALYZE users;";

/// Every table that a migration touches, as `users ACCESS EXCLUSIVE rewritten scanned`.
fn touched(trial: &MigrationTrial) -> Vec<String> {
    let line = |touched: &Touched| {
        let mut line = format!("{} {}", touched.table, touched.lock.name());
        line.push_str(if touched.rewritten { " rewritten" } else { "" });
        line.push_str(if touched.scanned { " scanned" } else { "" });
        line
    };
    trial.touched.iter().map(line).collect()
}

/// A table with its lock, and what else is done to it.
type Expected<'a> = (&'a str, LockMode, &'a str);

fn expected(tables: &[Expected<'_>]) -> Vec<String> {
    tables.iter().map(|(table, lock, more)| format!("{table} {}{more}", lock.name())).collect()
}

#[tokio::test]
async fn locks_rewrites_and_scans_are_seen() {
    let rig = Rig::new(BASE).await;
    let scanned = " scanned";
    let rewritten = " rewritten scanned";
    let cases: &[(&str, &[Expected<'_>])] = &[
        ("ALTER TABLE users ADD COLUMN bio text", &[("users", AccessExclusive, "")]),
        ("ALTER TABLE users ADD COLUMN n int DEFAULT 7", &[("users", AccessExclusive, "")]),
        ("ALTER TABLE users ADD COLUMN r float DEFAULT random()", &[("users", AccessExclusive, rewritten)]),
        ("ALTER TABLE users ALTER COLUMN age TYPE bigint", &[("users", AccessExclusive, rewritten)]),
        ("ALTER TABLE users ALTER COLUMN email TYPE varchar(20)", &[("users", AccessExclusive, "")]),
        ("ALTER TABLE users ALTER COLUMN age SET NOT NULL", &[("users", AccessExclusive, scanned)]),
        ("ALTER TABLE users ADD CHECK (age > 0)", &[("users", AccessExclusive, scanned)]),
        ("ALTER TABLE users ADD CHECK (age > 0) NOT VALID", &[("users", AccessExclusive, "")]),
        ("CREATE INDEX i ON users (email)", &[("users", Share, scanned)]),
        (
            "ALTER TABLE posts ADD FOREIGN KEY (author) REFERENCES users",
            &[("posts", ShareRowExclusive, scanned), ("users", ShareRowExclusive, "")],
        ),
        ("DROP TABLE users", &[("users", AccessExclusive, "")]),
        ("TRUNCATE users", &[("users", AccessExclusive, "")]),
        ("ALTER TABLE app.goals ADD COLUMN a int", &[("app.goals", AccessExclusive, "")]),
        ("UPDATE users SET age = 1", &[]),
        ("SELECT count(*) FROM users;\nALTER TABLE users ADD COLUMN bio text", &[("users", AccessExclusive, "")]),
        ("ALTER TABLE users ADD COLUMN bio text;\nUPDATE users SET bio = ''", &[("users", AccessExclusive, scanned)]),
        ("CREATE TABLE new (id int);\nALTER TABLE new ADD COLUMN b int;\nCREATE INDEX ON new (b)", &[]),
        (
            "-- +goose NO TRANSACTION\nCREATE INDEX CONCURRENTLY i ON users (age)",
            &[("users", ShareUpdateExclusive, scanned)],
        ),
        ("-- +goose NO TRANSACTION\nDROP INDEX CONCURRENTLY posts_author", &[("posts", ShareUpdateExclusive, "")]),
        ("-- +goose NO TRANSACTION\nALTER TABLE users ADD COLUMN bio text", &[("users", AccessExclusive, "")]),
        ("-- +goose NO TRANSACTION\nVACUUM FULL users", &[("users", AccessExclusive, " rewritten")]),
        ("-- +goose NO TRANSACTION\nBEGIN;\nLOCK users;\nCOMMIT", &[("users", AccessExclusive, "")]),
    ];
    for (statements, tables) in cases {
        let trials = rig.rehearse(&[(1, statements, "")]).await.unwrap();
        assert_eq!(touched(&trials[0]), expected(tables), "{statements}");
        assert_eq!(trials[0].down, DownTrial::None, "{statements}");
    }
    rig.nothing_is_left().await;
}

#[tokio::test]
async fn sizes_are_those_of_the_real_database() {
    let rig = Rig::new(BASE).await;
    let trials =
        rig.rehearse(&[(1, "ALTER TABLE users ADD COLUMN bio text; CREATE INDEX ON app.goals (id)", "")]).await;
    let trials = trials.unwrap();
    let sizes: Vec<_> = trials[0].touched.iter().map(|t| (t.table.as_str(), t.size.and_then(|s| s.rows))).collect();
    assert_eq!(sizes, [("users", Some(1000)), ("app.goals", None)]);
    assert!(trials[0].touched[0].size.is_some_and(|size| size.bytes >= 8192), "{trials:?}");
}

#[tokio::test]
async fn tables_that_the_plan_itself_creates_do_not_count() {
    let rig = Rig::new(BASE).await;
    let trials = rig
        .rehearse(&[
            (1, "CREATE TABLE tags (id int);\nALTER TABLE users RENAME TO accounts", ""),
            (2, "CREATE INDEX ON tags (id);\nCREATE INDEX ON accounts (age)", ""),
        ])
        .await
        .unwrap();
    assert_eq!(touched(&trials[0]), ["users ACCESS EXCLUSIVE"]);
    assert_eq!(touched(&trials[1]), ["users SHARE scanned"], "by the name that the database itself knows");
    assert!(trials[1].touched[0].size.is_some());
}

#[tokio::test]
async fn each_way_back_is_tried() {
    let rig = Rig::new(BASE).await;
    let trials = rig
        .rehearse(&[
            (1, "CREATE TABLE tags (id int)", "DROP TABLE tags"),
            (
                2,
                "ALTER TABLE users ADD COLUMN bio text; CREATE INDEX bios ON users (id)",
                "ALTER TABLE users DROP COLUMN bio",
            ),
            (3, "ALTER TABLE users DROP COLUMN email", "ALTER TABLE users ADD COLUMN email text"),
        ])
        .await
        .unwrap();
    let downs: Vec<_> = trials.into_iter().map(|trial| trial.down).collect();
    let left = [
        "bios.sql cannot be applied again after it: relation \"bios\" already exists",
        "table public.users: index bios should not be there",
    ];
    assert_eq!(
        downs,
        [
            DownTrial::Restores,
            DownTrial::Leaves { differences: left.map(|line| line.replace("bios.sql", "00002_x.sql")).to_vec() },
            DownTrial::Leaves {
                differences: vec![
                    "table public.users: column email is \"text\" instead of \"character varying(10)\"".into()
                ]
            },
        ]
    );
    rig.nothing_is_left().await;
}

#[tokio::test]
async fn a_broken_way_back_stops_those_before_it() {
    let rig = Rig::new(BASE).await;
    let trials = rig
        .rehearse(&[
            (1, "CREATE TABLE tags (id int)", "DROP TABLE tags"),
            (2, "ALTER TABLE users ADD COLUMN bio text", "ALTER TABLE users DROP COLUMN boi"),
            (3, "CREATE TABLE likes (id int)", "DROP TABLE likes"),
        ])
        .await
        .unwrap();
    let downs: Vec<_> = trials.into_iter().map(|trial| trial.down).collect();
    assert_eq!(
        downs,
        [
            DownTrial::NotTried { why: "the way back of 00002_x.sql, which comes after it, did not work".into() },
            DownTrial::Fails { message: "column \"boi\" of relation \"users\" does not exist".into() },
            DownTrial::Restores,
        ]
    );
    let trials =
        rig.rehearse(&[(1, "CREATE TABLE a (id int)", "DROP TABLE a"), (2, "CREATE TABLE b (id int)", "")]).await;
    let why = "00002_x.sql, which comes after it, has no way back".to_owned();
    assert_eq!(trials.unwrap()[0].down, DownTrial::NotTried { why });
}

#[tokio::test]
async fn what_fails_is_told_and_what_only_lacks_rows_is_not_blamed() {
    let rig = Rig::new(BASE).await;
    let good = (1, "CREATE TABLE tags (id int)", "DROP TABLE tags");
    let error = rig.rehearse(&[good, (2, "SELECT 1;\nALTER TABLE usres ADD COLUMN bio text", "")]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "00002_x.sql failed in rehearsal, at statement 2 of 2: relation \"usres\" does not exist (42P01)"
    );
    assert!(matches!(&error, RehearsalError::Failed(failed) if failed.rolled_back), "{error:?}");
    for (statement, told) in [
        (
            "ALTER TABLE posts ADD FOREIGN KEY (author) REFERENCES users; INSERT INTO posts VALUES (1, 1)",
            "00001_x.sql needs rows, and the copy has none: insert or update on table \"posts\" violates foreign key \
             constraint \"posts_author_fkey\"",
        ),
        (
            "ALTER DATABASE goals SET work_mem = '1MB'",
            "00001_x.sql speaks of other databases of its server: database \"goals\" does not exist",
        ),
        (
            "GRANT SELECT ON users TO nobody_here",
            "00001_x.sql needs a role that the rehearsal server does not have: role \"nobody_here\" does not exist",
        ),
    ] {
        let error = rig.rehearse(&[(1, statement, "")]).await.unwrap_err();
        assert_eq!(error, RehearsalError::Unavailable(told.into()));
    }
    rig.nothing_is_left().await;
}

#[tokio::test]
async fn the_copy_has_the_schema_and_the_history_and_no_rows() {
    let rig = Rig::new(BASE).await;
    let database = connect(&rig.real).await.unwrap();
    let first = goose(&[(1, "CREATE TABLE first (id int)", "")]);
    database.up(&first, &first.migrations(), &Run::quiet(&RunOptions::default())).await.unwrap();
    // Fails unless all of it is so; the history's counter goes on where it was.
    let check = "-- +goose StatementBegin
DO $$ BEGIN
    IF (SELECT count(*) FROM users) > 0 THEN RAISE division_by_zero USING message = 'rows'; END IF;
    IF (SELECT string_agg(version_id::text, ',' ORDER BY id) FROM goose_db_version) <> '0,1' THEN
        RAISE division_by_zero USING message = 'history';
    END IF;
    INSERT INTO goose_db_version (version_id, is_applied) VALUES (77, true);
    PERFORM id FROM first;
END $$;
-- +goose StatementEnd";
    rig.rehearse(&[(2, check, "")]).await.unwrap();
    rig.nothing_is_left().await;
}

#[tokio::test]
async fn production_sees_nothing_but_readers() {
    let rig = Rig::new(BASE).await;
    let before = connect(&rig.real).await.unwrap().schema().await.unwrap();
    let mut look = open(&rig.real).await;
    let written = "SELECT concat_ws(' ', relname, n_tup_ins, n_tup_upd, n_tup_del, relfilenode) FROM pg_stat_user_tables \
                   JOIN pg_class USING (relname) ORDER BY 1";
    let rows = column(&mut look, written).await;
    rig.rehearse(&[(1, "DROP TABLE users; UPDATE posts SET author = 1", "")]).await.unwrap();
    assert_eq!(connect(&rig.real).await.unwrap().schema().await.unwrap(), before);
    assert_eq!(column(&mut look, written).await, rows);
    let users = column(&mut look, "SELECT count(*)::text FROM users").await;
    assert_eq!(users, ["1000"]);
}

#[tokio::test]
async fn a_rehearsal_that_is_given_up_leaves_nothing() {
    let rig = Rig::new(BASE).await;
    let slow = goose(&[(1, "SELECT pg_sleep(25)", "")]);
    let migrations = slow.migrations();
    let real = connect(&rig.real).await.unwrap();
    let (url, on) = (rig.real_url(), rig.on_url());
    let options = RehearsalOptions { same_server: true };
    let sleeping = rig.until_a_copy(
        "EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname AND a.query LIKE '%pg_sleep(25)%')",
    );
    tokio::select! {
        outcome = rehearse(&*real, &url, &on, &slow, &migrations, &options) => panic!("{outcome:?}"),
        () = sleeping => {}
    }
    rig.nothing_is_left().await;
}

#[tokio::test]
async fn old_copies_are_removed_and_nothing_else() {
    let rig = Rig::new(BASE).await;
    let mut admin = open(&rig.real).await;
    let [old, young, foreign, other] = [
        "slipway_rehearsal_1000000000_0123456789ab",
        "slipway_rehearsal_99999999999_0123456789ab",
        "slipway_rehearsal_1000000001_0123456789ab",
        "slipway_rehearsal_1000000000_0123456789ab_mine",
    ];
    for name in [old, young, other, "somebodys"] {
        run(&mut admin, &format!("CREATE DATABASE {name}")).await;
    }
    // It gets its name last, since other rehearsals go on meanwhile.
    run(&mut admin, "COMMENT ON DATABASE somebodys IS 'Do not touch'").await;
    run(&mut admin, &format!("ALTER DATABASE somebodys RENAME TO {foreign}")).await;
    // As a user who may remove all of them.
    let rig = rig.by_superuser();
    rig.rehearse(&[(1, "SELECT 1", "")]).await.unwrap();
    let left = "SELECT datname::text FROM pg_database WHERE datname LIKE 'slipway\\_rehearsal\\_%\\_0123456789ab%' \
                ORDER BY 1";
    assert_eq!(column(&mut admin, left).await, [other, foreign, young]);
    for name in [other, foreign, young] {
        run(&mut admin, &format!("DROP DATABASE {name}")).await;
    }
}

#[tokio::test]
async fn production_itself_and_its_server_are_refused() {
    let rig = Rig::new(BASE).await;
    let folder = goose(&[(1, "SELECT 1", "")]);
    let real = connect(&rig.real).await.unwrap();
    let try_on = async |on: &str, same_server: bool| {
        let on = DatabaseUrl::parse(on).unwrap();
        let options = RehearsalOptions { same_server };
        rehearse(&*real, &rig.real_url(), &on, &folder, &folder.migrations(), &options).await.unwrap_err().to_string()
    };
    for same_server in [true, false] {
        assert!(try_on(&rig.real, same_server).await.contains("is that of the environment's own database"));
    }
    // By another name it is the same server still.
    for on in [rig.on.clone(), rig.on.replace("127.0.0.1", "localhost")] {
        assert!(try_on(&on, false).await.contains("is the very server"), "{on}");
    }
    let nowhere = try_on("postgres://ana:hunter22@127.0.0.1:1/x", false).await;
    assert!(
        nowhere.starts_with("the rehearsal server cannot be reached") && !nowhere.contains("hunter22"),
        "{nowhere}"
    );
}

#[tokio::test]
async fn migrations_can_be_reproduced() {
    let rig = Rig::new("CREATE TABLE users (id int PRIMARY KEY, bio text); CREATE INDEX bios ON users (bio)").await;
    let folder =
        goose(&[(1, "CREATE TABLE users (id int PRIMARY KEY)", ""), (2, "ALTER TABLE users ADD COLUMN bio text", "")]);
    let made = reproduce(&rig.on_url(), &folder, &folder.migrations(), &RehearsalOptions::default()).await.unwrap();
    let real = connect(&rig.real).await.unwrap().schema().await.unwrap();
    let differences: Vec<_> = real.differences_from(&made).iter().map(ToString::to_string).collect();
    assert_eq!(differences, ["table public.users: index bios should not be there"]);
    rig.nothing_is_left().await;
}

#[tokio::test]
async fn sqlite_is_rehearsed_in_memory() {
    let folder_of_files = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder_of_files.path().join("goals.db").display());
    let real = connect(&file).await.unwrap();
    let base = goose(&[(1, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT CHECK (email <> ''))", "")]);
    real.up(&base, &base.migrations(), &Run::quiet(&RunOptions::default())).await.unwrap();
    let before = (real.schema().await.unwrap(), std::fs::read(folder_of_files.path().join("goals.db")).unwrap());
    let url = DatabaseUrl::parse(&file).unwrap();
    let held = async |files: &[File<'_>]| {
        let folder = goose(files);
        rehearse(&*real, &url, &url, &folder, &folder.migrations(), &RehearsalOptions::default()).await
    };
    let trials = held(&[
        (2, "ALTER TABLE users ADD COLUMN bio TEXT", "ALTER TABLE users DROP COLUMN bio"),
        (3, "CREATE INDEX emails ON users (email)", "SELECT 1"),
    ])
    .await
    .unwrap();
    assert_eq!(trials[0].down, DownTrial::Restores);
    let left = [
        "00003_x.sql cannot be applied again after it: index emails already exists",
        "table users: index emails should not be there",
    ];
    assert_eq!(trials[1].down, DownTrial::Leaves { differences: left.map(str::to_owned).to_vec() });
    let error = held(&[(2, "ALTER TABLE usres ADD COLUMN bio TEXT", "")]).await.unwrap_err();
    assert_eq!(error.to_string(), "00002_x.sql failed in rehearsal, at statement 1 of 1: no such table: usres (1)");
    let error = held(&[(2, "ATTACH 'x' AS y", "")]).await.unwrap_err();
    assert_eq!(error.to_string(), "00002_x.sql opens other files, which is not tried");
    let after = (real.schema().await.unwrap(), std::fs::read(folder_of_files.path().join("goals.db")).unwrap());
    assert!(before == after, "the file is as it was");
}
