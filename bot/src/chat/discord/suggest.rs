//! What could stand in an option of a command that is being typed.

use super::callback::CHOICES_LIMIT;
use super::heard::Typed;
use crate::chat::entrance::Entrance;
use slipway_core::command::{OptionKind, option_kind};
use slipway_core::ids::EnvironmentKey;
use slipway_deploy::github::{GitHub, RepoName};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::warn;

/// How long branches are good for.
const BRANCHES_FOR: Duration = Duration::from_secs(60);
/// How long GitHub is waited for: Discord waits three seconds.
const BRANCHES_WITHIN: Duration = Duration::from_millis(1_500);
/// How long all branches are waited for.
const SUGGESTED_WITHIN: Duration = Duration::from_secs(2);
/// How many of the newest releases of each environment are offered.
const RELEASES_LIMIT: u32 = 10;

/// Offers what could be meant.
#[derive(Debug)]
pub struct Suggestions {
    github: GitHub,
    branches: Mutex<BTreeMap<RepoName, (Instant, Vec<String>)>>,
}

impl Suggestions {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(github: GitHub) -> Self {
        Self { github, branches: Mutex::default() }
    }

    /// What could stand in an option, best first.
    pub(super) async fn of(&self, entrance: &Entrance, typed: &Typed, option: &str) -> Vec<String> {
        let begun = typed.values.get(option).map(|text| text.trim().to_lowercase()).unwrap_or_default();
        let keys = entrance.setup.environment_keys(None);
        let all = match option_kind(&typed.command, typed.sub.as_deref(), option) {
            Some(OptionKind::Environment) => {
                let mut names: Vec<_> = keys.iter().map(|key| key.environment.to_string()).collect();
                names.dedup();
                names
            }
            Some(OptionKind::Service) => entrance.setup.services().map(|(name, _)| name.to_string()).collect(),
            Some(OptionKind::Reference) => {
                let branches = tokio::time::timeout(SUGGESTED_WITHIN, self.branches(entrance, typed));
                branches.await.unwrap_or_default()
            }
            Some(OptionKind::Release) => releases(entrance, &keys).await,
            _ => vec![],
        };
        best(all, &begun)
    }

    /// The branches of the service that is named, or of all.
    async fn branches(&self, entrance: &Entrance, typed: &Typed) -> Vec<String> {
        let named = typed.values.get("service");
        let services = entrance.setup.services().filter(|(name, _)| named.is_none_or(|named| named == name.as_str()));
        let mut branches = Vec::new();
        for (_, service) in services.take(CHOICES_LIMIT) {
            branches.extend(self.branches_of(&service.repository).await);
        }
        branches
    }

    async fn branches_of(&self, repository: &RepoName) -> Vec<String> {
        let kept = self.branches.lock().unwrap_or_else(PoisonError::into_inner).get(repository).cloned();
        if let Some((at, branches)) = &kept
            && at.elapsed() < BRANCHES_FOR
        {
            return branches.clone();
        }
        match tokio::time::timeout(BRANCHES_WITHIN, self.github.branches(repository)).await {
            Ok(Ok(branches)) => {
                let mut kept = self.branches.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(repository.clone(), (Instant::now(), branches.clone()));
                branches
            }
            failed => {
                if let Ok(Err(error)) = failed {
                    warn!(%error, "the branches of a repository are not known");
                }
                // Not asked again with every letter that is typed.
                let branches = kept.map(|(_, branches)| branches).unwrap_or_default();
                let mut kept = self.branches.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(repository.clone(), (Instant::now(), branches.clone()));
                branches
            }
        }
    }
}

/// The newest releases, newest first.
async fn releases(entrance: &Entrance, keys: &[EnvironmentKey]) -> Vec<String> {
    let mut newest = Vec::new();
    let Ok(mut tx) = entrance.store.begin_to_read().await else { return vec![] };
    for key in keys {
        match entrance.store.releases_newest(&mut tx, key, RELEASES_LIMIT).await {
            Ok(releases) => newest.extend(releases),
            Err(error) => warn!(%error, "the newest releases could not be read"),
        }
    }
    newest.sort_by_key(|release| std::cmp::Reverse(release.request.at));
    newest.into_iter().map(|release| release.id.to_string()).collect()
}

/// Those that begin as typed, then those that hold it.
fn best(all: Vec<String>, begun: &str) -> Vec<String> {
    let mut best: Vec<String> = Vec::new();
    for begins in [true, false] {
        for one in &all {
            let lower = one.to_lowercase();
            let fits = if begins { lower.starts_with(begun) } else { lower.contains(begun) };
            if fits && !best.contains(one) {
                best.push(one.clone());
            }
        }
    }
    best.truncate(CHOICES_LIMIT);
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_typed_comes_first_and_nothing_twice() {
        let all = ["main", "fix/main-menu", "maintenance", "main"].map(str::to_owned).to_vec();
        assert_eq!(best(all.clone(), "main"), ["main", "maintenance", "fix/main-menu"]);
        assert_eq!(best(all.clone(), "menu"), ["fix/main-menu"]);
        assert_eq!(best(all, "").len(), 3);
        let many = (0..100).map(|n| format!("b{n}")).collect();
        assert_eq!(best(many, "").len(), CHOICES_LIMIT);
    }
}
