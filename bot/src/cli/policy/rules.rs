//! Rules in a folder that somebody names on the command line.

use super::{ConfigFile, Refused};
use crate::config::Config;
use crate::policies::{Folder, Origin, PoliciesError, PolicyText, Source};
use slipway_core::policy::{PolicyMistake, PolicySet};
use std::path::Path;

/// Where the rules are when nobody says so.
pub(super) const DIR_DEFAULT: &str = "policies";

/// The folder's rules. Their names are those of the configuration where one is named, else those of the folder itself.
pub(super) fn read(dir: &Path, file: ConfigFile<'_>) -> Result<PolicyText, Refused> {
    let config = if file.is_named { Some(crate::cli::load(file.path)?) } else { None };
    read_for(dir, config.as_ref())
}

/// The same with a configuration that is there already, or without one.
pub(super) fn read_for(dir: &Path, config: Option<&Config>) -> Result<PolicyText, Refused> {
    let vocabulary = match config {
        Some(config) => Origin::of(config).vocabulary,
        None => Folder(dir).vocabulary().map_err(|error| refused(&error))?,
    };
    let origin = Origin { source: Source::Folder { dir: dir.to_owned() }, vocabulary };
    origin.read().map_err(|error| refused(&error))
}

/// The rules, checked.
pub(super) fn parse(text: &PolicyText) -> Result<PolicySet, Refused> {
    text.parse().map_err(|error| refused(&error))
}

pub(super) fn refused(error: &PoliciesError) -> Refused {
    match error {
        PoliciesError::Folder { folder, error } => {
            Refused(format!("The policies in {folder} cannot be read: {error}. Name their folder with --policies."))
        }
        PoliciesError::GitHub { .. } | PoliciesError::Slow { .. } | PoliciesError::Repository { .. } => {
            Refused(format!("{error}."))
        }
        PoliciesError::Mistakes(mistakes) => mistaken("The policies have mistakes.", mistakes),
    }
}

/// Every mistake on a line, then a sentence.
pub(super) fn mistaken(sentence: &str, mistakes: &[impl ToString]) -> Refused {
    let lines: String = mistakes.iter().map(|mistake| mistake.to_string() + "\n").collect();
    Refused(format!("{lines}{sentence}"))
}

/// The same for mistakes with their places.
pub(super) fn in_rules(mistakes: &[PolicyMistake]) -> Refused {
    mistaken("The policies have mistakes.", mistakes)
}
