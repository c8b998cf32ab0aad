//! A tag of the service's images that others read: noticed when somebody moves it past Slipway. What runs is another question.

use super::Environment;
use crate::ids::{CommitSha, ImageDigest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a tag was found to name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagNames {
    /// The tag. Outside text.
    pub tag: String,
    /// The image that it leads to.
    pub digest: ImageDigest,
    /// The commit that another tag of the same image names. Nothing else says what it was built of.
    pub commit: Option<CommitSha>,
}

/// A tag that others read, as it was seen last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedTag {
    /// What it names.
    #[serde(flatten)]
    pub names: TagNames,
    /// Since when that is somebody else's doing; `None` while it is as Slipway left or found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Timestamp>,
    /// When a release had moved it: a look that began before may have seen what it named until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Timestamp>,
}

impl FollowedTag {
    /// As Slipway found it first.
    #[must_use]
    pub fn known(names: TagNames) -> Self {
        Self { names, moved_at: None, known_at: None }
    }

    /// As a release has left it.
    #[must_use]
    pub fn left(names: TagNames, at: Timestamp) -> Self {
        Self { names, moved_at: None, known_at: Some(at) }
    }
}

impl Environment {
    /// How the tag stands after a look, where that differs from what was known. `ours`: the images that releases of the service
    /// may have moved it to, in whichever environment. `at`: the moment before the look. What it named when it was seen first is
    /// nobody's doing.
    #[must_use]
    pub fn tag_after(&self, names: &TagNames, ours: &BTreeSet<ImageDigest>, at: Timestamp) -> Option<FollowedTag> {
        let live = self.live.as_ref()?;
        let known = self.tag.as_ref().filter(|known| known.names.tag == names.tag);
        if known.is_some_and(|known| known.names.digest == names.digest) {
            return None;
        }
        let known_at = known.and_then(|known| known.known_at);
        if known_at.is_some_and(|known_at| at <= known_at) {
            return None;
        }
        let is_ours = names.digest == live.image || ours.contains(&names.digest);
        let moved_at = known.filter(|_| !is_ours).map(|known| known.moved_at.unwrap_or(at));
        Some(FollowedTag { names: names.clone(), moved_at, known_at })
    }
}

/// The images that a tag may name because of Slipway: what is live in the service's environments, and what it was seen to name
/// in those of them that move it too.
pub fn tagged_by_slipway<'a>(
    environments: impl IntoIterator<Item = &'a Environment>,
    tag: &str,
) -> BTreeSet<ImageDigest> {
    let images = |environment: &'a Environment| {
        let known = environment.tag.as_ref().filter(|known| known.names.tag == tag && known.moved_at.is_none());
        let live = environment.live.as_ref().map(|live| live.image.clone());
        live.into_iter().chain(known.map(|known| known.names.digest.clone()))
    };
    environments.into_iter().flat_map(images).collect()
}

/// Writes down what a look says. While a run may be moving it, nothing can be said.
pub(super) fn seen(next: &mut Environment, names: &TagNames, ours: &BTreeSet<ImageDigest>, at: Timestamp) {
    let can_be_judged = next.running.is_none() && next.changed_at.is_none_or(|changed| changed < at);
    if let Some(tag) = next.tag_after(names, ours, at).filter(|_| can_be_judged) {
        next.tag = Some(tag);
    }
}
