//! The failed jobs of a run, run again for a release that was asked for with that: another attempt of the same run, and
//! exactly that one is followed.

use super::{Done, Job, Trouble};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_core::release::{Failure, RequestKind, Step};
use slipway_deploy::github::{Conclusion, GitHubError, Progress, RunState};

/// How often it is asked for without another attempt to show for it.
const ASKED_LIMIT: u32 = 3;
/// How long another attempt may take to show.
const LAG_LIMIT_S: i64 = 120;

/// What became of it.
pub(super) enum Rerun {
    /// There is nothing to run again: the build is looked at as always.
    NotAsked,
    /// It was asked for, and does not show yet.
    Waits,
    /// This attempt is the one.
    Runs(RunState),
    /// It cannot be.
    Refused(Done),
}

/// Recorded before it is asked for.
#[derive(Serialize, Deserialize)]
struct RerunIntent {
    run: u64,
    /// The attempt that has failed.
    attempt: u32,
    since: Timestamp,
    /// How often it was asked for before.
    #[serde(default)]
    before: u32,
}

pub(super) async fn rerun(job: &Job<'_>) -> Result<Rerun, Trouble> {
    let asked = matches!(job.release.request.kind, RequestKind::Retry { rerun: true, .. });
    // A build that was dispatched afterwards is followed as always.
    if !asked || job.release.build_run.is_some() {
        return Ok(Rerun::NotAsked);
    }
    let (service, commit) = (job.service()?, job.commit()?);
    let github = &job.executor.outside.github;
    let Some(intent) = job.intent::<RerunIntent>()? else {
        let runs = github.runs_for_commit(&service.repository, &service.workflow, commit).await?;
        let Some(newest) = runs.into_iter().max_by_key(|run| run.id) else { return Ok(Rerun::NotAsked) };
        if newest.status == Progress::Completed && !newest.conclusion.is_some_and(Conclusion::passes) {
            return ask(job, &newest, 0).await;
        }
        // Somebody was faster: what they began is followed.
        let (run, attempt) = (newest.id, newest.attempt.saturating_sub(1));
        job.note(&serde_json::json!(RerunIntent { run, attempt, since: job.now(), before: 0 })).await?;
        return Ok(Rerun::Runs(github.run(&service.repository, run).await?));
    };
    let run = github.run(&service.repository, intent.run).await?;
    if run.attempt > intent.attempt {
        return Ok(Rerun::Runs(run));
    }
    if job.now().as_second() - intent.since.as_second() < job.executor.setup.pace.lag_limit_s(LAG_LIMIT_S) {
        return Ok(Rerun::Waits);
    }
    if intent.before + 1 >= ASKED_LIMIT {
        let what =
            format!("Run {} was asked {ASKED_LIMIT} times to run its failed jobs again, and did not.", run.number);
        let failure = Failure::new(what).detail(run.html_url).next("re-run them on GitHub, then /release retry");
        return Ok(Rerun::Refused(job.planning_failed(Some(Step::Ci), failure)));
    }
    ask(job, &run, intent.before + 1).await
}

async fn ask(job: &Job<'_>, run: &RunState, before: u32) -> Result<Rerun, Trouble> {
    let intent = RerunIntent { run: run.id, attempt: run.attempt, since: job.now(), before };
    job.intend(&serde_json::json!(intent)).await?;
    match job.executor.outside.github.rerun_failed_jobs(&job.service()?.repository, run.id).await {
        Ok(()) => Ok(Rerun::Waits),
        // Whether it was heard shows in the run's attempt.
        Err(error) if error.may_have_acted() => Ok(Rerun::Waits),
        Err(error) => {
            job.restore_intent().await?;
            if let GitHubError::Forbidden { .. } | GitHubError::Refused { .. } = error {
                let failure = Failure::new(error.to_string()).detail(run.html_url.clone()).next("push a fix");
                return Ok(Rerun::Refused(job.planning_failed(Some(Step::Ci), failure)));
            }
            Err(error.into())
        }
    }
}
