//! What a look at a branch saw.

use super::Why;
use crate::facts::CiState;
use crate::ids::CommitSha;
use serde::{Deserialize, Serialize};

/// How many commits after what is live a look takes in, the newest ones.
pub const COMMITS_LIMIT: usize = 100;

/// A branch beside what was live when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Which branch. Untrusted text.
    pub branch: String,
    /// What was live.
    pub base: Option<CommitSha>,
    /// Its newest commit; `None`: there is no such branch.
    pub head: Option<CommitSha>,
    /// How it stands to what was live.
    pub standing: Standing,
    /// The commits after what was live, newest first, at most [`COMMITS_LIMIT`] of them.
    pub commits: Vec<Seen>,
    /// How many there are in all.
    pub total: u32,
}

/// How a branch stands to what is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It goes on from there, or ends there.
    Ahead,
    /// What is live contains it.
    Behind,
    /// What is live is not on it.
    Diverged,
    /// It is not known what is live: its newest commit is the only one that is looked at.
    Unknown,
}

/// A commit of the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The commit.
    pub sha: CommitSha,
    /// Its author, as GitHub or git has them. Untrusted text.
    pub author: String,
    /// How CI stands; `None`: not looked at.
    pub ci: Option<CiState>,
    /// Whether it is known that nothing differs between what was live and it that concerns the service.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untouched: bool,
}

impl Sight {
    /// Whether the newest commit that CI has an opinion of is red; `None`: of none.
    #[must_use]
    pub fn is_red(&self) -> Option<bool> {
        let settled = self.commits.iter().filter_map(|commit| commit.ci);
        let mut settled = settled.filter(|ci| matches!(ci, CiState::Red | CiState::Green));
        settled.next().map(|ci| ci == CiState::Red)
    }

    /// Why nothing of it can begin, where that is so.
    pub(super) fn why_not(&self) -> Option<Why> {
        match (&self.head, self.standing, &self.base) {
            (None, _, _) => Some(Why::Gone { branch: self.branch.clone() }),
            (Some(head), Standing::Diverged, Some(live)) => {
                Some(Why::Diverged { live: live.clone(), branch: self.branch.clone(), head: head.clone() })
            }
            _ => None,
        }
    }
}
