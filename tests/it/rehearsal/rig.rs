//! A database to rehearse for, and a user of its own to rehearse with, so that what is left over can be told apart.

use slipway_core::migration::format::goose::Goose;
use slipway_core::migration::{Folder, MigrationTrial};
use slipway_deploy::database::{DatabaseUrl, RehearsalError, RehearsalOptions, connect, rehearse};
use slipway_sandbox::postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, raw_sql};
use std::time::{Duration, Instant};

/// How long is waited for what must come.
const WAIT_LIMIT: Duration = Duration::from_secs(60);
/// How long the server looks for it between two looks.
const LOOK: &str = "SELECT pg_sleep(0.02)";

pub(super) struct Rig {
    /// The address of the database itself.
    pub(super) real: String,
    /// That of the rehearsal server, as a user who may create databases and no more.
    pub(super) on: String,
    user: String,
}

/// Version, what applies it, what takes it back or nothing.
pub(super) type File<'a> = (u64, &'a str, &'a str);

/// A folder of goose's.
pub(super) fn goose(files: &[File<'_>]) -> Folder<'static> {
    let file = |(version, up, down): &File<'_>| {
        let up = match up.strip_prefix("-- +goose NO TRANSACTION\n") {
            Some(up) => format!("-- +goose NO TRANSACTION\n-- +goose Up\n{up};\n"),
            None => format!("-- +goose Up\n{up};\n"),
        };
        let down = if down.is_empty() { String::new() } else { format!("-- +goose Down\n{down};\n") };
        (format!("{version:05}_x.sql"), format!("{up}{down}").into_bytes())
    };
    Folder::read(&Goose, files.iter().map(file), &|_| None).unwrap()
}

pub(super) async fn open(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

pub(super) async fn run(connection: &mut PgConnection, sql: &str) {
    raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// The first column of the answer.
pub(super) async fn column(connection: &mut PgConnection, query: &str) -> Vec<String> {
    let rows = raw_sql(AssertSqlSafe(query)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.try_get(0).unwrap()).collect()
}

impl Rig {
    pub(super) async fn new(schema: &str) -> Self {
        let server = tokio::task::spawn_blocking(postgres::shared).await.unwrap().unwrap();
        let real = server.fresh_database().await.unwrap();
        let mut connection = open(&real).await;
        run(&mut connection, schema).await;
        let user = format!("rehearser_of_{}", real.rsplit_once('/').unwrap().1.split('?').next().unwrap());
        run(&mut connection, &format!("CREATE ROLE {user} LOGIN CREATEDB PASSWORD 'hunter22'")).await;
        let on = server.url("postgres").replace("slipway@", &format!("{user}:hunter22@"));
        Self { real, on, user }
    }

    /// The same with a user who may do everything.
    pub(super) fn by_superuser(mut self) -> Self {
        self.on = self.on.replace(&format!("{}:hunter22@", self.user), "slipway@");
        self
    }

    pub(super) fn real_url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.real).unwrap()
    }

    pub(super) fn on_url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.on).unwrap()
    }

    pub(super) async fn rehearse(&self, files: &[File<'_>]) -> Result<Vec<MigrationTrial>, RehearsalError> {
        let folder = goose(files);
        let real = connect(&self.real).await.unwrap();
        let options = RehearsalOptions { same_server: true };
        let outcome = rehearse(&*real, &self.real_url(), &self.on_url(), &folder, &folder.migrations(), &options).await;
        assert!(!format!("{outcome:?}").contains("hunter22"), "{outcome:?}");
        outcome
    }

    /// Waits until one of our copies is as `condition` says, in which it is `d`, a row of `pg_database`.
    pub(super) async fn until_a_copy(&self, condition: &str) {
        self.until(&format!("EXISTS (SELECT FROM pg_database d WHERE {} AND {condition})", self.ours())).await;
    }

    /// Waits until none of our copies is there any more.
    pub(super) async fn nothing_is_left(&self) {
        self.until(&format!("NOT EXISTS (SELECT FROM pg_database d WHERE {})", self.ours())).await;
    }

    fn ours(&self) -> String {
        format!("d.datname LIKE 'slipway\\_rehearsal\\_%' AND pg_get_userbyid(d.datdba) = '{}'", self.user)
    }

    async fn until(&self, condition: &str) {
        let mut look = open(&self.real).await;
        let begun = Instant::now();
        while column(&mut look, &format!("SELECT ({condition})::text")).await != ["true"] {
            assert!(begun.elapsed() < WAIT_LIMIT, "still not: {condition}");
            run(&mut look, LOOK).await;
        }
    }
}
