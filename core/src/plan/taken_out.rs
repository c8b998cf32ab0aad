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
