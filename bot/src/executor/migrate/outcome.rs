//! What became of a run, for the card.

use super::{Cancel, Job, takes_back};
use crate::executor::Done;
use jiff::Timestamp;
use slipway_core::ids::EnvironmentName;
use slipway_core::migration::Version;
use slipway_core::plan::{Plan, PlanKind};
use slipway_core::release::{Event, Failure, Step};
use slipway_deploy::database::{MigrateError, RunReport, rebuilt_next};

/// How many files that somebody else has run are named.
const FOUND_NAMED_LIMIT: usize = 3;

/// `2 in 0.3 s, 1 found applied, and not by this release: 00007_likes.sql`.
pub(super) fn summary(job: &Job<'_>, plan: &Plan, report: &RunReport, done: &[Version], begun: Timestamp) -> String {
    let seconds = (job.now() - begun).total(jiff::Unit::Second).unwrap_or_default();
    let mut detail = format!("{} in {seconds:.1} s", done.len());
    let elsewhere: Vec<_> = plan.changing().filter(|m| !done.contains(&m.version)).map(|m| m.file.as_str()).collect();
    if !elsewhere.is_empty() {
        let found = if takes_back(plan) { "found taken back" } else { "found applied" };
        let named = elsewhere.iter().take(FOUND_NAMED_LIMIT).copied().collect::<Vec<_>>().join(", ");
        let rest = if elsewhere.len() > FOUND_NAMED_LIMIT { " and more" } else { "" };
        detail = format!("{detail}, {} {found}, and not by this release: {named}{rest}", elsewhere.len());
    }
    report.warnings.iter().fold(detail, |detail, warning| format!("{detail}; {warning}"))
}

/// What is known of what this release has done in the database.
pub(super) struct Left<'a> {
    /// Written down as done.
    pub(super) done: &'a [Version],
    /// The files that an earlier run, which broke off, may have done without writing it down.
    pub(super) found: Vec<String>,
    /// Such a run was begun, and the database was not asked.
    pub(super) unseen: bool,
}

/// A run that did not come to its end: broken off because somebody wanted that, or failed.
pub(super) fn of_error(job: &Job<'_>, plan: &Plan, error: &MigrateError, left: &Left<'_>, cancel: &Cancel) -> Done {
    if cancel.is_asked() {
        let details = [error.to_string()].into_iter().chain(what_stays(plan, left)).collect();
        return Done::Event(Event::StepStopped { step: Step::Migrate, details, at: job.now() });
    }
    let details = left_index(error).into_iter().chain(what_stays(plan, left));
    let failure = details.fold(Failure::new(error.to_string()), Failure::detail);
    let failure = ways_out(job, plan, error, left.done).into_iter().fold(failure, Failure::next);
    job.failed(Step::Migrate, failure)
}

/// The index that a failed build left. The end of what was said of the failure may not fit on the card.
fn left_index(error: &MigrateError) -> Option<String> {
    let MigrateError::Failed(failed) = error else { return None };
    failed.left_index.as_deref().map(rebuilt_next)
}

/// What the run leaves behind, in lines. That nothing was applied is said where it is known.
fn what_stays(plan: &Plan, left: &Left<'_>) -> Vec<String> {
    let Left { done, found, unseen } = left;
    let back = takes_back(plan);
    let mut lines = Vec::new();
    if !done.is_empty() || (found.is_empty() && !unseen) {
        lines.push(known_to_stay(plan, done));
    }
    if !found.is_empty() {
        let how = if back { "Found taken back" } else { "Found applied" };
        lines.push(format!("{how}, perhaps by the run that broke off before: {}.", found.join(", ")));
    }
    if *unseen {
        let how = if back { "taken back" } else { "applied" };
        let status = format!("/migrate {} status", plan.environment);
        lines.push(format!("An earlier run of this release broke off. What else that one has {how}: {status}."));
    }
    lines
}

fn known_to_stay(plan: &Plan, done: &[Version]) -> String {
    let file = |version: &Version| {
        let planned = plan.changing().find(|m| m.version == *version);
        planned.map_or_else(|| version.to_string(), |migration| migration.file.clone())
    };
    let list = done.iter().map(file).collect::<Vec<_>>().join(", ");
    match (done.is_empty(), takes_back(plan)) {
        (true, false) => "No migration of this release was applied.".to_owned(),
        (true, true) => "No migration of this release was taken back.".to_owned(),
        (false, false) => format!("Applied and still there: {list}."),
        (false, true) => format!("Taken back, and not there any more: {list}."),
    }
}

/// What can be done next, by what went wrong.
fn ways_out(job: &Job<'_>, plan: &Plan, error: &MigrateError, done: &[Version]) -> Vec<String> {
    let environment = &job.release.request.key.environment;
    if plan.kind == PlanKind::Rollback {
        // The older version is live: what is left is the database's alone.
        let left = plan.taken_back.len().saturating_sub(done.len());
        return vec![format!("/migrate {environment} down {left}"), "see what is in its way".to_owned()];
    }
    match error {
        // Asked for blindly once more it would be refused again.
        // The next run looks, and mends what this one left.
        MigrateError::Failed(failed) if failed.left_index.is_some() && !takes_back(plan) => {
            vec!["see to what the database says".to_owned(), format!("/release retry {}", job.release.id.short())]
        }
        MigrateError::HalfDone { .. } => half_done_ways_out(environment, !takes_back(plan)),
        // The history says what became of it; a new plan begins there.
        MigrateError::Uncertain { .. }
        | MigrateError::History { .. }
        | MigrateError::Connect { .. }
        | MigrateError::Locked { .. }
        | MigrateError::Journal { .. } => vec![format!("/release retry {}", job.release.id.short())],
        MigrateError::NoWayBack { .. } => vec!["write a new migration that undoes it, and deploy that".to_owned()],
        _ => {
            let again = match plan.kind {
                PlanKind::Deploy | PlanKind::Rollback | PlanKind::Config => format!("/deploy {environment}"),
                PlanKind::MigrateUp => format!("/migrate {environment} up"),
                PlanKind::MigrateDown => format!("/release retry {}", job.release.id.short()),
            };
            let mend = if takes_back(plan) { "see what is in its way" } else { "mend the migration and push" };
            vec![mend.to_owned(), again]
        }
    }
}

/// What to do about a file that was left half done.
pub(in crate::executor) fn half_done_ways_out(environment: &EnvironmentName, is_up: bool) -> Vec<String> {
    let by_hand = "finish the file by hand and record it, then /release retry";
    if !is_up {
        return vec![by_hand.to_owned()];
    }
    // What is recorded as finished is never looked at again, so that way out is the last.
    vec![
        format!("where it is known how far it came and somebody has looked: /migrate {environment} up --continue"),
        format!("or {by_hand}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Applies two migrations.
    fn plan() -> Plan {
        let file = |version: u64, file: &str| {
            json!({ "version": Version::from(version), "file": file, "checksum": "ab", "reversible": true,
                    "transactional": true, "summary": "", "not_run": null })
        };
        let plan = json!({
            "service": "goals", "environment": "staging", "kind": "deploy", "base": null, "base_since": null,
            "commit": "4c1f9e2b0d".repeat(4), "commits": [], "commits_total": 0,
            "image": { "repository": "goals", "digest": format!("sha256:{}", "ab".repeat(32)), "tag": "4c1f9e2",
                       "pushed_at": null },
            "migrations": [file(7, "00007_likes.sql"), file(8, "00008_tags.sql")],
            "unknown_applied": [], "config": [], "targets": [],
        });
        serde_json::from_value(plan).unwrap()
    }

    #[test]
    fn that_nothing_was_applied_is_said_where_it_is_known() {
        let says = |done: &[Version], found: &[&str], unseen| {
            let found = found.iter().map(|file| (*file).to_owned()).collect();
            what_stays(&plan(), &Left { done, found, unseen }).join("\n")
        };
        let said = [
            says(&[], &[], false),
            says(&[7.into()], &[], false),
            says(&[], &["00008_tags.sql"], false),
            says(&[7.into()], &["00008_tags.sql"], false),
            says(&[], &[], true),
            says(&[7.into()], &[], true),
        ];
        expect_test::expect![[r#"
            No migration of this release was applied.

            Applied and still there: 00007_likes.sql.

            Found applied, perhaps by the run that broke off before: 00008_tags.sql.

            Applied and still there: 00007_likes.sql.
            Found applied, perhaps by the run that broke off before: 00008_tags.sql.

            An earlier run of this release broke off. What else that one has applied: /migrate staging status.

            Applied and still there: 00007_likes.sql.
            An earlier run of this release broke off. What else that one has applied: /migrate staging status."#]]
        .assert_eq(&said.join("\n\n"));
    }
}
