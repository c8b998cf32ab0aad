//! What the policy is asked, and what it answers.

use super::past::Past;
use crate::facts::Facts;
use crate::ids::{CommitSha, EnvironmentName, PersonId, ReleaseId, ServiceName, TeamName};
use crate::person::{Directory, Person};
use crate::plan::{Plan, PlanDigest, PlanKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The id of the default rule against what is known to be bad.
const KNOWN_BAD: &str = "known-bad";

/// What somebody wants to do, before there is a plan.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// Who asks.
    pub person: &'a Person,
    /// For which service.
    pub service: &'a ServiceName,
    /// Where to.
    pub environment: &'a EnvironmentName,
    /// Deploy or rollback (Cedar action `request` or `rollback`).
    pub kind: PlanKind,
}

/// Approval or veto.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    /// For.
    Approve,
    /// Against: blocks until withdrawn.
    Veto,
}

/// A vote on one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub person: PersonId,
    /// Which way.
    pub stance: Stance,
    /// On which plan.
    pub digest: PlanDigest,
    /// When.
    pub at: Timestamp,
}

/// Somebody sets rules aside in an emergency, for one plan: breaks the glass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Who.
    pub by: PersonId,
    /// The incident that it is for. Untrusted text.
    pub incident: String,
    /// Why it cannot wait. Untrusted text.
    pub reason: String,
    /// For which plan. On any other it does not count.
    pub digest: PlanDigest,
    /// When.
    pub at: Timestamp,
}

/// Everything the policy may look at to judge a planned release.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The release.
    pub release: &'a ReleaseId,
    /// Who asked for it, as the directory has them now; `None` when they are no longer known (deny).
    pub requester: Option<&'a Person>,
    /// What would happen.
    pub plan: &'a Plan,
    /// All votes; those on another digest do not count.
    pub votes: &'a [Vote],
    /// Rules set aside by somebody; counts if it is for this plan, by somebody who still may.
    pub waiver: Option<&'a Override>,
    /// Facts of the outside.
    pub facts: &'a Facts,
    /// What Slipway knows of the image's past.
    pub past: &'a Past,
    /// Everybody.
    pub people: &'a Directory,
    /// The moment to judge.
    pub now: Timestamp,
    /// The environment's time zone, an IANA name.
    pub timezone: &'a str,
}

/// What policy says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Allow,
    /// No, for every one of these reasons.
    Deny {
        /// At least one.
        reasons: Vec<Reason>,
    },
}

impl Decision {
    /// Whether it is a yes.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow)
    }

    /// The reasons of a no.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Allow => &[],
            Self::Deny { reasons } => reasons,
        }
    }
}

/// One reason for a no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The `@id` of the policy, or a name of the host's own (`no-permit`, `policy-error`, `locked`, `busy`).
    pub id: String,
    /// The `@why` of the policy: one sentence for people.
    pub why: String,
    /// What would clear it.
    pub clears: Clears,
    /// Whether an override would set it aside, which is never the first way out.
    #[serde(default)]
    pub overridable: bool,
}

impl Reason {
    /// A reason that no override sets aside.
    pub fn new(id: impl Into<String>, why: impl Into<String>, clears: Clears) -> Self {
        Self { id: id.into(), why: why.into(), clears, overridable: false }
    }

    /// Whether it is certain that neither votes nor time clear it: somebody has to mend something first, or to override it.
    /// What nothing is known to clear may want votes and an override together.
    #[must_use]
    pub fn needs_mending(&self) -> bool {
        match &self.clears {
            Clears::Nothing => self.overridable || self.is_known_bad(),
            Clears::Soak { ahead, .. } => ahead.is_some(),
            _ => false,
        }
    }

    /// Whether it is the default rule's against what is known to be bad.
    #[must_use]
    pub fn is_known_bad(&self) -> bool {
        crate::together::rule(self) == KNOWN_BAD
    }
}

/// What would make a reason go away. Found by asking the policy again, never written by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Clears {
    /// More approvals.
    Votes {
        /// What is missing, by team.
        missing: Vec<Slot>,
    },
    /// The withdrawal of a veto.
    Withdrawal {
        /// Whose.
        by: Vec<PersonId>,
    },
    /// Other facts, such as a green CI run.
    Facts,
    /// Serving in the environment that comes before this one: the image does not, or not for long enough.
    Soak {
        /// That environment.
        environment: EnvironmentName,
        /// Where that has moved on to a commit that contains the release's: no deployment brings it there any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ahead: Option<Ahead>,
    },
    /// Waiting until this moment.
    Time {
        /// The first moment at which it would be allowed, when that could be found.
        at: Option<Timestamp>,
    },
    /// The end of a lock.
    Unlock {
        /// Who holds it.
        owner: PersonId,
        /// When it ends by itself.
        until: Option<Timestamp>,
    },
    /// The end of another release.
    Release {
        /// Which.
        id: ReleaseId,
    },
    /// Nothing that can happen to this release.
    Nothing,
}

/// What can go on instead of a commit that has been passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// The newer commit.
    pub commit: CommitSha,
    /// Where it could go.
    pub to: EnvironmentName,
}

/// Approvals of one team that are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The team.
    pub team: TeamName,
    /// How many more.
    pub missing: u32,
    /// Who could give them: members whose vote would be allowed and has not been given. Empty: nobody can.
    pub who: Vec<PersonId>,
    /// What would do instead of them, each alone and by people who are there, where the rule leaves a choice between teams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<Slot>,
}
