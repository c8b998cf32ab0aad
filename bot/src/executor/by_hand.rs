//! What somebody did past Slipway: named in the plan, and looked for once more before the run changes anything.

use super::migrate::{FolderAndDatabase, versions_at};
use super::{Job, Trouble, aftermath};
use crate::flow::commit_of_image;
use slipway_core::environment::Live;
use slipway_core::ids::CommitSha;
use slipway_core::migration::History;
use slipway_core::plan::PlannedTarget;
use slipway_core::release::Failure;
use slipway_deploy::target::Observed;

/// How many files of migrations a plan names.
const FILES_LIMIT: usize = 20;

/// What Slipway had brought last, where the commit that runs is neither that nor one that a run of its own has left there.
pub(super) async fn brought(
    job: &Job<'_>,
    base: Option<&CommitSha>,
    live: Option<&Live>,
) -> Result<Option<CommitSha>, Trouble> {
    let (Some(base), Some(live)) = (base, live) else { return Ok(None) };
    if live.commit == *base {
        return Ok(None);
    }
    let told = job.executor.store.told_since(&job.release.request.key, live.since).await?;
    Ok((!told.iter().any(|told| told.commit == *base)).then(|| live.commit.clone()))
}

/// The files that the commit has and what runs has not, and that are applied without a record of Slipway's.
pub(super) async fn migrations(
    job: &Job<'_>,
    base: Option<&CommitSha>,
    at_hand: &FolderAndDatabase,
    history: &History,
) -> Result<Vec<String>, Trouble> {
    let applied = |version: &_| history.contains(version) && !history.is_recorded(version);
    let candidates: Vec<_> = at_hand.folder.files().filter(|file| applied(&file.version)).collect();
    let Some(base) = base.filter(|_| !candidates.is_empty()) else { return Ok(vec![]) };
    let known = versions_at(job.executor, &job.release.request.key, base, at_hand.folder.format()).await?;
    let new = candidates.into_iter().filter(|file| !known.contains(&file.version));
    Ok(new.map(|file| file.up.file.clone()).take(FILES_LIMIT).collect())
}

/// Why the run stops where a target does not run any more what the plan was made on: what somebody brought meanwhile may be
/// newer than what was approved.
pub(super) async fn in_the_middle(
    job: &Job<'_>,
    planned: &PlannedTarget,
    seen: &Observed,
) -> Result<Option<Failure>, Trouble> {
    let (plan, Some(before)) = (job.plan()?, &planned.runs) else { return Ok(None) };
    let runs = commit_of_image(&job.executor.outside.ecr, &seen.image_identifier).await?;
    if runs.as_ref() == Some(before) || runs.as_ref() == Some(&plan.commit) {
        return Ok(None);
    }
    let runs = runs.map_or_else(|| seen.image_identifier.clone(), |runs| runs.short().to_owned());
    let what = format!(
        "{} runs {runs} now, and ran {} when the plan was made: somebody deployed past Slipway.",
        planned.name,
        before.short()
    );
    let failure = Failure::new(what).detail("Nothing was deployed.");
    let failure = match &seen.newest_operation {
        Some(newest) => failure.detail(format!("The newest operation there: {}.", aftermath::named(newest))),
        None => failure,
    };
    Ok(Some(failure.next("/release retry makes a new plan")))
}
