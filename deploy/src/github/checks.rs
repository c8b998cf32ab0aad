//! How a commit's checks stand.

use super::error::GitHubError;
use super::http::{GitHub, PAGE_SIZE};
use super::name::RepoName;
use super::runs::Conclusion;
use super::wire;
use slipway_core::facts::{CiFact, CiState};
use slipway_core::ids::CommitSha;
use std::collections::BTreeMap;

/// How many pages of checks, and of statuses, are read. More checks are an error, not a guess.
const CHECK_PAGES_LIMIT: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Waiting,
    Failed,
}

/// What the names of statuses begin with that Slipway itself writes.
pub(super) const OWN_CONTEXTS: &str = "slipway/";

/// One check of a commit.
pub(super) struct Found {
    pub(super) name: String,
    /// The App that reported it; a commit status has none.
    pub(super) app: Option<u64>,
    pub(super) verdict: Verdict,
}

/// Whether Slipway writes this status itself: where a release stands says nothing about the commit.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(OWN_CONTEXTS)
}

impl GitHub {
    /// Joins check runs (the latest of each app and name) and commit statuses (the latest of each context)
    /// into one verdict. Nothing at all is [`CiState::Missing`]. What Slipway itself writes does not count.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::TooBig`] beyond 1,000 of either.
    pub async fn checks(&self, repo: &RepoName, commit: &CommitSha) -> Result<CiFact, GitHubError> {
        Ok(fact(self.found_checks(repo, commit).await?))
    }

    /// Every check of a commit but Slipway's own.
    pub(super) async fn found_checks(&self, repo: &RepoName, commit: &CommitSha) -> Result<Vec<Found>, GitHubError> {
        let what = format!("the checks of {} in {repo}", commit.short());
        let (runs, statuses) = tokio::join!(
            self.pages(repo, &what, format!("/repos/{repo}/commits/{commit}/check-runs?filter=latest"), |page| {
                let wire::CheckRuns { check_runs } = page;
                check_runs
            }),
            self.pages(repo, &what, format!("/repos/{repo}/commits/{commit}/status"), |page| {
                let wire::CombinedStatus { statuses } = page;
                statuses
            }),
        );
        let mut verdicts = latest(runs?);
        verdicts.extend(statuses?.into_iter().map(|s| {
            let verdict = match s.state.as_str() {
                "success" => Verdict::Passed,
                "pending" => Verdict::Waiting,
                _ => Verdict::Failed,
            };
            Found { name: s.context, app: None, verdict }
        }));
        verdicts.retain(|found| !is_ours(&found.name));
        Ok(verdicts)
    }

    /// All entries of a list with pages; `path` may already have a query.
    pub(super) async fn pages<P: serde::de::DeserializeOwned, T>(
        &self,
        repo: &RepoName,
        what: &str,
        path: String,
        entries: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, GitHubError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut all = Vec::new();
        for page in 1..=CHECK_PAGES_LIMIT {
            let found = entries(self.get(repo, what, format!("{path}{joint}per_page={PAGE_SIZE}&page={page}")).await?);
            let last = found.len() < PAGE_SIZE;
            all.extend(found);
            if last {
                return Ok(all);
            }
        }
        Err(GitHubError::TooBig { what: what.to_owned(), detail: format!("over {} entries", all.len()) })
    }
}

fn latest(runs: Vec<wire::CheckRun>) -> Vec<Found> {
    let mut newest: BTreeMap<(String, u64), wire::CheckRun> = BTreeMap::new();
    for run in runs {
        let key = (run.name.clone(), run.app.as_ref().map_or(0, |a| a.id));
        let newer = newest.get(&key).is_none_or(|known| (known.started_at, known.id) < (run.started_at, run.id));
        if newer {
            newest.insert(key, run);
        }
    }
    let found = |run: wire::CheckRun| Found { verdict: verdict(&run), app: run.app.map(|app| app.id), name: run.name };
    newest.into_values().map(found).collect()
}

fn verdict(run: &wire::CheckRun) -> Verdict {
    match (run.status.as_str(), run.conclusion.as_deref()) {
        ("completed", Some(conclusion)) if Conclusion::parse(conclusion).passes() => Verdict::Passed,
        ("completed", Some(_)) => Verdict::Failed,
        _ => Verdict::Waiting,
    }
}

pub(super) fn fact(verdicts: Vec<Found>) -> CiFact {
    let count = |wanted: Verdict| verdicts.iter().filter(|found| found.verdict == wanted).count();
    let (passed, failed) = (count(Verdict::Passed), count(Verdict::Failed));
    let state = match verdicts.len() {
        0 => CiState::Missing,
        _ if failed > 0 => CiState::Red,
        all if passed == all => CiState::Green,
        _ => CiState::Pending,
    };
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (total, passed) = (small(verdicts.len()), small(passed));
    let failing = verdicts.into_iter().filter(|found| found.verdict == Verdict::Failed).map(|found| found.name);
    CiFact { state, total, passed, failing: failing.take(CiFact::FAILING_LIMIT).collect(), missing: vec![] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: u64, name: &str, app: u64, conclusion: Option<&str>) -> wire::CheckRun {
        wire::CheckRun {
            id,
            name: name.into(),
            status: if conclusion.is_some() { "completed" } else { "in_progress" }.into(),
            conclusion: conclusion.map(str::to_owned),
            started_at: None,
            app: Some(wire::App { id: app }),
        }
    }

    #[test]
    fn the_latest_of_each_name_and_app_counts() {
        let state = |runs| {
            let CiFact { state, total, passed, failing, missing: _ } = fact(latest(runs));
            (state, total, passed, failing)
        };
        let green = run(2, "test", 1, Some("success"));
        assert_eq!(state(vec![]), (CiState::Missing, 0, 0, vec![]));
        assert_eq!(state(vec![green, run(1, "test", 1, Some("failure"))]), (CiState::Green, 1, 1, vec![]));
        assert_eq!(
            state(vec![run(2, "test", 1, Some("success")), run(1, "test", 2, Some("failure"))]),
            (CiState::Red, 2, 1, vec!["test".into()])
        );
        assert_eq!(
            state(vec![run(2, "test", 1, Some("skipped")), run(3, "lint", 1, None)]),
            (CiState::Pending, 2, 1, vec![])
        );
        assert_eq!(state(vec![run(3, "lint", 1, None), run(2, "test", 1, Some("stale"))]).0, CiState::Red);
    }

    #[test]
    fn only_three_conclusions_pass() {
        for (conclusion, expected) in [
            ("success", Verdict::Passed),
            ("neutral", Verdict::Passed),
            ("skipped", Verdict::Passed),
            ("failure", Verdict::Failed),
            ("cancelled", Verdict::Failed),
            ("timed_out", Verdict::Failed),
            ("action_required", Verdict::Failed),
            ("stale", Verdict::Failed),
            ("startup_failure", Verdict::Failed),
            ("something new", Verdict::Failed),
        ] {
            assert_eq!(verdict(&run(1, "x", 1, Some(conclusion))), expected, "{conclusion}");
        }
    }
}
