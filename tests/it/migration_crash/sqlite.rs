//! SIGKILL in a run on SQLite. A query that counts as long as there is a row in `gate` holds it in place.

use super::runner::{Ended, Runner, WAIT_LIMIT};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use std::fs;
use tempfile::TempDir;

const FIRST: &str = "-- +goose Up\nINSERT INTO deeds (what) VALUES ('1');\n";
const HELD: &str = "INSERT INTO deeds (what) WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE EXISTS \
                    (SELECT 1 FROM gate)) SELECT '2b' FROM c LIMIT 1 OFFSET (SELECT count(*) * 1000000000000 FROM gate)";

struct Place {
    folder: TempDir,
    url: String,
    look: SqliteConnection,
}

impl Place {
    /// With the first migration, and a second one that is held.
    async fn new(second: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("migrations")).unwrap();
        let url = format!("sqlite:{}", folder.path().join("data.db").display());
        let look = SqliteConnection::connect(&format!("{url}?mode=rwc")).await.unwrap();
        let mut place = Self { folder, url, look };
        place
            .sql("CREATE TABLE deeds (id integer PRIMARY KEY AUTOINCREMENT, what text); CREATE TABLE gate (id int)")
            .await;
        place.sql("PRAGMA busy_timeout = 0").await;
        place.file("00001_first.sql", FIRST);
        place.run(&["up"]).await.done();
        place.sql("INSERT INTO gate VALUES (1)").await;
        place.file("00002_second.sql", second);
        place.file("00003_third.sql", "-- +goose Up\nINSERT INTO deeds (what) VALUES ('3');\n");
        place
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("migrations").join(name), text).unwrap();
    }

    /// False: somebody else writes.
    async fn try_sql(&mut self, sql: &str) -> bool {
        match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.look).await {
            Ok(_) => true,
            Err(error) if error.to_string().contains("locked") => false,
            Err(error) => panic!("{error}"),
        }
    }

    async fn sql(&mut self, sql: &str) {
        assert!(self.try_sql(sql).await, "nobody else writes");
    }

    /// Nothing while a commit keeps readers out.
    async fn column(&mut self, query: &str) -> Vec<String> {
        let rows = match sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(&mut self.look).await {
            Ok(rows) => rows,
            Err(error) if error.to_string().contains("locked") => return Vec::new(),
            Err(error) => panic!("{error}"),
        };
        rows.iter().map(|row| row.try_get_unchecked::<String, _>(0).unwrap()).collect()
    }

    fn start(&self, command: &[&str]) -> Runner {
        Runner::start(command, &self.folder.path().join("migrations"), &self.url)
    }

    async fn run(&self, command: &[&str]) -> Ended {
        self.start(command).end().await
    }

    /// Runs, waits until the run holds the database and `sign` is to be seen, kills it, and lets the next one through.
    async fn kill_held(&mut self, sign: &str) {
        let run = self.start(&["up"]);
        let held = async {
            loop {
                if self.column(sign).await.is_empty() {
                    continue;
                }
                if !self.try_sql("BEGIN IMMEDIATE").await {
                    break;
                }
                self.sql("ROLLBACK").await;
            }
        };
        tokio::time::timeout(WAIT_LIMIT, held).await.expect("a run that holds the database");
        run.kill().await;
        self.sql("DELETE FROM gate").await;
    }

    async fn deeds(&mut self) -> Vec<String> {
        self.column("SELECT what FROM deeds ORDER BY id").await
    }

    async fn history(&mut self) -> Vec<String> {
        self.column(
            "SELECT version_id || ' ' || state FROM goose_db_version JOIN slipway_migrations ON version = \
             CAST(version_id AS text) WHERE version_id > 0 ORDER BY version_id, id",
        )
        .await
    }
}

#[tokio::test]
async fn in_a_transaction() {
    let second = format!("-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\n{HELD};\n");
    let mut place = Place::new(&second).await;
    // Of the writes before, only the held one lasts; the others are over at the next look.
    place.kill_held("SELECT '1'").await;
    assert_eq!(place.deeds().await, ["1"], "nothing of it is left");
    assert_eq!(place.history().await, ["1 applied"]);
    place.run(&["up"]).await.done();
    assert_eq!(place.deeds().await, ["1", "2a", "2b", "3"]);
    assert_eq!(place.history().await, ["1 applied", "2 applied", "3 applied"]);
}

#[tokio::test]
async fn without_a_transaction() {
    let second = format!("-- +goose NO TRANSACTION\n-- +goose Up\nINSERT INTO deeds (what) VALUES ('2a');\n{HELD};\n");
    let mut place = Place::new(&second).await;
    place.kill_held("SELECT file FROM slipway_migrations WHERE state = 'running' AND statements_done = 1").await;
    assert_eq!(place.deeds().await, ["1", "2a"]);
    let says = "1 of 2 statements is done, and statement 2 may have run or not";
    let said = place.run(&["up"]).await.refused();
    assert!(said.contains(says), "{said}");
    assert_eq!(place.deeds().await, ["1", "2a"], "not run blindly");
    place.run(&["up", "--continue"]).await.done();
    assert_eq!(place.deeds().await, ["1", "2a", "2b", "3"]);
    assert_eq!(place.history().await, ["1 applied", "2 applied", "3 applied"]);
}
