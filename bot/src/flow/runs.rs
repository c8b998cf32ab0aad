//! Which commit runs where Slipway has brought nothing yet.

use crate::outside::Outside;
use crate::setup::EnvironmentSetup;
use slipway_core::ids::{CommitSha, ImageDigest};
use slipway_core::plan::PlannedImage;
use slipway_deploy::aws::ecr::{Ecr, RegistryError};

/// The digest in an image as a target names it; `None` where it is named by a tag.
pub(crate) fn digest_in(image: &str) -> Option<ImageDigest> {
    image.split_once('@').and_then(|(_, digest)| ImageDigest::parse(digest).ok())
}

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

/// What an image is by content: as a target names it, or by what its tag means now; `None` where that cannot be told.
pub(crate) async fn image_of(ecr: &Ecr, image: &str) -> Result<Option<PlannedImage>, RegistryError> {
    let by = |repository: &str, digest, tag: &str, pushed_at| PlannedImage {
        repository: repository.to_owned(),
        digest,
        tag: tag.to_owned(),
        pushed_at,
    };
    if let Some((repository, digest)) = image.split_once('@') {
        return Ok(ImageDigest::parse(digest).ok().map(|digest| by(repository, digest, "", None)));
    }
    let Some((repository, tag)) = image.rsplit_once(':') else { return Ok(None) };
    let found = ecr.image_by_tag(repository, tag).await?;
    Ok(found.map(|found| by(repository, found.digest, tag, found.pushed_at)))
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
