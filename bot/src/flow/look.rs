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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::setup::Setup;
    use slipway_core::ids::EnvironmentKey;
    use slipway_core::paths::Pattern;
    use std::path::Path;

    const CONFIG: &str = r#"
[store]
url = "sqlite://x.db"
[terminal]
channels = ["releases"]
[service.web]
repository = "acme/goals"
workflow = "build.yaml"
image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/web"
channels = ["terminal:releases"]
[service.web.environment.staging]
target = { kind = "dry", name = "web-staging" }
"#;

    fn setup() -> Setup {
        let (config, _) = Config::check(CONFIG.as_bytes(), Path::new("slipway.toml")).unwrap();
        crate::assemble::setup(&config).unwrap()
    }

    fn sha(n: usize) -> CommitSha {
        CommitSha::parse(&format!("{n:040x}")).unwrap()
    }

    /// So many green commits, the newest first. What differs between what is live and the first so many of them is known
    /// to concern the service.
    fn line(green: usize, compared: usize) -> (Line, Known) {
        let commit = |n: usize| RawCommit {
            sha: sha(n),
            title: format!("Change {n}"),
            author_name: "Cem".to_owned(),
            author_login: None,
            pull_request: None,
        };
        let commits: Vec<_> = (1..=green).map(commit).collect();
        let mut known = Known::default();
        known.ci.extend(commits.iter().map(|commit| (commit.sha.clone(), (CiState::Green, 1))));
        known.concerned.extend(commits.iter().take(compared).map(|commit| (commit.sha.clone(), true)));
        (Line { standing: Standing::Ahead, commits, more: 0, since: Some(sha(1_000)) }, known)
    }

    async fn compares(line: &Line, known: &mut Known) -> Result<(), GitHubError> {
        // Whatever is asked of GitHub is an error.
        let (outside, setup) = (Outside::nowhere(), setup());
        let key = EnvironmentKey { service: "web".into(), environment: "staging".into() };
        let paths = Paths::new(vec![Pattern::parse("web/**").unwrap()], None).unwrap();
        let look = Look {
            outside: &outside,
            environment: setup.environment(&key).unwrap(),
            repository: &RepoName::parse("acme/goals").unwrap(),
            branch: "main",
            base: None,
            paths: Some(&paths),
        };
        look.compare(known, line).await
    }

    /// What would begin were it known that nothing else does: the newest that concerns the service.
    fn concerns(line: &Line, known: &Known) -> Vec<bool> {
        line.commits.iter().map(|commit| !seen(commit, known).untouched).collect()
    }

    #[tokio::test]
    async fn so_many_commits_are_compared_and_what_is_beyond_concerns_the_service() {
        let (line, mut known) = line(COMPARISONS_LIMIT + 5, COMPARISONS_LIMIT);
        compares(&line, &mut known).await.unwrap();
        assert_eq!(known.concerned.len(), COMPARISONS_LIMIT, "nothing more is asked");
        assert!(concerns(&line, &known).into_iter().all(|concerns| concerns), "what is not known begins");
    }

    #[tokio::test]
    async fn the_last_within_the_bound_is_compared() {
        let (line, mut known) = line(COMPARISONS_LIMIT + 5, COMPARISONS_LIMIT - 1);
        assert!(compares(&line, &mut known).await.is_err(), "GitHub is asked about it");
        assert!(concerns(&line, &known).into_iter().all(|concerns| concerns), "and without an answer it concerns it");
    }

    #[tokio::test]
    async fn behind_one_that_brings_nothing_to_the_service_nothing_is_compared() {
        let (line, mut known) = line(COMPARISONS_LIMIT, 0);
        known.concerned.insert(sha(1), false);
        compares(&line, &mut known).await.unwrap();
        let untouched: Vec<_> = concerns(&line, &known).into_iter().filter(|concerns| !concerns).collect();
        assert_eq!(untouched.len(), 1, "of what is older it is not said");
    }

    #[test]
    fn a_look_asks_no_more_than_the_line_is_long() {
        // With more room than this the bound would never be met.
        const { assert!(COMPARISONS_LIMIT < COMMITS_LIMIT && COMPARISONS_LIMIT == 30) }
    }
}
