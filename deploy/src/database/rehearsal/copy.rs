//! A database of a rehearsal's own, which is gone afterwards.

use super::server::{connect, rows, send, texts};
use super::{RehearsalError, unavailable};
use crate::database::DatabaseUrl;
use crate::database::error::DriverError;
use crate::database::reading::ReadLimits;
use crate::database::url::Address;
use slipway_core::migration::format::literal;
use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// What each copy's name begins with; the time when it was made and a random number follow.
const NAME_PREFIX: &str = "slipway_rehearsal_";
/// What the comment of a copy says, before the time.
const COMMENT_PREFIX: &str = "Made by Slipway for a rehearsal at ";
/// From which age on a copy is one that nobody removed. Longer than any rehearsal takes.
const LEFTOVER_AGE_S: i64 = 3_600;

/// How a copy is dropped, one after the other while it fails.
const WAYS_TO_DROP: [&str; 3] = [" WITH (FORCE)", "", " WITH (FORCE)"];

/// A name for a new copy, and the server's time in seconds.
const NEW_NAME: &str = "SELECT extract(epoch FROM now())::bigint::text, \
    substr(md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text), 1, 12)";

/// How a database sorts and encodes.
#[derive(Debug, Default)]
pub(super) struct Locale {
    /// As `CREATE DATABASE` takes it, perhaps nothing.
    whole: String,
    /// The encoding alone.
    encoding: String,
}

impl Locale {
    /// That of a database.
    pub(super) async fn of(connection: &mut PgConnection) -> Result<Self, DriverError> {
        // By JSON, because the columns' names differ between versions.
        let found = rows(
            connection,
            "SELECT pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datctype::text, \
             coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'), \
             coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', '') \
             FROM pg_database d WHERE d.datname = current_database()",
        )
        .await?;
        let row = found.first().ok_or(sqlx::Error::RowNotFound)?;
        let text = |at: usize| row.try_get::<String, _>(at);
        let encoding = format!(" ENCODING {}", literal(&text(0)?));
        let provider = match text(3)?.as_str() {
            "i" => format!(" LOCALE_PROVIDER icu ICU_LOCALE {}", literal(&text(4)?)),
            "b" => format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}", literal(&text(4)?)),
            _ => String::new(),
        };
        let (collate, ctype) = (literal(&text(1)?), literal(&text(2)?));
        Ok(Self { whole: format!("{encoding} LC_COLLATE {collate} LC_CTYPE {ctype}{provider}"), encoding })
    }
}

/// The database. It is removed by [`Self::remove`]; where that is not reached, when the value is dropped; and when not
/// even that happens, by a later rehearsal.
pub(super) struct Copy {
    on: PgConnectOptions,
    name: String,
    removed: bool,
}

impl Copy {
    /// Makes an empty one on a server.
    pub(super) async fn create(on: &PgConnectOptions, like: &Locale) -> Result<Self, RehearsalError> {
        let mut connection = connect(on, "the rehearsal server").await?;
        let failed = |error: DriverError| unavailable("no database for the rehearsal could be created", &error);
        remove_leftovers(&mut connection).await.map_err(failed)?;
        let found = rows(&mut connection, NEW_NAME).await.map_err(failed)?;
        let row = found.first().ok_or_else(|| failed(sqlx::Error::RowNotFound.into()))?;
        let text = |at: usize| row.try_get::<String, _>(at).map_err(|error| failed(error.into()));
        let (time, number) = (text(0)?, text(1)?);
        let copy = Self { on: on.clone(), name: format!("{NAME_PREFIX}{time}_{number}"), removed: false };
        let create = |like: &str| format!("CREATE DATABASE {} TEMPLATE template0{like}", copy.name);
        let created = match send(&mut connection, create(&like.whole)).await {
            // The server may lack the locale. Without rows it makes no difference that matters here.
            Err(_) if like.whole != like.encoding => {
                send(&mut connection, create(&format!("{} LOCALE 'C'", like.encoding))).await
            }
            other => other,
        };
        let commented = match created {
            Ok(()) => {
                let comment = literal(&format!("{COMMENT_PREFIX}{time}"));
                send(&mut connection, format!("COMMENT ON DATABASE {} IS {comment}", copy.name)).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = commented {
            copy.remove().await;
            return Err(failed(error));
        }
        Ok(copy)
    }

    /// How to connect to it.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.on.clone().database(&self.name)
    }

    /// Its address.
    pub(super) fn url(&self) -> DatabaseUrl {
        let options = self.options();
        DatabaseUrl {
            shown: format!("the rehearsal database {}", self.name),
            address: Address::Postgres(Box::new(options)),
        }
    }

    /// Removes it, whoever is connected.
    pub(super) async fn remove(mut self) {
        self.removed = true;
        remove(&self.on, &self.name).await;
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if self.removed {
            return;
        }
        if let Ok(handle) = Handle::try_current() {
            let (on, name) = (self.on.clone(), self.name.clone());
            handle.spawn(async move { remove(&on, &name).await });
        }
    }
}

async fn remove(on: &PgConnectOptions, name: &str) {
    let removed = async {
        let mut connection = connect(on, "the rehearsal server").await?;
        drop_database(&mut connection, name).await.map_err(|error| unavailable("it could not be removed", &error))
    };
    let silent = |_| Err(RehearsalError::Unavailable("it gives no answer".to_owned()));
    if let Err(error) = timeout(ReadLimits::default().answer, removed).await.unwrap_or_else(silent) {
        tracing::warn!(%error, database = name, "a rehearsal's database is left over; a later rehearsal removes it");
    }
}

/// With force it ends whoever is connected, but is refused to anybody who is no superuser while an autovacuum is at work
/// there. Without, it ends just that, and gives everybody else five seconds to leave.
async fn drop_database(connection: &mut PgConnection, name: &str) -> Result<(), DriverError> {
    let mut dropped = Ok(());
    for how in WAYS_TO_DROP {
        dropped = send(connection, format!("DROP DATABASE IF EXISTS {name}{how}")).await;
        if dropped.is_ok() {
            break;
        }
    }
    dropped
}

/// Removes what earlier rehearsals left: ours by name, by the age in it, and by a comment that is ours or did not come
/// to be.
async fn remove_leftovers(connection: &mut PgConnection) -> Result<(), DriverError> {
    let left = texts(
        connection,
        format!(
            "SELECT datname::text FROM pg_database WHERE pg_has_role(datdba, 'usage') \
             AND CASE WHEN datname ~ '^{NAME_PREFIX}[0-9]{{1,12}}_[0-9a-f]{{12}}$' \
             THEN split_part(substr(datname, {}), '_', 1)::bigint < extract(epoch FROM now()) - {LEFTOVER_AGE_S} \
             ELSE false END AND coalesce(shobj_description(oid, 'pg_database'), {prefix}) LIKE {prefix} || '%'",
            NAME_PREFIX.len() + 1,
            prefix = literal(COMMENT_PREFIX)
        ),
    )
    .await?;
    for name in left {
        // It is in nobody's way.
        if let Err(error) = drop_database(connection, &name).await {
            tracing::warn!(error = error.message, database = name, "an old rehearsal's database could not be removed");
        }
    }
    Ok(())
}
