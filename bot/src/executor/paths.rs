//! Of a service that has paths: whether anything that concerns it differs from what runs.

use super::gather::running_image;
use super::{Done, Job, Trouble};
use crate::flow::digest_in;
use slipway_core::environment::{Environment, Live};
use slipway_core::facts::{Facts, Observed};
use slipway_core::ids::{CommitSha, EnvironmentKey, ImageDigest};
use slipway_core::paths::{Changed, Paths, PathsSeen};
use slipway_core::plan::{Plan, PlanKind, PlannedImage};
use slipway_core::release::{Event, Failure, RequestKind};
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

/// Why a service that has paths is concerned; `None` where that is not what it is about.
pub(super) async fn why_concerned(
    job: &Job<'_>,
    here: &Environment,
    runs: Option<&CommitSha>,
) -> Result<Option<String>, Trouble> {
    let (service, commit) = (job.service()?, job.commit()?);
    let Some(paths) = &service.paths else { return Ok(None) };
    let Some(live) = &here.live else { return Ok(Some("it is not known what is live".to_owned())) };
    if here.by_hand.is_some() || runs != Some(&live.commit) {
        return Ok(Some("what Slipway brought last is not what runs there".to_owned()));
    }
    if live.commit == *commit {
        return Ok(None);
    }
    let changed = job.executor.outside.github.changed_between(&service.repository, &live.commit, commit).await?;
    Ok(Some(concerned_by(paths, &live.commit, &changed)))
}

/// Why a service is concerned where its targets run what Slipway brought.
fn concerned_by(paths: &Paths, since: &CommitSha, changed: &Changed) -> String {
    let (words, short) = (paths.words(), since.short());
    match paths.seen(since, changed) {
        None => format!("files in {words} changed since {short}"),
        Some(PathsSeen { unknown: Some(why), .. }) => {
            format!("it cannot be told whether anything in {words} changed since {short}: {why}")
        }
        // Of what else could concern it nothing is left.
        Some(_) => "a migration is pending".to_owned(),
    }
}

/// One of several has no image, and no way to one: what nothing concerned was not built, and nothing is built for what
/// waits already. That ends the group rather than that all of it waits for an image that does not come.
pub(crate) fn no_image(key: &EnvironmentKey, image: &str, tag: &str, because: Option<&str>) -> Failure {
    let what = match because {
        Some(because) => {
            format!("{} is concerned now: {because}. {image} has no image tagged {tag}.", key.service)
        }
        None => format!("{image} has no image tagged {tag} any more."),
    };
    // The card of a group names that for all of them.
    Failure::new(what).next(format!("/deploy {}", key.environment)).final_for_request()
}

/// Whether a target is told this image by its content: builds of several commits may be the same one, and a tag may name another
/// by now than the target runs.
fn is_told(runs: &str, image: &ImageDigest) -> bool {
    digest_in(runs).as_ref() == Some(image)
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
    let stays = Plan::of_what_runs(key, PlanKind::Deploy, (live.commit, live.since), image);
    let plan = Plan { with, paths: Some(seen), ..stays };
    let facts = Facts::of_ci(Observed { value: job.checks().await?, at });
    Ok(Done::Event(Event::Planned { plan: Box::new(plan), facts }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::paths::Pattern;

    #[test]
    fn one_of_several_that_has_no_image_ends_them_and_says_why() {
        let key = EnvironmentKey { service: "web".into(), environment: "production".into() };
        let failure = no_image(&key, "acme/web", "sha-4c1f9e2", Some("files in web/** changed since 1b2c3d4"));
        let what =
            "web is concerned now: files in web/** changed since 1b2c3d4. acme/web has no image tagged sha-4c1f9e2.";
        assert_eq!(failure.what, what);
        let gone = no_image(&key, "acme/web", "sha-4c1f9e2", None);
        assert_eq!(gone.what, "acme/web has no image tagged sha-4c1f9e2 any more.");
        for failure in [failure, gone] {
            assert!(failure.request_is_wrong, "it is not tried again until the group expires");
            assert_eq!(failure.next, ["/deploy production"]);
        }
    }

    #[test]
    fn why_it_is_concerned_is_said_as_far_as_it_can_be_told() {
        let paths = Paths::new(vec![Pattern::parse("web/**").unwrap()], None).unwrap();
        let since = CommitSha::parse(&"1b2c3d4e".repeat(5)).unwrap();
        let why = |changed| concerned_by(&paths, &since, &changed);
        assert_eq!(why(Changed::Files(vec!["web/a".into()])), "files in web/** changed since 1b2c3d4");
        assert_eq!(
            why(Changed::Unknown("over 300 files changed".into())),
            "it cannot be told whether anything in web/** changed since 1b2c3d4: over 300 files changed"
        );
        assert_eq!(why(Changed::Files(vec!["docs/a".into()])), "a migration is pending");
    }

    #[test]
    fn only_a_digest_proves_what_runs() {
        let image = ImageDigest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap();
        assert!(is_told(&format!("registry/goals@{image}"), &image));
        assert!(!is_told(&format!("registry/goals@sha256:{}", "ac".repeat(32)), &image));
        assert!(!is_told("registry/goals:latest", &image), "it may be moved without a deployment");
        assert!(!is_told(&format!("registry/goals:{}", "a".repeat(40)), &image));
    }
}
