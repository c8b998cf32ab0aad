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

    /// The dangers of a migration that count: those that a trial can know only where none saw everything.
    pub fn counted<'a>(&self, migration: &'a PlannedMigration) -> impl Iterator<Item = &'a Danger> + use<'a> {
        let tried = self.trial(migration).is_some_and(|trial| !trial.partial);
        migration.dangers.iter().filter(move |danger| !tried || danger.kind.is_beyond_a_trial())
    }

    /// What the trial showed that counts: not what the file allows for that table.
    pub fn touched<'a>(&'a self, migration: &'a PlannedMigration) -> impl Iterator<Item = &'a Touched> {
        let trial = self.trial(migration);
        let touched = trial.into_iter().flat_map(|trial| &trial.touched);
        touched
            .filter(|touched| touched.blocks() || touched.rewritten)
            .filter(|touched| !is_allowed(migration, touched))
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

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;
    use crate::migration::{DangerKind, LockMode};

    /// The plan with one danger and a trial that touched that table.
    fn tried(danger: Option<Danger>, touched: Vec<Touched>, down: DownTrial) -> Plan {
        let mut plan = plan();
        plan.migrations[0].dangers.extend(danger);
        let version = plan.migrations[0].version.clone();
        plan.rehearsal =
            Some(Rehearsal::Done { trials: vec![MigrationTrial { version, touched, down, partial: false }] });
        plan
    }

    fn touched(lock: LockMode, rewritten: bool, scanned: bool, rows: Option<i64>) -> Touched {
        let size = rows.map(|rows| TableSize { rows: Some(rows), bytes: 0 });
        Touched { table: "users".into(), lock, rewritten, scanned, size }
    }

    fn danger(kind: DangerKind) -> Option<Danger> {
        Some(Danger::new(kind, Some("public.Users".into())))
    }

    fn facts(plan: &Plan) -> (bool, bool, bool, bool) {
        (plan.is_destructive(), plan.locks(), plan.rewrites_rows(), plan.is_reversible())
    }

    #[test]
    fn what_was_tried_counts_instead_of_what_was_read() {
        use LockMode::{AccessExclusive, RowExclusive, Share};
        let of = |danger, touched| facts(&tried(danger, touched, DownTrial::Restores));
        let change = || danger(DangerKind::ChangeType);
        assert_eq!(of(change(), vec![]), (false, false, false, true), "the type did not need a rewrite");
        let rewritten = || vec![touched(AccessExclusive, true, true, None)];
        assert_eq!(of(change(), rewritten()), (false, true, true, true));
        assert_eq!(of(None, rewritten()), (false, true, true, true), "nothing was read, but it was seen");
        assert_eq!(of(None, vec![touched(AccessExclusive, true, true, Some(1))]), (false, false, true, true));
        assert_eq!(of(None, vec![touched(Share, false, true, Some(1 << 30))]), (false, true, false, true));
        assert_eq!(of(None, vec![touched(AccessExclusive, false, false, None)]), (false, false, false, true));
        assert_eq!(of(None, vec![touched(RowExclusive, false, true, None)]), (false, false, false, true));
        // What an empty copy cannot show stays.
        assert_eq!(of(danger(DangerKind::DropColumn), vec![]), (true, false, false, true));
        assert_eq!(of(danger(DangerKind::UpdateAll), vec![]), (false, true, true, true));
        assert_eq!(of(danger(DangerKind::Unreadable), vec![]), (true, true, true, true));
    }

    #[test]
    fn what_was_read_counts_too_where_not_everything_was_seen() {
        let partial = |kind, touched| {
            let mut plan = tried(danger(kind), touched, DownTrial::Restores);
            let Some(Rehearsal::Done { trials }) = &mut plan.rehearsal else { unreachable!() };
            trials[0].partial = true;
            facts(&plan)
        };
        assert_eq!(partial(DangerKind::ChangeType, vec![]), (false, true, true, true));
        assert_eq!(partial(DangerKind::BlockingIndex, vec![]), (false, true, false, true));
        let rewritten = vec![touched(LockMode::AccessExclusive, true, true, None)];
        assert_eq!(partial(DangerKind::BlockingIndex, rewritten), (false, true, true, true));
    }

    #[test]
    fn a_reviewed_comment_holds_for_what_a_trial_shows() {
        let rewritten = || vec![touched(LockMode::AccessExclusive, true, true, None)];
        let allowed = danger(DangerKind::ChangeType).map(|d| Danger { allowed: Some("at night".into()), ..d });
        let mut plan = tried(allowed, rewritten(), DownTrial::Restores);
        assert_eq!(facts(&plan), (false, false, false, true));
        plan.migrations[0].dangers.extend(danger(DangerKind::BlockingIndex));
        assert_eq!(facts(&plan), (false, true, true, true), "not all of it is allowed");
    }

    #[test]
    fn a_way_back_that_fails_is_none() {
        let fails = DownTrial::Fails { message: "no".into() };
        let plan = tried(None, vec![], fails);
        assert!(!plan.is_reversible());
        let leaves = DownTrial::Leaves { differences: vec![] };
        assert!(tried(None, vec![], leaves).is_reversible());
    }

    #[test]
    fn what_a_trial_shows_is_voted_on() {
        let quiet = tried(None, vec![], DownTrial::Restores);
        assert_eq!(quiet.digest(), plan().digest(), "nothing was shown");
        let shown = |rows| tried(None, vec![touched(LockMode::Share, false, true, rows)], DownTrial::Restores);
        let plans = [
            quiet,
            shown(None),
            tried(None, vec![touched(LockMode::AccessExclusive, true, false, None)], DownTrial::Restores),
            tried(None, vec![], DownTrial::Fails { message: "no".into() }),
        ];
        for (i, one) in plans.iter().enumerate() {
            for (j, other) in plans.iter().enumerate() {
                assert_eq!(one.digest() == other.digest(), i == j, "{i} {j}");
                assert_eq!(one.shrinks(other), i == j, "{i} {j}");
            }
        }
        // Sizes and messages change by themselves.
        assert_eq!(shown(None).digest(), shown(Some(1 << 30)).digest());
        let fails = |message: &str| tried(None, vec![], DownTrial::Fails { message: message.into() });
        assert_eq!(fails("a").digest(), fails("b").digest());
        let change = &plans[2].changes_from(&plans[0])[0];
        assert_eq!(
            (change.what.as_str(), change.to.as_str()),
            ("what the rehearsal showed", "ACCESS EXCLUSIVE on users, rewritten")
        );
    }

    #[test]
    fn what_is_not_run_was_not_tried() {
        let mut plan = tried(None, vec![touched(LockMode::Share, false, true, None)], DownTrial::Restores);
        plan.migrations[0].not_run = Some("no PostgreSQL here".into());
        assert_eq!(facts(&plan), (false, false, false, true));
    }
}
