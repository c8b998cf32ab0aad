//! What a name that somebody typed stands for.

use super::commits::{ComparisonStatus, RawCommit, raw_commit};
use super::error::GitHubError;
use super::http::{GitHub, PAGE_SIZE};
use super::name::{RepoName, encode, is_reference_name};
use super::wire;
use jiff::Timestamp;
use slipway_core::ids::CommitSha;
use std::cmp::Ordering;

/// How many pages of branches and of tags are looked through for near names.
const NAME_PAGES_LIMIT: usize = 3;
/// How many of the newest tags can be chosen from.
const TAGS_LIMIT: usize = 50;
/// How many near names are offered, and how many tags.
const OFFERED_LIMIT: usize = 5;
/// Below this likeness (0 to 1) a name is not near.
const NEAR_LIKENESS: f64 = 0.6;
/// A tag can be of a tag; so many are followed.
const PEEL_LIMIT: usize = 5;
/// How many branches are asked whether they contain a commit that the default branch lacks.
const CONTAINING_LIMIT: usize = 20;
/// The shortest part of a commit id that is taken for one.
const SHORT_SHA_MIN_DIGITS: usize = 7;
const SHA_DIGITS: usize = 40;

/// What a typed name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// One commit.
    Resolved(Resolved),
    /// Nothing that can be released.
    Unresolved(Unresolved),
}

/// The commit that a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The commit.
    pub commit: CommitSha,
    /// The branch, when the name is one (or none was given: the default branch).
    pub branch: Option<String>,
    /// The tag, when the name is one.
    pub tag: Option<String>,
    /// A branch was taken although a tag of the same name stands for another commit.
    pub also_tag: bool,
    /// Title and author.
    pub details: RawCommit,
    /// When it was committed, if it says so. The committer's clock, so for display only.
    pub committed_at: Option<Timestamp>,
}

/// Why a name stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyUnresolved {
    /// Git allows no such name.
    NotAName,
    /// No branch, tag or commit is called so.
    NotFound,
    /// GitHub shows the commit, but no branch of this repository was found to contain it: it may come from a
    /// fork, whose commits GitHub shows under the parent's name too.
    NotInRepository,
}

/// What may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// Why.
    pub why: WhyUnresolved,
    /// The most similar branches and tags, most similar first, at most 5.
    pub near: Vec<String>,
    /// The tags with the greatest version numbers, greatest first, at most 5.
    pub newest_tags: Vec<String>,
}

enum RefKind {
    Branch,
    Tag,
}

/// The names that one can release by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// The repository's branches, of very many the first ones.
    pub branches: Vec<String>,
    /// Its newest tags, newest first, without those that are called as a branch.
    pub tags: Vec<String>,
}

impl GitHub {
    /// Finds the commit of a branch, a tag or a commit id (7 to 40 hex digits), in that order; without a
    /// reference that of the default branch. Forty hex digits are always a commit, as in git, so that no
    /// branch can pose as one. `refs/heads/…` and `refs/tags/…` say which is meant.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::NotFound`] when it is the repository that is not there.
    pub async fn resolve(&self, repo: &RepoName, reference: Option<&str>) -> Result<Resolution, GitHubError> {
        let Some(reference) = reference else { return self.resolve_default(repo).await };
        if !is_reference_name(reference) {
            return self.unresolved(repo, reference, WhyUnresolved::NotAName).await;
        }
        let hex = reference.len() >= SHORT_SHA_MIN_DIGITS
            && reference.len() <= SHA_DIGITS
            && reference.bytes().all(|b| b.is_ascii_hexdigit());
        if hex && reference.len() == SHA_DIGITS {
            return self.resolve_commit(repo, reference).await;
        }
        let branch_name =
            (!reference.starts_with("refs/tags/")).then(|| reference.strip_prefix("refs/heads/").unwrap_or(reference));
        let tag_name =
            (!reference.starts_with("refs/heads/")).then(|| reference.strip_prefix("refs/tags/").unwrap_or(reference));
        let (branch, tag) =
            tokio::join!(self.look_up(repo, RefKind::Branch, branch_name), self.look_up(repo, RefKind::Tag, tag_name));
        match (branch?, tag?) {
            (Some(commit), tag) => {
                let also_tag = tag.is_some_and(|t| t != commit);
                self.resolved(repo, &commit, branch_name, None, also_tag).await.map(Resolution::Resolved)
            }
            (None, Some(commit)) => self.resolved(repo, &commit, None, tag_name, false).await.map(Resolution::Resolved),
            (None, None) if hex => self.resolve_commit(repo, reference).await,
            (None, None) => self.unresolved(repo, reference, WhyUnresolved::NotFound).await,
        }
    }

    async fn resolve_default(&self, repo: &RepoName) -> Result<Resolution, GitHubError> {
        let branch = self.repository(repo).await?.default_branch;
        match self.look_up(repo, RefKind::Branch, Some(&branch)).await? {
            Some(commit) => self.resolved(repo, &commit, Some(&branch), None, false).await.map(Resolution::Resolved),
            // An empty repository has a default branch without a commit.
            None => self.unresolved(repo, &branch, WhyUnresolved::NotFound).await,
        }
    }

    pub(super) async fn repository(&self, repo: &RepoName) -> Result<wire::Repository, GitHubError> {
        self.get(repo, &format!("the repository {repo}"), format!("/repos/{repo}")).await
    }

    async fn look_up(
        &self,
        repo: &RepoName,
        kind: RefKind,
        name: Option<&str>,
    ) -> Result<Option<CommitSha>, GitHubError> {
        let Some(name) = name.filter(|n| is_reference_name(n)) else { return Ok(None) };
        match kind {
            RefKind::Branch => self.branch_head(repo, name).await,
            RefKind::Tag => self.tag_commit(repo, name).await,
        }
    }

    /// The commit at the head of a branch now; `None` when there is no such branch.
    pub(super) async fn branch_head(&self, repo: &RepoName, branch: &str) -> Result<Option<CommitSha>, GitHubError> {
        let what = format!("the branch {branch} of {repo}");
        let full = format!("heads/{branch}");
        let Some(found) = self.exact_ref(repo, &what, &full).await? else { return Ok(None) };
        CommitSha::parse(&found.sha).map(Some).map_err(|e| GitHubError::unreadable(&what, e.to_string()))
    }

    /// What a ref points at. `full` is `heads/…` or `tags/…`.
    pub(super) async fn exact_ref(
        &self,
        repo: &RepoName,
        what: &str,
        full: &str,
    ) -> Result<Option<wire::Object>, GitHubError> {
        let found: Option<wire::Ref> = self.find(repo, what, format!("/repos/{repo}/git/ref/{}", encode(full))).await?;
        // Older servers answer with another ref that begins with the name.
        Ok(found.filter(|r| r.name == format!("refs/{full}")).map(|r| r.object))
    }

    /// The commit of a tag, annotated or not; `None` when there is no such tag or it is not of a commit.
    pub(super) async fn tag_commit(&self, repo: &RepoName, tag: &str) -> Result<Option<CommitSha>, GitHubError> {
        let what = format!("the tag {tag} of {repo}");
        let Some(mut object) = self.exact_ref(repo, &what, &format!("tags/{tag}")).await? else { return Ok(None) };
        for _ in 0..PEEL_LIMIT {
            match object.kind.as_str() {
                "commit" => {
                    let sha = CommitSha::parse(&object.sha);
                    return sha.map(Some).map_err(|e| GitHubError::unreadable(&what, e.to_string()));
                }
                "tag" => {
                    let path = format!("/repos/{repo}/git/tags/{}", encode(&object.sha));
                    object = self.get::<wire::Tag>(repo, &what, path).await?.object;
                }
                _ => return Ok(None),
            }
        }
        Err(GitHubError::TooBig { what, detail: format!("a tag of a tag, over {PEEL_LIMIT} deep") })
    }

    async fn resolved(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        branch: Option<&str>,
        tag: Option<&str>,
        also_tag: bool,
    ) -> Result<Resolved, GitHubError> {
        let what = format!("the commit {} of {repo}", commit.short());
        let found: wire::Commit = self.get(repo, &what, format!("/repos/{repo}/commits/{commit}")).await?;
        let committed_at = found.commit.committer.as_ref().and_then(|c| c.date);
        let details = raw_commit(&what, found)?;
        if details.sha != *commit {
            return Err(GitHubError::unreadable(&what, "it is about another commit"));
        }
        Ok(Resolved {
            commit: commit.clone(),
            branch: branch.map(str::to_owned),
            tag: tag.map(str::to_owned),
            also_tag,
            details,
            committed_at,
        })
    }

    async fn resolve_commit(&self, repo: &RepoName, hex: &str) -> Result<Resolution, GitHubError> {
        let hex = hex.to_ascii_lowercase();
        let what = format!("the commit {hex} of {repo}");
        let found: Option<wire::Commit> = match self.find(repo, &what, format!("/repos/{repo}/commits/{hex}")).await {
            // GitHub's answer to a commit that is not there, and to a part that fits several.
            Err(GitHubError::Refused { status: 422, .. }) => None,
            other => other?,
        };
        let Some(commit) = found.and_then(|c| CommitSha::parse(&c.sha).ok()).filter(|c| c.as_str().starts_with(&hex))
        else {
            return self.unresolved(repo, &hex, WhyUnresolved::NotFound).await;
        };
        if !self.contains(repo, &commit).await? {
            return self.unresolved(repo, &hex, WhyUnresolved::NotInRepository).await;
        }
        self.resolved(repo, &commit, None, None, false).await.map(Resolution::Resolved)
    }

    /// Whether a branch of the repository contains the commit. GitHub shows the commits of forks under the
    /// parent's name too, and nobody reviewed those.
    async fn contains(&self, repo: &RepoName, commit: &CommitSha) -> Result<bool, GitHubError> {
        let default = self.repository(repo).await?.default_branch;
        if self.branch_contains(repo, &default, commit).await? {
            return Ok(true);
        }
        let branches = self.names(repo, "branches").await?;
        for branch in branches.iter().filter(|b| **b != default).take(CONTAINING_LIMIT) {
            if self.branch_contains(repo, branch, commit).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn branch_contains(&self, repo: &RepoName, branch: &str, commit: &CommitSha) -> Result<bool, GitHubError> {
        let Some(head) = self.branch_head(repo, branch).await? else { return Ok(false) };
        if head == *commit {
            return Ok(true);
        }
        let what = format!("whether {branch} of {repo} contains {}", commit.short());
        match self.compare_page(repo, &what, &head, commit, 1).await {
            Ok((status, ..)) => Ok(matches!(status, ComparisonStatus::Behind | ComparisonStatus::Identical)),
            // No common ancestor.
            Err(GitHubError::NotFound { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// The names that one can release by.
    ///
    /// # Errors
    /// When GitHub does not answer, or does not let these credentials see the repository.
    pub async fn references(&self, repo: &RepoName) -> Result<References, GitHubError> {
        let (branches, tags) = tokio::join!(self.names(repo, "branches"), self.names(repo, "tags"));
        Ok(branches_and_tags(branches?, tags?))
    }

    async fn names(&self, repo: &RepoName, kind: &str) -> Result<Vec<String>, GitHubError> {
        let what = format!("the {kind} of {repo}");
        let mut names = Vec::new();
        for page in 1..=NAME_PAGES_LIMIT {
            let path = format!("/repos/{repo}/{kind}?per_page={PAGE_SIZE}&page={page}");
            let found: Vec<wire::Named> = self.get(repo, &what, path).await?;
            let last = found.len() < PAGE_SIZE;
            names.extend(found.into_iter().map(|n| n.name));
            if last {
                break;
            }
        }
        Ok(names)
    }

    async fn unresolved(
        &self,
        repo: &RepoName,
        reference: &str,
        why: WhyUnresolved,
    ) -> Result<Resolution, GitHubError> {
        let (branches, tags) = tokio::join!(self.names(repo, "branches"), self.names(repo, "tags"));
        let (branches, mut tags) = (branches?, tags?);
        let near = nearest(reference, branches.iter().chain(&tags));
        tags.sort_by(|a, b| by_version(b, a));
        // A list that is read page by page while it changes may name one twice.
        tags.dedup();
        tags.truncate(OFFERED_LIMIT);
        Ok(Resolution::Unresolved(Unresolved { why, near, newest_tags: tags }))
    }
}

/// A tag that is called as a branch stands for the branch.
fn branches_and_tags(branches: Vec<String>, mut tags: Vec<String>) -> References {
    tags.retain(|tag| !branches.contains(tag));
    tags.sort_by(|a, b| by_version(b, a));
    tags.truncate(TAGS_LIMIT);
    References { branches, tags }
}

/// The most similar names, most similar first. A name that contains what was typed, or the other way round,
/// is near however long the rest is.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let like = strsim::normalized_damerau_levenshtein;
    let typed = typed.to_lowercase();
    let mut ranked: Vec<(f64, &String)> = names
        .map(|name| {
            let lower = name.to_lowercase();
            let last = lower.rsplit('/').next().unwrap_or_default();
            let likeness = like(&typed, &lower).max(like(&typed, last));
            let within = typed.len() > 2 && (lower.contains(&typed) || (lower.len() > 2 && typed.contains(&lower)));
            (if within { likeness + 1.0 } else { likeness }, name)
        })
        .filter(|(likeness, _)| *likeness >= NEAR_LIKENESS)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let mut near: Vec<String> = ranked.into_iter().map(|(_, name)| name.clone()).collect();
    near.dedup();
    near.truncate(OFFERED_LIMIT);
    near
}

/// `v1.10.0` after `v1.9.0`; a pre-release (`v2.0.0-rc.1`) before its release.
fn by_version(a: &str, b: &str) -> Ordering {
    let parts = |tag: &str| -> (Vec<u64>, bool) {
        let (release, pre) = tag.split_once('-').map_or((tag, false), |(release, _)| (release, true));
        let numbers = release.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
        (numbers, !pre)
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_those_somebody_may_have_meant() {
        let names: Vec<String> =
            ["main", "staging", "feature/likes", "feature/profile-links", "v1.8.0", "v1.7.3"].map(String::from).into();
        let near = |typed: &str| nearest(typed, names.iter());
        assert_eq!(near("mian"), ["main"]);
        assert_eq!(near("likes"), ["feature/likes"]);
        assert_eq!(near("v1.8")[0], "v1.8.0");
        assert_eq!(near("Stagin"), ["staging"]);
        assert!(near("zzzz").is_empty());
        assert!(near("").is_empty());
    }

    #[test]
    fn tags_are_ordered_by_version() {
        let mut tags = vec!["v1.9.0", "nightly", "v1.10.0", "v2.0.0-rc.1", "v2.0.0", "v1.8.0"];
        tags.sort_by(|a, b| by_version(b, a));
        assert_eq!(tags, ["v2.0.0", "v2.0.0-rc.1", "v1.10.0", "v1.9.0", "v1.8.0", "nightly"]);
    }

    #[test]
    fn the_newest_tags_come_first_and_none_that_is_called_as_a_branch() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (branches, tags) = (names(&["main", "v1"]), names(&["v1.9.0", "v1", "v1.10.0"]));
        let offered = branches_and_tags(branches.clone(), tags);
        assert_eq!((offered.branches, offered.tags), (branches, names(&["v1.10.0", "v1.9.0"])));
        let many = (0..TAGS_LIMIT + 9).map(|n| format!("v{n}")).collect();
        let offered = branches_and_tags(vec![], many).tags;
        assert_eq!((offered.len(), offered[0].as_str()), (TAGS_LIMIT, "v58"));
    }
}
