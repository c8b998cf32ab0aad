//! CI and the image of a commit: waited for, and built where nothing else would.

use super::rerun::{self, Rerun};
use super::{Done, Job, Trouble};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_core::facts::{CiFact, CiState};
use slipway_core::release::{BuildJob, BuildJobState, BuildProgress, Event, Failure, RequestKind, Step};
use slipway_deploy::github::{Conclusion, Dispatched, JobState, Progress, Required, RunState};

/// How often CI and the registry are looked at while planning waits for them.
const POLL_MS: i64 = 3_000;
/// How long planning waits for a build.
const BUILD_LIMIT_S: i64 = 2 * 60 * 60;
/// How long after a green build the image may take to appear in the registry.
const IMAGE_GRACE_S: i64 = 120;
/// How long a run that was just dispatched may take to show in the list of runs.
pub(super) const LAG_LIMIT_S: i64 = 120;
/// How many running jobs are named.
const RUNNING_NAMED_LIMIT: usize = 3;
/// How many lines of a failing job's log are shown.
const LOG_TAIL_LINES: usize = 15;

/// The same where GitHub has lately told by webhooks that there is something to see.
const POLL_HEARD_MS: i64 = 15_000;
/// For how long webhooks that came are taken for a sign that others will.
const HEARD_LIMIT_MS: i64 = 24 * 60 * 60 * 1_000;
/// How soon it is looked again when a webhook came while it was looked.
const LOOK_AGAIN_MS: i64 = 500;

pub(super) async fn await_build(job: &Job<'_>) -> Result<Done, Trouble> {
    let began_ms = job.executor.clock.now_ms();
    match look(job).await? {
        Done::Again { news, .. } => {
            let heard_ms = job.executor.store.github_heard_ms(&job.service()?.repository.to_string()).await?;
            Ok(Done::Again { after_ms: rest_ms(job, began_ms, heard_ms), news })
        }
        done => Ok(done),
    }
}

/// Webhooks are for speed, polling for the truth: with them it is only slower, without them as it was.
fn rest_ms(job: &Job<'_>, began_ms: i64, heard_ms: Option<i64>) -> i64 {
    rest_between(job, began_ms, heard_ms, (POLL_MS, POLL_HEARD_MS))
}

/// The rest between two looks at GitHub, of two: without webhooks and with them.
pub(super) fn rest_between(
    job: &Job<'_>,
    began_ms: i64,
    heard_ms: Option<i64>,
    (poll_ms, slower_ms): (i64, i64),
) -> i64 {
    match heard_ms {
        Some(heard_ms) if heard_ms >= began_ms => LOOK_AGAIN_MS,
        Some(heard_ms) if began_ms - heard_ms < HEARD_LIMIT_MS => job.executor.setup.pace.poll_ms(slower_ms),
        _ => job.executor.setup.pace.poll_ms(poll_ms),
    }
}

async fn look(job: &Job<'_>) -> Result<Done, Trouble> {
    let (service, commit) = (job.service()?, job.commit()?);
    let outside = &job.executor.outside;
    // Where nothing concerns it, nothing may ever build it.
    if super::paths::stays(job).await?.is_some() {
        return Ok(Done::Event(Event::BuildReady));
    }
    // The run before the checks: an attempt that has ended has its checks by then.
    let again = match rerun::rerun(job).await? {
        Rerun::NotAsked => None,
        Rerun::Waits => return Ok(wait(job, waiting_for_attempt())),
        Rerun::Refused(done) => return Ok(done),
        Rerun::Runs(run) => Some(run),
    };
    let followed = again.is_some();
    let checks = job.checks().await?;
    let image = outside.ecr.image_by_tag(&service.image, &service.tag_of(commit)).await?;
    let run = match again {
        Some(run) => Some(run),
        None => newest_run(job).await?,
    };
    if let Some(run) = &run
        && run.head_sha != commit.as_str()
    {
        let what = format!("Run {} built {}, not {}.", run.number, short_sha(&run.head_sha), commit.short());
        return Ok(job.planning_failed(Some(Step::Ci), Failure::new(what)));
    }
    let under_way = run.as_ref().is_some_and(|run| run.status != Progress::Completed);
    // What is red then may be of the attempt before.
    if checks.state == CiState::Red && !(followed && under_way) {
        return red(job, &checks, run.as_ref()).await;
    }
    // Of a run that is under way other jobs may not be required; those that are have passed.
    let passed = checks.state == CiState::Green && job.environment()?.checks != Required::All;
    if image.is_some() && checks.state != CiState::Pending && (passed || !under_way) {
        return Ok(Done::Event(Event::BuildReady));
    }
    if let Some(done) = too_late(job, run.as_ref()) {
        return Ok(done);
    }
    match run {
        Some(run) if under_way => Ok(wait(job, run_progress(&run))),
        Some(run) if image.is_none() && !run.conclusion.is_some_and(Conclusion::passes) => {
            red(job, &checks, Some(&run)).await
        }
        Some(run) if image.is_none() => green_without_image(job, &run),
        _ if checks.state == CiState::Pending => Ok(wait(job, checks_progress(&checks))),
        _ if job.release.build_run.is_some() => Ok(wait(job, waiting_for_run())),
        _ => Ok(Done::Event(Event::BuildMissing { at: job.now() })),
    }
}

/// The run that was dispatched for this release, else the newest of the workflow for the commit.
async fn newest_run(job: &Job<'_>) -> Result<Option<RunState>, Trouble> {
    let (service, commit) = (job.service()?, job.commit()?);
    let github = &job.executor.outside.github;
    if let Some(run) = job.release.build_run {
        return Ok(Some(github.run(&service.repository, run).await?));
    }
    let runs = github.runs_for_commit(&service.repository, &service.workflow, commit).await?;
    let Some(newest) = runs.into_iter().max_by_key(|run| run.id) else { return Ok(None) };
    Ok(Some(github.run(&service.repository, newest.id).await?))
}

fn short_sha(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

fn too_late(job: &Job<'_>, run: Option<&RunState>) -> Option<Done> {
    let waited_s = (job.now().as_millisecond() - job.row.created_at_ms) / 1000;
    if waited_s < BUILD_LIMIT_S {
        return None;
    }
    let mut failure = Failure::new(format!("The build did not end within {} hours.", BUILD_LIMIT_S / 3600));
    if let Some(run) = run {
        failure = failure.detail(run.html_url.clone());
    }
    Some(job.planning_failed(Some(Step::Ci), failure.next("/release retry")))
}

/// The run is green, yet there is no image: wait a little, then start one build of our own, then say so.
fn green_without_image(job: &Job<'_>, run: &RunState) -> Result<Done, Trouble> {
    let ended = run.jobs.iter().filter_map(|job| job.completed_at).max();
    let since_s = ended.map_or(IMAGE_GRACE_S, |at| job.now().as_second() - at.as_second());
    if since_s < job.executor.setup.pace.image_grace_s(IMAGE_GRACE_S) {
        let detail = format!("run {} is green, waiting for the image", run.number);
        return Ok(wait(
            job,
            BuildProgress { detail, permille: Some(950), url: Some(run.html_url.clone()), jobs: vec![] },
        ));
    }
    if job.release.build_run.is_none() {
        return Ok(Done::Event(Event::BuildMissing { at: job.now() }));
    }
    let (service, commit) = (job.service()?, job.commit()?);
    let what =
        format!("Run {} is green, but {} has no image tagged {}.", run.number, service.image, service.tag_of(commit));
    // A run takes the workflow as its commit has it, so that running this commit again would end the same way.
    let failure = Failure::new(what)
        .detail("The workflow must push the image with that tag. This commit has the workflow as it was run.")
        .detail(run.html_url.clone())
        .next(format!("mend the workflow in a new commit, then /deploy {}", job.release.request.key.environment));
    Ok(job.planning_failed(Some(Step::Image), failure))
}

/// CI is red: which job, which step, and the end of its log.
async fn red(job: &Job<'_>, checks: &CiFact, run: Option<&RunState>) -> Result<Done, Trouble> {
    let failing = run.and_then(|run| run.jobs.iter().find(|job| job.conclusion.is_some_and(|c| !c.passes())));
    let commit = job.commit()?;
    let what = match failing {
        Some(JobState { name, failed_step: Some(step), .. }) => {
            format!("CI is red on {}: job \"{name}\" failed at \"{step}\".", commit.short())
        }
        Some(JobState { name, .. }) => format!("CI is red on {}: job \"{name}\" failed.", commit.short()),
        None => format!("CI is red on {}: {} failed.", commit.short(), checks.failing.join(", ")),
    };
    let again = match job.release.request.kind {
        RequestKind::Deploy | RequestKind::Retry { .. } | RequestKind::Ship { .. } => {
            format!("/release retry {} --rerun", job.release.id.short())
        }
        _ => "re-run the job on GitHub, then /release retry".to_owned(),
    };
    let mut failure = Failure::new(what).next("push a fix").next(again);
    if let Some(failing) = failing {
        let repository = &job.service()?.repository;
        let log = job.executor.outside.github.job_log_tail(repository, failing.id, LOG_TAIL_LINES).await;
        // The log is a courtesy: without it the failure is as true.
        match log {
            Ok(lines) => failure.log_tail = Some(lines.join("\n")),
            Err(error) => failure = failure.detail(format!("Its log is not shown: {error}")),
        }
        failure = failure.detail(failing.html_url.clone());
    }
    Ok(job.planning_failed(Some(Step::Ci), failure))
}

fn wait(job: &Job<'_>, progress: BuildProgress) -> Done {
    let changed = job.release.build.as_ref() != Some(&progress);
    let poll_ms = job.executor.setup.pace.poll_ms(POLL_MS);
    Done::Again { after_ms: poll_ms, news: changed.then_some(Event::BuildProgress { progress }) }
}

fn run_progress(run: &RunState) -> BuildProgress {
    let done = run.jobs.iter().filter(|job| job.status == Progress::Completed).count();
    let running: Vec<_> = run.jobs.iter().filter(|job| job.status == Progress::Running).collect();
    let named: Vec<_> = running.iter().take(RUNNING_NAMED_LIMIT).map(|job| job.name.as_str()).collect();
    let doing = match (&named[..], running.len().saturating_sub(named.len())) {
        ([], _) => "queued".to_owned(),
        (named, 0) => named.join(" and "),
        (named, more) => format!("{} and {more} more", named.join(", ")),
    };
    let total = run.jobs.len();
    let detail = format!("run {}: {doing}, {done} of {total} jobs done", run.number);
    let permille = u16::try_from(done * 900 / total.max(1)).ok();
    let jobs = run.jobs.iter().take(BuildProgress::JOBS_LIMIT).map(build_job).collect();
    BuildProgress { detail, permille, url: Some(run.html_url.clone()), jobs }
}

fn build_job(job: &JobState) -> BuildJob {
    let state = match (job.status, job.conclusion) {
        (Progress::Queued, _) => BuildJobState::Queued,
        (Progress::Running, _) => BuildJobState::Running,
        (Progress::Completed, Some(conclusion)) if conclusion.passes() => BuildJobState::Passed,
        (Progress::Completed, _) => BuildJobState::Failed,
    };
    BuildJob { name: job.name.clone(), state, url: Some(job.html_url.clone()).filter(|url| !url.is_empty()) }
}

fn waiting_for_attempt() -> BuildProgress {
    let detail = "waiting for the failed jobs to run again".to_owned();
    BuildProgress { detail, permille: None, url: None, jobs: vec![] }
}

fn checks_progress(checks: &CiFact) -> BuildProgress {
    let detail = format!("checks: {} of {} passed", checks.passed, checks.total);
    BuildProgress { detail, permille: None, url: None, jobs: vec![] }
}

fn waiting_for_run() -> BuildProgress {
    BuildProgress { detail: "waiting for the run to appear".to_owned(), permille: None, url: None, jobs: vec![] }
}

/// How often a build is dispatched that then does not show in the list of runs.
const DISPATCHES_LIMIT: u32 = 3;

/// Recorded before the dispatch.
#[derive(Serialize, Deserialize)]
struct DispatchIntent {
    since: Timestamp,
    /// How often it was dispatched before, without a run to show for it.
    #[serde(default)]
    before: u32,
    /// Whether the release's id was sent along, so that the run has it in its name.
    #[serde(default)]
    named: bool,
    /// What GitHub said the last time, where it gave no proper answer.
    #[serde(default)]
    said: Option<String>,
}

pub(super) async fn dispatch(job: &Job<'_>) -> Result<Done, Trouble> {
    let (service, commit) = (job.service()?, job.commit()?);
    let github = &job.executor.outside.github;
    let (repository, workflow, id) = (&service.repository, &service.workflow, &job.release.id);
    let find = async |intent: &DispatchIntent| match intent.named {
        true => github.find_named_run(repository, workflow, commit, id).await,
        false => github.find_run(repository, workflow, commit, intent.since).await,
    };
    let look_again = || Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news: None };
    // Without an answer it is not known whether a tag was needed; it is looked at before it is removed.
    let perhaps_tag = Some(job.release.build_tag());
    let intent: Option<DispatchIntent> = job.intent()?;
    let before = intent.as_ref().map_or(0, |intent| intent.before + 1);
    if let Some(intent) = &intent {
        // It may have been dispatched already: look, and only when it has had time to show, dispatch.
        if let Some(run) = find(intent).await? {
            return Ok(Done::Event(Event::Dispatched { run, temporary_tag: perhaps_tag }));
        }
        if job.now().as_second() - intent.since.as_second() < job.executor.setup.pace.lag_limit_s(LAG_LIMIT_S) {
            return Ok(look_again());
        }
    }
    if before >= DISPATCHES_LIMIT {
        let what = format!("{} was to be started {DISPATCHES_LIMIT} times, and no run appeared.", service.workflow);
        let said = intent.and_then(|intent| intent.said);
        let failure = said.into_iter().fold(Failure::new(what), Failure::detail);
        let failure = failure.next("look at the repository's Actions, then /release retry");
        return Ok(job.planning_failed(Some(Step::Ci), failure));
    }
    let named = super::workflows::names_runs(github, repository, workflow, commit).await?;
    let intent = DispatchIntent { since: job.now(), before, named, said: None };
    job.intend(&serde_json::json!(intent)).await?;
    let branch = job.release.branch.as_deref();
    let input = named.then_some(slipway_core::workflow::INPUT);
    let sent = github.dispatch_with(repository, workflow, commit, id, branch, input).await;
    match sent {
        Ok(Dispatched { run_id: Some(run), temporary_tag, .. }) => {
            Ok(Done::Event(Event::Dispatched { run, temporary_tag }))
        }
        // An older server gives no id, and an answer may have been lost: look for the run.
        Ok(Dispatched { run_id: None, .. }) => Ok(look_again()),
        Err(error) if error.may_have_acted() => {
            job.note(&serde_json::json!(DispatchIntent { said: Some(error.to_string()), ..intent })).await?;
            Ok(look_again())
        }
        Err(error) => {
            job.restore_intent().await?;
            Err(error.into())
        }
    }
}
