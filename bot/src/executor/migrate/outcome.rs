//! What became of a run, for the card.

use super::{Cancel, Job, takes_back};
use crate::executor::Done;
use jiff::Timestamp;
use slipway_core::ids::EnvironmentName;
use slipway_core::migration::Version;
use slipway_core::plan::{Plan, PlanKind};
use slipway_core::release::{Event, Failure, Step};
use slipway_deploy::database::{MigrateError, RunReport};

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

/// A run that did not come to its end: broken off because somebody wanted that, or failed.
pub(super) fn of_error(job: &Job<'_>, plan: &Plan, error: &MigrateError, done: &[Version], cancel: &Cancel) -> Done {
    if cancel.is_asked() {
        let details = vec![error.to_string(), what_stays(plan, done)];
        return Done::Event(Event::StepStopped { step: Step::Migrate, details, at: job.now() });
    }
    let failure = Failure::new(error.to_string()).detail(what_stays(plan, done));
    let failure = ways_out(job, plan, error, done).into_iter().fold(failure, Failure::next);
    job.failed(Step::Migrate, failure)
}

/// What the run leaves behind.
fn what_stays(plan: &Plan, done: &[Version]) -> String {
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
    let by_hand = "finish the file by hand and record it, then /release retry".to_owned();
    let goes_on = is_up.then(|| {
        format!("or, where it is known how far it came and somebody has looked: /migrate {environment} up --continue")
    });
    [by_hand].into_iter().chain(goes_on).collect()
}
