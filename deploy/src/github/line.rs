//! The line of a branch: what the branch was at, one commit after the other.

use super::commits::{ComparisonStatus, RawCommit, raw_commit};
use super::error::GitHubError;
use super::http::{GitHub, PAGE_SIZE};
use super::name::RepoName;
use super::wire;
use slipway_core::ids::CommitSha;
use std::collections::HashMap;

/// How many pages of a comparison are read, the newest ones.
const PAGES_LIMIT: usize = 3;

/// What a branch was at since a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchLine {
    /// How the branch's head stands to that commit.
    pub status: ComparisonStatus,
    /// The commits of the line that the other lacks, newest first. What came with a merge from another branch is not among
    /// them: the branch itself was never at it.
    pub commits: Vec<RawCommit>,
    /// How many older ones of the line may be missing, because they are too many: none where all are there.
    pub more: u32,
}

impl GitHub {
    /// The line of a branch from after `base` to `head`, at most `limit` commits of it.
    ///
    /// # Errors
    /// [`GitHubError::NotFound`] also when the two have no common ancestor, or `base` is gone.
    pub async fn line(
        &self,
        repo: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
        limit: usize,
    ) -> Result<BranchLine, GitHubError> {
        let what = format!("the commits {}…{} of {repo}", base.short(), head.short());
        let (status, total, first) = self.compare_page(repo, &what, base, head, 1).await?;
        let pages = (total as usize).div_ceil(PAGE_SIZE);
        let mut listed = if pages <= PAGES_LIMIT { first } else { Vec::new() };
        for page in (2..=pages).rev().take(PAGES_LIMIT - 1) {
            listed.extend(self.compare_page(repo, &what, base, head, page).await?.2);
        }
        let unlisted = total.saturating_sub(u32::try_from(listed.len()).unwrap_or(u32::MAX));
        let (line, cut) = first_parents(listed, head, limit);
        let commits = line.into_iter().map(|commit| raw_commit(&what, commit)).collect::<Result<_, _>>()?;
        Ok(BranchLine { status, commits, more: cut.saturating_add(unlisted) })
    }

    /// The commit at the head of a branch now; `None` when the repository is there and has no such branch.
    ///
    /// # Errors
    /// As for any request.
    pub async fn head_of(&self, repo: &RepoName, branch: &str) -> Result<Option<CommitSha>, GitHubError> {
        if !super::name::is_reference_name(branch) {
            return Ok(None);
        }
        let head = self.branch_head(repo, branch).await?;
        if head.is_none() {
            // Where the repository itself is not shown, nothing is known of the branch.
            self.default_branch(repo).await?;
        }
        Ok(head)
    }
}

/// From the head on always the first parent, as far as it is listed; and how many more there would be.
fn first_parents(listed: Vec<wire::Commit>, head: &CommitSha, limit: usize) -> (Vec<wire::Commit>, u32) {
    let mut by_sha: HashMap<String, wire::Commit> =
        listed.into_iter().map(|commit| (commit.sha.clone(), commit)).collect();
    let (mut line, mut cut) = (Vec::new(), 0_u32);
    let mut next = Some(head.to_string());
    while let Some(commit) = next.and_then(|sha| by_sha.remove(&sha)) {
        next = commit.parents.first().map(|parent| parent.sha.clone());
        if line.len() < limit {
            line.push(commit);
        } else {
            cut += 1;
        }
    }
    (line, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(n: u32, parents: &[u32]) -> wire::Commit {
        let sha = |n: &u32| format!("{n:040x}");
        let parents: Vec<_> = parents.iter().map(|n| serde_json::json!({ "sha": sha(n) })).collect();
        serde_json::from_value(serde_json::json!({ "sha": sha(&n), "commit": {}, "parents": parents })).unwrap()
    }

    #[test]
    fn what_came_with_a_merge_is_not_on_the_line() {
        // 1 ← 3 ← 5 (merges 4) ← 6; 4 is another branch's.
        let listed = || vec![commit(3, &[1]), commit(4, &[1]), commit(5, &[3, 4]), commit(6, &[5])];
        let head = CommitSha::parse(&format!("{:040x}", 6)).unwrap();
        let line = |limit| {
            let (line, cut) = first_parents(listed(), &head, limit);
            (line.iter().map(|c| u32::from_str_radix(&c.sha, 16).unwrap()).collect::<Vec<_>>(), cut)
        };
        assert_eq!(line(10), (vec![6, 5, 3], 0));
        assert_eq!(line(2), (vec![6, 5], 1));
    }
}
