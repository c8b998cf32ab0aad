//! What happens to a release.

use super::back::{AutomaticRollback, KnownBad};
use super::state::{Failure, Step};
use crate::facts::Facts;
use crate::gate::Verdict;
use crate::ids::{CommitSha, PersonId, ReleaseId};
use crate::plan::Plan;
use crate::policy::{Override, Vote};
use crate::pull::Shipped;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that happened. Stored for ever: a new field needs a default, a changed meaning a new name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was asked for.
    Requested,
    /// The reference means this commit.
    Resolved {
        /// The commit.
        commit: CommitSha,
        /// The branch whose head it is, if it is one's.
        branch: Option<String>,
    },
    /// CI or the image are not ready yet.
    BuildProgress {
        /// How they stand.
        progress: BuildProgress,
    },
    /// CI is green (or policy may decide about it) and the image is there.
    BuildReady,
    /// There is no image and nothing that would make one.
    BuildMissing {
        /// When.
        at: Timestamp,
    },
    /// The build was started.
    Dispatched {
        /// Its run.
        run: u64,
        /// The tag that was made for it, to be removed after it.
        #[serde(default)]
        temporary_tag: Option<String>,
    },
    /// Plan and facts as they are now.
    Planned {
        /// The plan.
        plan: Box<Plan>,
        /// The facts.
        facts: Facts,
    },
    /// Planning cannot go on. `step` says which of the steps it would have been.
    PlanningFailed {
        /// `ci` or `image` when the build is at fault.
        step: Option<Step>,
        /// How.
        failure: Failure,
        /// When.
        at: Timestamp,
    },
    /// The gate has looked at it.
    Judged {
        /// What it said.
        verdict: Box<Verdict>,
    },
    /// Somebody voted; policy has allowed that.
    Voted {
        /// The vote.
        vote: Vote,
    },
    /// Somebody took their vote back.
    Withdrawn {
        /// Who.
        person: PersonId,
    },
    /// Somebody set rules aside for the plan; policy has allowed that.
    Overridden {
        /// Who, for which plan and why.
        waiver: Override,
    },
    /// News of the running step.
    Progress {
        /// Which step.
        step: Step,
        /// One line. Untrusted.
        detail: String,
        /// How far, in thousandths.
        permille: Option<u16>,
    },
    /// The target has begun an operation.
    DeployStarted {
        /// Which target.
        target: usize,
        /// The operation.
        operation: String,
    },
    /// The running step is done.
    StepSucceeded {
        /// Which.
        step: Step,
        /// One line. Untrusted.
        detail: String,
        /// When.
        at: Timestamp,
    },
    /// The running step did not work.
    StepFailed {
        /// Which.
        step: Step,
        /// How.
        failure: Failure,
        /// Whether the platform put the old version back.
        rolled_back: bool,
        /// When.
        at: Timestamp,
    },
    /// The running step was broken off because somebody wants the release stopped.
    StepStopped {
        /// Which.
        step: Step,
        /// What it leaves behind, a line each. Untrusted.
        details: Vec<String>,
        /// When.
        at: Timestamp,
    },
    /// Somebody wants it stopped.
    CancelRequested {
        /// Who.
        by: PersonId,
        /// Whether the running step has begun to change something.
        begun: bool,
        /// When.
        at: Timestamp,
    },
    /// Its time to be approved is over.
    TimedOut {
        /// When.
        at: Timestamp,
    },
    /// A newer request contains it.
    Superseded {
        /// That request.
        by: ReleaseId,
        /// Who made it.
        #[serde(default)]
        requester: Option<PersonId>,
        /// When.
        at: Timestamp,
    },
    /// Somebody says after its end that what it brought is bad; policy has allowed that.
    MarkedBad {
        /// The mark.
        mark: KnownBad,
    },
    /// Somebody takes that back.
    MarkRemoved {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
    /// Its verification failed where the environment is set to roll back then.
    AutomaticRollback {
        /// What came of it.
        rollback: AutomaticRollback,
    },
    /// The planned tag names the image now, or could not be moved.
    Promoted {
        /// Which tag.
        tag: String,
        /// Why it does not. Untrusted.
        problem: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// The pull request that is to be shipped was looked at.
    PullSeen {
        /// How it stands.
        pull: Box<Shipped>,
    },
    /// Nothing is missing for its merge.
    PullReady {
        /// How it stands.
        pull: Box<Shipped>,
        /// When.
        at: Timestamp,
    },
    /// It was not merged, and it is waited for what is missing.
    PullWaits {
        /// How it stands.
        pull: Box<Shipped>,
        /// When.
        at: Timestamp,
    },
    /// It is merged, by Slipway or by somebody else.
    PullMerged {
        /// With its merge.
        pull: Box<Shipped>,
        /// When that was seen.
        at: Timestamp,
    },
    /// Another release of its group ended otherwise than well.
    LeftOut {
        /// That release.
        because_of: ReleaseId,
        /// How it ended, in a few words. Untrusted.
        why: String,
        /// Who stopped it, else Slipway.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
    /// Something that the plan needs cannot be read at the moment. It is tried again.
    GatherHeld {
        /// What, and why. Untrusted.
        why: String,
    },
    /// The mark that held it was taken away: what was approved before that does not start it by itself.
    VotesVoid {
        /// Who took the mark away.
        by: PersonId,
        /// When. Older stores lack it.
        #[serde(default)]
        at: Option<Timestamp>,
    },
}

impl Event {
    /// The name, for logs and the audit.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Resolved { .. } => "resolved",
            Self::BuildProgress { .. } => "build_progress",
            Self::BuildReady => "build_ready",
            Self::BuildMissing { .. } => "build_missing",
            Self::Dispatched { .. } => "dispatched",
            Self::Planned { .. } => "planned",
            Self::PlanningFailed { .. } => "planning_failed",
            Self::Judged { .. } => "judged",
            Self::Voted { .. } => "voted",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Overridden { .. } => "overridden",
            Self::Progress { .. } => "progress",
            Self::DeployStarted { .. } => "deploy_started",
            Self::StepSucceeded { .. } => "step_succeeded",
            Self::StepFailed { .. } => "step_failed",
            Self::StepStopped { .. } => "step_stopped",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::TimedOut { .. } => "timed_out",
            Self::Superseded { .. } => "superseded",
            Self::MarkedBad { .. } => "marked_bad",
            Self::MarkRemoved { .. } => "mark_removed",
            Self::AutomaticRollback { .. } => "automatic_rollback",
            Self::Promoted { .. } => "promoted",
            Self::PullSeen { .. } => "pull_seen",
            Self::PullReady { .. } => "pull_ready",
            Self::PullWaits { .. } => "pull_waits",
            Self::PullMerged { .. } => "pull_merged",
            Self::LeftOut { .. } => "left_out",
            Self::GatherHeld { .. } => "gather_held",
            Self::VotesVoid { .. } => "votes_void",
        }
    }

    /// Whether it is only news for the message: such events are not audited.
    #[must_use]
    pub fn is_progress(&self) -> bool {
        matches!(
            self,
            Self::Progress { .. } | Self::BuildProgress { .. } | Self::PullSeen { .. } | Self::GatherHeld { .. }
        )
    }
}

/// How CI and the image stand while planning waits for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildProgress {
    /// One line: `run 4211: build image, 2 of 3 jobs done`. Untrusted.
    pub detail: String,
    /// How far, in thousandths.
    pub permille: Option<u16>,
    /// The run's page.
    pub url: Option<String>,
    /// The run's jobs, at most [`BuildProgress::JOBS_LIMIT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<BuildJob>,
}

impl BuildProgress {
    /// How many jobs are kept.
    pub const JOBS_LIMIT: usize = 50;
}

/// A job of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildJob {
    /// Its name. Untrusted.
    pub name: String,
    /// Where it stands, in a word: `queued`, `running`, `passed`, `failed`.
    pub state: BuildJobState,
    /// Its page.
    pub url: Option<String>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildJobState {
    /// Not begun.
    Queued,
    /// Under way.
    Running,
    /// Done, or not needed.
    Passed,
    /// Did not work.
    Failed,
}
