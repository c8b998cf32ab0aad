//! The service's databases, brought to where the running commits left them.

use super::git::files_of;
use super::server::Server;
use super::source::Source;
use crate::postgres::Postgres;
use slipway_core::migration::format::Dialect;
use slipway_core::migration::format::goose::Goose;
use slipway_core::migration::{Folder, Migration, PendingOptions, plan_pending};
use slipway_deploy::database::{Database, Run, RunOptions, connect, sqlite_cannot_run};
use std::io;
use std::path::Path;

/// Two databases and what they live in.
pub(super) struct Databases {
    pub(super) staging: String,
    pub(super) production: String,
    pub(super) postgres: Option<Server>,
    pub(super) remarks: Vec<String>,
}

/// What the databases of a world live in.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// SQLite, even where PostgreSQL is found.
    Sqlite,
    /// PostgreSQL where its programs are found, else SQLite.
    Found {
        /// A server that nobody else uses.
        own_server: bool,
    },
}

pub(super) async fn databases(source: &Source, folder: &Path, kind: Kind) -> io::Result<Databases> {
    let mut remarks = Vec::new();
    let mut postgres = match (Postgres::find(), kind) {
        (Ok(_), Kind::Found { own_server }) => Some(Server::start(own_server).map_err(io::Error::other)?),
        (Ok(_), Kind::Sqlite) => {
            remarks.push("The service's databases are SQLite, as asked.".to_owned());
            None
        }
        (Err(_), _) => {
            remarks.push("No PostgreSQL here (initdb was not found): the service's databases are SQLite.".to_owned());
            None
        }
    };
    let (staging, production) = match &mut postgres {
        Some(server) => {
            let staging = server.create_database("goals_staging").await.map_err(io::Error::other)?;
            (staging, server.create_database("goals_production").await.map_err(io::Error::other)?)
        }
        None => {
            let file = |name: &str| format!("sqlite:{}", folder.join(name).display());
            (file("staging.db"), file("production.db"))
        }
    };
    for (url, commit) in [(&staging, &source.staging), (&production, &source.production)] {
        if let Err(error) = bring_to(source, commit, url).await {
            if postgres.is_some() && only_sqlite_can(source).await {
                let mut instead = Box::pin(databases(source, folder, Kind::Sqlite)).await?;
                instead.remarks = vec![
                    "PostgreSQL cannot run these migrations and SQLite can: the service's databases are SQLite.".into(),
                ];
                return Ok(instead);
            }
            let short = commit.get(..7).unwrap_or(commit);
            remarks.push(format!("The migrations up to {short} could not all be applied beforehand: {error}"));
        }
    }
    Ok(Databases { staging, production, postgres, remarks })
}

/// Whether SQLite can run every migration of the newest commit.
async fn only_sqlite_can(source: &Source) -> bool {
    let Some(dir) = &source.migrations else { return false };
    let Ok(files) = files_of(&source.path, &source.head, dir) else { return false };
    let Ok(folder) = Folder::read(&Goose, files, &|_| None) else { return false };
    sqlite_cannot_run(&folder.migrations()).await.is_ok_and(|cannot| cannot.is_empty())
}

/// Applies what a commit's folder holds.
async fn bring_to(source: &Source, commit: &str, url: &str) -> Result<(), String> {
    let Some((folder, migrations, database)) = at(source, commit, url).await? else { return Ok(()) };
    let run = database.up(&folder, &migrations, &Run::quiet(&RunOptions::default())).await;
    run.map(|_| ()).map_err(|error| error.to_string())
}

type AtHand = (Folder<'static>, Vec<Migration>, Box<dyn Database>);

async fn at(source: &Source, commit: &str, url: &str) -> Result<Option<AtHand>, String> {
    let Some(dir) = &source.migrations else { return Ok(None) };
    let files = files_of(&source.path, commit, dir).map_err(|error| error.to_string())?;
    let folder = Folder::read(&Goose, files, &|_| None).map_err(|error| error.to_string())?;
    let database = connect(url).await.map_err(|error| error.to_string())?;
    let mut options = PendingOptions::default();
    if database.dialect() == Dialect::Sqlite {
        options.cannot_run = sqlite_cannot_run(&folder.migrations()).await.map_err(|error| error.to_string())?;
    }
    let history = database.history(folder.format()).await.map_err(|error| error.to_string())?;
    let pending = plan_pending(&folder, &history, &options).map_err(|error| error.to_string())?;
    Ok(Some((folder, pending.to_run(), database)))
}

/// Makes by hand the first table that a pending migration of the newest commit would create, so that it fails.
pub(super) async fn spoil(source: &Source, url: &str) -> Result<(), String> {
    let nothing = || "no pending migration creates a table, so none can be made to fail here".to_owned();
    let (_, pending, _) = at(source, &source.head, url).await?.ok_or_else(nothing)?;
    let mut statements = pending.iter().flat_map(|migration| &migration.up);
    let table = statements.find_map(|statement| created_table(&statement.text)).ok_or_else(nothing)?;
    run_by_hand(url, &format!("CREATE TABLE {table} (made_by_hand INTEGER)")).await
}

/// The name in `CREATE TABLE name`; one with `IF NOT EXISTS` would not fail.
fn created_table(sql: &str) -> Option<String> {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let at =
        words.windows(2).position(|w| w[0].eq_ignore_ascii_case("create") && w[1].eq_ignore_ascii_case("table"))?;
    let name = words.get(at + 2)?.split('(').next()?;
    (!name.eq_ignore_ascii_case("if") && !name.is_empty()).then(|| name.to_owned())
}

async fn run_by_hand(url: &str, statement: &str) -> Result<(), String> {
    use sqlx::{AssertSqlSafe, Connection as _};
    let statement = AssertSqlSafe(statement.to_owned());
    let done = if url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(url).await.map_err(|error| error.to_string())?;
        sqlx::raw_sql(statement).execute(&mut connection).await.map(|_| ())
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.map_err(|error| error.to_string())?;
        sqlx::raw_sql(statement).execute(&mut connection).await.map(|_| ())
    };
    done.map_err(|error| error.to_string())
}
