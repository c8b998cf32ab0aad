//! The policy set of a configuration: its folder, or the rules that are built in.

use crate::config::Config;
use slipway_core::ids::{EnvironmentName, TeamName};
use slipway_core::policy::{PolicySet, Vocabulary, built_in};
use std::io;
use std::path::Path;
use thiserror::Error;

/// How many rule files a folder may hold.
const FILES_LIMIT: usize = 100;
/// How big each may be.
const FILE_LIMIT_BYTES: u64 = 256 * 1024;
/// The schema's file name.
const SCHEMA: &str = "schema.cedarschema";

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

/// Loads the policy set of a configuration.
///
/// # Errors
/// When a named folder cannot be read, or any rule has a mistake. There is no falling back to other rules.
pub fn load(config: &Config) -> Result<PolicySet, PoliciesError> {
    let mut vocabulary = Vocabulary {
        teams: config.teams(),
        environments: config.environments().map(|(_, environment)| environment.key.environment.clone()).collect(),
    };
    let (schema, files) = match &config.policies_dir {
        Some(folder) => read(folder)?,
        None => {
            vocabulary.teams.extend(built_in::TEAMS.map(TeamName::from));
            vocabulary.environments.extend(built_in::ENVIRONMENTS.map(EnvironmentName::from));
            let files = built_in::FILES.map(|(name, text)| (name.to_owned(), text.to_owned()));
            (built_in::SCHEMA.to_owned(), files.to_vec())
        }
    };
    let said = |mistakes: Vec<_>| mistakes.iter().map(ToString::to_string).collect();
    PolicySet::parse(&schema, &files, &vocabulary).map_err(|mistakes| PoliciesError::Mistakes(said(mistakes)))
}

/// A folder's schema and its `.cedar` files by name.
fn read(folder: &Path) -> Result<(String, Vec<(String, String)>), PoliciesError> {
    let failed = |error| PoliciesError::Folder { folder: folder.display().to_string(), error };
    let schema = read_file(&folder.join(SCHEMA)).map_err(failed)?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "cedar") {
            files.push((name, read_file(&path).map_err(failed)?));
        }
        if files.len() > FILES_LIMIT {
            return Err(failed(io::Error::other(format!("more than {FILES_LIMIT} .cedar files"))));
        }
    }
    files.sort();
    Ok((schema, files))
}

fn read_file(path: &Path) -> io::Result<String> {
    let size = std::fs::metadata(path).map_err(|error| named(path, &error))?.len();
    if size > FILE_LIMIT_BYTES {
        return Err(named(path, &io::Error::other(format!("larger than {FILE_LIMIT_BYTES} bytes"))));
    }
    std::fs::read_to_string(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
