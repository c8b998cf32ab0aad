//! One look at a branch: its head, its line since what is live, and how CI stands on that line.

use super::runs::what_runs;
use crate::outside::Outside;
use crate::setup::EnvironmentSetup;
use slipway_core::facts::CiState;
use slipway_core::flow::{COMMITS_LIMIT, Seen, Sight, Standing};
use slipway_core::ids::CommitSha;
use slipway_core::paths::Paths;
use slipway_deploy::github::{BranchLine, ComparisonStatus, GitHubError, RawCommit, RepoName};
use std::collections::HashMap;

/// How many commits' checks one look asks for. The others come with the next looks.
const CHECKS_LIMIT: usize = 30;
/// How many commits are compared with what is live.
const COMPARISONS_LIMIT: usize = 30;

/// Where it is looked.
pub(super) struct Look<'a> {
    pub(super) outside: &'a Outside,
    pub(super) environment: &'a EnvironmentSetup,
    pub(super) repository: &'a RepoName,
    pub(super) branch: &'a str,
    /// What is live.
    pub(super) base: Option<&'a CommitSha>,
    /// Which files concern the service; without them all do.
    pub(super) paths: Option<&'a Paths>,
}

/// What earlier looks know.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The line between two commits never changes.
    line: Option<(Option<CommitSha>, CommitSha, Line)>,
    /// How CI stood, and in which look that was asked.
    ci: HashMap<CommitSha, (CiState, u64)>,
    /// Whether anything that concerns the service differs between what the line began at and a commit of it: that never
    /// changes either.
    concerned: HashMap<CommitSha, bool>,
    looks: u64,
}

#[derive(Clone, Debug)]
struct Line {
    standing: Standing,
    commits: Vec<RawCommit>,
    more: u32,
    /// The commit that it goes on from.
    since: Option<CommitSha>,
}

impl Look<'_> {
    pub(super) async fn sees(&self, known: &mut Known) -> Result<Sight, GitHubError> {
        known.looks += 1;
        let head = self.outside.github.head_of(self.repository, self.branch).await?;
        let line = match &head {
            Some(head) => self.line(known, head).await?,
            None => Line { standing: Standing::Unknown, commits: vec![], more: 0, since: None },
        };
        self.ask(known, &line.commits).await?;
        self.compare(known, &line).await?;
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
            Some(base) => self.line_since(base, head).await?,
            // Slipway has brought nothing there yet: what runs there all the same is where it starts from.
            None => match what_runs(self.outside, self.environment).await {
                Some(runs) => self.line_since(&runs, head).await?,
                None => self.head_alone(head).await?,
            },
        };
        // Another line than the branch's runs there, which somebody else has brought: the head is where to go.
        let line = match (self.base, line.standing) {
            (None, Standing::Diverged) => self.head_alone(head).await?,
            _ => line,
        };
        known.ci.retain(|sha, _| line.commits.iter().any(|commit| commit.sha == *sha));
        if known.line.as_ref().is_none_or(|(_, _, before)| before.since != line.since) {
            known.concerned.clear();
        }
        known.concerned.retain(|sha, _| line.commits.iter().any(|commit| commit.sha == *sha));
        // What runs may be known by the next look.
        let lasts = line.standing != Standing::Unknown;
        known.line = lasts.then(|| (self.base.cloned(), head.clone(), line.clone()));
        Ok(line)
    }

    async fn head_alone(&self, head: &CommitSha) -> Result<Line, GitHubError> {
        let commits = self.outside.github.recent(self.repository, head, 1).await?;
        Ok(Line { standing: Standing::Unknown, commits, more: 0, since: None })
    }

    async fn line_since(&self, base: &CommitSha, head: &CommitSha) -> Result<Line, GitHubError> {
        let none = |standing| Line { standing, commits: vec![], more: 0, since: None };
        match self.outside.github.line(self.repository, base, head, COMMITS_LIMIT).await {
            Ok(BranchLine { status, commits, more }) => Ok(match status {
                ComparisonStatus::Ahead | ComparisonStatus::Identical => {
                    Line { standing: Standing::Ahead, commits, more, since: Some(base.clone()) }
                }
                ComparisonStatus::Behind => none(Standing::Behind),
                ComparisonStatus::Diverged => none(Standing::Diverged),
            }),
            // The head is there: what is live is not, or it has nothing in common with the branch.
            Err(GitHubError::NotFound { .. }) => Ok(none(Standing::Diverged)),
            Err(error) => Err(error),
        }
    }

    /// Where the service has paths: compares the green commits with what is live, the newest first, until one is found that
    /// brings nothing to it. What is not compared, or cannot be, concerns it.
    async fn compare(&self, known: &mut Known, line: &Line) -> Result<(), GitHubError> {
        let (Some(paths), Some(since)) = (self.paths, &line.since) else { return Ok(()) };
        let is_green = |sha: &CommitSha| known.ci.get(sha).is_some_and(|(ci, _)| *ci == CiState::Green);
        let green: Vec<_> = line.commits.iter().map(|commit| &commit.sha).filter(|sha| is_green(sha)).collect();
        for sha in green.into_iter().take(COMPARISONS_LIMIT) {
            let concerned = match known.concerned.get(sha) {
                Some(concerned) => *concerned,
                None => {
                    let changed = self.outside.github.changed_between(self.repository, since, sha).await?;
                    !paths.seen(since, &changed).is_some_and(|seen| seen.is_untouched())
                }
            };
            known.concerned.insert(sha.clone(), concerned);
            if !concerned {
                break;
            }
        }
        Ok(())
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
            let ci = match self.outside.github.required_checks(self.repository, sha, &self.environment.checks).await {
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
    let untouched = known.concerned.get(&commit.sha) == Some(&false);
    Seen { sha: commit.sha.clone(), author, ci: known.ci.get(&commit.sha).map(|(ci, _)| *ci), untouched }
}
