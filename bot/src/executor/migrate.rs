//! Applying the planned migrations, each once, or taking planned ones back.

mod files;
mod journal;
mod outcome;

pub(super) use files::{FolderAndDatabase, down_checksum, folder_and_database, runs_on, versions_at, whose_files};
pub(super) use outcome::half_done_ways_out;

use super::{Done, Job, Trouble};
use journal::{Journal, MigrateIntent};
use outcome::Left;
use slipway_core::migration::{BackError, Migration, Version, plan_back};
use slipway_core::plan::{Plan, PlanKind, PlannedMigration};
use slipway_core::release::{Failure, Step};
use slipway_deploy::database::{Cancel, CancelSwitch, HalfDone, MigrateError, Run, RunOptions, RunReport};
use std::time::Duration;

/// How often it is looked whether somebody wants the run stopped.
const CANCEL_LOOK_MS: u64 = 500;

pub(super) async fn migrate(job: &Job<'_>) -> Result<Done, Trouble> {
    let (switch, cancel) = CancelSwitch::new();
    tokio::select! {
        done = watched(job, &cancel) => done,
        never = watch(job, &switch) => match never {},
    }
}

async fn watched(job: &Job<'_>, cancel: &Cancel) -> Result<Done, Trouble> {
    let plan = job.plan()?;
    let before: Option<MigrateIntent> = job.intent()?;
    let applied_before = before.as_ref().map_or_else(Vec::new, |intent| intent.applied.clone());
    let mut stopped = cancel.clone();
    // Looking may take its time, and after a crash somebody may want that nothing more is run.
    let prepared = tokio::select! {
        prepared = prepare(job, plan, before.is_none()) => prepared?,
        () = stopped.asked() => {
            let left = Left { done: &applied_before, found: vec![], unseen: before.is_some() };
            return Ok(outcome::of_error(job, plan, &nothing_run(), &left, cancel));
        }
    };
    let (at_hand, work) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => return Ok(job.failed(Step::Migrate, failure)),
    };
    // What a run that broke off did and could not write down any more.
    let found = before.as_ref().map_or_else(Vec::new, |_| work.leaves_out(plan, &applied_before));
    let begun = job.now();
    let half_done = half_done(job, before.as_ref());
    let journal = Journal::new(job, plan.changing().count(), before.unwrap_or_default());
    journal.begin(|intent| intent.goes_on = half_done == HalfDone::Continue).await?;
    let options = RunOptions { half_done, ..RunOptions::default() };
    let run = perform(&at_hand, &work, &Run { options: &options, journal: &journal, cancel: cancel.clone() }).await;
    let applied = journal.read().applied;
    match run {
        Ok(report) => Ok(job.succeeded(Step::Migrate, outcome::summary(job, plan, &report, &applied, begun))),
        // What an earlier process applied is no reason to give up on a lock that its session still holds.
        Err(error) if passes(&error) && applied.len() == applied_before.len() && !cancel.is_asked() => {
            Err(error.into())
        }
        Err(error) => {
            let left = Left { done: &applied, found, unseen: false };
            Ok(outcome::of_error(job, plan, &error, &left, cancel))
        }
    }
}

/// What is to be done, and with what; a failure when that is not what was approved.
async fn prepare(
    job: &Job<'_>,
    plan: &Plan,
    is_first: bool,
) -> Result<Result<(FolderAndDatabase, Work), Failure>, Trouble> {
    let key = &job.release.request.key;
    // A rollback takes back with the files of the commit that applied them, which its own does not have.
    let files = plan.between.files.as_ref().filter(|_| takes_back(plan)).unwrap_or(&plan.commit);
    let Some(at_hand) = folder_and_database(job.executor, key, files).await? else {
        let failure = Failure::new("The migrations of the plan are not there any more.").next("/release retry");
        return Ok(Err(failure));
    };
    // Once something has been run, what was begun is brought to its end, whatever runs there by now.
    if is_first && let Some(failure) = super::by_hand::in_the_middle_of_migrations(job).await? {
        return Ok(Err(failure));
    }
    Ok(work(plan, &at_hand).await?.map(|work| (at_hand, work)))
}

/// Stopped before this process ran anything.
fn nothing_run() -> MigrateError {
    MigrateError::Cancelled {
        file: None,
        rolled_back: true,
        statements_done: 0,
        total: 0,
        notes: Vec::new(),
        applied_before: Vec::new(),
    }
}

/// Whether the plan's migrations are taken back.
fn takes_back(plan: &Plan) -> bool {
    plan.kind == PlanKind::MigrateDown || !plan.taken_back.is_empty()
}

/// What is to be done.
enum Work {
    Apply(Vec<Migration>),
    TakeBack(Vec<Migration>),
}

impl Work {
    /// The files that are neither to be run any more nor known to have been.
    fn leaves_out(&self, plan: &Plan, known: &[Version]) -> Vec<String> {
        let (Self::Apply(left) | Self::TakeBack(left)) = self;
        let is_known = |p: &PlannedMigration| known.contains(&p.version) || left.iter().any(|m| m.version == p.version);
        plan.changing().filter(|planned| !is_known(planned)).map(|planned| planned.file.clone()).collect()
    }
}

async fn perform(at_hand: &FolderAndDatabase, work: &Work, run: &Run<'_>) -> Result<RunReport, MigrateError> {
    match work {
        Work::Apply(pending) => at_hand.database.up(&at_hand.folder, pending, run).await,
        Work::TakeBack(back) if back.is_empty() => Ok(RunReport::default()),
        Work::TakeBack(back) => at_hand.database.down(&at_hand.folder, back, run).await,
    }
}

/// What of the plan is left to be done; a failure when something else than what was approved would be done. After a crash
/// some of it is done already.
async fn work(plan: &Plan, at_hand: &FolderAndDatabase) -> Result<Result<Work, Failure>, Trouble> {
    if takes_back(plan) {
        return back(plan, at_hand).await;
    }
    let history = at_hand.history().await?;
    let pending = at_hand.pending_by(&history)?.to_run();
    let planned = |m: &Migration| plan.will_run().any(|p| p.version == m.version && p.checksum == m.checksum);
    let is_left = |p: &&PlannedMigration| {
        !history.contains(&p.version) && pending.iter().all(|migration| migration.version != p.version)
    };
    if let Some(left) = plan.will_run().find(is_left) {
        let what = format!("{} was in the plan that was approved, and cannot be run now.", left.file);
        return Ok(Err(Failure::new(what).detail("Nothing was run.").next("/release retry makes a new plan")));
    }
    Ok(match pending.iter().find(|m| !planned(m)) {
        None => Ok(Work::Apply(pending)),
        Some(unplanned) => {
            let what = format!("{} is pending but was not in the plan that was approved.", unplanned.file);
            Err(Failure::new(what).detail("Nothing was run.").next("/release retry makes a new plan"))
        }
    })
}

async fn back(plan: &Plan, at_hand: &FolderAndDatabase) -> Result<Result<Work, Failure>, Trouble> {
    let only: Vec<Version> = plan.taken_back.iter().map(|planned| planned.version.clone()).collect();
    let history = at_hand.history().await?;
    let back = match plan_back(&at_hand.folder, &history, only.len(), &only) {
        Ok(back) => back,
        Err(error) => return Ok(Err(Failure::new(error.to_string()).next(next_of(&error)))),
    };
    let as_planned = |m: &Migration, p: &PlannedMigration| {
        p.version == m.version && p.checksum == m.checksum && p.down_checksum == down_checksum(&at_hand.folder, m)
    };
    let other = back.iter().find(|m| !plan.taken_back.iter().any(|planned| as_planned(m, planned)));
    Ok(match other {
        None => Ok(Work::TakeBack(back)),
        Some(other) => {
            let what = format!("{} is not as it was in the plan that was approved.", other.file);
            Err(Failure::new(what).detail("Nothing was run.").next("/release retry makes a new plan"))
        }
    })
}

/// The way out where nothing can be taken back.
pub(super) fn next_of(error: &BackError) -> &'static str {
    match error {
        BackError::Nothing | BackError::TooFew { .. } => "/release history tells what was applied when",
        BackError::Dirty { .. } => "finish it by hand and record it, then ask again",
        BackError::NoFile { .. } | BackError::Folder(_) => "take it back with the files that applied it",
        BackError::NoWayBack { .. } => "write a new migration that undoes it, and deploy that",
    }
}

/// Whether to go on with a statement that may have run. Somebody has looked and said so, for the first run of this effect: what
/// a crash of that one left nobody has seen.
fn half_done(job: &Job<'_>, before: Option<&MigrateIntent>) -> HalfDone {
    let is_first = before.is_none_or(|intent| !intent.goes_on);
    if is_first && job.release.request.kind.goes_on() { HalfDone::Continue } else { HalfDone::Refuse }
}

/// Looks whether somebody has cancelled the release, and flips the switch. Goes on for as long as the run does.
async fn watch(job: &Job<'_>, switch: &CancelSwitch) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(Duration::from_millis(CANCEL_LOOK_MS)).await;
        match job.executor.store.release(&job.release.id).await {
            Ok(Some(stored)) if stored.release.cancel_requested.is_some() => {
                switch.ask();
                // The run ends now; nothing more is to be seen.
                std::future::pending::<()>().await;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "it could not be seen whether the run is cancelled"),
        }
    }
}

/// Whether nothing has been begun and trying again may help.
fn passes(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Connect { .. } | MigrateError::Locked { .. })
}
