//! What a release is at one moment.

use super::back::{AutomaticRollback, KnownBad};
use super::event::BuildProgress;
use crate::facts::Facts;
use crate::gate::Verdict;
use crate::ids::{CommitSha, EnvironmentKey, PersonId, ReleaseId};
use crate::migration::Version;
use crate::plan::{Plan, PlanChange, PlanDigest, PlanKind};
use crate::policy::{Override, Vote};
use crate::pull::Shipped;
use crate::together::Together;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Which environment of which service.
    pub key: EnvironmentKey,
    /// Deploy, rollback or a retry of an earlier release.
    pub kind: RequestKind,
    /// Branch, tag or commit as typed; `None` is the default branch. Untrusted text.
    pub reference: Option<String>,
    /// Who asked.
    pub requester: PersonId,
    /// Why. Untrusted text.
    pub reason: Option<String>,
    /// Only plan, never run.
    pub dry_run: bool,
    /// Where it was asked.
    pub origin: Origin,
    /// When.
    pub at: Timestamp,
    /// After this moment it is given up unless it runs.
    pub expires_at: Timestamp,
    /// The releases that it was asked for with, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<Together>,
}

/// Why the release exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RequestKind {
    /// Somebody asked for a commit.
    Deploy,
    /// Back to what an earlier release brought.
    Rollback {
        /// That release.
        to: ReleaseId,
        /// The commit it brought.
        commit: CommitSha,
        /// The release that brought what is left, as far as Slipway brought it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<ReleaseId>,
        /// Take back, once the older version is live and verified, the migrations that it does not know.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        migrations: bool,
        /// The release whose verification failed, where nobody asked: the environment is set to roll back then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because_of: Option<ReleaseId>,
        /// Not to what that release brought, but to what ran before it: it was the first of Slipway's there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        before: bool,
    },
    /// The same request as an earlier one, pinned to the commit that it had resolved.
    Retry {
        /// The earlier release.
        of: ReleaseId,
        /// Its commit, when it had come that far.
        commit: Option<CommitSha>,
        /// Whether the failed jobs of the commit's run are run again first.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rerun: bool,
    },
    /// Only migrations: nothing is deployed.
    Migrate {
        /// Which of them.
        way: MigrateWay,
        /// The commit whose files are meant, when an earlier request had found it.
        #[serde(default)]
        commit: Option<CommitSha>,
        /// The earlier release that this is a retry of.
        #[serde(default)]
        again: Option<ReleaseId>,
    },
    /// Only the configuration: what runs is brought once more.
    Config {
        /// The commit that runs.
        commit: CommitSha,
        /// The earlier release that this is a retry of.
        #[serde(default)]
        again: Option<ReleaseId>,
    },
    /// A pull request is merged once its checks and reviews are green, and then deployed.
    Ship {
        /// Its number.
        pull: u64,
        /// The earlier release that this is a retry of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<ReleaseId>,
    },
}

/// Which migrations are run, and in which direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum MigrateWay {
    /// Apply what is pending.
    Up {
        /// Go on with a file without a transaction that an earlier run left half done: somebody has looked.
        #[serde(default)]
        goes_on: bool,
    },
    /// Take back those that were applied last.
    Down {
        /// How many.
        count: u32,
        /// In a retry: exactly these, as far as they are still applied.
        #[serde(default)]
        of: Vec<Version>,
    },
}

impl RequestKind {
    /// Whether somebody has looked at a half-done migration and wants the run to go on with it.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Migrate { way: MigrateWay::Up { goes_on: true }, .. })
    }

    /// What kind of plan it leads to.
    #[must_use]
    pub fn plan_kind(&self) -> PlanKind {
        match self {
            Self::Deploy | Self::Retry { .. } | Self::Ship { .. } => PlanKind::Deploy,
            Self::Rollback { .. } => PlanKind::Rollback,
            Self::Migrate { way: MigrateWay::Up { .. }, .. } => PlanKind::MigrateUp,
            Self::Migrate { way: MigrateWay::Down { .. }, .. } => PlanKind::MigrateDown,
            Self::Config { .. } => PlanKind::Config,
        }
    }
}

/// Where a command came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The channel, as in the configuration: `slack:C024BE91L`, `terminal:releases`.
    pub channel: String,
}

/// Where the release stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// The plan is being made.
    Planning {
        /// What it waits for.
        stage: PlanningStage,
    },
    /// Policy forbade the request.
    Denied,
    /// Votes are missing.
    AwaitingApproval,
    /// Time, a lock, a freeze or another release is in the way.
    Queued,
    /// A step runs.
    Running {
        /// Which.
        step: Step,
    },
    /// The commit is live and verified, or what was to be migrated is.
    Succeeded,
    /// It did not get there.
    Failed,
    /// The platform put the old version back.
    RolledBack,
    /// Somebody stopped it.
    Cancelled,
    /// Nobody approved it in time.
    Expired,
    /// A newer request contains it.
    Superseded,
}

impl Phase {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_end(&self) -> bool {
        match self {
            Self::Planning { .. } | Self::AwaitingApproval | Self::Queued | Self::Running { .. } => false,
            Self::Denied
            | Self::Succeeded
            | Self::Failed
            | Self::RolledBack
            | Self::Cancelled
            | Self::Expired
            | Self::Superseded => true,
        }
    }

    /// The name in the store and in logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Planning { .. } => "planning",
            Self::Denied => "denied",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Queued => "queued",
            Self::Running { .. } => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }
}

/// How far planning has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanningStage {
    /// Which commit is meant.
    Resolving,
    /// Waiting for CI and the image.
    Building,
    /// Starting the build that is missing.
    Dispatching,
    /// Reading what runs, what is pending, what is configured.
    Gathering,
    /// The plan is there; policy is being asked.
    Judging,
    /// Waiting for the reviews and checks of a pull request.
    Shipping,
    /// Merging it.
    Merging,
}

/// A step of the run, in the usual order; see [`Release::order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Observe that CI is still green.
    Ci,
    /// Observe that the image is still the one in the plan.
    Image,
    /// Apply the pending migrations.
    Migrate,
    /// Bring the image to every target.
    Deploy,
    /// Ask the service itself.
    Verify,
}

impl Step {
    /// All of them, in the usual order.
    pub const ALL: [Self; 5] = [Self::Ci, Self::Image, Self::Migrate, Self::Deploy, Self::Verify];

    /// The name in the channel.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Image => "image",
            Self::Migrate => "migrate",
            Self::Deploy => "deploy",
            Self::Verify => "verify",
        }
    }
}

/// How a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    #[default]
    Pending,
    /// Under way.
    Running,
    /// Done.
    Succeeded,
    /// Did not work.
    Failed,
    /// Nothing to do.
    Skipped,
}

/// One step with what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// How it stands.
    pub state: StepState,
    /// One line: `3 of 3`, `1 in 0.2 s`, `update in progress`. May hold text of the outside: untrusted.
    pub detail: Option<String>,
    /// How far it has come, in thousandths, when that can be told.
    pub permille: Option<u16>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// The five steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    ci: StepRecord,
    image: StepRecord,
    migrate: StepRecord,
    deploy: StepRecord,
    verify: StepRecord,
}

impl Steps {
    /// One of them.
    #[must_use]
    pub fn get(&self, step: Step) -> &StepRecord {
        match step {
            Step::Ci => &self.ci,
            Step::Image => &self.image,
            Step::Migrate => &self.migrate,
            Step::Deploy => &self.deploy,
            Step::Verify => &self.verify,
        }
    }

    pub(super) fn get_mut(&mut self, step: Step) -> &mut StepRecord {
        match step {
            Step::Ci => &mut self.ci,
            Step::Image => &mut self.image,
            Step::Migrate => &mut self.migrate,
            Step::Deploy => &mut self.deploy,
            Step::Verify => &mut self.verify,
        }
    }
}

/// Why something did not work, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One sentence: what happened. May quote the outside: untrusted.
    pub what: String,
    /// More lines: the platform's own words, what is still true, what was applied. Untrusted.
    #[serde(default)]
    pub details: Vec<String>,
    /// The tail of a log. Untrusted.
    #[serde(default)]
    pub log_tail: Option<String>,
    /// What can be done next, each a short phrase.
    #[serde(default)]
    pub next: Vec<String>,
    /// Whether the request itself has become wrong, so that trying again cannot help.
    #[serde(default)]
    pub request_is_wrong: bool,
}

impl Failure {
    /// A failure that one sentence describes.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), details: Vec::new(), log_tail: None, next: Vec::new(), request_is_wrong: false }
    }

    /// Adds a line.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Marks the request itself as wrong.
    #[must_use]
    pub fn final_for_request(mut self) -> Self {
        self.request_is_wrong = true;
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn next(mut self, phrase: impl Into<String>) -> Self {
        self.next.push(phrase.into());
        self
    }
}

/// Why plan and facts could not be gathered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatherProblem {
    /// How it failed.
    pub failure: Failure,
    /// When.
    pub at: Timestamp,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Live and verified.
    Live,
    /// Its migrations are applied, or taken back; nothing was to be deployed.
    Migrated,
    /// A dry run: planned, nothing started.
    DryRun,
    /// Nothing would change.
    NothingToDo,
    /// Policy said no; the verdict has the reasons.
    Denied,
    /// A step, or planning, failed.
    Failed {
        /// In which step; `None` while planning.
        step: Option<Step>,
        /// How.
        failure: Failure,
    },
    /// The platform put the old version back.
    RolledBack {
        /// In its own words.
        failure: Failure,
    },
    /// Somebody stopped it.
    Cancelled {
        /// Who.
        by: PersonId,
        /// What the step that was broken off leaves behind. Untrusted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        details: Vec<String>,
    },
    /// Nobody approved it in time.
    Expired,
    /// A newer request contains it.
    Superseded {
        /// That request.
        by: ReleaseId,
    },
}

/// Votes that a changed plan made void, kept for the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voided {
    /// The plan they were for.
    pub digest: PlanDigest,
    /// Whose they were.
    pub voters: Vec<PersonId>,
    /// Who had set rules aside for it.
    #[serde(default)]
    pub override_by: Option<PersonId>,
    /// What changed.
    pub changes: Vec<PlanChange>,
    /// When a mark of known bad was last taken away: what was approved before that counts no more.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// What became of the tag that a release moves after it is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Which tag.
    pub tag: String,
    /// Why it does not name the image. Untrusted.
    pub problem: Option<String>,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// What was asked for.
    pub request: Request,
    /// Where it stands.
    pub phase: Phase,
    /// The commit, once resolved.
    pub commit: Option<CommitSha>,
    /// The branch whose head the commit was, for the dispatch of a build.
    pub branch: Option<String>,
    /// Where CI and the image stand, while planning waits for them. Untrusted.
    pub build: Option<BuildProgress>,
    /// The run that was dispatched for it.
    pub build_run: Option<u64>,
    /// The tag that the dispatch needed.
    #[serde(default)]
    pub temporary_tag: Option<String>,
    /// The plan, once made.
    pub plan: Option<Plan>,
    /// The facts behind it.
    pub facts: Option<Facts>,
    /// Whether plan and facts are being gathered again.
    pub gathering: bool,
    /// How often the plan has been made again.
    pub gathered: u32,
    /// Why it could not be gathered again, last time.
    pub gather_problem: Option<GatherProblem>,
    /// The votes that stand.
    pub votes: Vec<Vote>,
    /// Rules set aside for the plan.
    #[serde(default)]
    pub waiver: Option<Override>,
    /// Votes made void by the newest change of plan.
    pub voided: Option<Voided>,
    /// What the gate said last.
    pub verdict: Option<Verdict>,
    /// The five steps.
    pub steps: Steps,
    /// Which target is being deployed.
    pub target: usize,
    /// The operation at the target, once begun.
    pub operation: Option<String>,
    /// Who wants it stopped as soon as the running step allows.
    pub cancel_requested: Option<PersonId>,
    /// When the run began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Who has marked what it brought as known to be bad, after it had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_bad: Option<KnownBad>,
    /// What came of the setting that a failed verification is rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<AutomaticRollback>,
    /// What became of the tag that its plan moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// The pull request that it ships, as far as it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ships: Option<Shipped>,
    /// The release of its group that ended otherwise than well, so that this one was not started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<ReleaseId>,
    /// Why the first plan is not there yet, while something that it needs cannot be read. Untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gather_held: Option<String>,
}

impl Release {
    /// A new release for a request.
    #[must_use]
    pub fn new(id: ReleaseId, request: Request) -> Self {
        let ships = matches!(request.kind, RequestKind::Ship { .. });
        let stage = if ships { PlanningStage::Shipping } else { PlanningStage::Resolving };
        Self {
            id,
            request,
            phase: Phase::Planning { stage },
            commit: None,
            branch: None,
            build: None,
            build_run: None,
            temporary_tag: None,
            plan: None,
            facts: None,
            gathering: false,
            gathered: 0,
            gather_problem: None,
            votes: Vec::new(),
            waiver: None,
            voided: None,
            verdict: None,
            steps: Steps::default(),
            target: 0,
            operation: None,
            cancel_requested: None,
            started_at: None,
            ended_at: None,
            outcome: None,
            known_bad: None,
            automatic: None,
            promotion: None,
            ships: None,
            left_out: None,
            gather_held: None,
        }
    }

    /// How many targets the plan has: what was approved is what runs, however many are configured by now.
    #[must_use]
    pub fn target_count(&self) -> usize {
        self.plan.as_ref().map_or(0, |plan| plan.targets.len())
    }

    /// The plan's digest.
    #[must_use]
    pub fn digest(&self) -> Option<PlanDigest> {
        self.plan.as_ref().map(Plan::digest)
    }

    /// Whether CI was red before anything could start, so that running its failed jobs again may help.
    #[must_use]
    pub fn failed_in_ci(&self) -> bool {
        let in_ci = matches!(self.outcome, Some(Outcome::Failed { step: Some(Step::Ci), .. }));
        let builds =
            matches!(self.request.kind, RequestKind::Deploy | RequestKind::Retry { .. } | RequestKind::Ship { .. });
        in_ci && builds && self.started_at.is_none() && self.commit.is_some()
    }
}
