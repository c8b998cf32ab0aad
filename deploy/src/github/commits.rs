//! What lies between two commits.

use super::error::GitHubError;
use super::http::{GitHub, PAGE_SIZE};
use super::name::{RepoName, encode};
use super::wire;
use slipway_core::ids::CommitSha;
use slipway_core::plan::Plan;

/// How much of a commit's title is kept.
const TITLE_LIMIT_CHARS: usize = 200;
/// How much of an author's name is kept.
const AUTHOR_LIMIT_CHARS: usize = 80;

/// A commit as GitHub has it, before anybody looked up who its author is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawCommit {
    /// The commit.
    pub sha: CommitSha,
    /// First line of its message, at most 200 characters. Untrusted text.
    pub title: String,
    /// The author's name as git has it, at most 80 characters. Untrusted text.
    pub author_name: String,
    /// The author's GitHub login, when GitHub knows the e-mail.
    pub author_login: Option<String>,
    /// The pull request it came with, when the title names one.
    pub pull_request: Option<u64>,
}

/// How a head stands to a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonStatus {
    /// The head has commits that the base lacks, and not the other way round.
    Ahead,
    /// The head is an ancestor of the base.
    Behind,
    /// They are the same commit.
    Identical,
    /// Each has commits that the other lacks.
    Diverged,
}

/// What lies between two commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How the head stands to the base.
    pub status: ComparisonStatus,
    /// Commits of the head that the base lacks, newest first, at most [`Plan::COMMITS_LIMIT`].
    pub commits: Vec<RawCommit>,
    /// How many there are in all.
    pub total: u32,
}

impl GitHub {
    /// The commits that `head` has and `base` lacks.
    ///
    /// # Errors
    /// [`GitHubError::NotFound`] also when the two have no common ancestor.
    pub async fn compare(
        &self,
        repo: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Comparison, GitHubError> {
        let what = format!("the commits {}…{} of {repo}", base.short(), head.short());
        let (status, total, first) = self.compare_page(repo, &what, base, head, 1).await?;
        let pages = (total as usize).div_ceil(PAGE_SIZE);
        let mut commits: Vec<wire::Commit> = Vec::new();
        // GitHub lists the oldest first, so the newest are on the last page.
        for page in (2..=pages).rev() {
            let (_, _, mut older) = self.compare_page(repo, &what, base, head, page).await?;
            older.reverse();
            commits.extend(older);
            if commits.len() >= Plan::COMMITS_LIMIT {
                break;
            }
        }
        if commits.len() < Plan::COMMITS_LIMIT {
            commits.extend(first.into_iter().rev());
        }
        commits.truncate(Plan::COMMITS_LIMIT);
        let commits = commits.into_iter().map(|c| raw_commit(&what, c)).collect::<Result<_, _>>()?;
        Ok(Comparison { status, commits, total })
    }

    pub(super) async fn compare_page(
        &self,
        repo: &RepoName,
        what: &str,
        base: &CommitSha,
        head: &CommitSha,
        page: usize,
    ) -> Result<(ComparisonStatus, u32, Vec<wire::Commit>), GitHubError> {
        let path = format!("/repos/{repo}/compare/{base}...{head}?per_page={PAGE_SIZE}&page={page}");
        let found: wire::Compare = self.get(repo, what, path).await?;
        let status = match found.status.as_str() {
            "ahead" => ComparisonStatus::Ahead,
            "behind" => ComparisonStatus::Behind,
            "identical" => ComparisonStatus::Identical,
            "diverged" => ComparisonStatus::Diverged,
            other => return Err(GitHubError::unreadable(what, format!("comparison status {other:?}"))),
        };
        Ok((status, found.total_commits, found.commits))
    }

    /// The `n` newest commits (at most 100) up to and with `head`, newest first: for when it is not known
    /// what runs now.
    ///
    /// # Errors
    /// As for any request.
    pub async fn recent(&self, repo: &RepoName, head: &CommitSha, n: usize) -> Result<Vec<RawCommit>, GitHubError> {
        self.newest(repo, head, n, "").await
    }

    async fn newest(
        &self,
        repo: &RepoName,
        head: &CommitSha,
        n: usize,
        query: &str,
    ) -> Result<Vec<RawCommit>, GitHubError> {
        let what = format!("the commits up to {} of {repo}", head.short());
        let per_page = n.clamp(1, PAGE_SIZE);
        let path = format!("/repos/{repo}/commits?sha={head}&per_page={per_page}{query}");
        let found: Vec<wire::Commit> = self.get(repo, &what, path).await?;
        found.into_iter().take(n).map(|c| raw_commit(&what, c)).collect()
    }

    /// The commits up to and with `head` that changed something in a folder (empty or `.`: anywhere) since another
    /// commit, newest first, of the 100 newest ones. Where that cannot be told (the other commit is gone, history was
    /// rewritten, too much lies between them) all 100 are given: more rather than fewer.
    ///
    /// # Errors
    /// As for any request.
    pub async fn touching(
        &self,
        repo: &RepoName,
        since: &CommitSha,
        head: &CommitSha,
        dir: &str,
    ) -> Result<Vec<RawCommit>, GitHubError> {
        let dir = dir.trim_matches('/');
        let path = if matches!(dir, "" | ".") { String::new() } else { format!("&path={}", encode(dir)) };
        let mut commits = self.newest(repo, head, PAGE_SIZE, &path).await?;
        let between = match self.compare(repo, since, head).await {
            Ok(between) if between.status == ComparisonStatus::Identical => return Ok(vec![]),
            Ok(between) if between.status == ComparisonStatus::Ahead => between,
            Ok(_) | Err(GitHubError::NotFound { .. }) => return Ok(commits),
            Err(error) => return Err(error),
        };
        if between.commits.len() as u64 == u64::from(between.total) {
            commits.retain(|commit| between.commits.iter().any(|new| new.sha == commit.sha));
            // A merge that takes one side's files as they are is not listed with the folder's commits, and yet changes
            // what is there: then it may have been any of these.
            if commits.is_empty() {
                return Ok(between.commits);
            }
        }
        Ok(commits)
    }
}

/// Reads one commit of an answer.
pub(super) fn raw_commit(what: &str, found: wire::Commit) -> Result<RawCommit, GitHubError> {
    let sha = CommitSha::parse(&found.sha).map_err(|e| GitHubError::unreadable(what, e.to_string()))?;
    let title = found.commit.message.lines().next().unwrap_or_default().trim();
    Ok(RawCommit {
        sha,
        pull_request: pull_request_of(title),
        title: title.chars().take(TITLE_LIMIT_CHARS).collect(),
        author_name: found.commit.author.map(|a| a.name.chars().take(AUTHOR_LIMIT_CHARS).collect()).unwrap_or_default(),
        author_login: found.author.and_then(|a| a.login).filter(|login| !login.is_empty()),
    })
}

/// The pull request that a title names: `Likes on updates (#41)` as GitHub writes it when it squashes or
/// rebases, or `Merge pull request #41 from …` when it merges.
#[must_use]
pub fn pull_request_of(title: &str) -> Option<u64> {
    let digits = if let Some(rest) = title.strip_prefix("Merge pull request #") {
        rest.split(' ').next()?
    } else {
        title.trim_end().strip_suffix(')')?.rsplit_once("(#")?.1
    };
    // `parse` alone would take a sign.
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok().filter(|n| *n > 0) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_name_their_pull_request_only_at_the_end() {
        for (title, pull_request) in [
            ("Likes on updates (#41)", Some(41)),
            ("Revert \"Likes (#41)\" (#52)", Some(52)),
            ("Merge pull request #7 from acme/likes", Some(7)),
            ("Likes (#41) again", None),
            ("Likes (#)", None),
            ("Likes (#+4)", None),
            ("Likes (#0)", None),
            ("Likes (#99999999999999999999999)", None),
            ("Likes #41", None),
            ("", None),
        ] {
            assert_eq!(pull_request_of(title), pull_request, "{title}");
        }
    }
}
