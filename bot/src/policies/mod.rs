//! Where policy sets come from: the binary, a folder, a repository; and how they are replaced while the bot runs.

mod folder;
mod history;
mod keeper;
mod repository;
mod text;

pub use folder::{Folder, read_file};
pub(crate) use history::known;
pub use history::{HISTORY_LIMIT, changes};
pub use keeper::{Keeper, ReloadError, Reloaded};
pub use repository::Reading;
pub use text::PolicyText;

use crate::config::{Config, PoliciesPlace};
use serde::{Deserialize, Serialize};
use slipway_core::ids::{EnvironmentName, TeamName};
use slipway_core::policy::{PolicySet, Vocabulary, built_in};
use slipway_deploy::github::GitHubError;
use std::fmt;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// How many rule files there may be.
const FILES_LIMIT: usize = 100;
/// How big each may be.
const FILE_LIMIT_BYTES: u64 = 256 * 1024;
/// The schema's file name.
const SCHEMA: &str = "schema.cedarschema";

/// The rule that stands for rules that have not been read.
const NOT_READ: &str = "policies-not-read";

/// Whether these rules only stand for others that have not been read.
#[must_use]
pub fn are_unread(set: &PolicySet) -> bool {
    set.rule_ids().eq([NOT_READ])
}

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
    /// The repository cannot be asked.
    #[error("the policies in {kept} cannot be read: {error}")]
    GitHub {
        /// Where they are kept.
        kept: Source,
        /// How it fails.
        error: Box<GitHubError>,
    },
    /// It takes too long.
    #[error("the policies in {kept} cannot be read: there was no answer within {limit_s} s")]
    Slow {
        /// Where they are kept.
        kept: Source,
        /// For how long it was waited.
        limit_s: u64,
    },
    /// What the repository holds is no policy folder.
    #[error("the policies in {kept} cannot be used: {what}")]
    Repository {
        /// Where they are kept.
        kept: Source,
        /// Why, and what to do.
        what: String,
    },
    /// It has mistakes.
    #[error("the policies are not used because they have mistakes:\n{}", .0.join("\n"))]
    Mistakes(Vec<String>),
}

impl PoliciesError {
    /// Each mistake by itself.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        match self {
            Self::Mistakes(mistakes) => mistakes.clone(),
            Self::Folder { .. } | Self::GitHub { .. } | Self::Slow { .. } | Self::Repository { .. } => {
                vec![self.to_string()]
            }
        }
    }
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
    /// In a repository on GitHub.
    Repository {
        /// `owner/name`.
        repository: String,
        /// Its branch; `None` is the default branch.
        branch: Option<String>,
        /// The folder in it; `.` is its root.
        dir: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Folder { dir } => dir.display().fmt(f),
            Self::Repository { repository, branch, dir } => {
                f.write_str(repository)?;
                if dir != "." {
                    write!(f, "/{dir}")?;
                }
                branch.as_ref().map_or(Ok(()), |branch| write!(f, " ({branch})"))
            }
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
        let source = match config.policies.place.clone() {
            PoliciesPlace::BuiltIn => Source::BuiltIn,
            PoliciesPlace::Folder(dir) => Source::Folder { dir },
            PoliciesPlace::Repository { repository, branch, dir } => {
                Source::Repository { repository: repository.to_string(), branch, dir }
            }
        };
        Self { source, vocabulary }
    }

    /// Reads the rules as they are now, if they are kept on this machine. Rules in a repository have yet to be
    /// fetched, and until then these allow nothing.
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
            Source::Repository { .. } => {
                (built_in::SCHEMA.to_owned(), vec![("closed.cedar".to_owned(), self.closed())])
            }
        };
        Ok(PolicyText { schema, files, vocabulary })
    }

    /// Rules that allow nothing, where those that are meant cannot be read.
    #[must_use]
    pub fn shut(&self) -> PolicyText {
        let mut vocabulary = self.vocabulary.clone();
        vocabulary.teams.extend(built_in::TEAMS.map(TeamName::from));
        vocabulary.environments.extend(built_in::ENVIRONMENTS.map(EnvironmentName::from));
        let files = vec![("closed.cedar".to_owned(), self.closed())];
        PolicyText { schema: built_in::SCHEMA.to_owned(), files, vocabulary }
    }

    /// The rule that holds until the repository has been read once.
    fn closed(&self) -> String {
        let why = format!("The policies in {} have not been read yet, so nothing is allowed.", self.source);
        format!("@id(\"{NOT_READ}\")\n@why({why:?})\nforbid (principal, action, resource);\n")
    }
}

/// Loads the policy set of a configuration.
///
/// # Errors
/// When a named folder cannot be read, or any rule has a mistake. There is no falling back to other rules.
pub fn load(config: &Config) -> Result<PolicySet, PoliciesError> {
    Origin::of(config).read()?.parse()
}
