//! The policy set of a configuration: where its rules are kept, how they are read, and how they are replaced while the
//! bot runs.

mod folder;
mod keeper;
mod text;

pub use folder::{Folder, read_file};
pub use keeper::{Keeper, ReloadError, Reloaded};
pub use text::PolicyText;

use crate::config::Config;
use serde::{Deserialize, Serialize};
use slipway_core::ids::{EnvironmentName, TeamName};
use slipway_core::policy::{PolicySet, Vocabulary, built_in};
use std::fmt;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no policy set. Nothing is allowed then.
#[derive(Debug, Error)]
pub enum PoliciesError {
    /// The folder cannot be read.
    #[error("the policies in {folder} cannot be read: {error}; name another folder in [policies] dir")]
    Folder {
        /// Which.
        folder: String,
        /// How it fails.
        error: io::Error,
    },
    /// It has mistakes.
    #[error("the policies are not used because they have mistakes:\n{}", .0.join("\n"))]
    Mistakes(Vec<String>),
}

/// Where the rules are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// In the binary.
    BuiltIn,
    /// In a folder beside the configuration.
    Folder {
        /// Which.
        dir: PathBuf,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Folder { dir } => dir.display().fmt(f),
        }
    }
}

/// Where a configuration's rules are kept, and what they may speak of.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Where.
    pub source: Source,
    /// Teams and environments of the configuration.
    pub vocabulary: Vocabulary,
}

impl Origin {
    /// The origin that a configuration names.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let vocabulary = Vocabulary {
            teams: config.teams(),
            environments: config.environments().map(|(_, environment)| environment.key.environment.clone()).collect(),
        };
        let source = config.policies_dir.clone().map_or(Source::BuiltIn, |dir| Source::Folder { dir });
        Self { source, vocabulary }
    }

    /// Reads the rules as they are now.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read(&self) -> Result<PolicyText, PoliciesError> {
        let mut vocabulary = self.vocabulary.clone();
        let (schema, files) = match &self.source {
            Source::Folder { dir } => Folder(dir).rules()?,
            Source::BuiltIn => {
                vocabulary.teams.extend(built_in::TEAMS.map(TeamName::from));
                vocabulary.environments.extend(built_in::ENVIRONMENTS.map(EnvironmentName::from));
                let files = built_in::FILES.map(|(name, text)| (name.to_owned(), text.to_owned()));
                (built_in::SCHEMA.to_owned(), files.to_vec())
            }
        };
        Ok(PolicyText { schema, files, vocabulary })
    }
}

/// Loads the policy set of a configuration.
///
/// # Errors
/// When a named folder cannot be read, or any rule has a mistake. There is no falling back to other rules.
pub fn load(config: &Config) -> Result<PolicySet, PoliciesError> {
    Origin::of(config).read()?.parse()
}
