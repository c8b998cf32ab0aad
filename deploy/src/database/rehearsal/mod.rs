//! Trying migrations on a copy of the schema, never on the database itself.
//!
//! The copy has no rows, so what fails only because of rows is not found out here. On PostgreSQL it is made on another
//! server; for SQLite, in memory.

mod copy;
mod dump;
mod postgres;
mod server;
mod sqlite;
mod trial;
mod trial_back;
mod watch;

use super::error::DriverError;
use super::url::Address;
use super::{Database, DatabaseUrl, FailedStatement, MigrateError, Run, RunOptions, connect};
use slipway_core::migration::{Folder, Migration, MigrationTrial, Schema};
use std::collections::BTreeSet;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;

/// How long a rehearsal may take, without the copying of the schema.
const REHEARSAL_LIMIT_S: u64 = 120;
/// How long one statement may take in it.
const STATEMENT_LIMIT_S: u64 = 30;
/// How long it waits for a lock. Nobody else uses the copy.
const LOCK_LIMIT_MS: u64 = 5_000;

/// How to rehearse.
#[derive(Clone, Debug, Default)]
pub struct RehearsalOptions {
    /// Whether the copy may be made on the very server that has the database itself. It stays a database of its own,
    /// but what has not been approved by anybody then runs on a server that people depend on. For laptops and tests.
    pub same_server: bool,
}

/// Why there was no rehearsal, or what it showed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RehearsalError {
    /// It could not be held; that says nothing about the migrations.
    #[error("{0}")]
    Unavailable(String),
    /// A migration failed on the copy.
    #[error("{}", failed_words(.0))]
    Failed(Box<FailedStatement>),
}

fn failed_words(failed: &FailedStatement) -> String {
    let FailedStatement { file, statement_index, total, message, .. } = failed;
    let code = failed.code.as_ref().map_or(String::new(), |code| format!(" ({code})"));
    if statement_index > total {
        format!("{file} failed in rehearsal, at the commit: {message}{code}")
    } else {
        format!("{file} failed in rehearsal, at statement {statement_index} of {total}: {message}{code}")
    }
}

fn unavailable(what: impl std::fmt::Display, error: &DriverError) -> RehearsalError {
    RehearsalError::Unavailable(format!("{what}: {}", error.message))
}

/// Tries pending migrations on a copy of `real`'s schema on the server `on`: each up, then each down, then up again.
/// `real_url` is the address of `real`; nothing but its schema and its history is read. `on` is any database of a
/// server where its user may create others; for SQLite it is not looked at.
///
/// # Errors
/// See [`RehearsalError`]. The copy is removed in any case.
pub async fn rehearse(
    real: &dyn Database,
    real_url: &DatabaseUrl,
    on: &DatabaseUrl,
    _folder: &Folder<'_>,
    pending: &[Migration],
    options: &RehearsalOptions,
) -> Result<Vec<MigrationTrial>, RehearsalError> {
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    let mut trials = match (&real_url.address, &on.address) {
        (Address::Sqlite(real), _) => within_limit(sqlite::rehearse(real, Way::Up, pending)).await?,
        (Address::Postgres(real), Address::Postgres(on)) => {
            postgres::rehearse(real, on, (Way::Up, pending), options).await?
        }
        (Address::Postgres(_), Address::Sqlite(_)) => return Err(not_postgres(on)),
    };
    measure(real, &mut trials).await?;
    Ok(trials)
}

/// Tries to take applied migrations back on a copy of `real`'s schema, in this order: each down, up again to see whether the
/// schema is as it was, and down once more. All else is as with [`rehearse`]. What their statements may cost counts as it is
/// read: what they lock is not looked at.
///
/// # Errors
/// See [`RehearsalError`]. The copy is removed in any case.
pub async fn rehearse_back(
    real_url: &DatabaseUrl,
    on: &DatabaseUrl,
    back: &[Migration],
    options: &RehearsalOptions,
) -> Result<Vec<MigrationTrial>, RehearsalError> {
    match (&real_url.address, &on.address) {
        _ if back.is_empty() => Ok(Vec::new()),
        (Address::Sqlite(real), _) => within_limit(sqlite::rehearse(real, Way::Back, back)).await,
        (Address::Postgres(real), Address::Postgres(on)) => {
            postgres::rehearse(real, on, (Way::Back, back), options).await
        }
        (Address::Postgres(_), Address::Sqlite(_)) => Err(not_postgres(on)),
    }
}

/// Which way migrations are tried.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// They are pending.
    Up,
    /// They are applied.
    Back,
}

/// Whether `on` is a server on which migrations of `real` can be rehearsed: it answers, and it is another server unless
/// the same one is allowed. For SQLite it is not looked at.
///
/// # Errors
/// [`RehearsalError::Unavailable`] with the reason.
pub async fn rehearsal_server(
    real: &DatabaseUrl,
    on: &DatabaseUrl,
    options: &RehearsalOptions,
) -> Result<(), RehearsalError> {
    match (&real.address, &on.address) {
        (Address::Sqlite(_), _) => Ok(()),
        (Address::Postgres(_), Address::Sqlite(_)) => Err(not_postgres(on)),
        (Address::Postgres(real), Address::Postgres(on)) => {
            let mut here = server::connect(real, "the environment's database").await?;
            let mut there = server::connect(on, "the rehearsal server").await?;
            server::compare((&mut here, real), (&mut there, on), options).await?;
            Ok(())
        }
    }
}

/// The schema that these migrations give in an empty database on the server `on`; for SQLite, in memory.
///
/// # Errors
/// See [`RehearsalError`]. The database is removed in any case.
pub async fn reproduce(
    on: &DatabaseUrl,
    folder: &Folder<'_>,
    migrations: &[Migration],
    _options: &RehearsalOptions,
) -> Result<Schema, RehearsalError> {
    match &on.address {
        Address::Postgres(on) => {
            let copy = copy::Copy::create(on, &copy::Locale::default()).await?;
            let url = copy.url();
            let made = within_limit(async {
                let database = super::open(&url).await.map_err(|error| failure(migrations, error))?;
                made_of(&*database, folder, migrations).await
            });
            let made = made.await;
            copy.remove().await;
            made
        }
        Address::Sqlite(_) => {
            sqlite::refuse_to_reach_out(migrations)?;
            let database = connect("sqlite::memory:").await.map_err(|error| failure(migrations, error))?;
            within_limit(made_of(&*database, folder, migrations)).await
        }
    }
}

async fn made_of(
    database: &dyn Database,
    folder: &Folder<'_>,
    migrations: &[Migration],
) -> Result<Schema, RehearsalError> {
    let options =
        RunOptions { statement_timeout: Some(Duration::from_secs(STATEMENT_LIMIT_S)), ..RunOptions::default() };
    database.up(folder, migrations, &Run::quiet(&options)).await.map_err(|error| failure(migrations, error))?;
    database.schema().await.map_err(|error| failure(migrations, error))
}

/// What a run's error says of the migrations.
fn failure(migrations: &[Migration], error: MigrateError) -> RehearsalError {
    let MigrateError::Failed(failed) = error else { return RehearsalError::Unavailable(error.to_string()) };
    let migration = migrations.iter().find(|migration| migration.version == failed.version);
    let error = DriverError {
        message: failed.message.clone(),
        code: failed.code.clone(),
        hint: None,
        is_lock: failed.is_lock_timeout(),
        is_lost: false,
    };
    match migration.and_then(|migration| trial::not_its_fault(migration, &error)) {
        Some(why) => RehearsalError::Unavailable(why),
        None => RehearsalError::Failed(failed),
    }
}

fn not_postgres(on: &DatabaseUrl) -> RehearsalError {
    RehearsalError::Unavailable(format!("{on} is no PostgreSQL server, which the environment's database needs"))
}

async fn within_limit<T>(work: impl Future<Output = Result<T, RehearsalError>>) -> Result<T, RehearsalError> {
    timeout(Duration::from_secs(REHEARSAL_LIMIT_S), work).await.unwrap_or_else(|_| {
        Err(RehearsalError::Unavailable(format!("the rehearsal was not over after {REHEARSAL_LIMIT_S} s")))
    })
}

/// Adds how big the tables are in the environment's own database.
async fn measure(real: &dyn Database, trials: &mut [MigrationTrial]) -> Result<(), RehearsalError> {
    // Where the search path leads is not to matter.
    let full = |table: &str| if watch::has_schema(table) { table.to_owned() } else { format!("public.{table}") };
    let tables: BTreeSet<String> =
        trials.iter().flat_map(|trial| &trial.touched).map(|touched| full(&touched.table)).collect();
    if tables.is_empty() {
        return Ok(());
    }
    let sizes = real.sizes(&tables).await.map_err(|error| RehearsalError::Unavailable(error.to_string()))?;
    for touched in trials.iter_mut().flat_map(|trial| &mut trial.touched) {
        touched.size = sizes.get(&full(&touched.table)).copied();
    }
    Ok(())
}
