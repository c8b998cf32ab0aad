//! The workflow files of a commit.

use super::error::GitHubError;
use super::folder::FolderFile;
use super::http::GitHub;
use super::name::RepoName;
use slipway_core::ids::CommitSha;

/// Where GitHub reads workflows from.
pub const WORKFLOWS_DIR: &str = ".github/workflows";

impl GitHub {
    /// The workflow files at a commit, by name.
    ///
    /// # Errors
    /// As [`GitHub::folder_at`].
    pub async fn workflow_files(&self, repo: &RepoName, commit: &CommitSha) -> Result<Vec<FolderFile>, GitHubError> {
        let mut files = self.folder_at(repo, commit, WORKFLOWS_DIR).await?.files;
        files.retain(|file| [".yaml", ".yml"].iter().any(|ending| file.name.ends_with(ending)));
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
