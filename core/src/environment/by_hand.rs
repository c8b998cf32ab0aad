//! What somebody brings to an environment past Slipway: noticed by looking at what its targets are told to run.

use super::{Effect, Environment, Stay, TagNames, judge_waiting};
use crate::ids::{CommitSha, ImageDigest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What one target was found to run. All of its text is of the outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRuns {
    /// The service's name at the target.
    pub target: String,
    /// The image as the target is told it: by digest, or by a tag.
    pub image: String,
    /// What that is by content, as far as the registry tells.
    pub digest: Option<ImageDigest>,
    /// The commit that it was built of, as far as its tags tell.
    pub commit: Option<CommitSha>,
    /// The newest operation there, in a few words.
    pub operation: Option<String>,
}

impl TargetRuns {
    /// What runs, as short as it can be named. Outside text.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.commit, &self.digest) {
            (Some(commit), _) => commit.short().to_owned(),
            (None, Some(digest)) => digest.short(),
            (None, None) => self.image.rsplit('/').next().unwrap_or(&self.image).to_owned(),
        }
    }
}

/// What somebody brought past Slipway, and serves now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// What runs, and where it was seen.
    #[serde(flatten)]
    pub runs: TargetRuns,
    /// When it was noticed: what Slipway had brought served until then, as far as anybody knows.
    pub noticed_at: Timestamp,
}

/// A look at what all targets of an environment run, while none of them is being changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// One a target, in the order of the configuration.
    pub runs: Vec<TargetRuns>,
    /// The moment before the look.
    pub at: Timestamp,
    /// What the tag names that others read, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagNames>,
}

impl Environment {
    /// The first target that runs neither what Slipway brought last nor what one of its runs since has left there. Where a tag
    /// alone is moved under what somebody had brought, that runs all the same.
    fn stranger<'l>(&self, look: &'l Look, ours: &BTreeSet<ImageDigest>) -> Option<&'l TargetRuns> {
        let live = self.live.as_ref()?;
        let is_ours = |digest: &ImageDigest| *digest == live.image || ours.contains(digest);
        let is_still_theirs =
            |runs: &TargetRuns| self.by_hand.as_ref().is_some_and(|by_hand| is_left_alone(runs, &by_hand.runs));
        look.runs.iter().find(|runs| is_still_theirs(runs) || !runs.digest.as_ref().is_some_and(is_ours))
    }

    /// Whether a look says something of the environment that is not written down yet.
    #[must_use]
    pub fn is_news(&self, look: &Look, ours: &BTreeSet<ImageDigest>) -> bool {
        if !self.can_be_judged_by(look) {
            return false;
        }
        match (self.stranger(look, ours), &self.by_hand) {
            (None, None) => false,
            (Some(seen), Some(known)) => !is_same(seen, &known.runs),
            (Some(_), None) | (None, Some(_)) => true,
        }
    }

    /// A run changes what is there, and a look that began before its end may have seen it half done. Of what Slipway never
    /// released to it cannot be told who brought it.
    fn can_be_judged_by(&self, look: &Look) -> bool {
        self.live.is_some() && self.running.is_none() && self.changed_at.is_none_or(|changed| changed < look.at)
    }
}

/// By a tag that is moved nothing is deployed: the target runs what the tag named then.
fn is_left_alone(now: &TargetRuns, before: &TargetRuns) -> bool {
    now.target == before.target && now.image == before.image && now.operation == before.operation
}

fn is_same(one: &TargetRuns, other: &TargetRuns) -> bool {
    if one.image == other.image && one.operation == other.operation {
        return true;
    }
    match (&one.digest, &other.digest) {
        (Some(one), Some(other)) => one == other,
        _ => one.image == other.image,
    }
}

/// Writes down what a look says. Whoever waits is judged again: their plans were made for another version.
pub(super) fn looked(next: &mut Environment, look: &Look, ours: &BTreeSet<ImageDigest>) -> Vec<Effect> {
    if !next.is_news(look, ours) {
        return vec![];
    }
    let stranger = next.stranger(look, ours).cloned();
    let was = std::mem::replace(&mut next.by_hand, stranger.map(|runs| ByHand { runs, noticed_at: look.at }));
    // What Slipway had brought serves again, and has to soak anew.
    if let (None, Some(was)) = (&next.by_hand, was) {
        let served =
            next.live.clone().filter(|live| look.runs.iter().all(|runs| runs.digest.as_ref() == Some(&live.image)));
        if let Some(live) = served {
            next.stayed(live, was.noticed_at);
            next.live = next.live.take().map(|live| super::Live { since: look.at, ..live });
        }
    }
    next.changed_at = Some(look.at);
    judge_waiting(next)
}

impl Environment {
    /// An image that ran here has been replaced.
    pub(super) fn stayed(&mut self, live: super::Live, until: Timestamp) {
        self.stays.insert(0, Stay { live, until });
        self.stays.truncate(super::STAYS_LIMIT);
    }
}
