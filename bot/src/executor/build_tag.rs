//! The tag that a build needed where no branch was at its commit. It is no longer than needed in a repository that people
//! read, and as long as it is needed: jobs fetch it when they begin.

use super::build::LAG_LIMIT_S;
use super::{Done, Job, Trouble, audited};
use serde_json::json;
use slipway_deploy::github::{Conclusion, GitHubError, Progress};

/// How soon a build that goes on is looked at again.
const LOOK_MS: i64 = 60_000;
/// The same as a part of the time for which it has gone on, where that is longer.
const LOOK_PART: i64 = 10;
/// For how long at most the tag is kept: for jobs that wait for a machine, and for those of a failed build, which people run
/// again.
const KEEP_LIMIT_MS: i64 = 24 * 60 * 60 * 1_000;

pub(super) async fn remove(job: &Job<'_>, tag: &str) -> Result<Done, Trouble> {
    let recorded = |removed: bool, found: Option<&str>| {
        let body = json!({ "tag": tag, "removed": removed, "is_on": found });
        Ok(Done::Recorded { kind: audited::TAG_REMOVED, body })
    };
    // Without a commit nothing was built.
    let Some(commit) = &job.release.commit else { return recorded(false, None) };
    let service = job.service()?;
    let github = &job.executor.outside.github;
    let age_ms = job.executor.clock.now_ms() - job.row.created_at_ms;
    if age_ms < KEEP_LIMIT_MS && is_needed(job, age_ms).await? {
        let after_ms = job.executor.setup.pace.poll_ms(LOOK_MS).max(age_ms / LOOK_PART);
        return Ok(Done::Again { after_ms, news: None });
    }
    match github.tag_is_on(&service.repository, tag, commit).await {
        Ok(true) => {}
        // There never was one, or an earlier try took it away.
        Ok(false) => return recorded(job.row.intent.is_some(), None),
        // What is on another commit was not made for this build.
        Err(GitHubError::TagTaken { found, .. }) => return recorded(false, Some(&found)),
        Err(error) => return Err(error.into()),
    }
    job.intend(&json!({ "removes": tag })).await?;
    github.delete_tag(&service.repository, tag).await?;
    recorded(true, None)
}

/// Whether a job may still fetch it: of a build that is under way, just being dispatched, or to be run again in part.
async fn is_needed(job: &Job<'_>, age_ms: i64) -> Result<bool, Trouble> {
    let service = job.service()?;
    // The release has ended before it was known whether its build was dispatched: that may still happen, or not show yet.
    let lag_ms = job.executor.setup.pace.lag_limit_s(LAG_LIMIT_S) * 1_000;
    if job.release.build_run.is_none() && age_ms < lag_ms {
        return Ok(true);
    }
    let github = &job.executor.outside.github;
    let runs = match github.runs_for_commit(&service.repository, &service.workflow, job.commit()?).await {
        Err(GitHubError::NotFound { .. }) => return Ok(false),
        runs => runs?,
    };
    let newest = runs.iter().max_by_key(|run| run.id);
    let failed = newest.is_some_and(|run| !run.conclusion.is_some_and(Conclusion::passes));
    Ok(failed || runs.iter().any(|run| run.status != Progress::Completed))
}
