//! Which commit begins.

use super::{Begun, Seen, Sight};
use crate::facts::CiState;
use crate::ids::CommitSha;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How many red commits are named with a release that brings them too.
pub const PASSED_NAMED_LIMIT: usize = 3;

/// A commit to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The commit.
    pub commit: CommitSha,
    /// The branch it is on. Untrusted text.
    pub branch: String,
    /// Its author. Untrusted text.
    pub author: String,
    /// What ships with it and is not green by itself, newest first.
    pub passed: Vec<Passed>,
    /// How many commits it brings, where that is more than are wanted at once.
    pub over_cap: Option<(usize, usize)>,
}

/// An older commit that ships with a newer one, and is not green by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The commit.
    pub commit: CommitSha,
    /// How its CI stands.
    pub ci: CiState,
}

impl Choice {
    /// Why it begins, in one line. Holds text of the outside.
    #[must_use]
    pub fn reason(&self) -> String {
        let mut text = format!("{} is green at {}", self.branch, self.commit.short());
        if !self.author.is_empty() {
            let _ = write!(text, " (by {})", self.author);
        }
        if let Some((count, cap)) = self.over_cap {
            let _ = write!(text, "; {count} commits at once instead of {cap}, as none of the first {cap} is green");
        }
        text.push_str(&self.brings_too());
        text
    }

    /// What else it brings that is not green by itself. That is no mistake, as the newest holds all of it and is green;
    /// only those that are red are worth a name.
    fn brings_too(&self) -> String {
        let mut text = match &self.passed[..] {
            [] => return String::new(),
            [Passed { commit, ci: CiState::Red }] => return format!("; brings {} too, red by itself", commit.short()),
            [one] => return format!("; brings {} too, not green by itself", one.commit.short()),
            all => format!("; brings {} older ones not green", all.len()),
        };
        let red = || self.passed.iter().filter(|passed| passed.ci == CiState::Red);
        for (i, passed) in red().take(PASSED_NAMED_LIMIT).enumerate() {
            let _ = write!(text, "{} {}", if i == 0 { "; red:" } else { "," }, passed.commit.short());
        }
        let more = red().count().saturating_sub(PASSED_NAMED_LIMIT);
        if more > 0 {
            let _ = write!(text, " and {more} more");
        }
        text
    }
}

/// The newest green commit after what is live and after what has begun already; with a cap the newest of the first so many,
/// or, where none of those is green, the first that is. A commit that is known to bring nothing to the service begins
/// nothing, and neither do those before it: what counts begins after the newest of these.
pub(super) fn choose(sight: &Sight, cap: Option<usize>, begun: &[Begun], bad: &BTreeSet<CommitSha>) -> Option<Choice> {
    let has_begun = |sha: &CommitSha| begun.iter().any(|begun| begun.commit == *sha);
    let is_over = |commit: &Seen| has_begun(&commit.sha) || commit.untouched;
    let new = sight.commits.iter().position(is_over).unwrap_or(sight.commits.len());
    let new = &sight.commits[..new];
    // Of more commits than were looked at, those right after what is live are not among them.
    let unseen = usize::try_from(sight.total).unwrap_or(usize::MAX).saturating_sub(sight.commits.len());
    let unseen = if new.len() == sight.commits.len() { unseen } else { 0 };
    let is_good = |at: &usize| new[*at].ci == Some(CiState::Green) && !bad.contains(&new[*at].sha);
    // How many commits ship with the one at this place.
    let brings = |at: usize| (new.len() - at).saturating_add(unseen);
    let at = match cap {
        None => (0..new.len()).find(is_good)?,
        Some(cap) => {
            let within = (0..new.len()).filter(|at| brings(*at) <= cap).find(is_good);
            within.or_else(|| (0..new.len()).rev().find(is_good))?
        }
    };
    let chosen = &new[at];
    let passed = new[at + 1..].iter().filter_map(|commit| {
        let ci = commit.ci.filter(|ci| *ci != CiState::Green)?;
        Some(Passed { commit: commit.sha.clone(), ci })
    });
    Some(Choice {
        commit: chosen.sha.clone(),
        branch: sight.branch.clone(),
        author: chosen.author.clone(),
        passed: passed.collect(),
        over_cap: cap.filter(|cap| brings(at) > *cap).map(|cap| (brings(at), cap)),
    })
}
