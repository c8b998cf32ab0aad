//! Folders, databases, and a journal that remembers.

use slipway_core::migration::format::Format;
use slipway_core::migration::format::goose::Goose;
use slipway_core::migration::{Folder, Migration, Version};
use slipway_deploy::database::{
    Cancel, CancelSwitch, Database, JournalError, MigrateError, NoJournal, Run, RunJournal, RunNews, RunOptions,
    RunReport,
};
use slipway_sandbox::postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use std::sync::Mutex;
use std::time::Duration;

/// How long a test waits for something that must come.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(60);

pub(super) const LIKES: (&str, &str) = (
    "00001_likes.sql",
    "-- +goose Up\nCREATE TABLE likes (id int);\nINSERT INTO likes VALUES (1);\n-- +goose Down\nDROP TABLE likes;\n",
);
pub(super) const USERS: (&str, &str) =
    ("00002_users.sql", "-- +goose Up\nCREATE TABLE users (id int);\n-- +goose Down\nDROP TABLE users;\n");
pub(super) const INDEX: (&str, &str) = (
    "00003_index.sql",
    "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY likes_id ON likes (id);\nCREATE TABLE tags (id int);\n",
);
pub(super) const BROKEN: (&str, &str) =
    ("00004_broken.sql", "-- +goose Up\nCREATE TABLE gone (id int);\nSELECT nonsense;\n");

pub(super) type Files<'a> = &'a [(&'a str, &'a str)];

pub(super) fn folder_of(format: &'static dyn Format, files: Files<'_>) -> Folder<'static> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Folder::read(format, files, &|name| (name == "SECRET").then(|| "hunter22".to_owned())).unwrap()
}

pub(super) fn folder(files: Files<'_>) -> Folder<'static> {
    folder_of(&Goose, files)
}

pub(super) fn migration(file: (&str, &str)) -> Migration {
    folder(&[file]).migrations().remove(0)
}

pub(super) fn versions(numbers: &[u64]) -> Vec<Version> {
    numbers.iter().copied().map(Version::from).collect()
}

pub(super) async fn fresh() -> String {
    let server = tokio::task::spawn_blocking(postgres::shared).await.unwrap().unwrap();
    server.fresh_database().await.unwrap()
}

pub(super) async fn sql(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// Sends it as it is.
pub(super) async fn send(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// The first column of the answer, as text.
pub(super) async fn column(connection: &mut PgConnection, query: &str) -> Vec<String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.try_get::<String, _>(0).unwrap()).collect()
}

/// Slipway's own record, a line for each row.
pub(super) async fn records(connection: &mut PgConnection) -> Vec<String> {
    let query = "SELECT concat_ws(' ', version, file, state, statements_done || '/' || statements, error) FROM \
                 slipway_migrations ORDER BY version::bigint";
    column(connection, query).await
}

/// The applied versions.
pub(super) async fn applied(database: &dyn Database) -> Vec<Version> {
    database.history(&Goose).await.unwrap().versions().cloned().collect()
}

pub(super) async fn run_up(
    database: &dyn Database,
    folder: &Folder<'_>,
    options: &RunOptions,
    journal: &dyn RunJournal,
) -> Result<RunReport, MigrateError> {
    let run = Run { options, journal, cancel: Cancel::never() };
    database.up(folder, &folder.migrations(), &run).await
}

pub(super) async fn up(database: &dyn Database, files: Files<'_>) -> Result<Vec<Version>, MigrateError> {
    let report = run_up(database, &folder(files), &RunOptions::default(), &NoJournal).await?;
    assert_eq!(report.warnings, Vec::<String>::new());
    Ok(report.done)
}

/// Takes back migrations, in that order.
pub(super) async fn down(
    database: &dyn Database,
    folder: &Folder<'_>,
    back: &[u64],
    journal: &dyn RunJournal,
) -> Result<Vec<Version>, MigrateError> {
    down_with(database, folder, back, &RunOptions::default(), journal).await
}

pub(super) async fn down_with(
    database: &dyn Database,
    folder: &Folder<'_>,
    back: &[u64],
    options: &RunOptions,
    journal: &dyn RunJournal,
) -> Result<Vec<Version>, MigrateError> {
    let back: Vec<_> = back.iter().map(|version| folder.get(&Version::from(*version)).unwrap().unwrap()).collect();
    let run = Run { options, journal, cancel: Cancel::never() };
    Ok(database.down(folder, &back, &run).await?.done)
}

/// Remembers what it was told, and may do something at a given line.
#[derive(Default)]
pub(super) struct Told {
    pub(super) lines: Mutex<Vec<String>>,
    pub(super) fail_at: Option<&'static str>,
    /// Asks a run to stop.
    pub(super) cancel_at: Option<(&'static str, CancelSwitch)>,
    /// A connection that is closed when locks are waited for.
    pub(super) release: tokio::sync::Mutex<Option<PgConnection>>,
}

impl Told {
    fn line(&self, line: String) -> Result<(), JournalError> {
        let fails = self.fail_at == Some(line.as_str());
        if let Some((at, switch)) = &self.cancel_at
            && line.starts_with(at)
        {
            switch.ask();
        }
        self.lines.lock().unwrap().push(line);
        if fails { Err(JournalError("disk full".into())) } else { Ok(()) }
    }
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl RunJournal for Told {
    async fn starting(&self, migration: &Migration) -> Result<(), JournalError> {
        self.line(format!("{} starts", migration.version))
    }
    async fn done(&self, migration: &Migration, _millis: u64) -> Result<(), JournalError> {
        self.line(format!("{} done", migration.version))
    }
    async fn news(&self, news: RunNews) {
        let line = match news {
            RunNews::AnotherRun { .. } => "another run".to_owned(),
            RunNews::Retry { version, retry, .. } => format!("{version} waits {retry}"),
            RunNews::Statement { .. } => return,
        };
        if let Some(holder) = self.release.lock().await.take() {
            holder.close().await.unwrap();
        }
        self.line(line).unwrap();
    }
}
