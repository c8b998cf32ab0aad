//! Limits of what is only read. A database may take a question and never answer it: its table is locked by somebody, or the
//! peer is gone without a word. A run of migrations has rules of its own and is not touched by these.

use super::run::{Run, RunOptions, RunReport};
use super::{Database, MigrateError};
use async_trait::async_trait;
use slipway_core::migration::format::{Dialect, Direction, Format};
use slipway_core::migration::{Folder, History, Migration, Outlook, Schema, TableSize, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::timeout;

/// How long the answer to a whole look may take.
const ANSWER_LIMIT_S: u64 = 60;
/// How long the server works on one statement of it.
const STATEMENT_LIMIT_S: u64 = 45;
/// How long it waits for whoever has locked a table.
const LOCK_LIMIT_S: u64 = 10;

/// How long reading may take.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// A whole look, from the question to the answer.
    pub answer: Duration,
    /// One statement of it, by the server's clock. SQLite has no such limit.
    pub statement: Duration,
    /// Waiting for a lock, by the server's clock. SQLite has no such limit.
    pub lock: Duration,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(ANSWER_LIMIT_S),
            statement: Duration::from_secs(STATEMENT_LIMIT_S),
            lock: Duration::from_secs(LOCK_LIMIT_S),
        }
    }
}

/// What PostgreSQL is told inside a transaction that only reads. With its end the session is as before.
pub(super) fn settings(limits: &ReadLimits) -> String {
    let (lock, statement) = (limits.lock.as_millis().max(1), limits.statement.as_millis().max(1));
    format!("SET LOCAL lock_timeout = {lock}; SET LOCAL statement_timeout = {statement}")
}

/// No answer is like no connection: it may come later.
pub(super) async fn answered<T, E>(
    asks: impl Future<Output = Result<T, E>>,
    limit: Duration,
    database: &str,
    failed: impl FnOnce(E) -> MigrateError,
) -> Result<T, MigrateError> {
    match timeout(limit, asks).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => {
            let reason = format!("no answer within {} s", limit.as_secs());
            Err(MigrateError::Connect { database: database.to_owned(), reason })
        }
    }
}

/// A database whose looks end. All that is read of any database passes here.
pub(super) struct Bounded {
    pub(super) database: Box<dyn Database>,
    pub(super) limits: ReadLimits,
}

impl Bounded {
    async fn look<T>(&self, look: impl Future<Output = Result<T, MigrateError>>) -> Result<T, MigrateError> {
        answered(look, self.limits.answer, self.database.shown(), |error| error).await
    }
}

#[async_trait]
impl Database for Bounded {
    fn dialect(&self) -> Dialect {
        self.database.dialect()
    }

    fn shown(&self) -> &str {
        self.database.shown()
    }

    async fn postgres_version(&self) -> Result<Option<u32>, MigrateError> {
        self.look(self.database.postgres_version()).await
    }

    async fn formats(&self) -> Result<Vec<&'static dyn Format>, MigrateError> {
        self.look(self.database.formats()).await
    }

    async fn history(&self, format: &'static dyn Format) -> Result<History, MigrateError> {
        self.look(self.database.history(format)).await
    }

    async fn sizes(&self, tables: &BTreeSet<String>) -> Result<BTreeMap<String, TableSize>, MigrateError> {
        self.look(self.database.sizes(tables)).await
    }

    async fn schema(&self) -> Result<Schema, MigrateError> {
        self.look(self.database.schema()).await
    }

    async fn up(&self, folder: &Folder<'_>, pending: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError> {
        self.database.up(folder, pending, run).await
    }

    async fn down(&self, folder: &Folder<'_>, back: &[Migration], run: &Run<'_>) -> Result<RunReport, MigrateError> {
        self.database.down(folder, back, run).await
    }

    async fn baseline(
        &self,
        folder: &Folder<'_>,
        done: &[Migration],
        run: &Run<'_>,
    ) -> Result<RunReport, MigrateError> {
        self.database.baseline(folder, done, run).await
    }

    async fn foresee(
        &self,
        folder: &Folder<'_>,
        wanted: &[Migration],
        way: Direction,
        options: &RunOptions,
    ) -> Result<Option<(Version, Outlook)>, MigrateError> {
        self.look(self.database.foresee(folder, wanted, way, options)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_never_answered_is_given_up_like_what_cannot_be_reached() {
        let never = std::future::pending::<Result<(), MigrateError>>();
        let answer = answered(never, Duration::ZERO, "postgres://db/goals", |error| error).await;
        let error = answer.unwrap_err();
        assert!(matches!(error, MigrateError::Connect { .. }), "{error:?}");
        assert_eq!(error.to_string(), "postgres://db/goals cannot be reached: no answer within 0 s.");
    }

    #[test]
    fn no_limit_is_ever_none() {
        let none = ReadLimits { lock: Duration::ZERO, statement: Duration::ZERO, ..ReadLimits::default() };
        assert_eq!(settings(&none), "SET LOCAL lock_timeout = 1; SET LOCAL statement_timeout = 1");
        let usual = settings(&ReadLimits::default());
        assert_eq!(usual, "SET LOCAL lock_timeout = 10000; SET LOCAL statement_timeout = 45000");
    }
}
