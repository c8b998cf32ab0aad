//! Database addresses. They contain passwords, so nothing here ever shows the text that came in.

use super::error::MigrateError;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::fmt;
use std::str::FromStr as _;

/// The name that sessions have in `pg_stat_activity`.
const APPLICATION_NAME: &str = "slipway migrate";

/// Settings of other drivers and of libpq that make no difference here.
const IGNORED: [&str; 16] = [
    "binary_parameters",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "default_query_exec_mode",
    "description_cache_capacity",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "krbsrvname",
    "passfile",
    "pool_max_conns",
    "pool_min_conns",
    "sslsni",
    "statement_cache_capacity",
    "target_session_attrs",
];

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
        let text = text.trim();
        let scheme =
            text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| !scheme.contains(['=', ' ', '/', '.']));
        match scheme {
            Some("postgres" | "postgresql") => postgres(postgres_url(text)?),
            Some("sqlite" | "sqlite3") => sqlite(text),
            Some(other) if text.contains("://") && other.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Err(bad(format!("Slipway migrates PostgreSQL and SQLite, not {other}")))
            }
            _ if text.is_empty() => Err(bad("it is empty")),
            _ if text.contains('=') => postgres(key_values(text)?),
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

fn postgres(options: PgConnectOptions) -> Result<DatabaseUrl, MigrateError> {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    if host.contains(',') {
        return Err(bad("it names several hosts. Name the one that can be written to"));
    }
    let name = options.get_database().unwrap_or_else(|| options.get_username()).to_owned();
    let shown = format!("postgres://{host}:{}/{name}", options.get_port());
    let options = options.extra_float_digits(None).disable_statement_logging();
    Ok(DatabaseUrl { address: Address::Postgres(Box::new(options)), shown })
}

fn postgres_url(text: &str) -> Result<PgConnectOptions, MigrateError> {
    // The driver would write parameters that it does not know into the log, so it gets to see none.
    let mut url = reqwest::Url::parse(text)
        .map_err(|e| bad(format!("{e}. Special characters in a password are written in percent form, @ as %40")))?;
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    url.set_fragment(None);
    let options = PgConnectOptions::from_str(url.as_str())
        .map_err(|_| bad("user, password or database name are not valid percent-encoded text"))?
        .application_name(APPLICATION_NAME);
    parameters.iter().try_fold(options, |options, (key, value)| set(options, key, value))
}

/// libpq's `key = 'value'` pairs.
fn key_values(text: &str) -> Result<PgConnectOptions, MigrateError> {
    let mut options = PgConnectOptions::new_without_pgpass().application_name(APPLICATION_NAME);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| bad("a word in it has no = after it"))?;
        let (value, after) = value(after.trim_start())?;
        options = set(options, key.trim(), &value)?;
        rest = after.trim_start();
    }
    Ok(options)
}

/// One value, perhaps in single quotes, with backslash escapes, and what follows it.
fn value(text: &str) -> Result<(String, &str), MigrateError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            c if c.is_whitespace() && !quoted => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    if quoted { Err(bad("a quoted value in it has no closing quote")) } else { Ok((value, "")) }
}

fn set(options: PgConnectOptions, key: &str, value: &str) -> Result<PgConnectOptions, MigrateError> {
    let wrong = |what: &str| bad(format!("the value of {key} is not {what}"));
    Ok(match key {
        "user" => options.username(value),
        "password" => options.password(value),
        "host" if value.starts_with('/') => options.socket(value),
        "host" | "hostaddr" => options.host(value),
        "port" => options.port(value.parse().map_err(|_| wrong("a port number"))?),
        "dbname" | "database" => options.database(value),
        "sslmode" => options
            .ssl_mode(value.parse().map_err(|_| wrong("disable, allow, prefer, require, verify-ca or verify-full"))?),
        "sslrootcert" => options.ssl_root_cert(value),
        "sslcert" => options.ssl_client_cert(value),
        "sslkey" => options.ssl_client_key(value),
        "application_name" => options.application_name(value),
        "options" => {
            value.split("-c ").map(str::trim).filter(|s| !s.is_empty()).try_fold(options, |options, pair| {
                let (key, value) =
                    pair.trim_start_matches("--").split_once('=').ok_or_else(|| wrong("made of -c name=value"))?;
                Ok(options.options([(key.trim(), value.trim())]))
            })?
        }
        ignored if IGNORED.contains(&ignored) => options,
        // What remains is a setting of the server, such as search_path. Anything that is no name may be a piece of
        // a password, so it is not repeated.
        setting if setting.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.') && !setting.is_empty() => {
            options.options([(setting, value)])
        }
        _ => {
            return Err(bad(
                "it has a parameter that is not a name. Special characters in a password are written in percent form, ? as %3F",
            ));
        }
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pg(text: &str) -> PgConnectOptions {
        match DatabaseUrl::parse(text).unwrap().address {
            Address::Postgres(options) => *options,
            Address::Sqlite(_) => panic!("{text} is SQLite"),
        }
    }

    #[test]
    fn each_form_is_understood() {
        for text in [
            "postgres://ana:s3cret%40@db.example:6432/goals?sslmode=disable",
            "postgresql://ana:s3cret%40@db.example:6432/goals",
            "user=ana password='s3\\cret@' host=db.example port = 6432 dbname=goals sslmode=disable connect_timeout=5",
        ] {
            let options = pg(text);
            assert_eq!(
                (options.get_username(), options.get_host(), options.get_port(), options.get_database()),
                ("ana", "db.example", 6432, Some("goals")),
                "{text}"
            );
            assert_eq!(DatabaseUrl::parse(text).unwrap().to_string(), "postgres://db.example:6432/goals");
        }
        let options = pg("host=/run/postgresql user=ana dbname=goals search_path=app options='-c geqo=off'");
        assert_eq!(options.get_socket().unwrap().to_str(), Some("/run/postgresql"));
        assert_eq!(options.get_options(), Some("-c search_path=app -c geqo=off"));
        for text in [
            "sqlite:goals.db",
            "sqlite3:goals.db",
            "sqlite://goals.db?mode=rwc",
            "sqlite:///var/goals.db",
            "sqlite::memory:",
        ] {
            assert!(matches!(DatabaseUrl::parse(text).unwrap().address, Address::Sqlite(_)), "{text}");
        }
    }

    #[test]
    fn nothing_that_is_refused_or_shown_contains_the_password() {
        for text in [
            "postgres://ana:hunter22@host:port/db",
            "postgres://ana:x?hunter22@host/db",
            "postgres://ana:1?hunter22@host/db",
            "postgres://ana:hunter22@a,b/db",
            "postgres://ana:hunter22@host/db?sslmode=hunter22",
            "postgres://ana:hunter22@host/%ff",
            "mysql://ana:hunter22@host/db",
            "user=ana password='hunter22",
            "user=ana hunter22",
            "user=ana port=hunter22",
            "hunter22",
            "/var/lib/hunter22.db",
            "goals.db",
            "sqlite:",
            "",
        ] {
            let error = DatabaseUrl::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter22"), "{error}");
        }
        let url = DatabaseUrl::parse("postgres://ana:hunter22@host/db?application_name=hunter22").unwrap();
        assert_eq!(format!("{url} {url:?}"), "postgres://host:5432/db DatabaseUrl(postgres://host:5432/db)");
    }
}
