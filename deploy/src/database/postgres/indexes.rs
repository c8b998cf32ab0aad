//! Indexes that are built beside the traffic: what a failed or interrupted build leaves is found and named.

use super::super::error::DriverError;
use super::super::run::{Concurrent, Seen, StatementError, Step, concurrent, words};
use super::session::{PgSession, millis};
use slipway_core::migration::format::literal;
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
        let lift = self.is_true(ours).await?;
        let before = self.invalid_indexes().await?;
        if lift {
            self.send("SET lock_timeout = 0").await?;
        }
        let outcome = self.migrate(statement, step).await;
        if let Err(error) = outcome {
            if error.is_lost {
                return Err(error.into());
            }
            let left = self.invalid_indexes().await.unwrap_or_default();
            let notes = left.difference(&before).map(|(_, full)| left_behind(full)).collect();
            return Err(StatementError { error, notes });
        }
        if lift {
            self.send(format!("SET lock_timeout = {timeout}")).await?;
        }
        let invalid = self.invalid_indexes().await?;
        let named = |name: &str| words(statement).any(|word| word.eq_ignore_ascii_case(name));
        match invalid.iter().find(|(name, _)| named(name)) {
            Some((_, full)) => {
                let message = "the index is invalid: an earlier attempt to build it failed, and IF NOT EXISTS took it \
                               for done";
                let error =
                    DriverError { message: message.into(), code: None, hint: None, is_lock: false, is_lost: false };
                Err(StatementError { error, notes: vec![left_behind(full)] })
            }
            None => Ok(()),
        }
    }

    /// What the catalog says of a statement that was interrupted.
    pub(super) async fn look_for_index(&mut self, statement: &str) -> Result<Seen, DriverError> {
        match concurrent(statement) {
            None => Ok(Seen::Unknown),
            Some(Concurrent::Drop(index)) => {
                let is_there = self.is_true(format!("SELECT to_regclass({}) IS NOT NULL", literal(&index))).await?;
                Ok(if is_there { Seen::NotDone } else { Seen::Done })
            }
            // An index lies in its table's schema.
            Some(Concurrent::Create { index, table }) => {
                let query = format!(
                    "SELECT i.indisvalid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class t JOIN \
                     pg_class c ON c.relnamespace = t.relnamespace JOIN pg_index i ON i.indexrelid = c.oid AND \
                     i.indrelid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.oid = to_regclass({}) AND \
                     c.relname = {}::name",
                    literal(&table),
                    literal(&index)
                );
                let rows = self.rows(query).await?;
                let Some(row) = rows.first() else { return Ok(Seen::NotDone) };
                let (is_valid, full): (bool, String) = (row.try_get(0)?, row.try_get(1)?);
                Ok(if is_valid { Seen::Done } else { Seen::Broken(format!("DROP INDEX CONCURRENTLY {full}")) })
            }
        }
    }
}

fn left_behind(index: &str) -> String {
    format!("The invalid index {index} is there; before the next attempt, DROP INDEX CONCURRENTLY {index}.")
}
