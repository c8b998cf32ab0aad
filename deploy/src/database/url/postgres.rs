//! Addresses of PostgreSQL, as libpq reads them.

use super::{Address, DatabaseUrl, MigrateError, bad};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::collections::BTreeSet;
use std::path::Path;
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

const DEFAULT_PORT: u16 = 5432;

/// Where the server's socket may be when the address names no host.
const SOCKET_DIRECTORIES: [&str; 3] = ["/var/run/postgresql", "/private/tmp", "/tmp"];

/// Variables from which the driver fills gaps without a way to take the value out again, and what closes the gap.
const VARIABLES: [(&str, &str); 3] = [("PGUSER", "user"), ("PGSSLCERT", "sslcert"), ("PGSSLKEY", "sslkey")];

/// `postgres://…`
pub(super) fn url(text: &str, is_set: &dyn Fn(&str) -> bool) -> Result<DatabaseUrl, MigrateError> {
    address(read_url(text)?.complete(is_set)?)
}

/// libpq's `key = 'value'` pairs.
pub(super) fn key_values(text: &str, is_set: &dyn Fn(&str) -> bool) -> Result<DatabaseUrl, MigrateError> {
    address(read_pairs(text)?.complete(is_set)?)
}

fn address(options: PgConnectOptions) -> Result<DatabaseUrl, MigrateError> {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    if host.contains(',') {
        return Err(bad("it names several hosts. Name the one that can be written to"));
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let name = options.get_database().unwrap_or_else(|| options.get_username()).to_owned();
    let shown = format!("postgres://{host}:{}/{name}", options.get_port());
    let options = options.extra_float_digits(None).disable_statement_logging();
    Ok(DatabaseUrl { address: Address::Postgres(Box::new(options)), shown })
}

fn read_url(text: &str) -> Result<Reading, MigrateError> {
    let (scheme, after) = text.split_once("://").ok_or_else(|| bad("after postgres: comes //"))?;
    let (authority, after) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    // What follows the host is shown. A password with a character that ends the host would be there, before its @.
    if after.contains('@') {
        return Err(bad(
            "it has an @ after the host. Special characters are written in percent form: @ as %40, / as %2F, ? as \
             %3F, # as %23",
        ));
    }
    // libpq takes an address without a host, whose socket is then among the parameters.
    let (before, place) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let is_open = place.is_empty() || place.starts_with(':');
    let host = if is_open { "localhost" } else { "" };
    let mut url = reqwest::Url::parse(&format!("{scheme}://{before}{host}{place}{after}"))
        .map_err(|e| bad(format!("{e}. Special characters in a password are written in percent form, @ as %40")))?;
    // The driver would write parameters that it does not know into the log, so it gets to see none.
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    url.set_fragment(None);
    let options = PgConnectOptions::from_str(url.as_str())
        .map_err(|_| bad("user, password or database name are not valid percent-encoded text"))?;
    let mut reading = Reading::new(options);
    let parts = [
        ("user", url.username().is_empty()),
        ("password", url.password().is_none()),
        ("host", is_open),
        ("port", url.port().is_none()),
        ("dbname", url.path().trim_start_matches('/').is_empty()),
    ];
    reading.said.extend(parts.iter().filter(|(_, open)| !open).map(|(part, _)| (*part).to_owned()));
    let host = url.host_str().unwrap_or_default();
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        reading.options = reading.options.host(address);
    }
    for (key, value) in &parameters {
        reading.set(key, value)?;
    }
    Ok(reading)
}

fn read_pairs(text: &str) -> Result<Reading, MigrateError> {
    let mut reading = Reading::new(PgConnectOptions::new_without_pgpass());
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| bad("a word in it has no = after it"))?;
        let (value, after) = value(after.trim_start())?;
        reading.set(key.trim(), &value)?;
        rest = after.trim_start();
    }
    Ok(reading)
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

/// The address of a PostgreSQL while it is read.
struct Reading {
    options: PgConnectOptions,
    /// The parts that the address names.
    said: BTreeSet<String>,
    mode: Option<PgSslMode>,
    /// Whether the certificate authorities are those that everybody trusts.
    system_roots: bool,
}

impl Reading {
    fn new(options: PgConnectOptions) -> Self {
        let options = options.application_name(APPLICATION_NAME);
        Self { options, said: BTreeSet::new(), mode: None, system_roots: false }
    }

    fn has(&self, part: &str) -> bool {
        self.said.contains(part)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), MigrateError> {
        let wrong = |what: &str| bad(format!("the value of {key} is not {what}"));
        let options = self.options.clone();
        self.options = match key {
            // libpq takes an empty value as none.
            "user" | "password" | "host" | "hostaddr" | "port" | "dbname" | "database" | "sslmode" | "sslrootcert"
            | "sslcert" | "sslkey"
                if value.is_empty() =>
            {
                return Ok(());
            }
            "user" => options.username(value),
            "password" => options.password(value),
            "host" if value.starts_with('/') => options.socket(value),
            "host" => options.host(value),
            // A certificate is checked against the name.
            "hostaddr" if self.has("host") => options,
            "hostaddr" => options.host(value),
            "port" => options.port(value.parse().map_err(|_| wrong("a port number"))?),
            "dbname" | "database" => options.database(value),
            "sslmode" => {
                let mode = value.parse();
                self.mode = Some(mode.map_err(|_| wrong("disable, allow, prefer, require, verify-ca or verify-full"))?);
                options
            }
            "sslrootcert" if value == "system" => {
                self.system_roots = true;
                options.ssl_root_cert_from_pem(Vec::new())
            }
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
            // What remains is a setting of the server, such as search_path. Anything that is no name may be a piece
            // of a password, so it is not repeated.
            setting
                if setting.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.') && !setting.is_empty() =>
            {
                options.options([(setting, value)])
            }
            _ => {
                return Err(bad(
                    "it has a parameter that is not a name. Special characters in a password are written in percent form, ? as %3F",
                ));
            }
        };
        let part = match key {
            "hostaddr" => "host",
            "database" => "dbname",
            other => other,
        };
        self.said.insert(part.to_owned());
        Ok(())
    }

    /// Gives what the address leaves open the value that libpq has for it. The driver would take it from libpq's
    /// variables and the user's .pgpass, which are those of whoever runs Slipway: a password of theirs must not go to
    /// this server, nor a setting change what a team's address means.
    fn complete(self, is_set: &dyn Fn(&str) -> bool) -> Result<PgConnectOptions, MigrateError> {
        for (variable, part) in VARIABLES {
            if is_set(variable) && !self.has(part) {
                return Err(bad(format!(
                    "it has no {part}, and {variable} is set where Slipway runs, which counts for no address. Write \
                     {part} into the address, or unset {variable}"
                )));
            }
        }
        if is_set("PGOPTIONS") {
            return Err(bad("PGOPTIONS is set where Slipway runs and would change every session. Unset it"));
        }
        if self.has("sslcert") != self.has("sslkey") {
            return Err(bad("sslcert and sslkey belong together. Name both, or neither"));
        }
        let mode = self.tls()?;
        let (port, host, root, name, password) =
            (self.has("port"), self.has("host"), self.has("sslrootcert"), self.has("dbname"), self.has("password"));
        let mut options = self.options;
        if !port {
            options = options.port(DEFAULT_PORT);
        }
        if !host {
            let socket = format!(".s.PGSQL.{}", options.get_port());
            let place = SOCKET_DIRECTORIES.iter().find(|place| Path::new(place).join(&socket).exists());
            options = options.host(place.unwrap_or(&"localhost"));
        }
        if !root {
            options = options.ssl_root_cert_from_pem(Vec::new());
        }
        if !name {
            let user = options.get_username().to_owned();
            options = options.database(&user);
        }
        if !password {
            options = options.password("");
        }
        // Nobody listens in on a socket, so servers do not offer TLS there.
        let is_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
        Ok(options.ssl_mode(if is_socket { PgSslMode::Disable } else { mode }))
    }

    /// The mode as libpq takes it, where the driver takes it for less.
    fn tls(&self) -> Result<PgSslMode, MigrateError> {
        Ok(match self.mode {
            None if self.system_roots => PgSslMode::VerifyFull,
            Some(PgSslMode::VerifyFull) => PgSslMode::VerifyFull,
            _ if self.system_roots => return Err(bad("sslrootcert=system needs sslmode=verify-full")),
            Some(PgSslMode::Require) if self.has("sslrootcert") => PgSslMode::VerifyCa,
            // The driver takes "allow" for "never". Whoever allows TLS does not mind it.
            None | Some(PgSslMode::Allow) => PgSslMode::Prefer,
            Some(mode) => mode,
        })
    }
}
