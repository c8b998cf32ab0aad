//! What is in the way of a commit that was suggested. While it lasts the suggestion stands without a button.

use crate::environment::Lock;
use crate::gate::{Course, FACTS, Verdict};
use crate::ids::{CommitSha, EnvironmentName, PersonId};
use crate::policy::{Clears, MEMBERS, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "hindrance", rename_all = "snake_case")]
pub enum Hindrance {
    /// Somebody holds the environment.
    Locked {
        /// Who.
        owner: PersonId,
        /// Why. Untrusted text.
        reason: String,
        /// Until when; `None` is until unlocked.
        until: Option<Timestamp>,
    },
    /// A rule, and not only for want of approvals.
    Policy {
        /// In policy's words.
        what: String,
        /// The first moment at which it does not, where time alone is in the way and that can be told.
        until: Option<Timestamp>,
    },
    /// Nobody may ask for it.
    Refused {
        /// Which rule forbids it, in policy's words; `None`: none permits it.
        what: Option<String>,
    },
    /// Something serves there that was deployed past Slipway.
    PastSlipway {
        /// Where: in this environment or in the one before.
        environment: EnvironmentName,
    },
    /// Its health in the environment before is not confirmed.
    Unverified,
    /// Something newer runs already where it would go.
    Newer {
        /// What.
        live: CommitSha,
    },
    /// The configuration wants no suggestions.
    Off,
}

/// Whether a commit that was suggested could go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing is in its way but approvals and its place in the queue.
    Open,
    /// This is.
    Closed(Hindrance),
    /// It cannot be told now: what was said before stands.
    Unknown,
}

impl Way {
    /// What a verdict means for a suggestion that was made. `lock`: that of the environment.
    ///
    /// A release that runs there, or waits, closes nothing: behind it there is a place in the queue.
    #[must_use]
    pub fn of(verdict: &Verdict, lock: Option<&Lock>) -> Self {
        if matches!(verdict.course(), Course::NothingToDo | Course::DryRun) {
            return Self::Unknown;
        }
        if verdict.course() == Course::Deny {
            return Self::refused(verdict.reasons());
        }
        let mut closing = verdict.reasons().iter().filter(|reason| !is_not_known(reason));
        match closing.find_map(|reason| hindrance(reason, lock)) {
            Some(hindrance) => Self::Closed(hindrance),
            None if verdict.reasons().iter().any(is_not_known) => Self::Unknown,
            None => Self::Open,
        }
    }

    /// Nobody may ask, by these rules; none where no rule permits it.
    #[must_use]
    pub fn refused(forbidding: &[Reason]) -> Self {
        let what = forbidding.first().map(|reason| reason.why.clone());
        Self::Closed(Hindrance::Refused { what })
    }
}

/// What could not be looked up is no no of anybody's.
fn is_not_known(reason: &Reason) -> bool {
    [MEMBERS, FACTS].contains(&reason.id.as_str())
}

fn hindrance(reason: &Reason, lock: Option<&Lock>) -> Option<Hindrance> {
    let until = match &reason.clears {
        Clears::Votes { .. } | Clears::Release { .. } => return None,
        Clears::Unlock { owner, until } => {
            let reason = lock.map(|lock| lock.reason.clone()).unwrap_or_default();
            return Some(Hindrance::Locked { owner: owner.clone(), reason, until: *until });
        }
        Clears::Time { at } => *at,
        Clears::Withdrawal { .. } | Clears::Facts | Clears::Soak { .. } | Clears::Nothing => None,
    };
    Some(Hindrance::Policy { what: reason.why.clone(), until })
}
