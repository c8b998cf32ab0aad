//! Check runs that an App makes.

use super::git::is_hex;
use super::refs::members;
use super::server::{Refusal, Reply, Shared};
use super::shapes;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const FIRST_ID: u64 = 51_000_000_001;
/// How many places one request may name.
const ANNOTATIONS_LIMIT: usize = 50;
/// How long a summary may be.
const SUMMARY_LIMIT_CHARS: usize = 65_535;
/// How long the title of a place may be, and its message in bytes.
const TITLE_LIMIT_CHARS: usize = 255;
const MESSAGE_LIMIT_BYTES: usize = 64 * 1024;
const STATES: [&str; 3] = ["queued", "in_progress", "completed"];
const CONCLUSIONS: [&str; 7] =
    ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"];
const LEVELS: [&str; 3] = ["notice", "warning", "failure"];
const OUTPUT: [&str; 5] = ["title", "summary", "text", "annotations", "images"];
const ANNOTATION: [&str; 9] = [
    "path",
    "start_line",
    "end_line",
    "start_column",
    "end_column",
    "annotation_level",
    "message",
    "title",
    "raw_details",
];
const KNOWN: [&str; 8] =
    ["name", "details_url", "external_id", "status", "started_at", "conclusion", "completed_at", "output"];

/// A check run that an App has made.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeCheckRun {
    /// Its id.
    pub id: u64,
    /// Of which commit.
    pub commit: String,
    /// Its name.
    pub name: String,
    /// What its maker knows it by.
    pub external_id: Option<String>,
    /// GitHub's word.
    pub status: String,
    /// GitHub's word; none while it is not completed.
    pub conclusion: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Markdown.
    pub summary: Option<String>,
    /// The places, as they were given.
    pub annotations: Vec<Value>,
}

fn invalid(what: &str) -> Refusal {
    Refusal::unprocessable(format!("Invalid request.\n\n{what}"))
}

fn text(members: &Map<String, Value>, field: &str) -> Result<Option<String>, Refusal> {
    match members.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(invalid(&format!("For '{field}', {other} is not a string."))),
    }
}

fn needed(members: &Map<String, Value>, field: &str) -> Result<String, Refusal> {
    text(members, field)?
        .filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(&format!("\"{field}\" wasn't supplied.")))
}

fn one_of(members: &Map<String, Value>, field: &str, words: &[&str]) -> Result<Option<String>, Refusal> {
    match text(members, field)? {
        Some(word) if !words.contains(&word.as_str()) => {
            Err(invalid(&format!("For '{field}', \"{word}\" is not one of {words:?}.")))
        }
        found => Ok(found),
    }
}

fn only(members: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(invalid(&format!("\"{unknown}\" is not a permitted key."))),
        None => Ok(()),
    }
}

/// Title, summary and the places of an output.
type Output = (String, String, Vec<Value>);

fn output(members: &Map<String, Value>) -> Result<Option<Output>, Refusal> {
    let output = match members.get("output") {
        None => return Ok(None),
        Some(Value::Object(output)) => output,
        Some(_) => return Err(invalid("For 'output', it is not an object.")),
    };
    only(output, &OUTPUT)?;
    let (title, summary) = (needed(output, "title")?, needed(output, "summary")?);
    if summary.chars().count() > SUMMARY_LIMIT_CHARS {
        return Err(invalid("Summary exceeds a maximum bytesize of 65535."));
    }
    let annotations = output.get("annotations").and_then(Value::as_array).cloned().unwrap_or_default();
    if annotations.len() > ANNOTATIONS_LIMIT {
        return Err(invalid("For 'annotations', no more than 50 items are allowed."));
    }
    annotations.iter().try_for_each(annotation)?;
    Ok(Some((title, summary, annotations)))
}

fn annotation(annotation: &Value) -> Result<(), Refusal> {
    let annotation = annotation.as_object().ok_or_else(|| invalid("An annotation is no object."))?;
    only(annotation, &ANNOTATION)?;
    needed(annotation, "path")?;
    one_of(annotation, "annotation_level", &LEVELS)?.ok_or_else(|| invalid("\"annotation_level\" wasn't supplied."))?;
    let message = needed(annotation, "message")?;
    let title = text(annotation, "title")?.unwrap_or_default();
    if message.len() > MESSAGE_LIMIT_BYTES || title.chars().count() > TITLE_LIMIT_CHARS {
        return Err(invalid("An annotation is too long."));
    }
    let line = |field| annotation.get(field).and_then(Value::as_u64).filter(|line| *line > 0);
    match (line("start_line"), line("end_line")) {
        (Some(start), Some(end)) if start <= end => Ok(()),
        _ => Err(invalid("\"start_line\" and \"end_line\" wasn't supplied, or are not in order.")),
    }
}

/// GitHub takes check runs of Apps alone, with their installation's token.
fn allowed(shared: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let forbidden = |message: &str| Refusal(StatusCode::FORBIDDEN, message.to_owned());
    let world = shared.world();
    match &world.app {
        Some(app) if app.has_given(token, shared.now()) => {
            if app.may_write("checks") {
                Ok(())
            } else {
                Err(forbidden("Resource not accessible by integration"))
            }
        }
        _ => Err(forbidden("You must authenticate via a GitHub App.")),
    }
}

/// The state and conclusion that a body leads to: a conclusion means that it is completed.
fn standing(members: &Map<String, Value>, before: &str) -> Result<(String, Option<String>), Refusal> {
    let conclusion = one_of(members, "conclusion", &CONCLUSIONS)?;
    let status = one_of(members, "status", &STATES)?;
    match (conclusion, status.as_deref()) {
        (Some(conclusion), None | Some("completed")) => Ok(("completed".to_owned(), Some(conclusion))),
        (Some(_), Some(_)) => Err(invalid("A check run with a conclusion is completed.")),
        (None, Some("completed")) => Err(invalid("\"conclusion\" wasn't supplied.")),
        (None, status) => Ok((status.unwrap_or(before).to_owned(), None)),
    }
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Reply {
    allowed(&shared, &headers)?;
    let members = members(body, &[&KNOWN[..], &["head_sha"]].concat())?;
    let (name, sha) = (needed(&members, "name")?, needed(&members, "head_sha")?);
    let found = if is_hex(&sha, 40) { shared.git.commit_id(&sha).await? } else { None };
    let commit = found.ok_or_else(|| Refusal::unprocessable(format!("No commit found for SHA: {sha}")))?;
    let (status, conclusion) = standing(&members, "queued")?;
    let said = output(&members)?;
    let external_id = text(&members, "external_id")?;
    let made = {
        let mut world = shared.world();
        let (title, summary, annotations) = match said {
            Some((title, summary, annotations)) => (Some(title), Some(summary), annotations),
            None => (None, None, vec![]),
        };
        let id = FIRST_ID + world.check_runs.len() as u64;
        let made = MadeCheckRun { id, commit, name, external_id, status, conclusion, title, summary, annotations };
        world.check_runs.push(made.clone());
        made
    };
    Ok((StatusCode::CREATED, Json(shape(&shared, &made))).into_response())
}

pub(super) async fn update(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Reply {
    allowed(&shared, &headers)?;
    let members = members(body, &KNOWN)?;
    let said = output(&members)?;
    let made = {
        let mut world = shared.world();
        let made = world.check_runs.iter_mut().find(|made| made.id == id).ok_or_else(Refusal::not_found)?;
        let (status, conclusion) = standing(&members, &made.status)?;
        (made.status, made.conclusion) = (status, conclusion);
        if let Some((title, summary, annotations)) = said {
            (made.title, made.summary) = (Some(title), Some(summary));
            // They are added to those that are there.
            made.annotations.extend(annotations);
        }
        if let Some(name) = text(&members, "name")? {
            made.name = name;
        }
        if let Some(external_id) = text(&members, "external_id")? {
            made.external_id = Some(external_id);
        }
        made.clone()
    };
    Ok(Json(shape(&shared, &made)).into_response())
}

/// As GitHub lists it among a commit's check runs.
pub(super) fn shape(shared: &Shared, made: &MadeCheckRun) -> Value {
    let (api, html, id) = (shared.api(), shared.html(), made.id);
    let at = shapes::time(shared.now());
    json!({
        "id": id, "name": made.name, "node_id": format!("CR_{id}"), "head_sha": made.commit,
        "external_id": made.external_id, "url": format!("{api}/check-runs/{id}"),
        "html_url": format!("{html}/runs/{id}"), "details_url": format!("{html}/runs/{id}"), "status": made.status,
        "conclusion": made.conclusion, "started_at": at,
        "completed_at": if made.conclusion.is_some() { json!(at) } else { Value::Null },
        "output": {
            "title": made.title, "summary": made.summary, "text": null, "annotations_count": made.annotations.len(),
            "annotations_url": format!("{api}/check-runs/{id}/annotations"),
        },
        "check_suite": { "id": id }, "app": shapes::own_app(shared), "pull_requests": [],
    })
}

impl super::world::World {
    /// The newest of each name of a commit, newest first: what GitHub calls the latest.
    pub(super) fn latest_check_runs(&self, commit: &str) -> Vec<MadeCheckRun> {
        let mut latest: Vec<MadeCheckRun> = Vec::new();
        for made in self.check_runs.iter().rev().filter(|made| made.commit == commit) {
            if !latest.iter().any(|newer| newer.name == made.name) {
                latest.push(made.clone());
            }
        }
        latest
    }
}
