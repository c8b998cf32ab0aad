//! What the configuration knows, and the nearest spelling of what it does not.

use crate::ids::{EnvironmentName, PersonId, ServiceName};
use std::collections::BTreeMap;

/// The names that commands can use.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// All services.
    pub services: Vec<ServiceName>,
    /// Their environments.
    pub environments: BTreeMap<ServiceName, Vec<EnvironmentName>>,
    /// The service that is meant when none is named.
    pub default_service: Option<ServiceName>,
    /// Everybody, by the names in the configuration.
    pub people: Vec<PersonId>,
}

/// How many edits away a word may be to be suggested, by its length in characters.
fn edits_limit(len: usize) -> usize {
    match len {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    }
}

/// The candidate that is nearest to a word, if any is near.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = edits_limit(word.chars().count());
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

impl Words {
    /// Every environment's name once.
    pub(super) fn all_environments(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.environments.values().flatten().map(EnvironmentName::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The environments of a service.
    pub(super) fn environments_of(&self, service: &ServiceName) -> &[EnvironmentName] {
        self.environments.get(service).map_or(&[], Vec::as_slice)
    }
}
