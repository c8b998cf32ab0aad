//! The workflow files at a commit.

use super::error::GitHubError;
use super::http::GitHub;
use super::name::RepoName;
use super::wire;
use serde::{Deserialize, Serialize};
use slipway_core::ids::CommitSha;
use slipway_core::workflow::local_actions;
use std::collections::BTreeSet;

/// Where GitHub looks for workflows.
pub const WORKFLOWS_DIR: &str = ".github/workflows";
/// How many workflow files are looked at.
pub const WORKFLOWS_LIMIT: usize = 50;
/// How many actions of the same repository are looked at.
const ACTIONS_LIMIT: usize = 20;
/// How deep they may use each other.
const ACTIONS_DEPTH_LIMIT: usize = 4;
/// What an action's file is called.
const ACTION_FILES: [&str; 2] = ["action.yml", "action.yaml"];
/// How big one of them may be.
pub const WORKFLOW_LIMIT_BYTES: u64 = 256 * 1024;

/// A workflow file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowFile {
    /// `.github/workflows/build.yaml`.
    pub path: String,
    /// What is in it; `Err`: why that is not known.
    pub text: Result<String, String>,
}

impl WorkflowFile {
    fn unread(path: String, why: impl Into<String>) -> Self {
        Self { path, text: Err(why.into()) }
    }
}

impl GitHub {
    /// The workflow files at a commit, by name, and the actions of the same repository that they use. What cannot be read for what it is (a link, a file that is too big) is
    /// in the list and says so, so that nothing is overlooked.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn workflows_at(&self, repo: &RepoName, commit: &CommitSha) -> Result<Vec<WorkflowFile>, GitHubError> {
        // The commit names its files: what was read once needs no more requests.
        let key = format!("{repo}/{commit}/{WORKFLOWS_DIR}");
        if let Some(kept) = self.blobs().get(&key).and_then(|kept| serde_json::from_slice(&kept).ok()) {
            return Ok(kept);
        }
        let mut files = self.read_workflows(repo, commit).await?;
        self.read_actions(repo, commit, &mut files).await?;
        if let Ok(kept) = serde_json::to_vec(&files) {
            self.blobs().put(&key, &kept);
        }
        Ok(files)
    }

    /// Adds the actions that the files use, and those that these use. What cannot be read says so.
    async fn read_actions(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        files: &mut Vec<WorkflowFile>,
    ) -> Result<(), GitHubError> {
        let (mut seen, mut at) = (BTreeSet::new(), 0);
        for _ in 0..ACTIONS_DEPTH_LIMIT {
            let used = files[at..].iter().filter_map(|file| file.text.as_deref().ok()).flat_map(local_actions);
            let used: Vec<String> = used.filter(|folder| seen.insert(folder.clone())).collect();
            at = files.len();
            for folder in used {
                if seen.len() > ACTIONS_LIMIT {
                    let why = format!("only {ACTIONS_LIMIT} actions of the repository were");
                    files.push(WorkflowFile::unread(folder, why));
                    return Ok(());
                }
                files.push(self.read_action(repo, commit, folder).await?);
            }
            if at == files.len() {
                return Ok(());
            }
        }
        let deeper = files[at..].iter().filter_map(|file| file.text.as_deref().ok()).flat_map(local_actions);
        if let Some(folder) = deeper.into_iter().find(|folder| !seen.contains(folder)) {
            let why = format!("actions use each other more than {ACTIONS_DEPTH_LIMIT} deep");
            files.push(WorkflowFile::unread(folder, why));
        }
        Ok(())
    }

    async fn read_action(
        &self,
        repo: &RepoName,
        commit: &CommitSha,
        folder: String,
    ) -> Result<WorkflowFile, GitHubError> {
        let what = format!("the action {folder} at {} of {repo}", commit.short());
        let entries = match self.folder_entries(repo, commit, &folder, &what).await {
            Ok(entries) => entries.unwrap_or_default(),
            Err(error @ (GitHubError::NotAFile { .. } | GitHubError::Unreadable { .. })) => {
                return Ok(WorkflowFile::unread(folder, error.to_string()));
            }
            Err(error) => return Err(error),
        };
        let is_file = |entry: &&wire::TreeEntry| ACTION_FILES.contains(&entry.path.as_str());
        let Some(entry) = entries.into_iter().find(|entry| is_file(&entry)) else {
            // One in a Dockerfile runs what is built; nobody can read that out of it.
            return Ok(WorkflowFile::unread(folder, "it has no action.yml"));
        };
        let path = format!("{folder}/{}", entry.path);
        if !matches!(entry.mode.as_str(), "100644" | "100755" | "100664") {
            return Ok(WorkflowFile::unread(path, "it is no plain file"));
        }
        if entry.size.is_some_and(|size| size > WORKFLOW_LIMIT_BYTES) {
            return Ok(WorkflowFile::unread(path, format!("it is over {} KiB", WORKFLOW_LIMIT_BYTES / 1024)));
        }
        let bytes = self.file(repo, &folder, entry).await?.bytes;
        Ok(match String::from_utf8(bytes) {
            Ok(text) => WorkflowFile { path, text: Ok(text) },
            Err(_) => WorkflowFile::unread(path, "it is no text"),
        })
    }

    async fn read_workflows(&self, repo: &RepoName, commit: &CommitSha) -> Result<Vec<WorkflowFile>, GitHubError> {
        let what = format!("the workflows at {} of {repo}", commit.short());
        let entries = match self.folder_entries(repo, commit, WORKFLOWS_DIR, &what).await {
            Ok(entries) => entries.unwrap_or_default(),
            // A link or a file in the place of the folder: GitHub itself runs nothing from there.
            Err(GitHubError::NotAFile { .. }) => vec![],
            Err(error) => return Err(error),
        };
        let is_workflow = |path: &str| path.ends_with(".yml") || path.ends_with(".yaml");
        let entries: Vec<_> = entries.into_iter().filter(|entry| is_workflow(&entry.path)).collect();
        let total = entries.len();
        let mut files = Vec::new();
        for entry in entries.into_iter().take(WORKFLOWS_LIMIT) {
            let path = format!("{WORKFLOWS_DIR}/{}", entry.path);
            if !matches!(entry.mode.as_str(), "100644" | "100755" | "100664") {
                files.push(WorkflowFile::unread(path, "it is no plain file"));
            } else if entry.size.is_some_and(|size| size > WORKFLOW_LIMIT_BYTES) {
                files.push(WorkflowFile::unread(path, format!("it is over {} KiB", WORKFLOW_LIMIT_BYTES / 1024)));
            } else {
                let bytes = self.file(repo, WORKFLOWS_DIR, entry).await?.bytes;
                files.push(match String::from_utf8(bytes) {
                    Ok(text) => WorkflowFile { path, text: Ok(text) },
                    Err(_) => WorkflowFile::unread(path, "it is no text"),
                });
            }
        }
        if total > WORKFLOWS_LIMIT {
            let why = format!("only the first {WORKFLOWS_LIMIT} of {total} files were");
            files.push(WorkflowFile::unread(WORKFLOWS_DIR.to_owned(), why));
        }
        Ok(files)
    }

    /// The repository's default branch.
    ///
    /// # Errors
    /// As for any request.
    pub async fn default_branch(&self, repo: &RepoName) -> Result<String, GitHubError> {
        Ok(self.repository(repo).await?.default_branch)
    }
}
