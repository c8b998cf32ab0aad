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
}

impl PastSlipway {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.brought.is_none() && self.migrations.is_empty() && self.tag.is_none()
    }
}
