//! What the rehearsal adds to what the statements say.

use super::{Plan, PlannedMigration};
use crate::migration::{Danger, DownTrial, MigrationTrial, Rehearsal, TableSize, Touched, amount, table_key};
use serde_json::{Value, json};

impl Touched {
    /// Whether others wait for long: nobody can write while every row is read or written, and there are many, or nobody
    /// knows how many.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.lock.keeps_writers_out() && (self.rewritten || self.scanned) && self.size.is_none_or(TableSize::is_big)
    }
}

impl Touched {
    /// For a database administrator: `ACCESS EXCLUSIVE on users, rewrites about 1.2 M rows (340 MB)`. Untrusted text.
    #[must_use]
    pub fn lock_line(&self) -> String {
        let line = format!("{} on {}", self.lock.name(), self.table);
        match (self.rewritten, self.scanned) {
            (true, _) => format!("{line}, rewrites {}", amount(self.size)),
            (false, true) => format!("{line}, reads {}", amount(self.size)),
            (false, false) => line,
        }
    }

    /// Whether it is what a danger is about.
    #[must_use]
    pub fn is_about(&self, danger: &Danger) -> bool {
        let same = |table: &String| table_key(table) == table_key(&self.table);
        !danger.kind.is_beyond_a_trial() && danger.table.as_ref().is_some_and(same)
    }
}

impl Plan {
    /// The trial of a migration that will run, if there was one.
    #[must_use]
    pub fn trial(&self, migration: &PlannedMigration) -> Option<&MigrationTrial> {
        match &self.rehearsal {
            Some(Rehearsal::Done { trials }) if migration.not_run.is_none() => {
                trials.iter().find(|trial| trial.version == migration.version)
            }
            _ => None,
        }
    }

    /// What was tried, with its trial.
    pub fn trials(&self) -> impl Iterator<Item = (&PlannedMigration, &MigrationTrial)> {
        self.migrations.iter().filter_map(|migration| Some((migration, self.trial(migration)?)))
    }

    /// The dangers of a migration that count: those that a trial can know only where there was none.
    pub fn counted<'a>(&self, migration: &'a PlannedMigration) -> impl Iterator<Item = &'a Danger> + use<'a> {
        let tried = self.trial(migration).is_some();
        migration.dangers.iter().filter(move |danger| !tried || danger.kind.is_beyond_a_trial())
    }

    /// What the trial showed that counts: not what the file allows for that table.
    pub fn touched<'a>(&'a self, migration: &'a PlannedMigration) -> impl Iterator<Item = &'a Touched> {
        let trial = self.trial(migration);
        let touched = trial.into_iter().flat_map(|trial| &trial.touched);
        touched.filter(|touched| touched.blocks() || touched.rewritten).filter(|touched| !is_allowed(migration, touched))
    }

    /// Whether a migration's way back was tried and failed.
    #[must_use]
    pub fn down_fails(&self, migration: &PlannedMigration) -> bool {
        self.trial(migration).is_some_and(|trial| matches!(trial.down, DownTrial::Fails { .. }))
    }

    /// What of the trials a vote is about: which tables are blocked or rewritten, and which ways back do not work. Nothing
    /// of it: as if there had been no trial that could say so.
    pub(super) fn digested_trials(&self) -> Vec<Value> {
        let tried = self.migrations.iter().map(|migration| self.digested_trial(migration));
        tried.filter(|digested| !digested.is_null()).collect()
    }

    /// The same of one migration; `null` where there is nothing.
    pub(super) fn digested_trial(&self, migration: &PlannedMigration) -> Value {
        let Some(trial) = self.trial(migration) else { return Value::Null };
        let notable = trial.touched.iter().filter(|touched| touched.blocks() || touched.rewritten);
        let mut tables: Vec<_> =
            notable.map(|touched| (&touched.table, touched.lock.name(), touched.blocks(), touched.rewritten)).collect();
        tables.sort();
        let fails = self.down_fails(migration);
        if tables.is_empty() && !fails { Value::Null } else { json!([migration.version, tables, fails]) }
    }
}

/// Whether the file allows everything that it says it does to that table and a trial can see.
fn is_allowed(migration: &PlannedMigration, touched: &Touched) -> bool {
    let mut about = migration.dangers.iter().filter(|danger| touched.is_about(danger)).peekable();
    about.peek().is_some() && about.all(|danger| danger.allowed.is_some())
}
