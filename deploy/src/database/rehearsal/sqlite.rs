//! A rehearsal for SQLite, in memory.

use super::trial::{self, Broken, Seen, Stage};
use super::trial_back;
use super::{RehearsalError, Way, unavailable};
use crate::database::error::DriverError;
use crate::database::schema_postgres::left_out;
use crate::database::schema_sqlite;
use crate::database::sqlite_probe::{in_memory, reaches_out};
use async_trait::async_trait;
use slipway_core::migration::format::literal;
use slipway_core::migration::{Migration, MigrationTrial, Schema, Statement};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, raw_sql};

/// What the schema is made of, tables first. What a virtual table keeps its rows in comes with it.
const SCHEMA: &str = "SELECT m.sql FROM sqlite_schema m LEFT JOIN pragma_table_list t ON t.schema = 'main' AND \
    t.name = m.name WHERE m.sql IS NOT NULL AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND coalesce(t.type, '') <> 'shadow' \
    ORDER BY CASE m.type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, m.rowid";

/// Holds it.
pub(super) async fn rehearse(
    real: &SqliteConnectOptions,
    way: Way,
    migrations: &[Migration],
) -> Result<Vec<MigrationTrial>, RehearsalError> {
    refuse_to_reach_out(migrations)?;
    let mut connection = in_memory().await.map_err(|error| RehearsalError::Unavailable(error.to_string()))?;
    if real.get_filename().exists() {
        let cannot = |error: DriverError| unavailable("the environment's database cannot be read", &error);
        let here = real.clone().read_only(true).create_if_missing(false).disable_statement_logging().connect().await;
        let copied = statements(&mut here.map_err(|error| cannot(error.into()))?).await.map_err(cannot)?;
        for statement in copied {
            let sent = send(&mut connection, &statement).await;
            sent.map_err(|error| unavailable("the schema cannot be copied", &error))?;
        }
    }
    let mut stage = SqliteStage { connection };
    match way {
        Way::Up => trial::hold(&mut stage, migrations).await,
        Way::Back => trial_back::hold(&mut stage, migrations).await,
    }
}

/// What is tried has not been approved by anybody, and must not touch files.
pub(super) fn refuse_to_reach_out(migrations: &[Migration]) -> Result<(), RehearsalError> {
    let reaches = |migration: &&Migration| migration.up.iter().chain(&migration.down).any(|s| reaches_out(&s.text));
    match migrations.iter().find(reaches) {
        Some(migration) => {
            Err(RehearsalError::Unavailable(format!("{} opens other files, which is not tried", migration.file)))
        }
        None => Ok(()),
    }
}

/// What makes the schema and the rows of the history tables anew.
async fn statements(connection: &mut SqliteConnection) -> Result<Vec<String>, DriverError> {
    let mut statements = texts(connection, SCHEMA).await?;
    for table in left_out() {
        let columns = format!("SELECT name FROM pragma_table_info({}) WHERE name <> ''", literal(table));
        let columns = texts(connection, &columns).await?;
        if columns.is_empty() {
            continue;
        }
        let quoted: Vec<_> =
            columns.iter().map(|column| format!("quote(\"{}\")", column.replace('"', "\"\""))).collect();
        let row = format!("SELECT {} FROM \"{table}\"", quoted.join(" || ',' || "));
        let rows = texts(connection, &row).await?;
        statements.extend(rows.iter().map(|row| format!("INSERT INTO \"{table}\" VALUES ({row})")));
    }
    Ok(statements)
}

async fn send(connection: &mut SqliteConnection, sql: &str) -> Result<(), DriverError> {
    raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

async fn texts(connection: &mut SqliteConnection, sql: &str) -> Result<Vec<String>, DriverError> {
    let rows = raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await?;
    Ok(rows.iter().map(|row| row.try_get_unchecked(0)).collect::<Result<_, sqlx::Error>>()?)
}

struct SqliteStage {
    connection: SqliteConnection,
}

#[async_trait]
impl Stage for SqliteStage {
    /// SQLite locks the whole file; of tables there is nothing to be told.
    async fn up(&mut self, migration: &Migration) -> Result<Seen, Broken> {
        self.run(&migration.up, migration.transactional).await.map(|()| Seen::default())
    }

    async fn down(&mut self, migration: &Migration) -> Result<(), Broken> {
        self.run(&migration.down, migration.down_transactional).await
    }

    async fn schema(&mut self) -> Result<Schema, RehearsalError> {
        let schema = schema_sqlite::read(&mut self.connection).await;
        schema.map_err(|error| unavailable("the schema of the copy cannot be read", &error))
    }
}

impl SqliteStage {
    async fn run(&mut self, statements: &[Statement], transactional: bool) -> Result<(), Broken> {
        if transactional {
            let begun = send(&mut self.connection, "BEGIN IMMEDIATE").await;
            begun.map_err(|error| Broken { at: 0, error, rolled_back: true })?;
        }
        for (at, statement) in statements.iter().enumerate() {
            if let Err(error) = send(&mut self.connection, &statement.text).await {
                let rolled_back = self.end("ROLLBACK").await.is_ok() && transactional;
                return Err(Broken { at, error, rolled_back });
            }
        }
        let ended = self.end("COMMIT").await;
        ended.map_err(|error| Broken { at: statements.len(), error, rolled_back: transactional })
    }

    /// Whether a transaction is open can only be found out by trying to end it.
    async fn end(&mut self, by: &str) -> Result<(), DriverError> {
        match send(&mut self.connection, by).await {
            Err(error) if error.message.contains("no transaction is active") => Ok(()),
            other => other,
        }
    }
}
