//! The workflow run that builds the image.

use super::error::GitHubError;
use super::http::{Ask, GitHub, PAGE_SIZE};
use super::log::readable_tail;
use super::name::{RepoName, encode};
use super::wire;
use jiff::Timestamp;
use slipway_core::ids::{CommitSha, ReleaseId};

/// How much of a job's log is kept while reading it: its end.
const LOG_KEEP_BYTES: usize = 128 * 1024;
/// How much of a job's log is read. What comes after is not seen.
const LOG_READ_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// How far a run or a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not started: queued, requested, waiting for a runner or for an approval in GitHub.
    Queued,
    /// Started.
    Running,
    /// Over: there is a conclusion.
    Completed,
}

impl Progress {
    fn parse(status: &str) -> Self {
        match status {
            "completed" => Self::Completed,
            "in_progress" => Self::Running,
            _ => Self::Queued,
        }
    }
}

/// How a run, a job or a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// It succeeded.
    Success,
    /// It says neither yes nor no; counts as passed.
    Neutral,
    /// It was not needed; counts as passed.
    Skipped,
    /// It failed.
    Failure,
    /// Somebody or something stopped it.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// Somebody has to do something in GitHub.
    ActionRequired,
    /// GitHub gave up on it.
    Stale,
    /// The workflow could not start.
    StartupFailure,
    /// A word that GitHub did not use when this was written. Counts as failed.
    Unknown,
}

impl Conclusion {
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "success" => Self::Success,
            "neutral" => Self::Neutral,
            "skipped" => Self::Skipped,
            "failure" => Self::Failure,
            "cancelled" => Self::Cancelled,
            "timed_out" => Self::TimedOut,
            "action_required" => Self::ActionRequired,
            "stale" => Self::Stale,
            "startup_failure" => Self::StartupFailure,
            _ => Self::Unknown,
        }
    }

    /// Whether it counts as passed.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Self::Success | Self::Neutral | Self::Skipped)
    }
}

/// A workflow run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    /// Its id.
    pub id: u64,
    /// Its number within the workflow, for people.
    pub number: u64,
    /// What it really checked out: compare it with the pinned commit.
    pub head_sha: String,
    /// How far it is.
    pub status: Progress,
    /// How it ended.
    pub conclusion: Option<Conclusion>,
    /// Its page.
    pub html_url: String,
    /// When it was created (GitHub counts in seconds).
    pub created_at: Timestamp,
    /// Its jobs, where they were asked for.
    pub jobs: Vec<JobState>,
    /// Which attempt this is, from 1: running its jobs again is another one of the same run.
    pub attempt: u32,
    /// What GitHub calls it: what the workflow's `run-name` makes, else the commit's title. Untrusted text.
    pub title: String,
}

/// A job of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// Its id.
    pub id: u64,
    /// Its name. Untrusted text.
    pub name: String,
    /// How far it is.
    pub status: Progress,
    /// How it ended.
    pub conclusion: Option<Conclusion>,
    /// Its page.
    pub html_url: String,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The first step that failed. Untrusted text.
    pub failed_step: Option<String>,
}

impl GitHub {
    /// A run with its jobs (those of the latest attempt).
    ///
    /// # Errors
    /// As for any request.
    pub async fn run(&self, repo: &RepoName, run_id: u64) -> Result<RunState, GitHubError> {
        let what = format!("run {run_id} of {repo}");
        let path = format!("/repos/{repo}/actions/runs/{run_id}");
        let jobs = format!("{path}/jobs?filter=latest");
        // The run first: a job that ends in between makes the picture newer, never "completed" with open jobs.
        let run: wire::Run = self.get(repo, &what, path).await?;
        let jobs = self.pages(repo, &what, jobs, |page: wire::Jobs| page.jobs).await?;
        Ok(RunState { jobs: jobs.into_iter().map(job_state).collect(), ..run_state(run) })
    }

    /// Runs of a workflow (a file name such as `build.yaml`) on exactly this commit, newest first, without
    /// their jobs, at most 100: the build already made or under way.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::NotFound`] when there is no such workflow.
    pub async fn runs_for_commit(
        &self,
        repo: &RepoName,
        workflow: &str,
        commit: &CommitSha,
    ) -> Result<Vec<RunState>, GitHubError> {
        self.list_runs(repo, workflow, commit, "").await
    }

    /// The newest dispatched run of a workflow on this commit that was created at `since` or later (to the
    /// second, as GitHub counts). A server that answers a dispatch without an id needs this.
    ///
    /// # Errors
    /// As for any request.
    pub async fn find_run(
        &self,
        repo: &RepoName,
        workflow: &str,
        commit: &CommitSha,
        since: Timestamp,
    ) -> Result<Option<u64>, GitHubError> {
        let since = since.as_second();
        let runs = self.list_runs(repo, workflow, commit, "&event=workflow_dispatch").await?;
        Ok(runs.into_iter().find(|r| r.created_at.as_second() >= since).map(|r| r.id))
    }

    /// The newest dispatched run of a workflow on this commit that has the release's id in its name, because it was
    /// dispatched with it as an input and the workflow shows that.
    ///
    /// # Errors
    /// As for any request.
    pub async fn find_named_run(
        &self,
        repo: &RepoName,
        workflow: &str,
        commit: &CommitSha,
        release_id: &ReleaseId,
    ) -> Result<Option<u64>, GitHubError> {
        let runs = self.list_runs(repo, workflow, commit, "&event=workflow_dispatch").await?;
        Ok(runs.into_iter().find(|run| run.title.contains(release_id.as_str())).map(|run| run.id))
    }

    /// Runs the failed jobs of a run again, with those that depend on them: another attempt of the same run. Sent once;
    /// when [`GitHubError::may_have_acted`], compare [`RunState::attempt`] before trying again.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::Forbidden`] also when it is too old or has not failed.
    pub async fn rerun_failed_jobs(&self, repo: &RepoName, run_id: u64) -> Result<(), GitHubError> {
        let what = format!("running the failed jobs of run {run_id} of {repo} again (permission Actions: write)");
        let path = format!("/repos/{repo}/actions/runs/{run_id}/rerun-failed-jobs");
        self.send(Some(repo), Ask::post(&what, path, serde_json::json!({}))).await.map(drop)
    }

    async fn list_runs(
        &self,
        repo: &RepoName,
        workflow: &str,
        commit: &CommitSha,
        filter: &str,
    ) -> Result<Vec<RunState>, GitHubError> {
        let what = format!("the runs of {workflow} on {} in {repo}", commit.short());
        let workflow = encode(workflow);
        let path =
            format!("/repos/{repo}/actions/workflows/{workflow}/runs?head_sha={commit}{filter}&per_page={PAGE_SIZE}");
        let found: wire::Runs = self.get(repo, &what, path).await?;
        let runs = found.workflow_runs.into_iter().map(run_state);
        let mut runs: Vec<RunState> = runs.filter(|r| r.head_sha == commit.as_str()).collect();
        runs.sort_by_key(|r| std::cmp::Reverse((r.created_at, r.id)));
        Ok(runs)
    }

    /// The last lines that a job wrote, without colours and times. When the runner marked an error they end
    /// there, so that the cleaning up after it does not hide it. Untrusted text.
    ///
    /// # Errors
    /// As for any request; [`GitHubError::NotFound`] when GitHub no longer keeps the log.
    pub async fn job_log_tail(&self, repo: &RepoName, job_id: u64, lines: usize) -> Result<Vec<String>, GitHubError> {
        let what = format!("the log of job {job_id} of {repo}");
        let ask = Ask::get(&what, format!("/repos/{repo}/actions/jobs/{job_id}/logs"));
        let log = self.tail(repo, ask, LOG_KEEP_BYTES, LOG_READ_LIMIT_BYTES).await?;
        Ok(readable_tail(&log, lines))
    }
}

fn run_state(run: wire::Run) -> RunState {
    RunState {
        id: run.id,
        number: run.run_number,
        head_sha: run.head_sha,
        status: Progress::parse(run.status.as_deref().unwrap_or_default()),
        conclusion: run.conclusion.as_deref().map(Conclusion::parse),
        html_url: run.html_url,
        created_at: run.created_at,
        jobs: Vec::new(),
        attempt: run.run_attempt,
        // Servers that know no titles show the same in the name.
        title: run.display_title.or(run.name).unwrap_or_default(),
    }
}

fn job_state(job: wire::Job) -> JobState {
    let failed = |step: &wire::Step| step.conclusion.as_deref().is_some_and(|c| !Conclusion::parse(c).passes());
    JobState {
        id: job.id,
        name: job.name,
        status: Progress::parse(&job.status),
        conclusion: job.conclusion.as_deref().map(Conclusion::parse),
        html_url: job.html_url.unwrap_or_default(),
        started_at: job.started_at,
        completed_at: job.completed_at,
        failed_step: job.steps.into_iter().find(failed).map(|step| step.name),
    }
}
