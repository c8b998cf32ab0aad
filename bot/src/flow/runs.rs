//! Which commit runs where Slipway has brought nothing yet.

use crate::outside::Outside;
use crate::setup::EnvironmentSetup;
use slipway_core::ids::{CommitSha, ImageDigest};
use slipway_deploy::aws::ecr::{Ecr, RegistryError};

/// The commit of an image as a target names it: its tag, or the tags of its digest.
pub(crate) async fn commit_of_image(ecr: &Ecr, image: &str) -> Result<Option<CommitSha>, RegistryError> {
    if let Some((repository, digest)) = image.split_once('@') {
        let Ok(digest) = ImageDigest::parse(digest) else { return Ok(None) };
        let tags = ecr.tags_of(repository, &digest).await?;
        return Ok(tags.iter().find_map(|tag| CommitSha::parse(tag).ok()));
    }
    let tag = image.rsplit_once(':').map(|(_, tag)| tag);
    Ok(tag.and_then(|tag| CommitSha::parse(tag).ok()))
}

/// What the environment's first target runs, where that can be told.
pub(super) async fn what_runs(outside: &Outside, environment: &EnvironmentSetup) -> Option<CommitSha> {
    let target = environment.targets.first()?;
    let client = outside.target(&target.kind).ok()?;
    let image = match client.observe(&target.id).await {
        Ok(observed) => observed.image_identifier,
        Err(error) => {
            tracing::info!(%error, target = target.id, "what runs cannot be told");
            return None;
        }
    };
    commit_of_image(&outside.ecr, &image).await.ok().flatten()
}
