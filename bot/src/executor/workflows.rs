//! What the workflows of a commit can never do as they are written.

use super::Job;
use slipway_core::ids::CommitSha;
use slipway_core::workflow::{Expected, WorkflowFile, WorkflowFinding, correlates, findings};
use slipway_deploy::github::{GitHub, GitHubError, RepoName, WORKFLOWS_DIR};

/// For the card. What cannot be read is no reason to stop: nothing is decided by it.
pub(super) async fn of_release(job: &Job<'_>) -> Vec<WorkflowFinding> {
    let (Ok(service), Ok(commit)) = (job.service(), job.commit()) else { return vec![] };
    match of_commit(&job.executor.outside.github, &service.repository, &service.workflow, commit).await {
        Ok(found) => found,
        Err(error) => {
            tracing::info!(%error, "the workflows could not be looked at");
            vec![]
        }
    }
}

/// What is found in a commit's workflows.
///
/// # Errors
/// When they cannot be read.
pub(crate) async fn of_commit(
    github: &GitHub,
    repo: &RepoName,
    workflow: &str,
    commit: &CommitSha,
) -> Result<Vec<WorkflowFinding>, GitHubError> {
    let branch = github.default_branch(repo).await?;
    let files = github.workflows_at(repo, commit).await?;
    Ok(of_files(&files, workflow, &branch))
}

/// What is found in the workflow files of the default branch. What cannot be read is named where it matters, among the ways
/// around the gate.
pub(crate) fn of_files(
    files: &[slipway_deploy::github::WorkflowFile],
    workflow: &str,
    branch: &str,
) -> Vec<WorkflowFinding> {
    let read = files.iter().filter_map(|file| Some((&file.path, file.text.as_ref().ok()?)));
    let files: Vec<_> = read.map(|(path, text)| WorkflowFile { path, text }).collect();
    findings(&files, &Expected { builds: &format!("{WORKFLOWS_DIR}/{workflow}"), branch })
}

/// Whether a workflow takes a release's id and shows it in the names of its runs, as it is at a commit.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn names_runs(
    github: &GitHub,
    repo: &RepoName,
    workflow: &str,
    commit: &CommitSha,
) -> Result<bool, GitHubError> {
    let path = format!("{WORKFLOWS_DIR}/{workflow}");
    let files = github.workflows_at(repo, commit).await?;
    let text = files.iter().find(|file| file.path == path).and_then(|file| file.text.as_ref().ok());
    Ok(text.is_some_and(|text| correlates(&WorkflowFile { path: &path, text })))
}
