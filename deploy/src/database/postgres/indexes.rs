//! Indexes that are built beside the traffic: what a failed or interrupted build leaves is found and named.

use super::super::error::{DriverError, rebuilt_next};
use super::super::run::{Concurrent, Seen, StatementError, Step, concurrent, words};
use super::session::{PgSession, millis};
use slipway_core::migration::format::{Dialect, safe_literal};
use sqlx::Row as _;
use std::collections::BTreeSet;

/// A partitioned table's index is invalid until all of its parts have one, which is in order.
const INVALID_INDEXES: &str = "SELECT c.relname::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname) \
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE NOT i.indisvalid AND c.relkind = 'i'";

/// Those that somebody else is only just building.
const NOT_IN_THE_MAKING: &str = "AND c.oid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index)";

impl PgSession {
    /// Invalid indexes: bare name and full name.
    async fn invalid_indexes(&mut self) -> Result<BTreeSet<(String, String)>, DriverError> {
        self.invalid_indexes_where("").await
    }

    async fn invalid_indexes_where(&mut self, and: &str) -> Result<BTreeSet<(String, String)>, DriverError> {
        let rows = self.rows(format!("{INVALID_INDEXES} {and}")).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// What a run that went well found in disorder.
    pub(super) async fn invalid_index_warnings(&mut self) -> Result<Vec<String>, DriverError> {
        let invalid = self.invalid_indexes_where(NOT_IN_THE_MAKING).await?;
        let warnings = invalid.iter().map(|(_, full)| {
            format!(
                "The index {full} is invalid: an earlier attempt to build it failed, and no query uses it. \
                 REINDEX INDEX CONCURRENTLY {full} mends it, DROP INDEX CONCURRENTLY {full} removes it."
            )
        });
        Ok(warnings.collect())
    }

    /// Runs a statement that builds an index beside the traffic. It blocks nobody, but waits for every transaction
    /// that is open: with a short lock timeout it would fail on any busy database and leave an invalid index.
    pub(super) async fn concurrently(&mut self, statement: &str, step: &Step<'_>) -> Result<(), StatementError> {
        let timeout = millis(step.run.options.lock_timeout);
        // A file that sets its own timeout keeps it.
        let ours = format!("SELECT setting = '{timeout}' FROM pg_settings WHERE name = 'lock_timeout'");
        let lift = builds_concurrently(statement) && self.is_true(ours).await?;
        let before = self.invalid_indexes().await?;
        if lift {
            self.send("SET lock_timeout = 0").await?;
        }
        let outcome = self.migrate(statement, step).await;
        if let Err(error) = outcome {
            if error.is_lost {
                return Err(error.into());
            }
            if lift {
                // In a transaction of the file's own that has failed this cannot be; then no statement of it can either.
                let _ = self.send(format!("SET lock_timeout = {timeout}")).await;
            }
            let ours = builds(statement);
            let left = self.invalid_indexes().await.unwrap_or_default();
            let is_ours = |name: &str| ours.as_deref() == Some(name);
            let left: Vec<_> = left.difference(&before).collect();
            let notes =
                left.iter().map(|(name, full)| if is_ours(name) { rebuilt_next(full) } else { left_behind(full) });
            let notes = notes.collect();
            let left_index = left.into_iter().find(|(name, _)| is_ours(name)).map(|(_, full)| full.clone());
            return Err(StatementError { error, notes, left_index });
        }
        if lift {
            self.send(format!("SET lock_timeout = {timeout}")).await?;
        }
        let invalid = self.invalid_indexes().await?;
        let ours = builds(statement);
        match invalid.iter().find(|(name, _)| ours.as_ref() == Some(name)) {
            Some((_, full)) => {
                let message = "the index is invalid: an earlier attempt to build it failed, and IF NOT EXISTS took it \
                               for done";
                let error =
                    DriverError { message: message.into(), code: None, hint: None, is_lock: false, is_lost: false };
                Err(StatementError { error, notes: vec![left_behind(full)], left_index: None })
            }
            None => Ok(()),
        }
    }

    /// Whether another session holds, or waits for, a lock on a table under which indexes are built, rebuilt and dropped. Every
    /// role sees that of every other. So does a vacuum, which is no such thing.
    async fn is_in_hand(&mut self, table: &str) -> Result<bool, DriverError> {
        let table = safe_literal(Dialect::Postgres, table);
        self.is_true(format!(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND relation = to_regclass({table}) AND \
             database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND \
             mode IN ('ShareLock', 'ShareUpdateExclusiveLock') AND pid <> pg_backend_pid() AND pid NOT IN \
             (SELECT pid FROM pg_stat_progress_vacuum))"
        ))
        .await
    }

    /// Whether some session builds the index right now. Before version 12 that cannot be seen.
    async fn is_in_the_making(&mut self, full: &str) -> Result<bool, DriverError> {
        if !self
            .is_true("SELECT to_regclass('pg_catalog.pg_stat_progress_create_index') IS NOT NULL".to_owned())
            .await?
        {
            return Ok(false);
        }
        let index = safe_literal(Dialect::Postgres, full);
        self.is_true(format!(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = to_regclass({index}))"
        ))
        .await
    }

    /// What the catalog says of a statement that was interrupted.
    pub(super) async fn look_for_index(&mut self, statement: &str) -> Result<Seen, DriverError> {
        match concurrent(statement) {
            None => Ok(Seen::Unknown),
            Some(Concurrent::Drop(index)) => {
                // The file may have set another search path, so one of that name in any schema may be the one.
                let bare = safe_literal(Dialect::Postgres, &index);
                let is_there = format!("SELECT to_regclass({bare}) IS NOT NULL");
                if self.is_true(is_there).await? {
                    return Ok(Seen::NotDone);
                }
                let elsewhere = format!(
                    "SELECT EXISTS (SELECT 1 FROM pg_class c WHERE c.relkind IN ('i', 'I') AND c.relname = \
                     (parse_ident({bare}))[array_upper(parse_ident({bare}), 1)]::name)"
                );
                Ok(if self.is_true(elsewhere).await? { Seen::Unknown } else { Seen::Done })
            }
            // An index lies in its table's schema.
            Some(Concurrent::Create { index, table }) => {
                let query = format!(
                    "SELECT i.indisvalid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class t JOIN \
                     pg_class c ON c.relnamespace = t.relnamespace JOIN pg_index i ON i.indexrelid = c.oid AND \
                     i.indrelid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.oid = to_regclass({}) AND \
                     c.relname = {}::name",
                    safe_literal(Dialect::Postgres, &table),
                    safe_literal(Dialect::Postgres, &index)
                );
                let rows = self.rows(query).await?;
                let Some(row) = rows.first() else { return Ok(Seen::NotDone) };
                let (is_valid, full): (bool, String) = (row.try_get(0)?, row.try_get(1)?);
                // Somebody else may be in the middle of building it.
                Ok(match is_valid {
                    true => Seen::Done,
                    false if self.is_in_hand(&table).await? || self.is_in_the_making(&full).await? => Seen::Unknown,
                    false => Seen::Broken(full),
                })
            }
        }
    }
}

/// The name of the index that it builds, as the catalog has it.
fn builds(statement: &str) -> Option<String> {
    match concurrent(statement) {
        Some(Concurrent::Create { index, .. }) => Some(index),
        _ => None,
    }
}

/// Whether it builds, drops or mends an index beside the traffic. Other statements with that word take locks that must not
/// be waited for without end.
fn builds_concurrently(statement: &str) -> bool {
    let reindexes = words(statement).next().is_some_and(|word| word.eq_ignore_ascii_case("reindex"));
    reindexes || concurrent(statement).is_some()
}

fn left_behind(index: &str) -> String {
    format!("The invalid index {index} is there; before the next attempt, DROP INDEX CONCURRENTLY {index}.")
}
