//! A database in which a run can be held in place, and a folder of migrations whose every statement leaves a trace.

use super::runner::{Ended, Runner, WAIT_LIMIT};
use slipway_sandbox::postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use std::fs;
use tempfile::TempDir;

/// The lock behind which a held run waits.
const GATE: i64 = 1;

/// Each statement of a migration is a row here, so that one that ran twice is there twice. Who calls `gate()` waits as
/// long as the gate is closed, whatever `lock_timeout` the run has set.
const SETUP: &str = "
    CREATE TABLE deeds (id serial PRIMARY KEY, what text NOT NULL);
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql SET lock_timeout = 0 AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END $$;
    CREATE FUNCTION gate_row() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM gate(); RETURN coalesce(NEW, OLD); END $$;";

pub(super) const FIRST: (&str, &str) = (
    "00001_first.sql",
    "-- +goose Up\nINSERT INTO deeds (what) VALUES ('1');\n-- +goose Down\nINSERT INTO deeds (what) VALUES ('-1');\n",
);
pub(super) const THIRD: (&str, &str) = ("00003_third.sql", "-- +goose Up\nINSERT INTO deeds (what) VALUES ('3');\n");

/// A database, a folder, and a session that looks on.
pub(super) struct Place {
    pub(super) url: String,
    pub(super) look: PgConnection,
    folder: TempDir,
}

/// Closed as long as this lives or until it is opened.
pub(super) struct Gate(PgConnection);

impl Gate {
    pub(super) async fn open(self) {
        self.0.close().await.unwrap();
    }
}

impl Place {
    /// On the server that all tests share.
    pub(super) async fn new() -> Self {
        let server = tokio::task::spawn_blocking(postgres::shared).await.unwrap().unwrap();
        Self::at(server.fresh_database().await.unwrap()).await
    }

    pub(super) async fn at(url: String) -> Self {
        let look = Self::session(&url).await;
        let mut place = Self { url, look, folder: tempfile::tempdir().unwrap() };
        place.sql(SETUP).await;
        place.file(FIRST);
        place
    }

    pub(super) fn file(&self, (name, text): (&str, &str)) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// One more session, for what somebody else does.
    pub(super) async fn session(url: &str) -> PgConnection {
        PgConnection::connect(url).await.unwrap()
    }

    pub(super) async fn send(session: &mut PgConnection, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(session).await.unwrap();
    }

    pub(super) async fn sql(&mut self, sql: &str) {
        Self::send(&mut self.look, sql).await;
    }

    /// The first column of the answer, which is text.
    pub(super) async fn column(&mut self, query: &str) -> Vec<String> {
        let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(&mut self.look).await.unwrap();
        rows.iter().map(|row| row.try_get::<String, _>(0).unwrap()).collect()
    }

    /// Asks until there is an answer.
    pub(super) async fn until(&mut self, what: &str, query: &str) -> String {
        let query = format!("{query} LIMIT 1");
        let asked = async {
            loop {
                if let Some(found) = self.column(&query).await.pop() {
                    return found;
                }
                self.sql("SELECT pg_sleep(0.01)").await;
            }
        };
        tokio::time::timeout(WAIT_LIMIT, asked).await.unwrap_or_else(|_| panic!("{what}: it did not come"))
    }

    pub(super) fn start(&self, command: &[&str]) -> Runner {
        Runner::start(command, self.folder.path(), &self.url)
    }

    pub(super) async fn run(&self, command: &[&str]) -> Ended {
        self.start(command).end().await
    }

    pub(super) async fn close_gate(&self) -> Gate {
        let mut holder = Self::session(&self.url).await;
        Self::send(&mut holder, &format!("SELECT pg_advisory_lock({GATE})")).await;
        Gate(holder)
    }

    /// The session that waits at the gate, or for another lock.
    pub(super) async fn until_held(&mut self) -> String {
        let waiting = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = \
                       'Lock'";
        self.until("a run that is held in place", waiting).await
    }

    /// A session other than `pid` that asks for the lock of a run and does not get it.
    pub(super) async fn until_polling(&mut self, but: &str) {
        let polling = format!(
            "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND query LIKE \
             '%pg_try_advisory_lock%' AND pid NOT IN ({but}, pg_backend_pid())"
        );
        self.until("a run that waits for the other one", &polling).await;
    }

    /// The session of a process that was killed, which goes on until it notices.
    pub(super) async fn until_gone(&mut self, pid: &str) {
        let gone = format!("SELECT 'gone' WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})");
        self.until("the end of the dead session", &gone).await;
    }

    /// What statements did, in that order.
    pub(super) async fn deeds(&mut self) -> Vec<String> {
        self.column("SELECT what FROM deeds ORDER BY id").await
    }

    /// The history, and beside each version what Slipway's own record says.
    pub(super) async fn history(&mut self) -> Vec<String> {
        self.column(
            "SELECT concat_ws(' ', version_id, state) FROM goose_db_version LEFT JOIN slipway_migrations ON version = \
             version_id::text WHERE version_id > 0 ORDER BY version_id, id",
        )
        .await
    }
}
