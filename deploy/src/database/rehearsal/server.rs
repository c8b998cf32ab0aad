//! Which server is which, and connections for a rehearsal.

use super::{RehearsalError, RehearsalOptions, unavailable};
use crate::database::CONNECT_LIMIT_S;
use crate::database::error::DriverError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, raw_sql};
use std::time::Duration;
use tokio::time::timeout;

/// The name that sessions have in `pg_stat_activity`.
const APPLICATION_NAME: &str = "slipway rehearsal";

/// A server's number for itself, which its copies share, and when it was started, which they do not.
const IDENTITY: &str = "SELECT pg_postmaster_start_time()::text, \
    current_setting('server_version_num')::integer, \
    CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'execute') \
    THEN (SELECT system_identifier::text FROM pg_control_system()) END";

/// Opens a connection; `whose` is for the error.
pub(super) async fn connect(options: &PgConnectOptions, whose: &str) -> Result<PgConnection, RehearsalError> {
    crate::install_crypto_provider();
    let options = options.clone().application_name(APPLICATION_NAME);
    let failed = |reason: String| RehearsalError::Unavailable(format!("{whose} cannot be reached: {reason}"));
    match timeout(Duration::from_secs(CONNECT_LIMIT_S), options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failed(DriverError::from(error).message)),
        Err(_) => Err(failed(format!("no answer within {CONNECT_LIMIT_S} s"))),
    }
}

pub(super) async fn send(connection: &mut PgConnection, sql: impl Into<String>) -> Result<(), DriverError> {
    raw_sql(AssertSqlSafe(sql.into())).execute(connection).await?;
    Ok(())
}

pub(super) async fn rows(connection: &mut PgConnection, sql: impl Into<String>) -> Result<Vec<PgRow>, DriverError> {
    Ok(raw_sql(AssertSqlSafe(sql.into())).fetch_all(connection).await?)
}

/// The first column of the answer.
pub(super) async fn texts(connection: &mut PgConnection, sql: impl Into<String>) -> Result<Vec<String>, DriverError> {
    let rows = rows(connection, sql).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>()?)
}

/// Who a server is.
struct Identity {
    started: String,
    version: u32,
    number: Option<String>,
}

async fn identity(connection: &mut PgConnection) -> Result<Identity, DriverError> {
    let rows = rows(connection, IDENTITY).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let version: i32 = row.try_get(1)?;
    Ok(Identity {
        started: row.try_get(0)?,
        version: u32::try_from(version).unwrap_or_default() / 10_000,
        number: row.try_get(2)?,
    })
}

/// The server's major version, once it is clear that trying things on the other one cannot touch this one.
pub(super) async fn compare(
    (real, real_options): (&mut PgConnection, &PgConnectOptions),
    (on, on_options): (&mut PgConnection, &PgConnectOptions),
    options: &RehearsalOptions,
) -> Result<u32, RehearsalError> {
    let place = |options: &PgConnectOptions| (options.get_socket().cloned(), host(options), options.get_port());
    let database = |options: &PgConnectOptions| options.get_database().unwrap_or(options.get_username()).to_owned();
    let same_place = place(real_options) == place(on_options);
    if same_place && database(real_options) == database(on_options) {
        return Err(RehearsalError::Unavailable(
            "the rehearsal server's address is that of the environment's own database; give it another server".into(),
        ));
    }
    let cannot = |error: DriverError| unavailable("it cannot be told which server is which", &error);
    let there = identity(on).await.map_err(cannot)?;
    let here = identity(real).await.map_err(cannot)?;
    // One that was copied file by file has the same number, but was not started in the same microsecond.
    let same_number = here.number.is_none() || there.number.is_none() || here.number == there.number;
    let same = same_place || (same_number && here.started == there.started);
    if same && !options.same_server {
        return Err(RehearsalError::Unavailable(
            "the rehearsal server is the very server that has the environment's database; give it another one, or \
             say same_server = true where nobody depends on it"
                .into(),
        ));
    }
    if here.version != there.version {
        return Err(RehearsalError::Unavailable(format!(
            "the rehearsal server runs PostgreSQL {}, the environment's {}; they lock differently",
            there.version, here.version
        )));
    }
    Ok(here.version)
}

fn host(options: &PgConnectOptions) -> String {
    options.get_host().to_ascii_lowercase()
}
