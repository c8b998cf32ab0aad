//! What somebody did past Slipway: named in the plan, and looked for once more before the run changes anything.

use super::migrate::{FolderAndDatabase, versions_at};
use super::{Job, Trouble, aftermath};
use crate::flow::{commit_of_image, digest_in, image_of};
use crate::tags;
use slipway_core::environment::{Environment, Live, TagNames, tagged_by_slipway};
use slipway_core::ids::CommitSha;
use slipway_core::migration::History;
use slipway_core::plan::{PlannedImage, PlannedTarget};
use slipway_core::release::Failure;
use slipway_core::workflow::tag_of_image;
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

/// The commit that each target runs, as far as that can be told.
pub(super) async fn commits_of(
    job: &Job<'_>,
    here: &Environment,
    observed: &[Observed],
) -> Result<Vec<Option<CommitSha>>, Trouble> {
    let mut runs = Vec::new();
    for seen in observed {
        let commit = commit_of_image(&job.executor.outside.ecr, &seen.image_identifier).await?;
        runs.push(commit.or_else(|| noticed(here, seen)));
    }
    Ok(runs)
}

/// The commit that a target was noticed to run, where it is told a tag that says nothing of that: as long as nothing was
/// deployed there since, it runs what the tag named then.
fn noticed(here: &Environment, seen: &Observed) -> Option<CommitSha> {
    let runs = &here.by_hand.as_ref()?.runs;
    let operation = seen.newest_operation.as_ref().map(aftermath::named);
    (runs.target == seen.service_name && runs.image == seen.image_identifier && runs.operation == operation)
        .then(|| runs.commit.clone())?
}

/// What the tag names that others read, where somebody has moved it.
pub(super) async fn tag(job: &Job<'_>, here: &Environment, observed: &[Observed]) -> Result<Option<TagNames>, Trouble> {
    let (service, environment, Some(live)) = (job.service()?, job.environment()?, &here.live) else { return Ok(None) };
    let images = observed.iter().map(|seen| seen.image_identifier.as_str());
    let Some(tag) = tags::followed(&service.image, environment.promote.as_ref(), &live.commit, images) else {
        return Ok(None);
    };
    let at = job.now();
    let Some(names) = tags::look(&job.executor.outside.ecr, &service.image, &tag, here.tag.as_ref()).await? else {
        return Ok(None);
    };
    let known = here.tag.as_ref().filter(|known| known.names == names);
    if let Some(known) = known {
        return Ok(known.moved_at.map(|_| names));
    }
    let (executor, key) = (job.executor, &job.release.request.key);
    let mut all = Vec::new();
    for other in executor.setup.environment_keys(None).into_iter().filter(|other| other.service == key.service) {
        all.push(executor.store.environment(&other).await?);
    }
    let after = here.tag_after(&names, &tagged_by_slipway(&all, &tag), at);
    Ok(after.filter(|after| after.moved_at.is_some()).map(|after| after.names))
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
    let (plan, now) = (job.plan()?, &seen.image_identifier);
    // A plan of before images were kept in it, of something without a commit: there is nothing to compare with.
    let Some(before) = named(planned.runs.as_ref(), planned.image.as_ref()) else { return Ok(None) };
    let was = Told { image: planned.image.as_deref(), operation: planned.operation.as_deref() };
    let untouched = was.is_untouched(seen);
    // Nothing but the image is known of plans of before operations were kept.
    let same = untouched.unwrap_or(was.image == Some(now.as_str()));
    if same || *now == plan.image.pinned() {
        return Ok(None);
    }
    // The same commit may be told in another way.
    let runs = commit_of_image(&job.executor.outside.ecr, now).await?;
    if runs.is_some() && (runs == planned.runs || runs.as_ref() == Some(&plan.commit)) {
        return Ok(None);
    }
    let runs = named(runs.as_ref(), Some(now)).unwrap_or_default();
    Ok(Some(other_runs(&planned.name, &runs, &before, seen).detail("Nothing was deployed.")))
}

/// The same before migrations alone: they were planned for what ran then.
pub(super) async fn in_the_middle_of_migrations(job: &Job<'_>) -> Result<Option<Failure>, Trouble> {
    let plan = job.plan()?;
    let Some(target) = job.environment()?.targets.first().filter(|_| plan.kind.only_migrates()) else {
        return Ok(None);
    };
    let seen = job.executor.outside.target(&target.kind)?.observe(&target.id).await?;
    let ecr = &job.executor.outside.ecr;
    let image = as_told(&plan.image);
    let was = Told { image: Some(&image), operation: plan.past_slipway.operation.as_deref() };
    let same = match was.is_untouched(&seen) {
        Some(untouched) => untouched,
        // It may be told the same in another way.
        None => image_of(ecr, &seen.image_identifier).await?.is_some_and(|now| now.digest == plan.image.digest),
    };
    if same {
        return Ok(None);
    }
    let runs = commit_of_image(ecr, &seen.image_identifier).await?;
    let runs = named(runs.as_ref(), Some(&seen.image_identifier)).unwrap_or_default();
    let before = named(plan.base.as_ref(), Some(&plan.image.pinned())).unwrap_or_default();
    Ok(Some(other_runs(&seen.service_name, &runs, &before, &seen).detail("Nothing was run.")))
}

/// What a target was told when a plan was made.
struct Told<'a> {
    /// The image in its words.
    image: Option<&'a str>,
    /// The id of its newest operation.
    operation: Option<&'a str>,
}

impl Told<'_> {
    /// Whether nothing was deployed there since; `None` where it is told another image, or that cannot be said. A digest is what
    /// it names; a tag may be moved without a deployment, and deployed again without being told otherwise.
    fn is_untouched(&self, now: &Observed) -> Option<bool> {
        if self.image != Some(now.image_identifier.as_str()) {
            return None;
        }
        if now.image_identifier.contains('@') {
            return Some(true);
        }
        let is_same = self.operation? == now.newest_operation.as_ref()?.id;
        // The tag of one commit is not made for being moved: by its content it is the same.
        let is_of_commit = tag_of_image(&now.image_identifier).is_some_and(|tag| CommitSha::parse(tag).is_ok());
        (is_same || !is_of_commit).then_some(is_same)
    }
}

/// The image of a plan that deploys nothing, in the words of the target that runs it.
fn as_told(image: &PlannedImage) -> String {
    if image.tag.is_empty() { image.pinned() } else { format!("{}:{}", image.repository, image.tag) }
}

/// A commit, or else an image in the target's words.
fn named(commit: Option<&CommitSha>, image: Option<&String>) -> Option<String> {
    let short = |image: &String| digest_in(image).map_or_else(|| image.clone(), |digest| digest.short());
    commit.map(|commit| commit.short().to_owned()).or_else(|| image.map(short))
}

fn other_runs(name: &str, runs: &str, before: &str, seen: &Observed) -> Failure {
    // The same tag may name another image.
    let what = if runs == before {
        format!("{name} was told {runs} once more since the plan was made: somebody deployed past Slipway.")
    } else {
        format!("{name} runs {runs} now, and ran {before} when the plan was made: somebody deployed past Slipway.")
    };
    let failure = Failure::new(what).next("/release retry makes a new plan");
    match &seen.newest_operation {
        Some(newest) => failure.detail(format!("The newest operation there: {}.", aftermath::named(newest))),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::ids::ImageDigest;
    use slipway_deploy::target::{OperationKind, OperationSeen, OperationStatus};
    use std::collections::BTreeMap;

    fn seen(image: &str, operation: Option<&str>) -> Observed {
        let newest_operation = operation.map(|id| OperationSeen {
            id: id.to_owned(),
            kind: OperationKind::StartDeployment,
            status: OperationStatus::Succeeded,
            started_at: None,
            ended_at: None,
        });
        Observed {
            service_name: "goals".to_owned(),
            status: "RUNNING".to_owned(),
            image_identifier: image.to_owned(),
            settings: BTreeMap::new(),
            newest_operation,
            url: None,
            auto_deployments: false,
        }
    }

    #[test]
    fn a_tag_is_deployed_again_by_a_new_operation_and_not_by_being_moved() {
        let (tag, digest) = ("registry/goals:latest", format!("registry/goals@sha256:{}", "ab".repeat(32)));
        let was = Told { image: Some(tag), operation: Some("one") };
        assert_eq!(was.is_untouched(&seen(tag, Some("one"))), Some(true), "whatever it names by now");
        assert_eq!(was.is_untouched(&seen(tag, Some("two"))), Some(false));
        assert_eq!(was.is_untouched(&seen(tag, None)), None);
        assert_eq!(was.is_untouched(&seen(&digest, Some("one"))), None);
        let old = Told { operation: None, ..was };
        assert_eq!(old.is_untouched(&seen(tag, Some("two"))), None, "a plan of before operations were kept");
        let pinned = Told { image: Some(&digest), operation: Some("one") };
        assert_eq!(pinned.is_untouched(&seen(&digest, Some("two"))), Some(true), "the same is the same");
        let commit = format!("registry/goals:{}", "a".repeat(40));
        let of_commit = Told { image: Some(&commit), operation: Some("one") };
        assert_eq!(of_commit.is_untouched(&seen(&commit, Some("one"))), Some(true));
        assert_eq!(of_commit.is_untouched(&seen(&commit, Some("two"))), None, "by its content");
    }

    #[test]
    fn what_a_plan_that_deploys_nothing_runs_beside_is_in_the_targets_words() {
        let digest = ImageDigest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap();
        let image = |tag: &str| PlannedImage {
            repository: "registry/goals".to_owned(),
            digest: digest.clone(),
            tag: tag.to_owned(),
            pushed_at: None,
        };
        assert_eq!(as_told(&image("latest")), "registry/goals:latest");
        assert_eq!(as_told(&image("")), format!("registry/goals@{digest}"));
    }

    #[test]
    fn a_run_that_stops_says_what_somebody_did() {
        let now = seen("registry/goals:latest", Some("two"));
        let of = |runs, before| other_runs("goals", runs, before, &now).what;
        assert!(of("bbbbbbb", "aaaaaaa").starts_with("goals runs bbbbbbb now, and ran aaaaaaa when"));
        let again = of("registry/goals:latest", "registry/goals:latest");
        assert!(again.starts_with("goals was told registry/goals:latest once more since the plan was made"), "{again}");
    }
}
