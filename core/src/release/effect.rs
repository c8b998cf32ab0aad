//! What the engine must do outside for a release.

use crate::ids::PersonId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something to do. The executor observes first and acts only if the action has not happened yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Find the commit that the reference means.
    Resolve,
    /// Wait for CI and the image of the commit.
    AwaitBuild,
    /// Start the build of the commit.
    Dispatch,
    /// Make the plan and gather the facts.
    Gather,
    /// Observe that CI is green.
    ObserveCi,
    /// Observe that the tag still means the planned image.
    ObserveImage,
    /// Apply the planned migrations.
    Migrate,
    /// Bring the image to a target.
    Deploy {
        /// Which.
        target: usize,
    },
    /// Follow the target's operation to its end.
    Follow {
        /// Which target.
        target: usize,
        /// Its operation.
        operation: String,
    },
    /// Ask the service itself.
    Verify,
    /// Let the gate look again at this moment.
    JudgeAt {
        /// When.
        at: Timestamp,
    },
    /// Give up at this moment unless it runs.
    ExpireAt {
        /// When.
        at: Timestamp,
    },
    /// Tell people something about this release, once each.
    Tell {
        /// Whom.
        people: Vec<PersonId>,
        /// What.
        what: String,
    },
    /// Tell the announcement channels.
    Announce,
    /// Let a tag name the image that is live now.
    Promote {
        /// Which.
        tag: String,
    },
    /// Show on GitHub where the release stands by then.
    Report,
    /// Wait for the reviews and checks of the pull request.
    AwaitPull,
    /// Merge it.
    MergePull,
    /// Take the tag away that the build needed, once the build is over.
    RemoveTag {
        /// Which.
        tag: String,
    },
}

impl Effect {
    /// The name in the store and in logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::AwaitBuild => "await_build",
            Self::Dispatch => "dispatch",
            Self::Gather => "gather",
            Self::ObserveCi => "observe_ci",
            Self::ObserveImage => "observe_image",
            Self::Migrate => "migrate",
            Self::Deploy { .. } => "deploy",
            Self::Follow { .. } => "follow",
            Self::Verify => "verify",
            Self::JudgeAt { .. } => "judge_at",
            Self::ExpireAt { .. } => "expire_at",
            Self::Tell { .. } => "tell",
            Self::Announce => "announce",
            Self::Promote { .. } => "promote",
            Self::Report => "report",
            Self::AwaitPull => "await_pull",
            Self::MergePull => "merge_pull",
            Self::RemoveTag { .. } => "remove_tag",
        }
    }

    /// The moment before which it must not be done.
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        match self {
            Self::JudgeAt { at } | Self::ExpireAt { at } => Some(*at),
            _ => None,
        }
    }

    /// Whether it only makes sense while the release has not ended.
    #[must_use]
    pub fn ends_with_release(&self) -> bool {
        !matches!(
            self,
            Self::Tell { .. } | Self::Announce | Self::Promote { .. } | Self::Report | Self::RemoveTag { .. }
        )
    }
}
