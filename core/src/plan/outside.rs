//! What somebody did in the environment past Slipway, as a plan found it.

use crate::environment::TagNames;
use crate::ids::CommitSha;
use serde::{Deserialize, Serialize};

/// What somebody did past Slipway since its last release there. The plan starts from what is there all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastSlipway {
    /// What Slipway had brought last, where something else runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought: Option<CommitSha>,
    /// The new files of migrations that are applied already, and not by Slipway. Untrusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<String>,
    /// What the tag names that others read, where somebody has moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagNames>,
    /// The id of the target's newest operation, whoever began it, where the plan deploys nothing and so names no targets: by that
    /// is told whether somebody deploys before it runs. Nothing that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

impl PastSlipway {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.brought.is_none() && self.migrations.is_empty() && self.tag.is_none() && self.operation.is_none()
    }
}
