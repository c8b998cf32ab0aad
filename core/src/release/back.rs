//! Going back: in which order, what is live afterwards, what must not be gone back to.

use super::state::{Outcome, Release, RequestKind, Step, StepState};
use crate::ids::{CommitSha, PersonId, ReleaseId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A mark on what a release brought: no rollback goes back to that commit, and nothing brings it anywhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBad {
    /// Who says so.
    pub by: PersonId,
    /// Why. Untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What follows where a failed verification is to be rolled back by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rollback", rename_all = "snake_case")]
pub enum AutomaticRollback {
    /// A rollback was asked for in the name of whoever had asked for the release.
    Asked {
        /// The new release. It passes the gate like any other.
        release: ReleaseId,
        /// What it goes back to.
        commit: CommitSha,
    },
    /// None could be.
    Not {
        /// Why, as one sentence. May name what people typed: untrusted.
        why: String,
    },
}

/// The order of a rollback that takes migrations back: only when the older version is known to be well.
const MIGRATES_LAST: [Step; 5] = [Step::Ci, Step::Image, Step::Deploy, Step::Verify, Step::Migrate];

impl Release {
    /// Whether its migrations are run after its deployment: they are taken back for an older version.
    #[must_use]
    pub fn migrates_last(&self) -> bool {
        matches!(self.request.kind, RequestKind::Rollback { migrations: true, .. })
    }

    /// The release that brought what a rollback leaves, as far as Slipway brought it.
    #[must_use]
    pub fn went_from(&self) -> Option<&ReleaseId> {
        match &self.request.kind {
            RequestKind::Rollback { from, .. } => from.as_ref(),
            RequestKind::Deploy
            | RequestKind::Retry { .. }
            | RequestKind::Migrate { .. }
            | RequestKind::Config { .. }
            | RequestKind::Ship { .. } => None,
        }
    }

    /// Whether it brings back what ran before Slipway's first release there.
    #[must_use]
    pub fn brings_what_ran_before(&self) -> bool {
        matches!(self.request.kind, RequestKind::Rollback { before: true, .. })
    }

    /// The commit that ran before it, where its plan saw that very one on every target.
    #[must_use]
    pub fn ran_before(&self) -> Option<&CommitSha> {
        let plan = self.plan.as_ref()?;
        let base = plan.base.as_ref()?;
        let everywhere = plan.targets.iter().all(|target| target.runs.as_ref() == Some(base));
        (!plan.targets.is_empty() && everywhere).then_some(base)
    }

    /// Its steps in the order in which they run.
    #[must_use]
    pub fn order(&self) -> [Step; 5] {
        if self.migrates_last() { MIGRATES_LAST } else { Step::ALL }
    }

    /// The step after one of them.
    #[must_use]
    pub fn step_after(&self, step: Step) -> Option<Step> {
        self.order().into_iter().skip_while(|other| *other != step).nth(1)
    }

    /// Whether what it brought runs now, and then whether it was verified: that may be so although it failed, or was
    /// cancelled, later.
    #[must_use]
    pub fn brought_live(&self) -> Option<bool> {
        let outcome = self.outcome.as_ref()?;
        if *outcome == Outcome::Live || self.steps.get(Step::Verify).state == StepState::Succeeded {
            return Some(true);
        }
        matches!(outcome, Outcome::Failed { step: Some(Step::Verify), .. }).then_some(false)
    }
}
