//! A rehearsal on PostgreSQL.

use super::copy::{Copy, Locale};
use super::server::{compare, connect, rows, send, texts};
use super::trial::{self, Broken, Seen, Stage};
use super::trial_back;
use super::watch::{self, Known, Watch};
use super::{LOCK_LIMIT_MS, RehearsalError, RehearsalOptions, STATEMENT_LIMIT_S, Way, dump, unavailable, within_limit};
use crate::database::error::DriverError;
use crate::database::reading::{ReadLimits, settings};
use crate::database::schema_postgres::{self, left_out};
use async_trait::async_trait;
use slipway_core::migration::format::literal;
use slipway_core::migration::{Migration, MigrationTrial, Schema, Statement};
use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::timeout;

/// Statements that must stand alone say so by one of these codes when they are in a transaction.
const NOT_IN_TRANSACTION: [&str; 2] = ["25001", "2D000"];
/// First words of statements that mean something else in a transaction of ours.
const OWN_TRANSACTION: [&str; 10] =
    ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE", "LOCK"];

/// What leads from a database to others. A user mapping belongs to a foreign server.
const WAYS_OUT: &str = "SELECT 'foreign servers' WHERE EXISTS (SELECT FROM pg_catalog.pg_foreign_server) UNION ALL \
    SELECT 'subscriptions' WHERE EXISTS (SELECT s.subname FROM pg_catalog.pg_subscription s JOIN \
    pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database())";

/// Holds it.
pub(super) async fn rehearse(
    real: &PgConnectOptions,
    on: &PgConnectOptions,
    (way, migrations): (Way, &[Migration]),
    options: &RehearsalOptions,
) -> Result<Vec<MigrationTrial>, RehearsalError> {
    let Real { major, locale, search_path, history } = looked_at(look(real, on, options)).await?;
    let schema = dump::dump(real, major).await?;
    let copy = looked_at(Copy::create(on, &locale)).await?;
    let held = within_limit(async {
        let failed = |error: DriverError| unavailable("the schema cannot be copied to the rehearsal server", &error);
        let mut connection = connect(&copy.options(), "the copy of the schema").await?;
        send(&mut connection, schema).await.map_err(failed)?;
        for statement in history {
            send(&mut connection, statement).await.map_err(failed)?;
        }
        // Somebody may have made one since the database was looked at.
        refuse_ways_out(&mut connection).await?;
        // A new session: the copying has set much.
        let mut connection = connect(&copy.options(), "the copy of the schema").await?;
        let known = watch::known(&mut connection).await.map_err(failed)?;
        let mut stage = PgStage { connection, search_path, known };
        match way {
            Way::Up => trial::hold(&mut stage, migrations).await,
            Way::Back => trial_back::hold(&mut stage, migrations).await,
        }
    });
    let held = held.await;
    copy.remove().await;
    held
}

/// What is read of the environment's database itself.
struct Real {
    major: u32,
    locale: Locale,
    search_path: String,
    history: Vec<String>,
}

async fn look(
    real: &PgConnectOptions,
    on: &PgConnectOptions,
    options: &RehearsalOptions,
) -> Result<Real, RehearsalError> {
    let mut here = connect(real, "the environment's database").await?;
    let mut there = connect(on, "the rehearsal server").await?;
    let major = compare((&mut here, real), (&mut there, on), options).await?;
    drop(there);
    let cannot = |error: DriverError| unavailable("the environment's database cannot be read", &error);
    send(&mut here, "SET default_transaction_read_only = on").await.map_err(cannot)?;
    refuse_ways_out(&mut here).await?;
    // For no longer than anything else is read.
    let begin = format!("BEGIN; {}", settings(&ReadLimits::default()));
    send(&mut here, begin).await.map_err(cannot)?;
    let locale = Locale::of(&mut here).await.map_err(cannot)?;
    let search_path = search_path(&mut here).await.map_err(cannot)?;
    let history = history(&mut here).await.map_err(cannot)?;
    Ok(Real { major, locale, search_path, history })
}

/// A server that does not answer holds up no plan.
async fn looked_at<T>(look: impl Future<Output = Result<T, RehearsalError>>) -> Result<T, RehearsalError> {
    let limit = ReadLimits::default().answer;
    timeout(limit, look).await.unwrap_or_else(|_| {
        let why = format!("the database or the rehearsal server gave no answer within {} s", limit.as_secs());
        Err(RehearsalError::Unavailable(why))
    })
}

/// A copy would reach real data by these, with the passwords that are kept for it, and what is tried has not been
/// approved by anybody.
async fn refuse_ways_out(connection: &mut PgConnection) -> Result<(), RehearsalError> {
    let cannot = |error: DriverError| unavailable("it cannot be told whether the database leads to others", &error);
    match texts(connection, WAYS_OUT).await.map_err(cannot)?.first() {
        Some(what) => Err(RehearsalError::Unavailable(format!(
            "the database has {what}, and their copies would lead to real data"
        ))),
        None => Ok(()),
    }
}

/// Where names without a schema lead on the database itself, whoever is connected.
async fn search_path(connection: &mut PgConnection) -> Result<String, DriverError> {
    let path =
        texts(connection, "SELECT replace(current_setting('search_path'), '\"$user\"', quote_ident(current_user))");
    Ok(path.await?.into_iter().next().unwrap_or_default())
}

/// Statements that put the rows of the history tables where the schema is already, and let their counters go on.
async fn history(connection: &mut PgConnection) -> Result<Vec<String>, DriverError> {
    let names: Vec<_> = left_out().into_iter().map(literal).collect();
    let tables = texts(
        connection,
        format!(
            "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON \
             n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relname IN ({}) AND n.nspname !~ '^pg_'",
            names.join(", ")
        ),
    )
    .await?;
    let mut statements = Vec::new();
    for table in tables {
        let values = texts(connection, format!("SELECT quote_literal(t::text) FROM {table} t")).await?;
        if values.is_empty() {
            continue;
        }
        let values: Vec<_> = values.iter().map(|value| format!("({value}::{table})")).collect();
        statements.push(format!(
            "INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT (r.x).* FROM (VALUES {}) AS r (x)",
            values.join(", ")
        ));
        let counted = rows(
            connection,
            format!(
                "SELECT quote_ident(attname), pg_get_serial_sequence({0}, attname) FROM pg_attribute WHERE attrelid = \
                 {0}::regclass AND attnum > 0 AND NOT attisdropped AND pg_get_serial_sequence({0}, attname) IS NOT NULL",
                literal(&table)
            ),
        );
        for row in counted.await? {
            let (column, sequence): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            statements.push(format!("SELECT setval({}, (SELECT max({column}) FROM {table}))", literal(&sequence)));
        }
    }
    Ok(statements)
}

struct PgStage {
    connection: PgConnection,
    search_path: String,
    known: Known,
}

#[async_trait]
impl Stage for PgStage {
    async fn up(&mut self, migration: &Migration) -> Result<Seen, Broken> {
        self.run(&migration.up, migration.transactional).await
    }

    async fn down(&mut self, migration: &Migration) -> Result<(), Broken> {
        self.run(&migration.down, migration.down_transactional).await.map(|_| ())
    }

    async fn schema(&mut self) -> Result<Schema, RehearsalError> {
        let schema = schema_postgres::read(&mut self.connection, &ReadLimits::default()).await;
        schema.map_err(|error| unavailable("the schema of the copy cannot be read", &error))
    }
}

impl PgStage {
    async fn run(&mut self, statements: &[Statement], transactional: bool) -> Result<Seen, Broken> {
        let seen = if transactional {
            self.whole(statements).await
        } else {
            match statements {
                [block] if let Some(inside) = inside_own_transaction(&block.text) => {
                    let inside = Statement { text: inside.to_owned(), ..block.clone() };
                    self.whole(&[inside]).await.map_err(|broken| Broken { at: 0, ..broken })
                }
                _ => self.one_by_one(statements).await,
            }
        };
        let runs_code = statements.iter().any(Statement::runs_code);
        seen.map(|seen| Seen { partial: seen.partial || runs_code, ..seen })
    }

    async fn send(&mut self, sql: impl Into<String>) -> Result<(), DriverError> {
        send(&mut self.connection, sql).await
    }

    /// Makes the session as new.
    async fn prepare(&mut self, begin: &str) -> Result<(), DriverError> {
        let (path, local) = (&self.search_path, if begin.is_empty() { "" } else { "LOCAL " });
        let path = if path.is_empty() { String::new() } else { format!("SET search_path = {path}; ") };
        let sql = format!(
            "RESET SESSION AUTHORIZATION; RESET ALL; SET client_min_messages = error; {path}{begin}\
             SET {local}lock_timeout = {LOCK_LIMIT_MS}; SET {local}statement_timeout = '{STATEMENT_LIMIT_S}s'"
        );
        self.send(sql).await
    }

    /// In one transaction.
    async fn whole(&mut self, statements: &[Statement]) -> Result<Seen, Broken> {
        let before = |error| Broken { at: 0, error, rolled_back: true };
        // A transaction whose kind the file sets must not have looked at anything. For others the counts begin in it.
        let early = statements.first().is_some_and(|first| first.text.to_ascii_lowercase().contains("set transaction"));
        let mut watch = None;
        if early {
            watch = Some(Watch::begin(&mut self.connection, &self.known).await.map_err(before)?);
        }
        self.prepare("BEGIN; ").await.map_err(before)?;
        let mut watch = match watch {
            Some(watch) => watch,
            None => Watch::begin(&mut self.connection, &self.known).await.map_err(before)?,
        };
        for (at, statement) in statements.iter().enumerate() {
            let mut outcome = self.send(statement.text.as_str()).await;
            if outcome.is_ok() {
                outcome = watch.look(&mut self.connection, statement).await;
            }
            if let Err(error) = outcome {
                let rolled_back = self.send("ROLLBACK").await.is_ok();
                return Err(Broken { at, error, rolled_back });
            }
        }
        let commit = self.send("RESET SESSION AUTHORIZATION; COMMIT").await;
        commit.map_err(|error| Broken { at: statements.len(), error, rolled_back: true })?;
        Ok(Seen { touched: watch.touched(), partial: false })
    }

    /// Without a transaction around all. Each statement that can gets one of its own, so that its locks can be seen.
    async fn one_by_one(&mut self, statements: &[Statement]) -> Result<Seen, Broken> {
        let before = |error| Broken { at: 0, error, rolled_back: true };
        self.prepare("").await.map_err(before)?;
        let mut watch = Watch::begin(&mut self.connection, &self.known).await.map_err(before)?;
        watch.note_indexes(&mut self.connection).await.map_err(before)?;
        let own = statements.iter().any(|statement| first_word_is_one_of(&statement.text, &OWN_TRANSACTION));
        let mut partial = false;
        for (at, statement) in statements.iter().enumerate() {
            let outcome = if own {
                partial |= !statement.is_one_concurrently();
                self.alone(statement, &mut watch).await
            } else {
                match self.in_its_own(statement, &mut watch).await {
                    Err(error) if error.code.as_deref().is_some_and(|code| NOT_IN_TRANSACTION.contains(&code)) => {
                        partial |= !statement.is_one_concurrently();
                        self.alone(statement, &mut watch).await
                    }
                    other => other,
                }
            };
            if let Err(error) = outcome {
                // Whether one is open is not known; outside of one this is a mere warning.
                let _ = self.send("ROLLBACK").await;
                return Err(Broken { at, error, rolled_back: false });
            }
        }
        // As a run does after a file that left its own transaction open.
        self.send("COMMIT").await.map_err(|error| Broken { at: statements.len(), error, rolled_back: false })?;
        Ok(Seen { touched: watch.touched(), partial })
    }

    async fn in_its_own(&mut self, statement: &Statement, watch: &mut Watch) -> Result<(), DriverError> {
        self.send("BEGIN").await?;
        let mut outcome = self.send(statement.text.as_str()).await;
        if outcome.is_ok() {
            outcome = watch.look(&mut self.connection, statement).await;
        }
        if outcome.is_err() {
            self.send("ROLLBACK").await?;
            return outcome;
        }
        self.send("COMMIT").await?;
        watch.note_indexes(&mut self.connection).await
    }

    async fn alone(&mut self, statement: &Statement, watch: &mut Watch) -> Result<(), DriverError> {
        self.send(statement.text.as_str()).await?;
        watch.look_after(&mut self.connection, statement).await
    }
}

fn first_word_is_one_of(statement: &str, wanted: &[&str]) -> bool {
    let first = without_leading_comments(statement).split(|c: char| !c.is_alphanumeric() && c != '_').next();
    first.is_some_and(|first| wanted.iter().any(|word| first.eq_ignore_ascii_case(word)))
}

fn without_leading_comments(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        if text.starts_with("--") {
            text = text.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some((_, rest)) = text.strip_prefix("/*").and_then(|inside| inside.split_once("*/")) {
            text = rest;
        } else {
            return text;
        }
    }
}

/// What stands between the `BEGIN;` and the `COMMIT;` of a file that is sent as one piece, when it has but one
/// transaction: run inside one of ours it does the same, and its locks can be seen.
fn inside_own_transaction(block: &str) -> Option<&str> {
    let (begin, rest) = without_leading_comments(block).split_once(';')?;
    let begin = begin.to_ascii_uppercase();
    let begin: Vec<_> = begin.split_whitespace().collect();
    if !matches!(begin[..], ["BEGIN"] | ["BEGIN", "TRANSACTION" | "WORK"] | ["START", "TRANSACTION"]) {
        return None;
    }
    let rest = rest.trim_end().trim_end_matches(';').trim_end();
    let at = rest.rfind(';')?;
    let (inside, end) = (&rest[..=at], rest[at + 1..].trim());
    let ends = ["COMMIT", "END", "COMMIT TRANSACTION", "COMMIT WORK", "END TRANSACTION"];
    let more = |word: &str| ["commit", "rollback", "savepoint"].iter().any(|other| word.eq_ignore_ascii_case(other));
    let has_more = inside.split(|c: char| !c.is_alphanumeric() && c != '_').any(more);
    (ends.iter().any(|word| end.eq_ignore_ascii_case(word)) && !has_more).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_own_transaction_is_seen_through_when_it_has_but_one() {
        let inside = |block| inside_own_transaction(block).map(str::trim);
        assert_eq!(inside("-- why\nBEGIN;\nSELECT 1; SELECT 2;\nCOMMIT;\n"), Some("SELECT 1; SELECT 2;"));
        assert_eq!(inside("/* a */ start  transaction; SELECT 1; end"), Some("SELECT 1;"));
        for other in [
            "SELECT 1; COMMIT;",
            "BEGIN; SELECT 1;",
            "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;",
            "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;",
            "",
        ] {
            assert_eq!(inside(other), None, "{other}");
        }
    }
}
