//! The branches and tags that are offered, of several repositories at once.

use super::callback::CHOICES_LIMIT;
use futures::future::join_all;
use slipway_deploy::github::{GitHub, References, RepoName};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::warn;

/// How long the names of branches and tags are good for.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// How long GitHub is waited for: Discord waits three seconds.
const WITHIN: Duration = Duration::from_millis(1_500);

/// What is known of the branches and tags of repositories.
#[derive(Debug)]
pub(super) struct KnownReferences {
    github: GitHub,
    within: Duration,
    known: Mutex<BTreeMap<RepoName, (Instant, References)>>,
}

impl KnownReferences {
    /// Nothing is asked yet.
    pub(super) fn new(github: GitHub) -> Self {
        Self { github, within: WITHIN, known: Mutex::default() }
    }

    /// Those of each repository, in their order. They are asked for all at once, so that one that is slow costs none of the
    /// others': all of it takes as long as GitHub is waited for once.
    pub(super) async fn of<'a>(&self, repositories: impl Iterator<Item = &'a RepoName>) -> Vec<References> {
        let mut asked: Vec<&RepoName> = Vec::new();
        for repository in repositories {
            if asked.len() < CHOICES_LIMIT && !asked.contains(&repository) {
                asked.push(repository);
            }
        }
        join_all(asked.into_iter().map(|repository| self.of_one(repository))).await
    }

    async fn of_one(&self, repository: &RepoName) -> References {
        let kept = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(repository).cloned();
        if let Some((at, references)) = &kept
            && at.elapsed() < GOOD_FOR
        {
            return references.clone();
        }
        let references = match tokio::time::timeout(self.within, self.github.references(repository)).await {
            Ok(Ok(references)) => references,
            failed => {
                match failed {
                    Ok(Err(error)) => warn!(%error, "the branches and tags of a repository are not known"),
                    _ => warn!(%repository, "GitHub does not say in time which branches and tags there are"),
                }
                // Not asked again with every letter that is typed.
                kept.map(|(_, references)| references).unwrap_or_default()
            }
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(repository.clone(), (Instant::now(), references.clone()));
        references
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_deploy::github::Auth;

    fn references(branch: &str) -> References {
        References { branches: vec![branch.to_owned()], tags: vec![] }
    }

    #[tokio::test]
    async fn those_that_are_slow_cost_none_of_the_others() {
        // Whoever connects waits: nobody accepts.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let github = GitHub::new(&url, Auth::Token("none".to_owned().into())).unwrap();
        let there = KnownReferences { within: Duration::from_millis(500), ..KnownReferences::new(github) };
        let repository = |name: &str| RepoName::parse(&format!("acme/{name}")).unwrap();
        let repositories = ["a-slow", "b-slow", "c-slow", "goals", "goals", "web"].map(repository);
        for (name, branch) in [("goals", "main"), ("web", "trunk")] {
            there.known.lock().unwrap().insert(repository(name), (Instant::now(), references(branch)));
        }
        let began = Instant::now();
        let found = there.of(repositories.iter()).await;
        let nothing = References::default();
        assert_eq!(found, [nothing.clone(), nothing.clone(), nothing, references("main"), references("trunk")]);
        // One after the other would take three times as long.
        assert!(began.elapsed() < there.within * 3, "{:?}", began.elapsed());
        // They are left alone for a while.
        let again = Instant::now();
        there.of(repositories.iter()).await;
        assert!(again.elapsed() < there.within, "{:?}", again.elapsed());
    }
}
