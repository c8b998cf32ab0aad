//! Moving a tag to what has become live, for others who read it. It is never the means of deployment: a tag that a target
//! deploys by itself is not moved.

use super::{Done, Job, Trouble};
use serde::{Deserialize, Serialize};
use slipway_core::release::Event;
use slipway_core::workflow::tag_of_image;
use slipway_deploy::aws::ecr::PromoteError;

/// How often a move whose outcome stayed unknown is made.
const MOVES_LIMIT: u32 = 3;

/// Recorded before the registry is told anything.
#[derive(Serialize, Deserialize)]
struct PromoteIntent {
    tag: String,
    /// What the tag named before.
    from: Option<String>,
    /// What it is to name.
    to: String,
    /// How often it has been told before.
    moves_before: u32,
}

pub(super) async fn promote(job: &Job<'_>, tag: &str) -> Result<Done, Trouble> {
    let image = &job.plan()?.image;
    let told =
        |problem: Option<String>| Ok(Done::Event(Event::Promoted { tag: tag.to_owned(), problem, at: job.now() }));
    let ecr = &job.executor.outside.ecr;
    let named = ecr.image_by_tag(&image.repository, tag).await?.map(|found| found.digest);
    // Observed first: whether it was us or somebody else, it is as it should be.
    if named.as_ref() == Some(&image.digest) {
        return told(None);
    }
    let live = job.executor.store.environment(&job.release.request.key).await?.live;
    if live.is_none_or(|live| live.image != image.digest) {
        return told(Some("another image is live by now".to_owned()));
    }
    if let Some(why) = would_deploy(job, tag).await? {
        return told(Some(why));
    }
    let moves_before = job.intent::<PromoteIntent>()?.map_or(0, |intent| intent.moves_before + 1);
    if moves_before >= MOVES_LIMIT {
        return told(Some(format!("ECR was told {MOVES_LIMIT} times, and the tag does not show it")));
    }
    let (from, to) = (named.map(|digest| digest.to_string()), image.digest.to_string());
    job.intend(&serde_json::json!(PromoteIntent { tag: tag.to_owned(), from, to, moves_before })).await?;
    match ecr.promote(&image.repository, &image.digest, tag).await {
        Ok(()) => told(None),
        Err(PromoteError::Refused(why)) => {
            job.restore_intent().await?;
            told(Some(why))
        }
        Err(PromoteError::Passing(why)) => {
            job.restore_intent().await?;
            Err(Trouble::Passing(why))
        }
        // It may have happened: the intent stays, and the next try looks first.
        Err(unknown @ PromoteError::Unknown(_)) => Err(Trouble::Passing(unknown.to_string())),
    }
}

/// Why moving the tag would deploy something: some target of the service follows it.
pub(super) async fn would_deploy(job: &Job<'_>, tag: &str) -> Result<Option<String>, Trouble> {
    let service = job.service()?;
    for target in service.environments.iter().flat_map(|environment| &environment.targets) {
        let seen = job.executor.outside.target(&target.kind)?.observe(&target.id).await?;
        let same_repository = seen.image_identifier.starts_with(&format!("{}:", service.image));
        if seen.auto_deployments && same_repository && tag_of_image(&seen.image_identifier) == Some(tag) {
            let name = &seen.service_name;
            return Ok(Some(format!(
                "{name} deploys by itself whatever is pushed as {tag}, so promote = \"{tag}\" would deploy past the gate; \
                 set its deployment trigger to manual, or promote another tag"
            )));
        }
    }
    Ok(None)
}
