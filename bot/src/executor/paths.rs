//! Of a service that has paths: whether anything that concerns it differs from what runs.

use super::gather::running_image;
use super::{Done, Job, Trouble};
use slipway_core::environment::Live;
use slipway_core::facts::{Facts, Observed};
use slipway_core::ids::{CommitSha, ImageDigest};
use slipway_core::paths::PathsSeen;
use slipway_core::plan::{Between, PastSlipway, Plan, PlanKind, PlannedImage};
use slipway_core::release::{Event, RequestKind};
use slipway_core::together::PlannedWith;

/// What a service has that stays as it is.
pub(super) struct Stays {
    seen: PathsSeen,
    live: Live,
    image: PlannedImage,
}

/// What is known of the paths between what runs and the commit; `None` where the service is concerned or has none.
pub(super) async fn seen(job: &Job<'_>, base: Option<&CommitSha>) -> Result<Option<PathsSeen>, Trouble> {
    let (service, commit) = (job.service()?, job.commit()?);
    let is_deployed = job.release.request.kind.plan_kind() == PlanKind::Deploy;
    let (Some(paths), Some(base)) = (&service.paths, base.filter(|base| is_deployed && *base != commit)) else {
        return Ok(None);
    };
    let changed = job.executor.outside.github.changed_between(&service.repository, base, commit).await?;
    // Whoever names a service gets it; that something is not known matters where it is why it is deployed.
    Ok(paths.seen(base, &changed).filter(|seen| seen.is_untouched() || job.release.request.together.is_some()))
}

/// A service that is one of several and that nothing concerns stays as it is. All that is not known speaks against that:
/// what is live, what every target runs, the files, the migrations.
pub(super) async fn stays(job: &Job<'_>) -> Result<Option<Stays>, Trouble> {
    let (request, executor) = (&job.release.request, job.executor);
    if request.together.is_none() || request.kind != RequestKind::Deploy || job.service()?.paths.is_none() {
        return Ok(None);
    }
    let environment = executor.store.environment(&request.key).await?;
    let Some(live) = environment.live.filter(|_| environment.by_hand.is_none()) else { return Ok(None) };
    let Some(seen) = seen(job, Some(&live.commit)).await?.filter(PathsSeen::is_untouched) else { return Ok(None) };
    let mut image = None;
    for target in &job.environment()?.targets {
        let runs = executor.outside.target(&target.kind)?.observe(&target.id).await?.image_identifier;
        if !is_told(&runs, &live.image) {
            return Ok(None);
        }
        let Some(running) = running_image(job, Some(&runs)).await? else { return Ok(None) };
        image = image.or(Some(running));
    }
    // What is pending concerns it, whichever commit brought it.
    if let Some(at_hand) = super::migrate::folder_and_database(executor, &request.key, job.commit()?).await?
        && !at_hand.pending_by(&at_hand.history().await?)?.migrations.is_empty()
    {
        return Ok(None);
    }
    Ok(image.map(|image| Stays { seen, live, image }))
}

/// Whether a target is told this image by its content: builds of several commits may be the same one, and a tag may name another
/// by now than the target runs.
fn is_told(runs: &str, image: &ImageDigest) -> bool {
    runs.split_once('@').and_then(|(_, digest)| ImageDigest::parse(digest).ok()).as_ref() == Some(image)
}

/// The plan of what stays: it is of the commit that runs, and brings nothing. It stands for those that are deployed with it.
pub(super) async fn plan_of_what_stays(
    job: &Job<'_>,
    stays: Stays,
    with: Vec<PlannedWith>,
    at: jiff::Timestamp,
) -> Result<Done, Trouble> {
    let Stays { seen, live, image } = stays;
    let key = &job.release.request.key;
    let plan = Plan {
        service: key.service.clone(),
        environment: key.environment.clone(),
        kind: PlanKind::Deploy,
        base: Some(live.commit.clone()),
        base_since: Some(live.since),
        commit: live.commit,
        commits: vec![],
        commits_total: 0,
        image,
        // None of these is sent anywhere, or run.
        migrations: vec![],
        taken_back: vec![],
        files_from: None,
        goes_on: false,
        half_done: vec![],
        unknown_applied: vec![],
        edited: vec![],
        rehearsal: None,
        config: vec![],
        targets: vec![],
        drift: None,
        between: Between::default(),
        promote: None,
        workflow: vec![],
        past_slipway: PastSlipway::default(),
        with,
        paths: Some(seen),
    };
    let facts = Facts::of_ci(Observed { value: job.checks().await?, at });
    Ok(Done::Event(Event::Planned { plan: Box::new(plan), facts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_digest_proves_what_runs() {
        let image = ImageDigest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap();
        assert!(is_told(&format!("registry/goals@{image}"), &image));
        assert!(!is_told(&format!("registry/goals@sha256:{}", "ac".repeat(32)), &image));
        assert!(!is_told("registry/goals:latest", &image), "it may be moved without a deployment");
        assert!(!is_told(&format!("registry/goals:{}", "a".repeat(40)), &image));
    }
}
