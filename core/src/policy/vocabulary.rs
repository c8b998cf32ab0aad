//! The names that policies may use, from the configuration.

use crate::ids::{EnvironmentName, TeamName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The teams and environments there are. Any other name in a policy is a mistake. Reads `vocabulary.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// All teams.
    pub teams: BTreeSet<TeamName>,
    /// All environments of all services.
    pub environments: BTreeSet<EnvironmentName>,
}

impl Vocabulary {
    /// The two declarations that the schema file leaves out, in Cedar's schema language.
    pub(super) fn declarations(&self) -> String {
        let mut text = String::new();
        let mut declare = |name: &str, ids: Vec<&str>| {
            // Rust's and Cedar's escapes agree on what `escape_default` produces.
            let ids: Vec<_> = ids.iter().map(|id| format!("\"{}\"", id.escape_default())).collect();
            let _ = writeln!(text, "entity {name} enum [{}];", ids.join(", "));
        };
        declare("Team", self.teams.iter().map(TeamName::as_str).collect());
        declare("Environment", self.environments.iter().map(EnvironmentName::as_str).collect());
        text
    }
}
