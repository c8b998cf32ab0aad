//! Slipway's command line beside dbmate, sqlx-cli and psql on one PostgreSQL: `make bench-migrations`.
//!
//! Each round applies the same thousand migrations with each program to a database of its own; the programs take turns,
//! so that what else the machine does meets all of them. psql, which keeps no history and reads one file, is the floor.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops where it cannot go on")]

use slipway_sandbox::bot;
use slipway_sandbox::postgres::Postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection, raw_sql};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MIGRATIONS: u32 = 1_000;
const ROUNDS: usize = 5;
/// How often a status is asked for.
const STATUS_ROUNDS: usize = 11;
const LARGE_FOLDER: u32 = 10_000;
/// How many of the large folder are pending.
const LARGE_FOLDER_PENDING: u32 = 10;

/// A program, its folder, and how it is called.
struct Program {
    name: &'static str,
    binary: OsString,
    folder: PathBuf,
    up: fn(&mut Command, &Path),
    status: Option<fn(&mut Command, &Path)>,
}

fn statement(n: u32) -> String {
    format!("CREATE TABLE t{n} (id bigint PRIMARY KEY, name text NOT NULL);\n")
}

/// Writes `count` files, each with what its tool wants around the statement.
fn folder(root: &Path, name: &str, count: u32, file: fn(u32) -> (String, String)) -> PathBuf {
    let folder = root.join(name);
    fs::create_dir(&folder).unwrap();
    for n in 1..=count {
        let (name, text) = file(n);
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

fn goose(n: u32) -> (String, String) {
    (format!("{n:05}_t{n}.sql"), format!("-- +goose Up\n{}-- +goose Down\nDROP TABLE t{n};\n", statement(n)))
}

fn dbmate(n: u32) -> (String, String) {
    (format!("{n:05}_t{n}.sql"), format!("-- migrate:up\n{}-- migrate:down\nDROP TABLE t{n};\n", statement(n)))
}

fn sqlx(n: u32) -> (String, String) {
    (format!("{n:05}_t{n}.sql"), statement(n))
}

fn programs(root: &Path) -> Vec<Program> {
    let mut psql = String::from("CREATE TABLE history (version bigint);\n");
    for n in 1..=MIGRATIONS {
        write!(psql, "BEGIN;\n{}INSERT INTO history VALUES ({n});\nCOMMIT;\n", statement(n)).unwrap();
    }
    let script = root.join("all.sql");
    fs::write(&script, psql).unwrap();
    let mut programs = vec![
        Program {
            name: "psql, BEGIN and COMMIT for each",
            binary: "psql".into(),
            folder: script,
            up: |command, script| {
                command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(script);
            },
            status: None,
        },
        Program {
            name: "slipway",
            binary: bot::binary().unwrap().into(),
            folder: folder(root, "goose", MIGRATIONS, goose),
            up: |command, dir| {
                command.args(["migrate", "up", "--dir"]).arg(dir);
            },
            status: Some(|command, dir| {
                command.args(["migrate", "status", "--dir"]).arg(dir);
            }),
        },
    ];
    if let Some(binary) = std::env::var_os("SLIPWAY_DBMATE") {
        programs.push(Program {
            name: "dbmate",
            binary,
            folder: folder(root, "dbmate", MIGRATIONS, dbmate),
            up: |command, dir| {
                command.args(["--no-dump-schema", "--migrations-dir"]).arg(dir).arg("migrate");
            },
            status: Some(|command, dir| {
                command.arg("--migrations-dir").arg(dir).arg("status");
            }),
        });
    }
    if let Some(binary) = std::env::var_os("SLIPWAY_SQLX") {
        programs.push(Program {
            name: "sqlx-cli",
            binary,
            folder: folder(root, "sqlx", MIGRATIONS, sqlx),
            up: |command, dir| {
                command.args(["migrate", "run", "--source"]).arg(dir);
            },
            status: Some(|command, dir| {
                command.args(["migrate", "info", "--source"]).arg(dir);
            }),
        });
    }
    programs
}

impl Program {
    fn time(&self, arguments: fn(&mut Command, &Path), url: &str) -> Duration {
        let mut command = Command::new(&self.binary);
        arguments(&mut command, &self.folder);
        if self.name.starts_with("psql") {
            command.arg(url);
        }
        time(command.env("DATABASE_URL", url))
    }
}

/// How long a command takes, which has to succeed.
fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let output = command.output().unwrap();
    let took = begun.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `cargo test --all-targets` runs benchmarks as well.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let server = Postgres::start().unwrap();
    let programs = programs(root.path());
    let mut times = vec![Vec::new(); programs.len()];
    let mut last = vec![String::new(); programs.len()];
    for _ in 0..ROUNDS {
        for (at, program) in programs.iter().enumerate() {
            last[at] = server.fresh_database().await.unwrap();
            times[at].push(program.time(program.up, &last[at]));
        }
    }
    let mut statuses = vec![Vec::new(); programs.len()];
    for _ in 0..STATUS_ROUNDS {
        for (at, program) in programs.iter().enumerate() {
            statuses[at].extend(program.status.map(|status| program.time(status, &last[at])));
        }
    }
    println!("| {MIGRATIONS} migrations, PostgreSQL | apply | beside psql | status |\n|---|---|---|---|");
    let floor = median(times[0].clone());
    for ((program, times), statuses) in programs.iter().zip(times).zip(statuses) {
        let (time, name) = (median(times), program.name);
        let ratio = time.as_secs_f64() / floor.as_secs_f64();
        let status =
            if statuses.is_empty() { "–".to_owned() } else { format!("{} ms", median(statuses).as_millis()) };
        println!("| {name} | {:.2} s | {ratio:.2} | {status} |", time.as_secs_f64());
    }
    large_folder(root.path(), &server.fresh_database().await.unwrap()).await;
}

/// A folder of many years, of which all but the newest are applied.
async fn large_folder(root: &Path, postgres: &str) {
    let dir = folder(root, "large", LARGE_FOLDER, goose);
    let sqlite = format!("sqlite:{}", root.join("large.db").display());
    let binary = bot::binary().unwrap();
    let command = |command: &[&str], url: &str| {
        let mut slipway = Command::new(&binary);
        slipway.arg("migrate").args(command).arg("--dir").arg(&dir).env("DATABASE_URL", url);
        slipway
    };
    println!("\n| {LARGE_FOLDER} migrations, {LARGE_FOLDER_PENDING} pending | plan | status |\n|---|---|---|");
    // The first is applied, which makes the tables; the history says the same of the others.
    let rest = format!(
        "INSERT INTO goose_db_version (version_id, is_applied) WITH RECURSIVE v (n) AS (SELECT 2 UNION ALL SELECT n + 1 \
         FROM v WHERE n < {}) SELECT n, true FROM v",
        LARGE_FOLDER - LARGE_FOLDER_PENDING
    );
    for (name, url) in [("PostgreSQL", postgres), ("SQLite", &sqlite)] {
        time(&mut command(&["up", "--steps", "1"], url));
        let rest = raw_sql(AssertSqlSafe(rest.clone()));
        if name == "SQLite" {
            rest.execute(&mut SqliteConnection::connect(url).await.unwrap()).await.map(drop).unwrap();
        } else {
            rest.execute(&mut PgConnection::connect(url).await.unwrap()).await.map(drop).unwrap();
        }
        let times = |what| median((0..STATUS_ROUNDS).map(|_| time(&mut command(&[what], url))).collect()).as_millis();
        println!("| {name} | {} ms | {} ms |", times("plan"), times("status"));
    }
}
