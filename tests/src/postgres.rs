//! A real PostgreSQL server of our own, in a temporary directory, that cannot outlive us.
//!
//! A small shell stands between us and the server and reads a pipe whose other end only we hold. When we drop it, end
//! or are killed, the read ends, and the shell stops the server and removes the directory.

use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use thiserror::Error;

/// The superuser of the server; connections over loopback need no password.
const USER: &str = "slipway";
/// How often another port is tried when somebody else was faster.
const PORT_ATTEMPTS_LIMIT: u32 = 5;
/// How many lines of the server's log are kept for an error.
const LOG_LINES_LIMIT: usize = 20;
/// How long a server may take to stop or to start again.
const ORDER_LIMIT: Duration = Duration::from_secs(60);
/// How often it is looked at meanwhile.
const ORDER_POLL: Duration = Duration::from_millis(20);
/// Users without rights that a server may run as, when we are root, which PostgreSQL refuses.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Its arguments are our directory, the two programs, the port, where a fresh server's files are kept, and the command
/// that changes the user, if any. `initdb` takes seconds, so its files are kept for the next server; only whoever made the
/// lock puts them there, and without them everything works as well. It does
/// the whole of the work, so that somebody cleans up whenever we are killed. SIGQUIT makes the server end at once; one
/// that is only just starting ignores that still, and is ended by SIGTERM. Until its pipe ends it takes two orders: to
/// stop the server at once, as a crash would, and to start it again.
const WATCHER: &str = r#"dir=$1 initdb=$2 postgres=$3 port=$4 kept=$5; shift 5
if ! { [ -d "$kept" ] && cp -Rp "$kept" "$dir/data" 2>/dev/null; }; then
    rm -rf "$dir/data"
    "$@" "$initdb" -D "$dir/data" -U slipway -A trust -E UTF8 --locale=C --no-sync --no-instructions </dev/null || {
        rm -rf "$dir"
        exit 1
    }
    if mkdir "$kept.lock" 2>/dev/null; then
        cp -Rp "$dir/data" "$kept.new" 2>/dev/null && mv "$kept.new" "$kept" 2>/dev/null
    fi
fi
if [ -f "$dir/extra.conf" ]; then cat "$dir/extra.conf" >>"$dir/data/postgresql.conf"; fi
if [ -f "$dir/pg_hba.conf" ]; then cat "$dir/pg_hba.conf" >"$dir/data/pg_hba.conf"; fi
serve() {
    "$@" "$postgres" -D "$dir/data" -c listen_addresses=127.0.0.1 -c port="$port" -c unix_socket_directories= \
        -c max_connections=200 -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
        -c logging_collector=off -c log_destination=stderr -c lc_messages=C </dev/null &
    server=$!
}
serve "$@"
exec 2>/dev/null
while read -r order; do
    case $order in
    stop)
        kill -QUIT "$server"
        wait "$server"
        ;;
    start) serve "$@" ;;
    esac
done
kill -TERM "$server"
kill -QUIT "$server"
wait "$server"
rm -rf "$dir"
"#;

/// Why there is no server.
#[derive(Clone, Debug, Error)]
pub enum PostgresError {
    /// It is not installed.
    #[error(
        "PostgreSQL's initdb was not found. Install it with \"apt-get install postgresql\" or \"brew install \
         postgresql\"."
    )]
    NotInstalled,
    /// Something failed on the way.
    #[error("PostgreSQL did not start: {0}")]
    Start(String),
    /// A database could not be created.
    #[error("The database could not be created: {0}")]
    Create(String),
}

/// Where the files of a fresh server are kept: beside this program, with what else was built. Another `initdb` has others.
fn kept_files(initdb: &Path) -> PathBuf {
    let metadata = fs::metadata(initdb).ok();
    let changed = metadata.as_ref().map(|metadata| (metadata.len(), metadata.mtime()));
    let mut hash = std::hash::DefaultHasher::new();
    (initdb, changed).hash(&mut hash);
    let name = format!("slipway-postgres-{:016x}", hash.finish());
    std::env::current_exe().unwrap_or_default().with_file_name(name)
}

fn start_error(what: &str, error: impl std::fmt::Display) -> PostgresError {
    PostgresError::Start(format!("{what}: {error}"))
}

/// The programs of an installed PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
}

/// A running server. Dropping it stops the server and removes its files.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    watcher: Child,
    /// The end of the pipe that keeps the server alive.
    lifeline: Option<ChildStdin>,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // The watcher ends after the server and its files are gone.
        let _ = self.watcher.wait();
    }
}

impl Postgres {
    /// Looks for `initdb` and `postgres` in `PATH`, where `pg_config` says, and where Debian puts them; of several
    /// versions there, the newest.
    ///
    /// # Errors
    /// [`PostgresError::NotInstalled`], which says what to install.
    pub fn find() -> Result<Programs, PostgresError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
        if let Ok(output) = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output() {
            places.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        }
        let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .collect();
        versions.sort();
        places.extend(versions.into_iter().rev().map(|(_, bin)| bin));
        let complete = |bin: PathBuf| {
            // A link in PATH is followed, for the server looks for its files beside itself.
            let initdb = bin.join("initdb").canonicalize().ok()?;
            let postgres = bin.join("postgres").canonicalize().ok()?;
            Some(Programs { initdb, postgres })
        };
        places.into_iter().find_map(complete).ok_or(PostgresError::NotInstalled)
    }

    /// Creates and starts a server of its own, which takes one or two seconds. Blocks the thread.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; the error has the end of its log.
    pub fn start() -> Result<Self, PostgresError> {
        Self::start_with(&[])
    }

    /// The same with files of the server's own beside its data directory. What `extra.conf` says is added to the
    /// configuration, where certificates and keys are named `../NAME`; `pg_hba.conf` takes the place of the usual one.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(files: &[(&str, &str)]) -> Result<Self, PostgresError> {
        let programs = Self::find()?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            match Self::attempt(&programs, files) {
                Err(PostgresError::Start(log)) if log.contains("could not bind") && attempts < PORT_ATTEMPTS_LIMIT => {}
                other => return other,
            }
        }
    }

    fn attempt(programs: &Programs, files: &[(&str, &str)]) -> Result<Self, PostgresError> {
        let directory = tempfile::Builder::new()
            .prefix("slipway-postgres-")
            .tempdir()
            .map_err(|e| start_error("no temporary directory", e))?;
        let account = Account::for_owner_of(directory.path())?;
        let give = |path: &Path| match &account {
            Some(account) => chown(path, Some(account.uid), Some(account.gid))
                .map_err(|e| start_error("the files cannot be given to another user", e)),
            None => Ok(()),
        };
        give(directory.path())?;
        for (name, text) in files {
            let path = directory.path().join(name);
            // A key that others can read is refused.
            let mut options = fs::OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(&path);
            let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|e| start_error("its files cannot be written", e))?;
            give(&path)?;
        }
        let server = Self::launch(programs, directory.path(), account.as_ref()).map_err(PostgresError::Start)?;
        // From here on the watcher removes it.
        let _ = directory.keep();
        Ok(server)
    }

    fn launch(programs: &Programs, directory: &Path, account: Option<&Account>) -> Result<Self, String> {
        let port = crate::port::free().map_err(|e| format!("no free port: {e}"))?;
        let mut watcher = Command::new("sh")
            .args(["-c", WATCHER, "slipway-postgres"])
            .args([directory, &programs.initdb, &programs.postgres])
            .arg(port.to_string())
            .arg(kept_files(&programs.initdb))
            .args(account.map(Account::prefix).unwrap_or_default())
            .current_dir(directory)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A Ctrl-C at the terminal is for us; the watcher acts when we are gone.
            .process_group(0)
            .spawn()
            .map_err(|e| format!("sh cannot be run: {e}"))?;
        let lifeline = watcher.stdin.take();
        let stderr = watcher.stderr.take();
        let mut server = Self { port, watcher, lifeline };
        let mut lines = BufReader::new(stderr.ok_or("the log cannot be read")?).lines();
        let mut log = Vec::new();
        for line in lines.by_ref().map_while(Result::ok) {
            if line.contains("ready to accept connections") {
                // Somebody has to go on reading, or the server would block on a full pipe.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                return Ok(server);
            }
            log.push(line);
        }
        drop(server.lifeline.take());
        Err(log.split_off(log.len().saturating_sub(LOG_LINES_LIMIT)).join("\n"))
    }

    /// Stops the server as a crash would: `pg_ctl stop -m immediate`. What was committed stays only where the database
    /// has `synchronous_commit` on.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stop_immediately(&mut self) -> Result<(), PostgresError> {
        self.order("stop", false).await
    }

    /// Starts it again after that; it recovers first.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> Result<(), PostgresError> {
        self.order("start", true).await
    }

    async fn order(&mut self, order: &str, is_up: bool) -> Result<(), PostgresError> {
        use sqlx::Connection as _;
        let pipe = self.lifeline.as_mut().ok_or_else(|| PostgresError::Start("it was never started".into()))?;
        writeln!(pipe, "{order}").map_err(|e| start_error(&format!("it could not be told to {order}"), e))?;
        let url = self.url("postgres");
        let carried_out = async {
            while sqlx::PgConnection::connect(&url).await.is_ok() != is_up {
                tokio::time::sleep(ORDER_POLL).await;
            }
        };
        let late = |_| start_error(&format!("it did not {order}"), format!("{} s are over", ORDER_LIMIT.as_secs()));
        tokio::time::timeout(ORDER_LIMIT, carried_out).await.map_err(late)
    }

    /// The address of a database of that name.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Creates a database and gives its address.
    ///
    /// # Errors
    /// When there is one of that name, or the server cannot be reached.
    pub async fn create_database(&self, name: &str) -> Result<String, PostgresError> {
        use sqlx::Connection as _;
        let failed = |error: sqlx::Error| PostgresError::Create(error.to_string());
        let mut connection = sqlx::PgConnection::connect(&self.url("postgres")).await.map_err(failed)?;
        let create = format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""));
        sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.map_err(failed)?;
        connection.close().await.map_err(failed)?;
        Ok(self.url(name))
    }

    /// A new, empty database on this server, under a name of its own; gives its address.
    ///
    /// # Errors
    /// As [`Self::create_database`].
    pub async fn fresh_database(&self) -> Result<String, PostgresError> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        self.create_database(&format!("sandbox_{}", NEXT.fetch_add(1, Ordering::Relaxed))).await
    }
}

/// The one server of this process, started at the first call and stopped when the process ends, however it ends.
///
/// # Errors
/// As [`Postgres::start`]; the same at each call.
pub fn shared() -> Result<&'static Postgres, PostgresError> {
    static SHARED: OnceLock<Result<Postgres, PostgresError>> = OnceLock::new();
    SHARED.get_or_init(Postgres::start).as_ref().map_err(Clone::clone)
}

/// Another user.
#[derive(Debug)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Who the server must run as; `None` for ourselves. Whose a new directory is tells who we are.
    fn for_owner_of(directory: &Path) -> Result<Option<Self>, PostgresError> {
        let owner = fs::metadata(directory).map_err(|e| start_error("no temporary directory", e))?.uid();
        if owner != 0 {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(|e| start_error("the users cannot be read", e))?;
        let find = |name: &&str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut ids = line.split(':').skip(2).map(str::parse);
            Some(Self { uid: ids.next()?.ok()?, gid: ids.next()?.ok()? })
        };
        let account = UNPRIVILEGED.iter().find_map(find);
        let none = "it refuses to run as root, and there is no user postgres or nobody".to_owned();
        account.map(Some).ok_or(PostgresError::Start(none))
    }

    /// The command that runs another one as this user.
    fn prefix(&self) -> Vec<String> {
        vec![
            "setpriv".into(),
            format!("--reuid={}", self.uid),
            format!("--regid={}", self.gid),
            "--clear-groups".into(),
        ]
    }
}
