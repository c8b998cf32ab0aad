//! One look at a branch: its head, its line since what is live, and how CI stands on that line.

use slipway_core::facts::CiState;
use slipway_core::flow::{COMMITS_LIMIT, Seen, Sight, Standing};
use slipway_core::ids::CommitSha;
use slipway_deploy::github::{BranchLine, ComparisonStatus, GitHub, GitHubError, RawCommit, RepoName, Required};
use std::collections::HashMap;

/// How many commits' checks one look asks for. The others come with the next looks.
const CHECKS_LIMIT: usize = 30;

/// Where it is looked.
pub(super) struct Look<'a> {
    pub(super) github: &'a GitHub,
    pub(super) repository: &'a RepoName,
    pub(super) branch: &'a str,
    pub(super) checks: &'a Required,
    /// What is live.
    pub(super) base: Option<&'a CommitSha>,
}

/// What earlier looks know.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The line between two commits never changes.
    line: Option<(Option<CommitSha>, CommitSha, Line)>,
    /// How CI stood, and in which look that was asked.
    ci: HashMap<CommitSha, (CiState, u64)>,
    looks: u64,
}

#[derive(Clone, Debug)]
struct Line {
    standing: Standing,
    commits: Vec<RawCommit>,
    more: u32,
}

impl Look<'_> {
    pub(super) async fn sees(&self, known: &mut Known) -> Result<Sight, GitHubError> {
        known.looks += 1;
        let head = self.github.head_of(self.repository, self.branch).await?;
        let line = match &head {
            Some(head) => self.line(known, head).await?,
            None => Line { standing: Standing::Unknown, commits: vec![], more: 0 },
        };
        self.ask(known, &line.commits).await?;
        let commits: Vec<_> = line.commits.iter().map(|commit| seen(commit, known)).collect();
        let total = u32::try_from(commits.len()).unwrap_or(u32::MAX).saturating_add(line.more);
        let branch = self.branch.to_owned();
        Ok(Sight { branch, base: self.base.cloned(), head, standing: line.standing, commits, total })
    }

    async fn line(&self, known: &mut Known, head: &CommitSha) -> Result<Line, GitHubError> {
        if let Some((base, to, line)) = &known.line
            && base.as_ref() == self.base
            && to == head
        {
            return Ok(line.clone());
        }
        let line = match self.base {
            None => {
                let commits = self.github.recent(self.repository, head, 1).await?;
                Line { standing: Standing::Unknown, commits, more: 0 }
            }
            Some(base) => match self.github.line(self.repository, base, head, COMMITS_LIMIT).await {
                Ok(BranchLine { status, commits, more }) => match status {
                    ComparisonStatus::Ahead | ComparisonStatus::Identical => {
                        Line { standing: Standing::Ahead, commits, more }
                    }
                    ComparisonStatus::Behind => Line { standing: Standing::Behind, commits: vec![], more: 0 },
                    ComparisonStatus::Diverged => Line { standing: Standing::Diverged, commits: vec![], more: 0 },
                },
                // The head is there: what is live is not, or it has nothing in common with the branch.
                Err(GitHubError::NotFound { .. }) => Line { standing: Standing::Diverged, commits: vec![], more: 0 },
                Err(error) => return Err(error),
            },
        };
        known.ci.retain(|sha, _| line.commits.iter().any(|commit| commit.sha == *sha));
        known.line = Some((self.base.cloned(), head.clone(), line.clone()));
        Ok(line)
    }

    /// Asks for the checks of those commits whose CI may stand otherwise than it is known: first those that nothing is
    /// known of, the newest first, then those that were asked for longest ago. What is green stays so, as a release looks
    /// again before it runs; and what is older than a green one ships with it, however it stands.
    async fn ask(&self, known: &mut Known, commits: &[RawCommit]) -> Result<(), GitHubError> {
        let is_green = |commit: &RawCommit| known.ci.get(&commit.sha).is_some_and(|(ci, _)| *ci == CiState::Green);
        let newest_green = commits.iter().position(is_green).unwrap_or(commits.len());
        let mut open: Vec<_> = commits
            .iter()
            .enumerate()
            .filter(|(place, commit)| *place < newest_green || !known.ci.contains_key(&commit.sha))
            .map(|(place, commit)| (known.ci.get(&commit.sha).map_or(0, |(_, look)| *look), place, &commit.sha))
            .collect();
        open.sort_unstable();
        for (_, _, sha) in open.into_iter().take(CHECKS_LIMIT) {
            let ci = match self.github.required_checks(self.repository, sha, self.checks).await {
                Ok(fact) => fact.state,
                // More checks than can be read: a release of it would say so.
                Err(GitHubError::TooBig { .. }) => CiState::Pending,
                Err(error) => return Err(error),
            };
            known.ci.insert(sha.clone(), (ci, known.looks));
        }
        Ok(())
    }
}

fn seen(commit: &RawCommit, known: &Known) -> Seen {
    let author = commit.author_login.clone().unwrap_or_else(|| commit.author_name.clone());
    Seen { sha: commit.sha.clone(), author, ci: known.ci.get(&commit.sha).map(|(ci, _)| *ci) }
}
