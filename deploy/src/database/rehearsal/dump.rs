//! The schema as SQL, by `pg_dump`.

use super::RehearsalError;
use crate::database::error::cut;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long `pg_dump` may take.
const DUMP_LIMIT_S: u64 = 60;
/// How long it waits for tables that somebody has locked.
const DUMP_LOCK_WAIT_MS: u64 = 2_000;
/// How large a schema may be.
const DUMP_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// How much of what it complains of is read.
const COMPLAINT_LIMIT_BYTES: u64 = 64 * 1024;
/// How much of that is shown.
const COMPLAINT_LIMIT_CHARS: usize = 300;
/// How long a program may take to say its version.
const VERSION_LIMIT_S: u64 = 10;
/// Where Debian puts its versions of PostgreSQL.
const VERSIONS_FOLDER: &str = "/usr/lib/postgresql";

fn unavailable(why: impl Into<String>) -> RehearsalError {
    RehearsalError::Unavailable(why.into())
}

/// The schema of a database, as statements that can be sent as they are.
pub(super) async fn dump(options: &PgConnectOptions, server_major: u32) -> Result<String, RehearsalError> {
    let program = program(server_major).await?;
    let mut command = Command::new(program);
    command
        .args(["--schema-only", "--no-owner", "--no-privileges", "--no-comments", "--no-tablespaces"])
        .args(["--no-publications", "--no-subscriptions", "--no-security-labels", "--no-password"])
        .arg(format!("--lock-wait-timeout={DUMP_LOCK_WAIT_MS}"))
        .env_clear()
        .envs(environment(options))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| unavailable(format!("pg_dump cannot be run: {error}")))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(unavailable("pg_dump cannot be read"));
    };
    let (mut schema, mut complaint) = (Vec::new(), Vec::new());
    let work = async {
        let mut stdout = stdout.take(DUMP_LIMIT_BYTES + 1);
        let mut stderr = stderr.take(COMPLAINT_LIMIT_BYTES);
        let (read, _) = tokio::join!(stdout.read_to_end(&mut schema), stderr.read_to_end(&mut complaint));
        read?;
        // Beyond the limit it would wait for somebody who reads on.
        drop((stdout, stderr));
        child.wait().await
    };
    let ended = timeout(Duration::from_secs(DUMP_LIMIT_S), work).await;
    let ended = ended.map_err(|_| unavailable(format!("pg_dump was not done after {DUMP_LIMIT_S} s")))?;
    let status = ended.map_err(|error| unavailable(format!("pg_dump cannot be read: {error}")))?;
    if schema.len() as u64 > DUMP_LIMIT_BYTES {
        return Err(unavailable(format!("the schema is over the limit of {DUMP_LIMIT_BYTES} bytes")));
    }
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint);
        let first = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
        return Err(unavailable(format!("pg_dump failed: {}", cut(first, COMPLAINT_LIMIT_CHARS))));
    }
    let schema = String::from_utf8(schema).map_err(|_| unavailable("the schema is no UTF-8 text"))?;
    Ok(statements(&schema, server_major))
}

/// Without what is meant for psql, and without settings that the server does not know yet.
fn statements(dump: &str, server_major: u32) -> String {
    let mut lines: Vec<&str> = dump.lines().collect();
    let key = lines.iter().find_map(|line| line.strip_prefix("\\restrict ")).map(str::to_owned);
    if let Some(key) = key {
        // The key is drawn by lot, so no function's text has these lines.
        let (begin, end) = (format!("\\restrict {key}"), format!("\\unrestrict {key}"));
        lines.retain(|line| *line != begin && *line != end);
    }
    if server_major < 17 {
        lines.retain(|line| *line != "SET transaction_timeout = 0;");
    }
    lines.join("\n")
}

/// What `pg_dump` is told, in its environment: arguments can be seen by everybody on the machine.
fn environment(options: &PgConnectOptions) -> Vec<(&'static str, OsString)> {
    let mut set: Vec<(&'static str, OsString)> =
        ["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect();
    let host = options.get_socket().map_or_else(|| options.get_host().into(), |socket| socket.clone().into_os_string());
    set.extend([
        ("LC_ALL", "C".into()),
        ("PGCLIENTENCODING", "UTF8".into()),
        ("PGAPPNAME", "slipway rehearsal".into()),
        ("PGCONNECT_TIMEOUT", crate::database::CONNECT_LIMIT_S.to_string().into()),
        ("PGHOST", host),
        ("PGPORT", options.get_port().to_string().into()),
        ("PGUSER", options.get_username().into()),
        ("PGDATABASE", options.get_database().unwrap_or(options.get_username()).into()),
    ]);
    // The rest has no other way out of the driver's options. What could not stand in an address is taken out before.
    let url = options.clone().username("user").host("host").database("database").to_url_lossy();
    let password = url.password().and_then(|encoded| {
        // It is percent-encoded, as a parameter's value is.
        let carrier = reqwest::Url::parse(&format!("carrier:?password={encoded}")).ok()?;
        carrier.query_pairs().next().map(|(_, password)| password.into_owned())
    });
    set.extend(password.map(|password| ("PGPASSWORD", password.into())));
    for (key, value) in url.query_pairs() {
        let name = match &*key {
            "sslmode" => "PGSSLMODE",
            "sslrootcert" => "PGSSLROOTCERT",
            "sslcert" => "PGSSLCERT",
            "sslkey" => "PGSSLKEY",
            _ => continue,
        };
        // The driver's own way to say that it is a path; a certificate's text is nothing that pg_dump takes.
        let value = if name == "PGSSLMODE" { Some(&*value) } else { value.strip_prefix("file: ") };
        set.extend(value.map(|value| (name, value.into())));
    }
    set
}

/// The installed `pg_dump` whose version is nearest to the server's, and not older.
async fn program(server_major: u32) -> Result<PathBuf, RehearsalError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(debian(Path::new(VERSIONS_FOLDER)));
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for program in places.map(|place| place.join("pg_dump")).filter(|program| program.is_file()) {
        if let Some(major) = version(&program).await {
            found.push((major, program));
        }
    }
    let newest = found.iter().map(|(major, _)| *major).max();
    let fits = found.into_iter().filter(|(major, _)| *major >= server_major).min_by_key(|(major, _)| *major);
    match (fits, newest) {
        (Some((_, program)), _) => Ok(program),
        (None, Some(newest)) => Err(unavailable(format!(
            "the installed pg_dump is of version {newest}, older than the server's {server_major}; install \
             postgresql-client-{server_major}"
        ))),
        (None, None) => Err(unavailable(format!(
            "pg_dump was not found; install postgresql-client-{server_major} where Slipway runs"
        ))),
    }
}

/// The folders of the versions that Debian has side by side.
fn debian(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().join("bin")).collect()
}

/// The major version of a `pg_dump`: `pg_dump (PostgreSQL) 15.4`.
async fn version(program: &Path) -> Option<u32> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = timeout(Duration::from_secs(VERSION_LIMIT_S), command.output()).await.ok()?.ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

fn major(said: &str) -> Option<u32> {
    let number = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_and_tls_reach_it_by_its_environment() {
        let options = PgConnectOptions::new_without_pgpass()
            .username("ana@acme")
            .password("p@ss w/rd+%41")
            .host("db.example")
            .port(6432)
            .database("goals/x")
            .ssl_mode(sqlx::postgres::PgSslMode::VerifyFull)
            .ssl_root_cert("/etc/ca.pem");
        let set = environment(&options);
        for (name, value) in [
            ("PGHOST", "db.example"),
            ("PGPORT", "6432"),
            ("PGUSER", "ana@acme"),
            ("PGDATABASE", "goals/x"),
            ("PGPASSWORD", "p@ss w/rd+%41"),
            ("PGSSLMODE", "verify-full"),
            ("PGSSLROOTCERT", "/etc/ca.pem"),
        ] {
            assert!(set.contains(&(name, value.into())), "{name}: {set:?}");
        }
        let socket = PgConnectOptions::new_without_pgpass().username("ana").socket("/run/postgresql");
        let set = environment(&socket);
        assert!(set.contains(&("PGHOST", "/run/postgresql".into())) && set.contains(&("PGDATABASE", "ana".into())));
        assert!(!set.iter().any(|(name, _)| *name == "PGPASSWORD"), "{set:?}");
    }

    #[test]
    fn what_is_meant_for_psql_is_taken_out() {
        let dump = "\\restrict aB1\nSET transaction_timeout = 0;\nSELECT '\n\\restrict other\n';\n\\unrestrict aB1\n";
        assert_eq!(statements(dump, 15), "SELECT '\n\\restrict other\n';");
        assert_eq!(statements("SET transaction_timeout = 0;", 17), "SET transaction_timeout = 0;");
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(major("pg_dump (PostgreSQL) 15.4 (Debian 15.4-1)"), Some(15));
        assert_eq!(major("pg_dump (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("what?"), None);
    }
}
