//! Database addresses. They contain passwords, so nothing here ever shows the text that came in.

mod postgres;
#[cfg(test)]
mod tests;

use super::error::MigrateError;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::fmt;
use std::str::FromStr as _;

/// A database's address. Shown without user, password and parameters.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) address: Address,
    pub(super) shown: String,
}

/// What it says.
#[derive(Clone)]
pub(super) enum Address {
    Postgres(Box<PgConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.shown)
    }
}

impl DatabaseUrl {
    /// Reads an address; see [`super::connect`] for its forms.
    ///
    /// # Errors
    /// [`MigrateError::BadUrl`], which says what is wrong without repeating the text.
    pub fn parse(text: &str) -> Result<Self, MigrateError> {
        Self::parse_where(text, &|variable| std::env::var_os(variable).is_some())
    }

    fn parse_where(text: &str, is_set: &dyn Fn(&str) -> bool) -> Result<Self, MigrateError> {
        let text = text.trim();
        let scheme =
            text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| !scheme.contains(['=', ' ', '/', '.']));
        match scheme {
            Some("postgres" | "postgresql") => postgres::url(text, is_set),
            Some("sqlite" | "sqlite3") => sqlite(text),
            Some(other) if text.contains("://") && other.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Err(bad(format!("Slipway migrates PostgreSQL and SQLite, not {other}")))
            }
            _ if text.is_empty() => Err(bad("it is empty")),
            _ if text.contains('=') => postgres::key_values(text, is_set),
            _ => Err(bad(
                "it is neither postgres://…, nor sqlite:PATH, nor user=… host=… dbname=…. For a SQLite file write \
                 sqlite: before its path",
            )),
        }
    }
}

fn bad(reason: impl Into<String>) -> MigrateError {
    MigrateError::BadUrl { reason: reason.into() }
}

fn sqlite(text: &str) -> Result<DatabaseUrl, MigrateError> {
    let place = text.trim_start_matches("sqlite3:").trim_start_matches("sqlite:");
    if place.trim_start_matches('/').is_empty() {
        return Err(bad("after sqlite: comes the path of the file"));
    }
    let options = SqliteConnectOptions::from_str(&format!("sqlite:{place}"))
        .map_err(|e| bad(e.to_string()))?
        // The driver switches them on, SQLite and goose leave them off; rebuilding a table depends on it.
        .foreign_keys(false)
        .disable_statement_logging();
    let path = place.split('?').next().unwrap_or(place);
    Ok(DatabaseUrl { address: Address::Sqlite(Box::new(options)), shown: format!("sqlite:{path}") })
}
