//! The tag of a service's images that others read, as the registry has it.

use crate::config::TagTemplate;
use slipway_core::environment::{FollowedTag, TagNames};
use slipway_core::ids::CommitSha;
use slipway_core::workflow::tag_of_image;
use slipway_deploy::aws::ecr::{Ecr, RegistryError};

/// Which tag that is: the one that releases move, or else the one that a target is told to run.
pub(crate) fn followed<'a>(
    repository: &str,
    promote: Option<&TagTemplate>,
    live: &CommitSha,
    images: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let of_target = |image: &'a str| {
        let tag = tag_of_image(image)?;
        let ours = image.strip_suffix(tag)?.strip_suffix(':')? == repository;
        // A tag of one commit is no name for whatever is newest.
        (ours && CommitSha::parse(tag).is_err()).then(|| tag.to_owned())
    };
    promote.map(|tag| tag.render(live)).or_else(|| images.into_iter().find_map(of_target))
}

/// What it names now; `None` where there is no such tag. As long as that is what was known, one question is enough.
pub(crate) async fn look(
    ecr: &Ecr,
    repository: &str,
    tag: &str,
    known: Option<&FollowedTag>,
) -> Result<Option<TagNames>, RegistryError> {
    let Some(digest) = ecr.image_by_tag(repository, tag).await?.map(|found| found.digest) else { return Ok(None) };
    if let Some(known) = known.filter(|known| known.names.tag == tag && known.names.digest == digest) {
        return Ok(Some(known.names.clone()));
    }
    let tags = ecr.tags_of(repository, &digest).await?;
    let commit = tags.iter().find_map(|tag| CommitSha::parse(tag).ok());
    Ok(Some(TagNames { tag: tag.to_owned(), digest, commit }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_a_target_is_told_is_followed_unless_it_is_of_one_commit() {
        let live = CommitSha::parse(&"a".repeat(40)).unwrap();
        let repository = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals";
        let of = |image: &str| followed(repository, None, &live, [image]);
        assert_eq!(of(&format!("{repository}:latest")).as_deref(), Some("latest"));
        assert_eq!(of(&format!("{repository}:{live}")), None);
        assert_eq!(of(&format!("{repository}@sha256:{}", "b".repeat(64))), None);
        assert_eq!(of("123456789012.dkr.ecr.us-west-2.amazonaws.com/other:latest"), None, "of another service");
    }
}
