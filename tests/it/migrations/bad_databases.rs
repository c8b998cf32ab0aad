//! Databases that cannot be migrated as they are: each says what to do, and nothing is lost.

use super::guarded::{PASSWORD, address, guarded};
use super::support::*;
use slipway_core::migration::format::goose::Goose;
use slipway_deploy::database::{MigrateError, connect};
use sqlx::Connection as _;
use std::path::Path;

/// Why there is no connection, with every form of the error looked at for the password.
async fn refused(url: &str) -> String {
    let Err(error) = connect(url).await else { panic!("{url} lets in") };
    assert!(matches!(error, MigrateError::Connect { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error:?}");
    error.to_string()
}

fn sqlite_url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

#[tokio::test]
async fn a_server_that_is_down() {
    let error = refused("postgres://ana:hunter22@127.0.0.1:1/goals").await;
    assert_eq!(
        error,
        "postgres://127.0.0.1:1/goals cannot be reached: error communicating with database: Connection refused (os \
         error 111). Nothing listens there: see whether the server runs, and look at host and port in the address."
    );
    let error = refused("postgres://ana:hunter22@no-such-host.invalid/goals").await;
    assert!(error.ends_with("Look at the host in the address."), "{error}");
}

#[tokio::test]
async fn a_password_a_database_and_a_user_that_are_not_right() {
    let guarded = guarded().await;
    let right = guarded.url(&format!("ana:{PASSWORD}"), "127.0.0.1", "").await;
    let database = connect(&right).await.unwrap();
    assert!(!database.shown().contains("ana") && !database.shown().contains(PASSWORD), "{}", database.shown());
    for wrong in ["ana:hunter23", "ana"] {
        let error = refused(&address(&format!("{right}?"), wrong, "127.0.0.1", "")).await;
        assert!(error.ends_with("look at user and password in the address."), "{error}");
    }
    let error = refused(&guarded.server.url("goals_of_nobody")).await;
    assert!(
        error.ends_with(
            "database \"goals_of_nobody\" does not exist. Create the database, or correct the name in the address."
        ),
        "{error}"
    );
    let error = refused(&address(&format!("{right}?"), "crowded", "127.0.0.1", "")).await;
    assert!(error.contains("too many connections for role \"crowded\". Close connections or raise"), "{error}");
    let error = refused(&address(&format!("{right}?"), "nobody_known", "127.0.0.1", "")).await;
    assert!(error.contains("no pg_hba.conf entry") && error.contains("look at its pg_hba.conf"), "{error}");
}

#[tokio::test]
async fn a_user_who_may_not_create() {
    let guarded = guarded().await;
    let url = guarded.url("few", "127.0.0.1", "").await;
    let owner = address(&format!("{url}?"), "slipway", "127.0.0.1", "");
    let mut look = sql(&owner).await;
    send(&mut look, "REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    let database = connect(&url).await.unwrap();
    assert_eq!(applied(&*database).await, versions(&[]), "reading needs no right");
    let error = up(&*database, &[LIKES, USERS]).await.unwrap_err();
    assert!(error.to_string().contains("permission denied for schema public"), "{error}");
    assert!(error.to_string().contains("GRANT it, or give Slipway a user that owns the schema."), "{error}");
    assert_eq!(error.applied_before(), []);
    send(&mut look, "GRANT CREATE ON SCHEMA public TO few").await;
    assert_eq!(up(&*database, &[LIKES, USERS]).await.unwrap(), versions(&[1, 2]), "and nothing stands in the way");
}

#[tokio::test]
async fn a_postgres_that_is_read_only() {
    let url = fresh().await;
    let database = connect(&url).await.unwrap();
    assert_eq!(up(&*database, &[LIKES]).await.unwrap(), versions(&[1]));
    let name = url.rsplit_once('/').unwrap().1.split('?').next().unwrap();
    let mut look = sql(&url).await;
    send(&mut look, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    for _ in 0..2 {
        let database = connect(&url).await.unwrap();
        assert_eq!(applied(&*database).await, versions(&[1]));
        let error = up(&*database, &[LIKES, USERS]).await.unwrap_err().to_string();
        assert!(error.contains("in a read-only transaction"), "{error}");
        assert!(error.contains("give Slipway the address of the primary"), "{error}");
    }
    send(&mut look, &format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await;
    let database = connect(&url).await.unwrap();
    assert_eq!(up(&*database, &[LIKES, USERS]).await.unwrap(), versions(&[2]));
}

/// The disk of a real server cannot be filled here; its limit for temporary files fails in the same way.
#[tokio::test]
async fn a_postgres_without_room() {
    let sorted = (
        "00002_sorted.sql",
        "-- +goose Up\nCREATE TABLE kept (id int);\nSET LOCAL work_mem = '64kB';\nSET LOCAL temp_file_limit = 0;\n\
         CREATE TABLE sorted AS SELECT md5(n::text) AS sum FROM generate_series(1, 100000) AS n ORDER BY 1;\n",
    );
    let database = connect(&fresh().await).await.unwrap();
    let error = up(&*database, &[LIKES, sorted]).await.unwrap_err();
    assert!(error.to_string().contains("temporary file size exceeds temp_file_limit"), "{error}");
    assert!(error.to_string().contains("A limit in the server's configuration is reached: raise it"), "{error}");
    assert_eq!(error.applied_before(), versions(&[1]));
    assert_eq!(up(&*database, &[LIKES, USERS]).await.unwrap(), versions(&[2]), "nothing of the file is left");
}

#[tokio::test]
async fn a_sqlite_that_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let database = connect(&sqlite_url(&directory.path().join("goals.db"))).await.unwrap();
    let full = (
        "00002_full.sql",
        "-- +goose Up\nINSERT INTO likes VALUES (2);\nPRAGMA max_page_count = 1;\nCREATE TABLE big (id int);\n",
    );
    let MigrateError::Failed(failed) = up(&*database, &[LIKES, full]).await.unwrap_err() else { panic!() };
    assert_eq!((failed.code.as_deref(), failed.statement_index, failed.rolled_back), (Some("13"), 3, true));
    assert_eq!(
        failed.to_string(),
        "00002_full.sql: statement 3 of 3 failed: database or disk is full (13). Nothing of this file is left in the \
         database. The database is full: make room on the disk or raise max_page_count, then run again."
    );
    assert_eq!(applied(&*database).await, versions(&[1]));
    assert_eq!(up(&*database, &[LIKES, USERS]).await.unwrap(), versions(&[2]));
    let mut look = sqlx::SqliteConnection::connect(&sqlite_url(&directory.path().join("goals.db"))).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM likes").fetch_one(&mut look).await.unwrap();
    assert_eq!(rows, 1, "the rows of the file that failed are gone");
}

#[tokio::test]
async fn a_sqlite_that_is_read_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("goals.db");
    up(&*connect(&sqlite_url(&path)).await.unwrap(), &[LIKES]).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let database = connect(&format!("{}?mode=ro", sqlite_url(&path))).await.unwrap();
    assert_eq!(applied(&*database).await, versions(&[1]));
    let error = up(&*database, &[LIKES, USERS]).await.unwrap_err().to_string();
    assert!(error.contains("attempt to write a readonly database"), "{error}");
    assert!(error.contains("look at the rights of the file and its directory, and at ?mode="), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_or_has_no_place() {
    let directory = tempfile::tempdir().unwrap();
    let text = "Goals are kept in another file.\n".repeat(100);
    let path = directory.path().join("goals.txt");
    std::fs::write(&path, &text).unwrap();
    let database = connect(&sqlite_url(&path)).await.unwrap();
    let read = database.history(&Goose).await.unwrap_err();
    let run = up(&*database, &[LIKES]).await.unwrap_err();
    for error in [read, run] {
        let advice = "file is not a database. The file is not a SQLite database: look at the path in the address.";
        assert!(error.to_string().ends_with(advice), "{error}");
        assert_eq!(error.applied_before(), []);
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    let nowhere = connect(&sqlite_url(&directory.path().join("none/goals.db"))).await.unwrap();
    let error = up(&*nowhere, &[LIKES]).await.unwrap_err().to_string();
    assert!(error.ends_with("its directory must be there and writable."), "{error}");
}
