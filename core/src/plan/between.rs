//! What stands between what runs and what a rollback goes back to.

use super::PlannedMigration;
use crate::ids::CommitSha;
use serde::{Deserialize, Serialize};

/// Applied migrations that the older commit does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Between {
    /// Those with a file, the newest first. Empty where they are taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<PlannedMigration>,
    /// The commit whose files they are, and that take them back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<CommitSha>,
    /// Why it could not be told. May quote the outside: untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

impl Between {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
