//! What can come into the inbox.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use slipway_core::environment::Look;
use slipway_core::flow::Sight;
use slipway_core::ids::{CommitSha, EnvironmentKey, IntentId, ReleaseId};
use slipway_core::membership::Source;
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::policy::Stance;
use slipway_core::release::{Event, Failure, Phase, Release};
use std::collections::BTreeSet;

/// One delivery. Stored as JSON until it is handled: a new variant is fine, a changed one needs a new name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "incoming", rename_all = "snake_case")]
pub enum Incoming {
    /// Somebody typed a command.
    Typed {
        /// Who.
        who: Identity,
        /// Where, as in the configuration: `terminal:releases`.
        channel: String,
        /// What. Untrusted text.
        text: String,
    },
    /// Somebody pressed a button of a release's message.
    Pressed {
        /// Who.
        who: Identity,
        /// Where.
        channel: String,
        /// Which message.
        message: String,
        /// Which button.
        verb: Verb,
        /// The digest of the plan that was shown beside it, where the chat keeps that with the button.
        #[serde(default)]
        plan: Option<String>,
    },
    /// Somebody reacted to a release's message with a reaction that stands for a vote, or took it away.
    Reacted {
        /// Who.
        who: Identity,
        /// Where.
        channel: String,
        /// Which message.
        message: String,
        /// Which vote the reaction stands for.
        stance: Stance,
        /// Added, or taken away.
        added: bool,
        /// The chat's own time of it, in microseconds since 1970, where it has one: news can come late and twice.
        #[serde(default)]
        at_us: Option<i64>,
        /// Its name in the chat, where several stand for the same vote.
        #[serde(default)]
        name: String,
        /// It was not told but found when the message was looked at: it is there now, and nobody knows since when.
        #[serde(default)]
        found: bool,
    },
    /// An effect had an outcome, or news.
    Happened {
        /// To which release.
        release: ReleaseId,
        /// What.
        event: Event,
    },
    /// Another policy set is stored and should come into force.
    PoliciesChanged {
        /// Its number.
        version: i64,
    },
    /// A policy set with mistakes was refused.
    PoliciesRefused {
        /// Who wanted it read.
        by: String,
        /// Its mistakes.
        mistakes: Vec<String>,
    },
    /// The members of a team were looked up where they are kept.
    MembersSeen {
        /// Where.
        source: Source,
        /// The ids that they have there.
        members: BTreeSet<String>,
        /// The moment before the look.
        at: Timestamp,
    },
    /// They could not be looked up.
    MembersUnseen {
        /// Where.
        source: Source,
        /// Why. Untrusted text.
        what: String,
        /// The moment before the look.
        at: Timestamp,
        /// When to try again; not before.
        again_at: Timestamp,
    },
    /// The gate should look at a release again.
    Judge {
        /// Which.
        release: ReleaseId,
    },
    /// The process has started.
    Started {
        /// The version of the program.
        version: String,
        /// The hash of the configuration file.
        configuration: String,
    },
    /// The anchor of the audit log is due.
    AnchorDue {
        /// Of which day.
        day: Date,
    },
    /// An hour is over in which people came whom nobody knows.
    StrangersDue {
        /// Which, in hours since 1970.
        hour: i64,
    },
    /// Something may be due of an environment's lock.
    LockDue {
        /// Which environment.
        environment: EnvironmentKey,
    },
    /// A webhook of GitHub's came: builds of a repository may stand differently.
    GithubSpoke {
        /// The repository as the configuration names it.
        repository: String,
    },
    /// The targets of an environment run something else than was known.
    TargetsSeen {
        /// Which environment.
        environment: EnvironmentKey,
        /// What they run.
        look: Look,
    },
    /// Something may be due of a deployment that is to be asked for later.
    IntentDue {
        /// Which.
        intent: IntentId,
        /// The commit that its reference means, if its CI was just found green.
        #[serde(default)]
        green: Option<CommitSha>,
    },
    /// Something may be due of what could go on to an environment.
    PromotionDue {
        /// Where to.
        environment: EnvironmentKey,
    },
    /// The branch was looked at that an environment follows by itself.
    FlowSeen {
        /// Which environment.
        environment: EnvironmentKey,
        /// What was seen.
        sight: Box<Sight>,
    },
    /// Something may be due of what an environment does by itself.
    FlowDue {
        /// Which environment.
        environment: EnvironmentKey,
    },
}

impl Incoming {
    /// Who said or did it, and where; `None` for what is no person's.
    #[must_use]
    pub fn sender(&self) -> Option<(&Identity, &str)> {
        match self {
            Self::Typed { who, channel, .. }
            | Self::Pressed { who, channel, .. }
            | Self::Reacted { who, channel, .. } => Some((who, channel)),
            Self::Happened { .. }
            | Self::PoliciesChanged { .. }
            | Self::PoliciesRefused { .. }
            | Self::MembersSeen { .. }
            | Self::MembersUnseen { .. }
            | Self::Judge { .. }
            | Self::Started { .. }
            | Self::AnchorDue { .. }
            | Self::StrangersDue { .. }
            | Self::LockDue { .. }
            | Self::GithubSpoke { .. }
            | Self::TargetsSeen { .. }
            | Self::IntentDue { .. }
            | Self::PromotionDue { .. }
            | Self::FlowSeen { .. }
            | Self::FlowDue { .. } => None,
        }
    }

    /// The failure of whatever a release waits for now; `None` when it has ended.
    #[must_use]
    pub(crate) fn failure(release: &Release, failure: Failure, at: Timestamp) -> Option<Self> {
        let event = match release.phase {
            Phase::Running { step } => Event::StepFailed { step, failure, rolled_back: false, at },
            ref phase if phase.is_end() => return None,
            _ => Event::PlanningFailed { step: None, failure, at },
        };
        Some(Self::Happened { release: release.id.clone(), event })
    }
}
