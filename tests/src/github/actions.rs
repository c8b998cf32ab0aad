//! GitHub Actions: dispatches, runs, jobs, logs.

use super::ci::{JOBS, log};
use super::refs::members;
use super::server::{Refusal, Reply, Shared, ok};
use super::shapes;
use super::world::{Dispatch, DispatchAnswer, Run};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const RUN_DETAILS: &str = "return_run_details";
/// Entries on a page, at most.
const PER_PAGE_MAX: usize = 100;

pub(super) async fn dispatch(
    State(shared): State<Arc<Shared>>,
    Path(workflow): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Reply {
    let answer = shared.world().dispatch_answer;
    let known: &[&str] = match answer {
        DispatchAnswer::RefusesField => &["ref", "inputs"],
        DispatchAnswer::Details | DispatchAnswer::NoContent => &["ref", "inputs", RUN_DETAILS],
    };
    let members = members(body, known)?;
    let not_supplied = || Refusal::unprocessable("Invalid request.\n\n\"ref\" wasn't supplied.");
    let name = members.get("ref").and_then(Value::as_str).ok_or_else(not_supplied)?;
    let commit = dispatchable(&shared, name).await?;
    may_run(&shared, &workflow, &commit, &members).await?;
    let title = run_name(&shared, &workflow, &commit, &members).await?;
    let short = name.strip_prefix("refs/heads/").or(name.strip_prefix("refs/tags/")).unwrap_or(name);
    let run = {
        let now = shared.now();
        let mut world = shared.world();
        let mode = world.ci;
        let run = world.add_run(&workflow, &commit, short, "workflow_dispatch", now, mode);
        if let Some((title, made)) = title.zip(world.runs.last_mut()) {
            made.title = Some(title);
        }
        world.dispatches.push(Dispatch { workflow, reference: name.to_owned(), commit, run_id: run.id });
        run
    };
    let wants_details = members.get(RUN_DETAILS) == Some(&Value::Bool(true));
    if answer == DispatchAnswer::Details && wants_details {
        let (api, html, id) = (shared.api(), shared.html(), run.id);
        let run_url = format!("{api}/actions/runs/{id}");
        let html_url = format!("{html}/actions/runs/{id}");
        return ok(json!({ "workflow_run_id": id, "run_url": run_url, "html_url": html_url }));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Branches and tags only: a commit id is refused, as GitHub does.
async fn dispatchable(shared: &Shared, name: &str) -> Result<String, Refusal> {
    let refs = shared.refs().await?;
    let tries = [name.to_owned(), format!("refs/heads/{name}"), format!("refs/tags/{name}")];
    let found = tries.iter().find_map(|full| refs.iter().find(|r| r.name == *full));
    let found = found.ok_or_else(|| Refusal::unprocessable(format!("No ref found for: {name}")))?;
    Ok(found.peeled.clone().unwrap_or_else(|| found.object.clone()))
}

async fn may_run(shared: &Shared, workflow: &str, commit: &str, members: &Map<String, Value>) -> Result<(), Refusal> {
    let no_inputs = Map::new();
    let inputs = match members.get("inputs") {
        None => &no_inputs,
        Some(Value::Object(inputs)) => inputs,
        Some(_) => return Err(Refusal::unprocessable("Invalid request.\n\nFor 'inputs', it is not an object.")),
    };
    if shared.options.any_workflow {
        return Ok(());
    }
    let Some(text) = workflow_text(shared, workflow, commit).await? else { return Err(Refusal::not_found()) };
    if !text.contains("workflow_dispatch") {
        return Err(Refusal::unprocessable("Workflow does not have 'workflow_dispatch' trigger"));
    }
    let declared = |name: &String| text.lines().any(|line| line.trim().strip_suffix(':') == Some(name));
    let unexpected: Vec<&String> = inputs.keys().filter(|name| !declared(name)).collect();
    if unexpected.is_empty() {
        return Ok(());
    }
    Err(Refusal::unprocessable(format!("Unexpected inputs provided: {unexpected:?}")))
}

/// What `run-name` makes of the inputs; other expressions stand for nothing here.
async fn run_name(
    shared: &Shared,
    workflow: &str,
    commit: &str,
    members: &Map<String, Value>,
) -> Result<Option<String>, Refusal> {
    let text = workflow_text(shared, workflow, commit).await?.unwrap_or_default();
    let Some(pattern) = text.lines().find_map(|line| line.strip_prefix("run-name:")) else { return Ok(None) };
    let inputs = members.get("inputs").and_then(Value::as_object);
    let mut name = String::new();
    let mut rest = pattern.trim();
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap_or((after, ""));
        let input = expression.trim().trim_start_matches("github.event.").strip_prefix("inputs.");
        let value = input.and_then(|input| inputs?.get(input)?.as_str());
        name.push_str(before);
        name.push_str(value.unwrap_or_default());
        rest = after;
    }
    Ok(Some(name + rest))
}

async fn workflow_text(shared: &Shared, workflow: &str, commit: &str) -> Result<Option<String>, Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if workflow.is_empty() || !workflow.bytes().all(plain) {
        return Ok(None);
    }
    let found = shared.git.blob(&format!("{commit}:.github/workflows/{workflow}")).await?;
    Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

#[derive(Deserialize)]
pub(super) struct RunsQuery {
    head_sha: Option<String>,
    event: Option<String>,
    branch: Option<String>,
    status: Option<String>,
    per_page: Option<usize>,
    page: Option<usize>,
}

pub(super) async fn runs(
    State(shared): State<Arc<Shared>>,
    Path(workflow): Path<String>,
    Query(query): Query<RunsQuery>,
) -> Reply {
    let head = shared.commit_of(&shared.default_branch).await?.unwrap_or_default();
    if !shared.options.any_workflow && workflow_text(&shared, &workflow, &head).await?.is_none() {
        return Err(Refusal::not_found());
    }
    if let Some(sha) = query.head_sha.as_deref()
        && let Some(sha) = shared.commit_of(sha).await?
    {
        let at = shared.commit(&sha).await?.committer.at;
        shared.recall(&sha, at);
    }
    let found: Vec<(Run, _)> = {
        let (world, now) = (shared.world(), shared.now());
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|w| w == value);
        let asked = world.runs.iter().rev().filter(|r| {
            r.workflow == workflow
                && is(&query.head_sha, &r.commit)
                && is(&query.event, r.event)
                && is(&query.branch, &r.reference)
        });
        let with_moment = asked.map(|r| (r.clone(), world.moment_of(r, now, shared.options.pace).run));
        let wanted =
            |m: &super::ci::Moment| query.status.as_deref().is_none_or(|s| m.status == s || m.conclusion == Some(s));
        with_moment.filter(|(_, m)| wanted(m)).collect()
    };
    let total = found.len();
    let page = super::server::PageQuery { per_page: query.per_page, page: query.page, ..Default::default() };
    let url = format!("{}/actions/workflows/{workflow}/runs", shared.api());
    let (found, links) = super::server::page(found, &page, &url);
    let mut shown = Vec::new();
    for (run, moment) in found {
        shown.push(shapes::run(&shared, &run, &moment, &shared.commit(&run.commit).await?));
    }
    Ok((links, Json(json!({ "total_count": total, "workflow_runs": shown }))).into_response())
}

impl Shared {
    fn run(&self, id: u64) -> Result<(Run, super::ci::RunMoment), Refusal> {
        let world = self.world();
        let run = world.runs.iter().find(|r| r.id == id).ok_or_else(Refusal::not_found)?;
        Ok((run.clone(), world.moment_of(run, self.now(), self.options.pace)))
    }
}

pub(super) async fn run(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Reply {
    let (run, moment) = shared.run(id)?;
    let head = shared.commit(&run.commit).await?;
    ok(shapes::run(&shared, &run, &moment.run, &head))
}

/// Another attempt of a run that has failed; it ends as runs do that are dispatched now.
pub(super) async fn rerun_failed_jobs(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<u64>,
    body: Result<Json<Value>, JsonRejection>,
) -> Reply {
    members(body, &["enable_debug_logging"])?;
    let forbidden = |message: &str| Refusal(StatusCode::FORBIDDEN, message.into());
    let (_, moment) = shared.run(id)?;
    let now = shared.now();
    let mut world = shared.world();
    match moment.run.conclusion {
        None => return Err(forbidden("This workflow is already running")),
        Some("success") => return Err(forbidden("This workflow run has no failed jobs to rerun")),
        Some(_) => {}
    }
    let (ci, overlay) = (world.ci, world.overlay.clone());
    let run = world.runs.iter_mut().find(|run| run.id == id).ok_or_else(Refusal::not_found)?;
    // A job fetches the tag that it was started for, and fails where that is gone.
    let gone = overlay.get(&format!("refs/tags/{}", run.reference)).is_some_and(Option::is_none);
    let mode = if gone { super::ci::CiMode::RedTest } else { ci };
    run.attempt += 1;
    run.attempt_at = now;
    run.mode = mode;
    run.told = mode != super::ci::CiMode::Green;
    Ok((StatusCode::CREATED, Json(json!({}))).into_response())
}

pub(super) async fn jobs(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Reply {
    const { assert!(JOBS.len() < PER_PAGE_MAX) };
    let (run, moment) = shared.run(id)?;
    let jobs: Vec<Value> = (0..JOBS.len()).map(|i| shapes::job(&shared, &run, i, &moment.jobs[i])).collect();
    ok(json!({ "total_count": jobs.len(), "jobs": jobs }))
}

/// The log is elsewhere: 302, once there is one.
pub(super) async fn logs(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Reply {
    log_lines(&shared, id)?;
    let location = format!("{}/_logs/{id}", shared.logs_base);
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

/// The address is itself the permission. As where GitHub keeps its logs, a token that comes along is refused:
/// it must not be carried to another origin.
pub(super) async fn log_text(State(shared): State<Arc<Shared>>, Path(id): Path<u64>, headers: HeaderMap) -> Reply {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(Refusal(
            StatusCode::BAD_REQUEST,
            "Authentication information is not given in the correct format".into(),
        ));
    }
    let lines = log_lines(&shared, id)?;
    Ok(([(header::CONTENT_TYPE, "text/plain")], format!("\u{feff}{}", lines.concat())).into_response())
}

fn log_lines(shared: &Shared, job_id: u64) -> Result<Vec<String>, Refusal> {
    let world = shared.world();
    let (run, index) = world.job(job_id).ok_or_else(Refusal::not_found)?;
    let moment = world.moment_of(run, shared.now(), shared.options.pace);
    let conclusion = moment.jobs[index].conclusion.filter(|c| *c != "skipped").ok_or_else(Refusal::not_found)?;
    let time = run.created_at.strftime("%Y-%m-%dT%H:%M:%S.0000000Z").to_string();
    Ok(log(JOBS[index], conclusion, &run.commit).into_iter().map(|line| format!("{time} {line}\r\n")).collect())
}
