//! A database, a folder in a tool's format, and both programs that work on them.

use crate::{dbmate, sqlx_tool};
use slipway_sandbox::{bot, postgres};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection, raw_sql};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A tool whose folders Slipway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Dbmate,
    Sqlx,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
}

pub(crate) const ALL: [(Tool, Kind); 4] = [
    (Tool::Dbmate, Kind::Postgres),
    (Tool::Dbmate, Kind::Sqlite),
    (Tool::Sqlx, Kind::Postgres),
    (Tool::Sqlx, Kind::Sqlite),
];

/// A database of one's own and a folder for it. Each migration leaves rows in `deeds`, so that one that ran twice is
/// there twice.
pub(crate) struct Place {
    pub(crate) tool: Tool,
    pub(crate) kind: Kind,
    pub(crate) url: String,
    folder: TempDir,
}

/// What a process said, and whether it ended well.
pub(crate) struct Ended {
    pub(crate) is_done: bool,
    pub(crate) said: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { is_done: output.status.success(), said: text(&output.stdout) + &text(&output.stderr) }
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert!(self.is_done, "{}", self.said);
        self.said
    }

    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert!(!self.is_done, "{}", self.said);
        self.said
    }
}

impl Place {
    pub(crate) async fn new(tool: Tool, kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("migrations")).unwrap();
        let url = match kind {
            Kind::Postgres => {
                let server = tokio::task::spawn_blocking(postgres::shared).await.unwrap().unwrap();
                server.fresh_database().await.unwrap()
            }
            Kind::Sqlite => format!("sqlite:{}", folder.path().join("data.db").display()),
        };
        let place = Self { tool, kind, url, folder };
        let id = if kind == Kind::Postgres { "serial PRIMARY KEY" } else { "integer PRIMARY KEY AUTOINCREMENT" };
        place.sql(&format!("CREATE TABLE deeds (id {id}, what text NOT NULL)")).await;
        place
    }

    pub(crate) fn migrations(&self) -> PathBuf {
        self.folder.path().join("migrations")
    }

    /// Writes migration `n`, which adds `n` to the deeds, and `-n` on its way back.
    pub(crate) fn migration(&self, n: u32) {
        let deed = |what: String| format!("INSERT INTO deeds (what) VALUES ('{what}');\n");
        self.migration_of(n, false, &deed(n.to_string()), &deed(format!("-{n}")));
    }

    /// Writes a migration, as the tool has it.
    pub(crate) fn migration_of(&self, n: u32, without_transaction: bool, up: &str, down: &str) {
        let name = format!("{}_step_{n}", version(n));
        let write = |name: &str, text: &str| fs::write(self.migrations().join(name), text).unwrap();
        match self.tool {
            Tool::Dbmate => {
                let option = if without_transaction { " transaction:false" } else { "" };
                let text = format!("-- migrate:up{option}\n{up}\n-- migrate:down{option}\n{down}");
                write(&format!("{name}.sql"), &text);
            }
            Tool::Sqlx => {
                let option = if without_transaction { "-- no-transaction\n" } else { "" };
                write(&format!("{name}.up.sql"), &format!("{option}{up}"));
                write(&format!("{name}.down.sql"), &format!("{option}{down}"));
            }
        }
    }

    /// The tool applies what is pending.
    pub(crate) async fn tool_up(&self) -> Ended {
        match self.tool {
            Tool::Dbmate => dbmate::run(self, &["migrate"]),
            Tool::Sqlx => sqlx_tool::up(self).await,
        }
    }

    /// The tool takes the newest migration back, after which `newest` is the newest.
    pub(crate) async fn tool_down(&self, newest: u32) -> Ended {
        match self.tool {
            Tool::Dbmate => dbmate::run(self, &["rollback"]),
            Tool::Sqlx => sqlx_tool::down_to(self, newest).await,
        }
    }

    /// Slipway's own command line. A folder of sqlx's that nobody has applied may be golang-migrate's too, so it is told.
    pub(crate) fn slipway(&self, command: &[&str]) -> Ended {
        let mut slipway = Command::new(bot::binary().unwrap());
        let format = match self.tool {
            Tool::Dbmate => "dbmate",
            Tool::Sqlx => "sqlx",
        };
        slipway.arg("migrate").args(command).args(["--format", format, "--dir"]).arg(self.migrations()).env_clear();
        slipway.env("DATABASE_URL", &self.url).output().unwrap().into()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let sql = AssertSqlSafe(sql);
        match self.kind {
            Kind::Postgres => raw_sql(sql).execute(&mut self.postgres().await).await.map(drop),
            Kind::Sqlite => raw_sql(sql).execute(&mut self.sqlite().await).await.map(drop),
        }
        .unwrap();
    }

    /// The first column, which is text.
    pub(crate) async fn column(&self, query: &str) -> Vec<String> {
        let query = AssertSqlSafe(query);
        match self.kind {
            Kind::Postgres => {
                let rows = raw_sql(query).fetch_all(&mut self.postgres().await).await.unwrap();
                rows.iter().map(|row| row.try_get_unchecked(0).unwrap()).collect()
            }
            Kind::Sqlite => {
                let rows = raw_sql(query).fetch_all(&mut self.sqlite().await).await.unwrap();
                rows.iter().map(|row| row.try_get_unchecked(0).unwrap()).collect()
            }
        }
    }

    pub(crate) async fn postgres(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    pub(crate) async fn sqlite(&self) -> SqliteConnection {
        SqliteConnection::connect(&format!("{}?mode=rwc", self.url)).await.unwrap()
    }

    pub(crate) async fn deeds(&self) -> Vec<String> {
        self.column("SELECT what FROM deeds ORDER BY id").await
    }

    /// The tool's history table.
    pub(crate) fn table(&self) -> &'static str {
        match self.tool {
            Tool::Dbmate => "schema_migrations",
            Tool::Sqlx => "_sqlx_migrations",
        }
    }

    /// The versions in the history, without what all of them have in common.
    pub(crate) async fn history(&self) -> Vec<String> {
        let versions = format!("SELECT CAST(version AS text) FROM {} ORDER BY version", self.table());
        let versions = self.column(&versions).await;
        versions
            .iter()
            .map(|version| version.trim_start_matches("202601010000").trim_start_matches('0').to_owned())
            .collect()
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }
}

/// As the tools' own commands number them: by time.
pub(crate) fn version(n: u32) -> u64 {
    20_260_101_000_000 + u64::from(n)
}
