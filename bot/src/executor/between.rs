//! What stands between what runs and what a rollback goes back to: migrations that are applied and that the older commit
//! does not know.

use super::gather::{Migrations, with_sizes};
use super::migrate::{FolderAndDatabase, down_checksum, folder_and_database, next_of, versions_at, whose_files};
use super::rehearse::rehearsal_back;
use super::{Job, Trouble};
use crate::flow::digest_in;
use slipway_core::command::TAKEN_BACK_LIMIT;
use slipway_core::ids::{CommitSha, ImageDigest};
use slipway_core::migration::{DownTrial, History, Migration, Rehearsal, Version, applied_newest_first, plan_back};
use slipway_core::plan::{Between, FilesFrom, PlannedMigration};
use slipway_core::release::{Failure, RequestKind};
use std::time::Duration;

/// For how long a rollback that leaves migrations alone waits to be told which there are.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// An automatic rollback is about what could not be verified, and about nothing that came after it.
pub(super) async fn overtaken(job: &Job<'_>) -> Result<Option<Failure>, Trouble> {
    let RequestKind::Rollback { because_of: Some(failed), .. } = &job.release.request.kind else { return Ok(None) };
    let key = &job.release.request.key;
    let live = job.executor.store.environment(key).await?.live;
    Ok(live.filter(|live| live.release != *failed).map(|live| {
        let what = format!(
            "Release {} is live on {key} since, so release {} is not rolled back.",
            live.release.short(),
            failed.short()
        );
        Failure::new(what).detail("Nothing was started.").final_for_request()
    }))
}

/// What is gone from the registry is not built again for a rollback.
pub(super) fn no_image(job: &Job<'_>, tag: &str) -> Result<Failure, Trouble> {
    let (image, environment) = (&job.service()?.image, &job.release.request.key.environment);
    let failure = Failure::new(format!("{image} has no image tagged {tag} any more, so it cannot be gone back to."));
    Ok(failure.next(format!("/release history {environment}, then /rollback {environment} <release>")))
}

/// Why this image is not what ran before Slipway's first release, where the target had been told one by content.
pub(super) async fn another_image(job: &Job<'_>, tag: &str, digest: &ImageDigest) -> Result<Option<Failure>, Trouble> {
    let RequestKind::Rollback { to, before: true, .. } = &job.release.request.kind else { return Ok(None) };
    let first = job.executor.store.release(to).await?.and_then(|stored| stored.release.plan);
    let ran = first.iter().flat_map(|plan| &plan.targets).filter_map(|target| digest_in(target.image.as_deref()?));
    let Some(other) = ran.into_iter().find(|ran| ran != digest) else { return Ok(None) };
    let what = format!("What ran before Slipway's first release was {other}, and {tag} names {digest} by now.");
    Ok(Some(Failure::new(what).detail("It is not gone back to. Nothing was started.").final_for_request()))
}

/// The migrations between, or why they cannot be taken back where that is wanted. Where it is not, they are only shown, and
/// nothing that is in the way of looking at them keeps a rollback from starting.
pub(super) async fn between(job: &Job<'_>, commit: &CommitSha) -> Result<Result<Migrations, Failure>, Trouble> {
    if job.release.migrates_last() {
        return Ok(match look(job, commit).await? {
            Some(seen) => taken_back(job, seen).await?,
            None => Ok(Migrations::default()),
        });
    }
    let why = match tokio::time::timeout(LOOK_LIMIT, shown(job, commit)).await {
        Ok(Ok(migrations)) => return Ok(Ok(migrations)),
        Ok(Err(trouble @ (Trouble::Abandoned | Trouble::Store(_)))) => return Err(trouble),
        Ok(Err(trouble)) => trouble.to_string(),
        Err(_) => format!("no answer within {} s", LOOK_LIMIT.as_secs()),
    };
    let between = Between { unknown: Some(why), ..Between::default() };
    Ok(Ok(Migrations { between, ..Migrations::default() }))
}

/// What there is between.
struct Seen {
    at_hand: FolderAndDatabase,
    history: History,
    files: CommitSha,
    files_from: FilesFrom,
    /// The newest first.
    versions: Vec<Version>,
}

/// `None` where there are no migrations at all, or nobody knows whose files they are.
async fn look(job: &Job<'_>, commit: &CommitSha) -> Result<Option<Seen>, Trouble> {
    let key = &job.release.request.key;
    let Some(whose) = whose_files(job.executor, key).await? else { return Ok(None) };
    let Some(at_hand) = folder_and_database(job.executor, key, &whose.commit).await? else { return Ok(None) };
    let history = at_hand.history().await?;
    let known = versions_at(job.executor, key, commit, at_hand.folder.format()).await?;
    let applied = applied_newest_first(&at_hand.folder, &history);
    let versions = applied.into_iter().filter(|version| !known.contains(version)).collect();
    Ok(Some(Seen { at_hand, history, files: whose.commit, files_from: whose.from, versions }))
}

async fn shown(job: &Job<'_>, commit: &CommitSha) -> Result<Migrations, Trouble> {
    let Some(seen) = look(job, commit).await? else { return Ok(Migrations::default()) };
    let mut migrations = Migrations::default();
    let mut found = Vec::new();
    for version in &seen.versions {
        match seen.at_hand.folder.get(version) {
            Some(Ok(migration)) => found.push(migration),
            Some(Err(_)) | None => migrations.unknown_applied.push(version.clone()),
        }
    }
    let planned = planned(&seen.at_hand, &found).await?;
    let files = (!planned.is_empty()).then_some(seen.files);
    migrations.between = Between { migrations: planned, files, unknown: None };
    Ok(migrations)
}

async fn planned(at_hand: &FolderAndDatabase, back: &[Migration]) -> Result<Vec<PlannedMigration>, Trouble> {
    let options = at_hand.lint_options().await?;
    let one = |migration: &Migration| migration.planned_back(down_checksum(&at_hand.folder, migration), &options);
    let mut planned: Vec<_> = back.iter().map(one).collect();
    with_sizes(at_hand, &mut planned).await?;
    Ok(planned)
}

/// Every one of them must have a way back, and every way back must have been tried.
async fn taken_back(job: &Job<'_>, seen: Seen) -> Result<Result<Migrations, Failure>, Trouble> {
    let Seen { at_hand, history, files, files_from, versions } = seen;
    if versions.is_empty() {
        return Ok(Ok(Migrations::default()));
    }
    let by_hand = by_hand(job, versions.len());
    if versions.len() > usize::try_from(TAKEN_BACK_LIMIT).unwrap_or(usize::MAX) {
        let what = format!(
            "{} migrations stand between, and at most {TAKEN_BACK_LIMIT} are taken back at once.",
            versions.len()
        );
        return Ok(Err(refused(what, &by_hand)));
    }
    let back = match plan_back(&at_hand.folder, &history, versions.len(), &versions) {
        Ok(back) => back,
        Err(error) => return Ok(Err(refused(error.to_string(), &by_hand).next(next_of(&error)))),
    };
    let rehearsal = rehearsal_back(job, &at_hand, &history, &back).await?;
    if let Some(why) = not_rehearsed(&rehearsal, &back) {
        return Ok(Err(refused(why, &by_hand)));
    }
    let taken_back = planned(&at_hand, &back).await?;
    let between = Between { files: Some(files), ..Between::default() };
    Ok(Ok(Migrations {
        taken_back,
        files_from: Some(files_from),
        rehearsal: Some(rehearsal),
        between,
        ..Migrations::default()
    }))
}

fn refused(what: String, by_hand: &str) -> Failure {
    Failure::new(what).detail("Nothing was started.").next(by_hand).final_for_request()
}

/// The way without a rehearsal: somebody decides, once the older version runs.
fn by_hand(job: &Job<'_>, count: usize) -> String {
    let environment = &job.release.request.key.environment;
    format!(
        "/rollback {environment} without --migrations, and then, if that is what you want, /migrate {environment} down {count}"
    )
}

/// Why the trial is not good enough to rely on.
fn not_rehearsed(rehearsal: &Rehearsal, back: &[Migration]) -> Option<String> {
    let trials = match rehearsal {
        Rehearsal::Not { why } => return Some(format!("The way back was not rehearsed: {why}.")),
        Rehearsal::Done { trials } => trials,
    };
    back.iter().find_map(|migration| {
        let file = &migration.file;
        match trials.iter().find(|trial| trial.version == migration.version).map(|trial| &trial.down) {
            Some(DownTrial::Restores | DownTrial::Leaves { .. }) => None,
            Some(DownTrial::Fails { message }) => {
                Some(format!("The way back of {file} was rehearsed, and failed: {message}"))
            }
            Some(DownTrial::NotTried { why }) => Some(format!("The way back of {file} was not rehearsed: {why}.")),
            Some(DownTrial::None) | None => Some(format!("{file} has no way back.")),
        }
    })
}
