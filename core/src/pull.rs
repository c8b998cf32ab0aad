//! A pull request that is to be shipped: what GitHub shows of it, and what is still missing before it is merged.
//!
//! GitHub's own rules are GitHub's: nothing here stands in for them, and a merge that they refuse is refused. What is
//! asked here comes on top, so that a repository without rules is not merged into blindly either.

use crate::facts::{CiFact, CiState};
use crate::ids::CommitSha;
use crate::release::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod reviews;

#[cfg(test)]
mod tests;

pub use reviews::{Access, REVIEWERS_ASKED_LIMIT, Review};

/// How pull requests are merged.
pub const MERGE_METHOD: &str = "squash";
/// How many approvals it takes where GitHub's rules ask for fewer.
pub const APPROVALS_NEEDED: u32 = 1;
/// How many things that are missing are kept.
pub const MISSING_LIMIT: usize = 8;
/// How many names one phrase has.
const NAMES_LIMIT: usize = 3;

/// A pull request as GitHub shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its title. Untrusted text.
    pub title: String,
    /// The login of whoever opened it; `None` for an account that is gone.
    pub author: Option<String>,
    /// Its page.
    pub url: String,
    /// Whether it can still be merged, or was.
    pub state: PullState,
    /// Whether its author says that it is not ready.
    pub draft: bool,
    /// The newest commit of it.
    pub head: CommitSha,
    /// The branch that it is to be merged into.
    pub base: String,
    /// What GitHub says of merging it.
    pub mergeable: Mergeable,
}

/// Whether a pull request is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullState {
    /// It is.
    Open,
    /// It was closed without a merge.
    Closed,
    /// It was merged.
    Merged(Merge),
}

/// A merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// The commit on the branch that it made.
    pub commit: CommitSha,
    /// Whose account did it at GitHub; `None` where GitHub answered Slipway's own request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What GitHub says of merging a pull request now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mergeable {
    /// It does not know yet.
    Unknown,
    /// Nothing is in the way, or nothing that is required.
    Free,
    /// Its rules for the branch are not met.
    Blocked,
    /// The branch must be up to date first.
    Behind,
    /// There are conflicts.
    Conflicts,
}

/// What rules of the branch say, as far as the token may read them. GitHub enforces all of them at the merge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BranchRules {
    /// How many approvals are required.
    pub approvals: u32,
    /// Whether merges go through a queue.
    pub merge_queue: bool,
    /// The methods of merging that rules allow; `None` where they say nothing.
    pub methods: Option<Vec<String>>,
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The pull request.
    pub pull: Pull,
    /// Each reviewer's last word, in the order in which they came.
    pub reviews: Vec<Review>,
    /// How the required checks of its newest commit stand.
    pub checks: CiFact,
    /// The rules of its base.
    pub rules: BranchRules,
    /// The methods of merging that the repository allows; `None` where the token may not know.
    pub methods: Option<Vec<String>>,
    /// The branch that is brought to the environment.
    pub branch: String,
    /// `owner/name`.
    pub repository: String,
    /// The logins of whoever wrote and committed its newest commit, as far as GitHub knows them.
    pub made_by: Vec<String>,
}

/// What a release keeps and shows of the pull request that it ships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    /// Its number.
    pub number: u64,
    /// Its title. Untrusted text.
    pub title: String,
    /// The author's login. Untrusted text.
    #[serde(default)]
    pub author: Option<String>,
    /// Its page.
    pub url: String,
    /// The commit that was looked at, and that alone is merged.
    pub head: CommitSha,
    /// The branch that it is merged into. Untrusted text.
    pub base: String,
    /// What is missing, each a phrase, at most [`MISSING_LIMIT`]. Untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What was counted for it, each a phrase. Untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<String>,
    /// The approvals that do not count, and why, each a phrase. Untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_counted: Vec<String>,
    /// How often it was about to be merged and was not.
    #[serde(default)]
    pub refusals: u32,
    /// Its merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
}

/// Where a pull request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was merged already.
    Merged(Merge),
    /// Nothing is missing.
    Ready,
    /// Something is missing that a review, a check or a push brings.
    Waits(Vec<String>),
    /// It is not shipped as it is, and waiting would not help.
    Never(Box<Failure>),
}

impl Looked {
    /// Where it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let Pull { number, base, state, draft, .. } = &self.pull;
        let never = |failure: Failure| Standing::Never(Box::new(failure));
        if *base != self.branch {
            let what =
                format!("#{number} is to be merged into {base}, and what is deployed comes from {}.", self.branch);
            return never(Failure::new(what).next(format!("change the base of #{number} to {}", self.branch)));
        }
        match state {
            PullState::Merged(merge) => return Standing::Merged(merge.clone()),
            PullState::Closed => {
                let what = format!("#{number} is closed and was not merged.");
                return never(Failure::new(what).next("reopen it on GitHub, then ask again"));
            }
            PullState::Open => {}
        }
        if *draft {
            let what = format!("#{number} is a draft.");
            return never(Failure::new(what).next("mark it as ready for review, then ask again"));
        }
        if self.rules.merge_queue {
            let what =
                format!("Pull requests into {base} go through GitHub's merge queue, which Slipway does not go around.");
            return never(
                Failure::new(what).next(format!("put #{number} into the queue on GitHub; deploy once it is merged")),
            );
        }
        if let Some(failure) = self.method_is_not_allowed() {
            return never(failure);
        }
        match self.missing() {
            missing if missing.is_empty() => Standing::Ready,
            missing => Standing::Waits(missing),
        }
    }

    /// Whether nothing is missing but that GitHub finds out whether it can be merged.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        self.pull.mergeable == Mergeable::Unknown
    }

    fn method_is_not_allowed(&self) -> Option<Failure> {
        let not_in = |methods: &&Vec<String>| !methods.iter().any(|method| method == MERGE_METHOD);
        let (who, allowed) = match (self.methods.as_ref().filter(not_in), self.rules.methods.as_ref().filter(not_in)) {
            (Some(methods), _) => ("The repository".to_owned(), methods),
            (None, Some(methods)) => (format!("A rule for {}", self.pull.base), methods),
            (None, None) => return None,
        };
        let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(" and ") };
        let what = format!("{who} does not allow squash merges: it allows {allowed}.");
        Some(Failure::new(what).next("allow squash merging in the repository's settings, or merge it on GitHub"))
    }

    /// What is missing, people first.
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let against = self.against();
        if !against.is_empty() {
            let ask = if against.len() == 1 { "asks" } else { "ask" };
            missing.push(format!("{} {ask} for changes", names(&against)));
        }
        missing.extend(self.approvals_missing());
        missing.extend(self.checks_missing());
        let base = &self.pull.base;
        match self.pull.mergeable {
            Mergeable::Free => {}
            Mergeable::Unknown => missing.push("GitHub is still finding out whether it can be merged".to_owned()),
            Mergeable::Behind => missing.push(format!("it is behind {base}: update its branch")),
            Mergeable::Conflicts => missing.push(format!("it conflicts with {base}: resolve that")),
            Mergeable::Blocked if missing.is_empty() => {
                missing.push(format!("GitHub's rules for {base} are not met yet"));
            }
            Mergeable::Blocked => {}
        }
        missing.truncate(MISSING_LIMIT);
        missing
    }

    fn checks_missing(&self) -> Option<String> {
        let CiFact { state, total, passed, failing, .. } = &self.checks;
        match state {
            CiState::Green => None,
            CiState::Pending => Some(passed_of(*passed, *total)),
            CiState::Red => {
                let failing: Vec<_> = failing.iter().map(String::as_str).collect();
                Some(if failing.len() == 1 {
                    format!("check {} failed", names(&failing))
                } else {
                    format!("checks {} failed", names(&failing))
                })
            }
            CiState::Missing => Some(self.checks.not_run().unwrap_or_else(|| "no check has reported yet".to_owned())),
        }
    }

    /// What a release keeps of it.
    #[must_use]
    pub fn shipped(&self, refusals: u32) -> Shipped {
        let Pull { number, title, author, url, head, base, state, .. } = self.pull.clone();
        let (missing, merge) = match (self.standing(), state) {
            (Standing::Waits(missing), _) => (missing, None),
            (_, PullState::Merged(merge)) => (vec![], Some(merge)),
            _ => (vec![], None),
        };
        let mut counted = Vec::new();
        let approvals = self.approvals();
        if !approvals.is_empty() {
            counted.push(format!("approved by {}", names(&approvals)));
        }
        if self.checks.total > 0 {
            counted.push(passed_of(self.checks.passed, self.checks.total));
        }
        let not_counted = if missing.is_empty() { vec![] } else { self.not_counted() };
        Shipped { number, title, author, url, head, base, missing, counted, not_counted, refusals, merge }
    }
}

/// GitHub's logins are the same in any case of their letters.
fn same_login(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// `checks: 1 of 3 passed`.
fn passed_of(passed: u32, total: u32) -> String {
    format!("checks: {passed} of {total} passed")
}

/// `bob, chen and 2 more`.
fn names(all: &[&str]) -> String {
    let shown = all.iter().take(NAMES_LIMIT).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMES_LIMIT) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Said where a release ends without knowing whether its pull request was merged.
pub const UNCLEAR: &str = "Look on GitHub whether the pull request was merged.";

/// What GitHub did not do when it was asked to merge, as a phrase for what is missing.
#[must_use]
pub fn refused_phrase(message: &str) -> String {
    format!("GitHub did not merge it: {message}")
}

/// The end of a release that was about to merge too often in vain.
#[must_use]
pub fn refused_too_often(shipped: &Shipped, why: &str) -> Failure {
    let Shipped { number, refusals, url, .. } = shipped;
    Failure::new(format!("#{number} was ready {refusals} times, and was not merged. {why}."))
        .detail(url.clone())
        .next("look at the pull request on GitHub, then /release retry")
}

/// When the next deadline is after a merge: what was there to wait for reviews is there once more to wait for the rest.
#[must_use]
pub fn expires_after_merge(asked_at: Timestamp, expires_at: Timestamp, merged_at: Timestamp) -> Timestamp {
    merged_at.checked_add(asked_at.until(expires_at).unwrap_or_default()).unwrap_or(expires_at)
}

/// A pull request as somebody names it: `123`, `#123`, or its address, which names its repository too.
#[must_use]
pub fn named(word: &str) -> Option<(u64, Option<String>)> {
    // Slack writes an address between angle brackets.
    let word = word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(word);
    let word = word.split('|').next().unwrap_or(word);
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|number| plain && *number > 0)
    };
    let Some(rest) = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://")) else {
        return Some((number(word.strip_prefix('#').unwrap_or(word))?, None));
    };
    let rest = rest.split(['?', '#']).next()?;
    let mut parts = rest.split('/').skip(1);
    let (owner, name, pull, digits) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (pull == "pull" && !owner.is_empty() && !name.is_empty())
        .then(|| Some((number(digits)?, Some(format!("{owner}/{name}")))))?
}
