//! What Slipway thinks of a commit, shown on GitHub: a check run where it is an App, else a commit status, because GitHub
//! takes check runs of Apps alone.
//!
//! Nothing here is sent twice by itself. It is looked first what is there already: a check run is found again by its name
//! and by a hash of what it says, a status by its words. A check run of more places than one request may name is made
//! first and finished then; how far that came is read from GitHub too.

use super::checks::OWN_CONTEXTS;
use super::error::GitHubError;
use super::http::{Ask, GitHub, PAGE_SIZE, from_json};
use super::name::{RepoName, encode};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use slipway_core::ids::CommitSha;

/// The longest description of a commit status.
const DESCRIPTION_LIMIT_CHARS: usize = 140;
/// How many places one request may name.
const ANNOTATIONS_AT_ONCE_LIMIT: usize = 50;
/// How many places a check run names in all.
const ANNOTATIONS_LIMIT: usize = 200;
/// The longest title of a place.
const TITLE_LIMIT_CHARS: usize = 255;
/// The longest text of a place, in bytes.
const MESSAGE_LIMIT_BYTES: usize = 16 * 1024;
/// The longest summary, in bytes.
const SUMMARY_LIMIT_BYTES: usize = 60_000;
/// How much of the hash tells what was said from other things that may be.
const HASH_DIGITS: usize = 32;

/// Which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong.
    Fine,
    /// Something should be looked at.
    Doubtful,
    /// Something is wrong.
    Wrong,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Its path in the repository.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// How bad it is.
    pub verdict: Verdict,
    /// In a few words. Plain text.
    pub title: String,
    /// Plain text.
    pub message: String,
}

/// What Slipway thinks of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// What it is about: `migrations` is shown as `slipway/migrations`.
    pub about: String,
    /// Which way it goes.
    pub verdict: Verdict,
    /// In one line. Plain text.
    pub title: String,
    /// Markdown; everything from elsewhere is escaped by whoever wrote it.
    pub summary: String,
    /// The places that it is about.
    pub annotations: Vec<Annotation>,
    /// A page with more, for a commit status: a check run has one of its own at GitHub.
    pub page: Option<String>,
}

#[derive(Deserialize)]
struct CheckRuns {
    check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
struct CheckRun {
    id: u64,
    #[serde(default)]
    external_id: Option<String>,
    status: String,
    #[serde(default)]
    output: Output,
}

#[derive(Default, Deserialize)]
struct Output {
    #[serde(default)]
    annotations_count: usize,
}

#[derive(Deserialize)]
struct Combined {
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    context: String,
    state: String,
    #[serde(default)]
    description: Option<String>,
}

impl Verdict {
    fn conclusion(self) -> &'static str {
        match self {
            Self::Fine => "success",
            Self::Doubtful => "neutral",
            Self::Wrong => "failure",
        }
    }

    fn level(self) -> &'static str {
        match self {
            Self::Fine => "notice",
            Self::Doubtful => "warning",
            Self::Wrong => "failure",
        }
    }

    /// A commit status has no state for doubts.
    fn state(self) -> &'static str {
        match self {
            Self::Fine | Self::Doubtful => "success",
            Self::Wrong => "failure",
        }
    }
}

impl Opinion {
    fn name(&self) -> String {
        format!("{OWN_CONTEXTS}{}", self.about)
    }

    fn description(&self) -> String {
        cut_chars(&self.title, DESCRIPTION_LIMIT_CHARS)
    }

    fn annotations(&self) -> Vec<Value> {
        let one = |place: &Annotation| {
            json!({
                "path": place.path, "start_line": place.line, "end_line": place.line,
                "annotation_level": place.verdict.level(), "title": cut_chars(&place.title, TITLE_LIMIT_CHARS),
                "message": cut_bytes(&place.message, MESSAGE_LIMIT_BYTES),
            })
        };
        self.annotations.iter().take(ANNOTATIONS_LIMIT).map(one).collect()
    }

    fn output(&self, annotations: &[Value]) -> Value {
        json!({
            "title": cut_chars(&self.title, TITLE_LIMIT_CHARS),
            "summary": cut_bytes(&self.summary, SUMMARY_LIMIT_BYTES),
            "annotations": annotations,
        })
    }

    /// The same words have the same.
    fn hash(&self) -> String {
        let said = json!([self.verdict.conclusion(), self.output(&self.annotations())]);
        let digest = hex::encode(Sha256::digest(said.to_string()));
        digest.chars().take(HASH_DIGITS).collect()
    }
}

fn cut_chars(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

fn cut_bytes(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

impl GitHub {
    /// Shows an opinion on a commit, unless GitHub shows it already. Whether anything was sent.
    ///
    /// When [`GitHubError::may_have_acted`], calling it again looks first.
    ///
    /// # Errors
    /// As for any request.
    pub async fn show_opinion(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        opinion: &Opinion,
    ) -> Result<bool, GitHubError> {
        if self.is_app() {
            self.show_check_run(repo, commit, opinion).await
        } else {
            self.show_status(repo, commit, opinion).await
        }
    }

    async fn show_check_run(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        opinion: &Opinion,
    ) -> Result<bool, GitHubError> {
        let (name, hash, annotations) = (opinion.name(), opinion.hash(), opinion.annotations());
        let what = format!("a check run of {repo} (permission Checks: write)");
        let named = encode(&name).replace('/', "%2F");
        let path = format!("/repos/{repo}/commits/{commit}/check-runs?check_name={named}&per_page={PAGE_SIZE}");
        let found: CheckRuns = self.get(repo, &what, path).await?;
        let ours = found.check_runs.into_iter().find(|run| run.external_id.as_deref() == Some(&hash));
        let (id, mut told) = match ours {
            Some(run) if run.status == "completed" => return Ok(false),
            Some(run) => (run.id, run.output.annotations_count),
            None => {
                let first = &annotations[..annotations.len().min(ANNOTATIONS_AT_ONCE_LIMIT)];
                let mut body = json!({
                    "name": name, "head_sha": commit, "external_id": hash, "output": opinion.output(first),
                });
                if first.len() == annotations.len() {
                    body["conclusion"] = json!(opinion.verdict.conclusion());
                } else {
                    body["status"] = json!("in_progress");
                }
                let answer = self.send(Some(repo), Ask::post(&what, format!("/repos/{repo}/check-runs"), body)).await?;
                let made: CheckRun = from_json(&what, &answer.body)?;
                if made.status == "completed" {
                    return Ok(true);
                }
                (made.id, first.len())
            }
        };
        // GitHub adds to the places that it has.
        loop {
            let rest = annotations.get(told..).unwrap_or_default();
            let next = &rest[..rest.len().min(ANNOTATIONS_AT_ONCE_LIMIT)];
            told += next.len();
            let mut body = json!({ "output": opinion.output(next) });
            if next.len() == rest.len() {
                body["conclusion"] = json!(opinion.verdict.conclusion());
            }
            let path = format!("/repos/{repo}/check-runs/{id}");
            let ask = Ask { method: Method::PATCH, ..Ask::post(&what, path, body) };
            self.send(Some(repo), ask).await?;
            if next.len() == rest.len() {
                return Ok(true);
            }
        }
    }

    async fn show_status(&self, repo: &RepoName, commit: &CommitSha, opinion: &Opinion) -> Result<bool, GitHubError> {
        let (context, state, description) = (opinion.name(), opinion.verdict.state(), opinion.description());
        let what = format!("a commit status of {repo} (permission Commit statuses: write)");
        let path = format!("/repos/{repo}/commits/{commit}/status");
        let all = self.pages(repo, &what, path, |page: Combined| page.statuses).await?;
        let says = |known: &Status| known.state == state && known.description.as_deref() == Some(&description);
        if all.iter().find(|known| known.context == context).is_some_and(says) {
            return Ok(false);
        }
        let mut body = json!({ "state": state, "description": description, "context": context });
        if let Some(page) = &opinion.page {
            body["target_url"] = json!(page);
        }
        let path = format!("/repos/{repo}/statuses/{commit}");
        self.send(Some(repo), Ask::post(&what, path, body)).await.map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opinion(title: &str, annotations: usize) -> Opinion {
        let place = |line| Annotation {
            path: "migrations/1_a.sql".into(),
            line,
            verdict: Verdict::Doubtful,
            title: "t".into(),
            message: "m".into(),
        };
        Opinion {
            about: "migrations".into(),
            verdict: Verdict::Doubtful,
            title: title.into(),
            summary: "s".into(),
            annotations: (1..=annotations).map(place).collect(),
            page: None,
        }
    }

    #[test]
    fn it_is_known_again_by_all_that_it_says() {
        let one = opinion("1 warning", 1);
        assert_eq!(one.hash(), opinion("1 warning", 1).hash());
        let others =
            [opinion("2 warnings", 1), opinion("1 warning", 2), Opinion { verdict: Verdict::Wrong, ..one.clone() }];
        assert!(others.iter().all(|other| other.hash() != one.hash()));
        assert_eq!((one.hash().len(), opinion("x", 1_000).annotations().len()), (HASH_DIGITS, ANNOTATIONS_LIMIT));
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        assert_eq!(opinion(&"ü".repeat(300), 0).description().chars().count(), DESCRIPTION_LIMIT_CHARS);
        assert_eq!(cut_bytes("aü", 2), "a");
        assert_eq!(cut_bytes("aü", 3), "aü");
    }
}
