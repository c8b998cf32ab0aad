//! Which of a folder's migrations SQLite cannot run, found out by trying.

use super::error::{DriverError, MigrateError, cut};
use slipway_core::migration::{Migration, Version};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, raw_sql};
use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

/// How long all tries together may take.
const PROBE_LIMIT_S: u64 = 20;
/// How large the database in memory may become, in SQLite's pages of 4 KiB.
const PROBE_LIMIT_PAGES: u32 = 16_384;
/// SQLite's result codes for having no time or no room left.
const OUT_OF_BOUNDS: [&str; 2] = ["9", "13"];
/// How much of a statement a reason shows.
const REASON_LIMIT_CHARS: usize = 60;
/// How many of SQLite's instructions run between two looks at the clock.
const PROBE_CHECK_INSTRUCTIONS: i32 = 100_000;

/// Tries all migrations of a folder, in order, in an empty database in memory, and says why some cannot be run, by
/// version. One that cannot be run is left out, so later ones that need it cannot be run either. Give it the whole
/// folder, also what is applied already: the later ones build on it.
///
/// # Errors
/// When there is no SQLite at all.
pub async fn sqlite_cannot_run(folder: &[Migration]) -> Result<BTreeMap<Version, String>, MigrateError> {
    let mut connection = in_memory().await?;
    let mut cannot = BTreeMap::new();
    for migration in folder {
        if let Some(statement) = migration.up.iter().map(|statement| &statement.text).find(|text| reaches_out(text)) {
            let statement = cut(&migration.substituted.mask(statement), REASON_LIMIT_CHARS);
            cannot.insert(migration.version.clone(), format!("it opens other files, which is not tried: {statement}"));
            continue;
        }
        if let Err(error) = attempt(&mut connection, migration).await {
            if error.code.as_deref().is_some_and(|code| OUT_OF_BOUNDS.contains(&code)) {
                // Says nothing about the migration: a probe with more time might say otherwise.
                return Err(no_memory(error));
            }
            cannot.insert(migration.version.clone(), migration.substituted.mask(&error.message));
        }
    }
    Ok(cannot)
}

/// An empty database in memory that neither grows nor works without end.
pub(super) async fn in_memory() -> Result<SqliteConnection, MigrateError> {
    let memory = SqliteConnectOptions::from_str("sqlite::memory:")
        .map_err(|error| no_memory(error.into()))?
        .foreign_keys(false)
        .disable_statement_logging();
    let mut connection = memory.connect().await.map_err(|error| no_memory(error.into()))?;
    let begun = Instant::now();
    let mut handle = connection.lock_handle().await.map_err(|error| no_memory(error.into()))?;
    handle.set_progress_handler(PROBE_CHECK_INSTRUCTIONS, move || begun.elapsed() < Duration::from_secs(PROBE_LIMIT_S));
    drop(handle);
    send(&mut connection, &format!("PRAGMA max_page_count = {PROBE_LIMIT_PAGES}")).await.map_err(no_memory)?;
    Ok(connection)
}

/// Whether the statement could touch files. What is tried here comes from a commit that nobody has approved yet, and
/// the bot's own store is a file too. A word in a comment or string counts: better one migration too few.
pub(super) fn reaches_out(statement: &str) -> bool {
    let lower = statement.to_ascii_lowercase();
    let has = |wanted: &str| lower.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == wanted);
    has("attach") || (has("vacuum") && has("into")) || has("load_extension")
}

fn no_memory(error: DriverError) -> MigrateError {
    MigrateError::Connect { database: "sqlite::memory:".into(), reason: error.reason() }
}

async fn attempt(connection: &mut SqliteConnection, migration: &Migration) -> Result<(), DriverError> {
    send(connection, "SAVEPOINT slipway_probe").await?;
    let inside = all(connection, migration).await;
    let end = if inside.is_ok() { "RELEASE slipway_probe" } else { "ROLLBACK TO slipway_probe; RELEASE slipway_probe" };
    let ended = send(connection, end).await;
    // VACUUM, BEGIN and some pragmas want to stand alone: such files get a second try without the savepoint.
    if migration.transactional || (inside.is_ok() && ended.is_ok()) {
        return inside.and(ended);
    }
    let outside = all(connection, migration).await;
    // Whether one is open is not known; if none is, this fails, which is as good.
    let _ = send(connection, if outside.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
    outside
}

async fn all(connection: &mut SqliteConnection, migration: &Migration) -> Result<(), DriverError> {
    for statement in &migration.up {
        send(connection, &statement.text).await?;
    }
    Ok(())
}

async fn send(connection: &mut SqliteConnection, sql: &str) -> Result<(), DriverError> {
    raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}
