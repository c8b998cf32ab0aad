//! Pull requests that are open, and what they change.

use super::error::GitHubError;
use super::http::{GitHub, PAGE_SIZE};
use super::name::RepoName;
use serde::Deserialize;
use slipway_core::ids::CommitSha;

/// How many of them are on a page: GitHub describes each at length, and a page has to be small enough to be kept with its
/// ETag.
const PULLS_PAGE_SIZE: usize = 20;
/// How many pages are read: of more than 100 open ones, those that were touched last.
const PULLS_PAGES_LIMIT: usize = 5;
/// How many pages of changed files are read.
const FILES_PAGES_LIMIT: usize = 10;

/// A pull request that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// The newest commit of it. Of a fork's, too, its files can be read in the repository that it is for.
    pub head: CommitSha,
    /// The branch that it is for. Untrusted text.
    pub base: String,
}

/// A file that a pull request changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path. Untrusted text.
    pub path: String,
    /// Its path before, where it was moved.
    pub was: Option<String>,
    /// Whether it is taken away.
    pub removed: bool,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    head: End,
    base: End,
}

#[derive(Deserialize)]
struct End {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
}

#[derive(Deserialize)]
struct Changed {
    filename: String,
    status: String,
    #[serde(default)]
    previous_filename: Option<String>,
}

impl GitHub {
    /// The open pull requests of a repository, those that were touched last first, at most 100.
    ///
    /// # Errors
    /// As for any request.
    pub async fn open_pull_requests(&self, repo: &RepoName) -> Result<Vec<PullRequest>, GitHubError> {
        let what = format!("the pull requests of {repo} (permission Pull requests: read)");
        let mut all = Vec::new();
        for page in 1..=PULLS_PAGES_LIMIT {
            let path = format!(
                "/repos/{repo}/pulls?state=open&sort=updated&direction=desc&per_page={PULLS_PAGE_SIZE}&page={page}"
            );
            let found: Vec<Pull> = self.get(repo, &what, path).await?;
            let last = found.len() < PULLS_PAGE_SIZE;
            for Pull { number, head, base } in found {
                let head =
                    CommitSha::parse(&head.sha).map_err(|error| GitHubError::unreadable(&what, error.to_string()))?;
                all.push(PullRequest { number, head, base: base.name });
            }
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// The files that a pull request changes.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::TooBig`] beyond 1,000.
    pub async fn changed_files(&self, repo: &RepoName, number: u64) -> Result<Vec<ChangedFile>, GitHubError> {
        let what = format!("the files of pull request {number} of {repo} (permission Pull requests: read)");
        let mut all = Vec::new();
        for page in 1..=FILES_PAGES_LIMIT {
            let path = format!("/repos/{repo}/pulls/{number}/files?per_page={PAGE_SIZE}&page={page}");
            let found: Vec<Changed> = self.get(repo, &what, path).await?;
            let last = found.len() < PAGE_SIZE;
            all.extend(found.into_iter().map(|Changed { filename, status, previous_filename }| ChangedFile {
                path: filename,
                was: previous_filename,
                removed: status == "removed",
            }));
            if last {
                return Ok(all);
            }
        }
        Err(GitHubError::TooBig { what, detail: format!("over {} files are changed", all.len()) })
    }
}
