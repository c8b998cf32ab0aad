//! What runs now and would run no more, because the commit of a plan does not have it.

use super::Commit;
use crate::ids::CommitSha;
use serde::{Deserialize, Serialize};

/// Commits that run now and that a deployment's commit does not have: it is of another branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakesOut {
    /// The newest of them, newest first, at most [`TakesOut::LISTED_LIMIT`].
    pub commits: Vec<Commit>,
    /// How many there are in all.
    pub total: u32,
}

impl TakesOut {
    /// How many of the commits are kept by name.
    pub const LISTED_LIMIT: usize = 20;

    /// Whether everything that runs stays in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many there are, whether or not they are listed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.commits.len().max(usize::try_from(self.total).unwrap_or(usize::MAX))
    }

    /// What of it runs where this commit does: of the listed ones, it and those before it.
    #[must_use]
    pub fn since(&self, live: &CommitSha) -> Self {
        let Some(newer) = self.commits.iter().position(|commit| commit.sha == *live) else { return Self::default() };
        let total = self.count() - newer;
        Self { commits: self.commits[newer..].to_vec(), total: u32::try_from(total).unwrap_or(u32::MAX) }
    }

    /// What is left of it where these commits have come after all.
    #[must_use]
    pub fn without(&self, commits: &[Commit]) -> Self {
        let left = self.commits.iter().filter(|out| commits.iter().all(|commit| commit.sha != out.sha));
        let left: Vec<_> = left.cloned().collect();
        let total = self.count() - (self.commits.len() - left.len());
        Self { commits: left, total: u32::try_from(total).unwrap_or(u32::MAX) }
    }

    /// What a vote is about.
    fn essence(&self) -> (usize, Vec<&CommitSha>) {
        (self.count(), self.commits.iter().map(|commit| &commit.sha).collect())
    }

    /// Adds it to what is hashed. Plans that take nothing out keep their digests.
    pub(super) fn hash_into(&self, canonical: &mut serde_json::Value) {
        if let (Some(parts), false) = (canonical.as_array_mut(), self.is_empty()) {
            parts.push(serde_json::json!({ "takes_out": self.essence() }));
        }
    }

    /// Whether it takes out nothing that `old` would not have taken out.
    pub(super) fn is_within(&self, old: &Self) -> bool {
        self.is_empty() || self.essence() == old.essence()
    }

    /// In words, to say what changed.
    pub(super) fn words(&self) -> String {
        let named: Vec<_> = self.commits.iter().map(|commit| commit.sha.short()).collect();
        match (self.count(), named.is_empty()) {
            (0, _) => "none".to_owned(),
            (count, true) => count.to_string(),
            (count, false) if count > named.len() => format!("{} and {} more", named.join(", "), count - named.len()),
            (_, false) => named.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{commit, plan, sha};
    use crate::plan::{Plan, PlanDigest};

    fn out(seeds: &[u8], total: u32) -> TakesOut {
        TakesOut { commits: seeds.iter().map(|seed| commit(*seed, Some("eve"))).collect(), total }
    }

    fn digest(takes_out: TakesOut) -> PlanDigest {
        Plan { takes_out, ..plan() }.digest()
    }

    #[test]
    fn a_vote_is_about_what_is_taken_out_and_not_about_its_words() {
        assert_eq!(digest(TakesOut::default()), plan().digest());
        let named = digest(out(&[9, 8], 2));
        for other in [out(&[9], 1), out(&[9, 8], 3), out(&[9, 7], 2), TakesOut::default()] {
            assert_ne!(digest(other), named);
        }
        let mut reworded = out(&[9, 8], 2);
        reworded.commits[0].title.push('!');
        assert_eq!(digest(reworded), named);
    }

    #[test]
    fn a_plan_that_takes_more_out_voids_votes_and_says_so() {
        let before = plan();
        let now = Plan { takes_out: out(&[9, 8], 5), ..plan() };
        assert!(!now.shrinks(&before) && before.shrinks(&now));
        assert!(Plan { takes_out: TakesOut::default(), ..plan() }.shrinks(&before));
        let changes = now.changes_from(&before);
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        let said = (change.what.as_str(), change.from.as_str(), change.to.as_str());
        assert_eq!(said, ("commits that are taken out", "none", "0909090, 0808080 and 3 more"));
    }

    #[test]
    fn further_on_only_what_runs_there_is_taken_out() {
        let out = out(&[9, 8, 7], 5);
        let since = out.since(&sha(8));
        assert_eq!((since.commits.len(), since.total, since.commits[0].sha.clone()), (2, 4, sha(8)));
        assert!(out.since(&sha(1)).is_empty(), "what runs there is none of them");
        let left = out.without(&[commit(9, None), commit(7, None)]);
        assert_eq!((left.commits.len(), left.total), (1, 3), "two have come back with the branch");
    }

    #[test]
    fn plans_from_before_read_as_they_were() {
        let stored = serde_json::to_value(plan()).unwrap();
        assert_eq!(stored.get("takes_out"), None);
        assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), plan());
    }
}
