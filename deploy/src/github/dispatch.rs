//! Starting the build of exactly one commit.

use super::error::GitHubError;
use super::http::{Ask, GitHub, from_json};
use super::name::{RepoName, encode, is_reference_name};
use super::wire;
use http::{Method, StatusCode};
use serde_json::json;
use slipway_core::ids::{CommitSha, ReleaseId};

/// The field by which a server is asked to name the run it started. Known to github.com since February 2026.
const RUN_DETAILS: &str = "return_run_details";
/// Temporary tags are `slipway/RELEASE`.
const TAG_FOLDER: &str = "slipway";

/// A build that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatched {
    /// The run, when the server tells. Otherwise look for it with [`GitHub::find_run`].
    pub run_id: Option<u64>,
    /// The branch or tag that was dispatched.
    pub used_ref: String,
    /// The tag that was made for it: delete it with [`GitHub::delete_tag`] when the run is over.
    pub temporary_tag: Option<String>,
}

impl GitHub {
    /// Starts a workflow (a file name such as `build.yaml`) on a commit. GitHub dispatches only branches and
    /// tags, so this takes a branch whose head is the commit now, or else puts the tag
    /// `slipway/RELEASE` on it. A branch can still move before GitHub reads it: compare the run's
    /// `head_sha` with the commit.
    ///
    /// The dispatch is sent once. When [`GitHubError::may_have_acted`], look for the run before trying again.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::TagTaken`] when the temporary tag is on another commit.
    pub async fn dispatch(
        &self,
        repo: &RepoName,
        workflow: &str,
        commit: &CommitSha,
        release_id: &ReleaseId,
        known_branch: Option<&str>,
    ) -> Result<Dispatched, GitHubError> {
        self.dispatch_with(repo, workflow, commit, release_id, known_branch, None).await
    }

    /// As [`GitHub::dispatch`], with the release's id as the input of that name, which the workflow has to declare: GitHub
    /// refuses others.
    ///
    /// # Errors
    /// As for [`GitHub::dispatch`].
    pub async fn dispatch_with(
        &self,
        repo: &RepoName,
        workflow: &str,
        commit: &CommitSha,
        release_id: &ReleaseId,
        known_branch: Option<&str>,
        input: Option<&str>,
    ) -> Result<Dispatched, GitHubError> {
        let (used_ref, temporary_tag) = match self.branch_at(repo, commit, known_branch).await? {
            Some(branch) => (branch, None),
            None => {
                let tag = self.temporary_tag(repo, commit, release_id).await?;
                (tag.clone(), Some(tag))
            }
        };
        let inputs = input.map_or_else(|| json!({}), |name| json!({ name: release_id }));
        let run_id = self.post_dispatch(repo, workflow, &used_ref, &inputs).await?;
        Ok(Dispatched { run_id, used_ref, temporary_tag })
    }

    /// A branch whose head is the commit: the known one if it still is, else any.
    async fn branch_at(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        known: Option<&str>,
    ) -> Result<Option<String>, GitHubError> {
        if let Some(known) = known.filter(|b| is_reference_name(b))
            && self.branch_head(repo, known).await?.as_ref() == Some(commit)
        {
            return Ok(Some(known.to_owned()));
        }
        let what = format!("the branches at {} of {repo}", commit.short());
        let path = format!("/repos/{repo}/commits/{commit}/branches-where-head");
        let found: Option<Vec<wire::Named>> = self.find(repo, &what, path).await?;
        // A tag of the same name would make it unclear what GitHub takes.
        for wire::Named { name } in found.unwrap_or_default() {
            if is_reference_name(&name) && self.tag_commit(repo, &name).await?.is_none() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    async fn temporary_tag(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        release_id: &ReleaseId,
    ) -> Result<String, GitHubError> {
        let tag = format!("{TAG_FOLDER}/{release_id}");
        let what = format!("the temporary tag {tag} of {repo}");
        if !is_reference_name(&tag) {
            return Err(GitHubError::unreadable(&what, "git allows no such name"));
        }
        if self.tag_is_on(repo, &tag, commit).await? {
            return Ok(tag);
        }
        let body = json!({ "ref": format!("refs/tags/{tag}"), "sha": commit });
        match self.send(Some(repo), Ask::post(&what, format!("/repos/{repo}/git/refs"), body)).await {
            Ok(_) => Ok(tag),
            // Somebody made it in between, perhaps this very release before a crash.
            Err(refused @ GitHubError::Refused { status: 422, .. }) => {
                if self.tag_is_on(repo, &tag, commit).await? {
                    Ok(tag)
                } else {
                    Err(refused)
                }
            }
            Err(other) => Err(other),
        }
    }

    /// Whether there is such a tag, which is on this commit then.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::TagTaken`] when it is on another commit.
    pub async fn tag_is_on(&self, repo: &RepoName, tag: &str, commit: &CommitSha) -> Result<bool, GitHubError> {
        let what = format!("the temporary tag {tag} of {repo}");
        match self.exact_ref(repo, &what, &format!("tags/{tag}")).await? {
            None => Ok(false),
            Some(object) if object.sha == commit.as_str() => Ok(true),
            Some(object) => Err(GitHubError::TagTaken { tag: tag.to_owned(), found: object.sha }),
        }
    }

    async fn post_dispatch(
        &self,
        repo: &RepoName,
        workflow: &str,
        reference: &str,
        inputs: &serde_json::Value,
    ) -> Result<Option<u64>, GitHubError> {
        let what = format!("the dispatch of {workflow} on {reference} in {repo}");
        let path = format!("/repos/{repo}/actions/workflows/{}/dispatches", encode(workflow));
        let body = json!({ "ref": reference, "inputs": inputs, RUN_DETAILS: true });
        let answer = match self.send(Some(repo), Ask::post(&what, path.clone(), body)).await {
            // An older server refuses the field before it does anything, so this is not a repetition.
            Err(GitHubError::Refused { status: 400 | 422, message, .. }) if message.contains(RUN_DETAILS) => {
                let body = json!({ "ref": reference, "inputs": inputs });
                self.send(Some(repo), Ask::post(&what, path, body)).await?
            }
            other => other?,
        };
        if answer.status == StatusCode::OK && !answer.body.is_empty() {
            return from_json::<wire::RunDetails>(&what, &answer.body).map(|d| Some(d.workflow_run_id));
        }
        Ok(None)
    }

    /// Deletes a tag. One that is already gone is fine.
    ///
    /// # Errors
    /// As for any request.
    pub async fn delete_tag(&self, repo: &RepoName, tag: &str) -> Result<(), GitHubError> {
        let what = format!("the tag {tag} of {repo}");
        if !is_reference_name(tag) {
            return Err(GitHubError::unreadable(&what, "git allows no such name"));
        }
        let path = format!("/repos/{repo}/git/refs/tags/{}", encode(tag));
        let ask = Ask { what: &what, method: Method::DELETE, path, body: None, raw: false, unless: None };
        match self.send(Some(repo), ask).await {
            // GitHub says 422 "Reference does not exist".
            Ok(_) | Err(GitHubError::NotFound { .. } | GitHubError::Refused { status: 422, .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
