//! Deployments, their statuses, and statuses that are written on commits.

use super::refs::members;
use super::server::{PageQuery, Refusal, Reply, Shared, ok, page};
use super::shapes;
use super::world::CommitStatus;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Descriptions have at most so many characters.
const DESCRIPTION_LIMIT_CHARS: usize = 140;
const DEPLOYMENT_STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];
const COMMIT_STATES: [&str; 4] = ["error", "failure", "pending", "success"];
/// The environment whose earlier deployments stay as they are: by its name, GitHub takes it for production.
const PRODUCTION: &str = "production";
const FIRST_DEPLOYMENT_ID: u64 = 1_490_000_001;

/// Whether the token may write something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    Given,
    /// 404, as to a classic token without the scope.
    Hidden,
    /// 403, as to a fine-grained one or an App without the permission.
    Refused,
}

impl Permission {
    pub(super) fn check(self) -> Result<(), Refusal> {
        match self {
            Self::Given => Ok(()),
            Self::Hidden => Err(Refusal::not_found()),
            Self::Refused => Err(Refusal(StatusCode::FORBIDDEN, "Resource not accessible by integration".into())),
        }
    }
}

/// One status of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// GitHub's word.
    pub state: String,
    /// What was said.
    pub description: String,
    /// Where the log is.
    pub log_url: Option<String>,
    /// Where the environment answers.
    pub environment_url: Option<String>,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Its id.
    pub id: u64,
    /// What was deployed.
    pub commit: String,
    /// Where to.
    pub environment: String,
    /// What its maker wrote down.
    pub payload: Value,
    /// Its description.
    pub description: String,
    /// Its statuses, oldest first.
    pub statuses: Vec<DeploymentStatus>,
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    sha: Option<String>,
    environment: Option<String>,
    per_page: Option<usize>,
    page: Option<usize>,
}

fn invalid(field: &str, why: &str) -> Refusal {
    Refusal::unprocessable(format!("Invalid request.\n\nFor '{field}', {why}."))
}

fn text(members: &Map<String, Value>, field: &str) -> Result<Option<String>, Refusal> {
    match members.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(invalid(field, &format!("{other} is not a string"))),
    }
}

fn described(members: &Map<String, Value>) -> Result<String, Refusal> {
    let description = text(members, "description")?.unwrap_or_default();
    if description.chars().count() > DESCRIPTION_LIMIT_CHARS {
        return Err(Refusal::unprocessable("Validation Failed: description is too long (maximum is 140 characters)"));
    }
    Ok(description)
}

fn address(members: &Map<String, Value>, field: &str) -> Result<Option<String>, Refusal> {
    let found = text(members, field)?;
    match found {
        Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
            Err(Refusal::unprocessable(format!("Validation Failed: {field} must use http(s) scheme")))
        }
        found => Ok(found),
    }
}

fn one_of(members: &Map<String, Value>, states: &[&str]) -> Result<String, Refusal> {
    let state = text(members, "state")?.ok_or_else(|| invalid("state", "nil is not a string"))?;
    if states.contains(&state.as_str()) {
        return Ok(state);
    }
    Err(Refusal::unprocessable(format!("Validation Failed: state {state:?} is not one of {states:?}")))
}

fn shape(shared: &Shared, made: &Deployment) -> Value {
    let now = shapes::time(shared.now());
    let url = format!("{}/deployments/{}", shared.api(), made.id);
    json!({
        "id": made.id, "node_id": format!("DE_{}", made.id), "url": url, "sha": made.commit, "ref": made.commit,
        "task": "deploy", "payload": made.payload, "original_environment": made.environment,
        "environment": made.environment, "description": made.description,
        "creator": shapes::user(shared, &shared.options.token_login), "created_at": now, "updated_at": now,
        "statuses_url": format!("{url}/statuses"), "repository_url": shared.api(),
        "transient_environment": false, "production_environment": made.environment == PRODUCTION,
    })
}

fn status_shape(shared: &Shared, made: &Deployment, index: usize) -> Value {
    let DeploymentStatus { state, description, log_url, environment_url } = &made.statuses[index];
    let id = made.id * 100 + index as u64;
    let now = shapes::time(shared.now());
    let url = format!("{}/deployments/{}", shared.api(), made.id);
    json!({
        "id": id, "node_id": format!("DES_{id}"), "url": format!("{url}/statuses/{id}"), "state": state,
        "description": description, "environment": made.environment, "log_url": log_url.clone().unwrap_or_default(),
        "target_url": log_url.clone().unwrap_or_default(), "environment_url": environment_url.clone().unwrap_or_default(),
        "creator": shapes::user(shared, &shared.options.token_login), "created_at": now, "updated_at": now,
        "deployment_url": url, "repository_url": shared.api(),
    })
}

pub(super) async fn list(State(shared): State<Arc<Shared>>, Query(query): Query<ListQuery>) -> Reply {
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
    let made: Vec<Deployment> = {
        let world = shared.world();
        let fits = |made: &&Deployment| is(&query.sha, &made.commit) && is(&query.environment, &made.environment);
        world.deployments.iter().rev().filter(fits).cloned().collect()
    };
    let paging = PageQuery { per_page: query.per_page, page: query.page, ..PageQuery::default() };
    let (one_page, links) = page(made, &paging, &format!("{}/deployments", shared.api()));
    let body: Vec<Value> = one_page.iter().map(|made| shape(&shared, made)).collect();
    Ok((links, Json(body)).into_response())
}

pub(super) async fn create(State(shared): State<Arc<Shared>>, body: Result<Json<Value>, JsonRejection>) -> Reply {
    const KNOWN: [&str; 9] = [
        "ref",
        "task",
        "auto_merge",
        "required_contexts",
        "payload",
        "environment",
        "description",
        "transient_environment",
        "production_environment",
    ];
    shared.world().may_deploy.check()?;
    let members = members(body, &KNOWN)?;
    let name =
        text(&members, "ref")?.ok_or_else(|| Refusal::unprocessable("Invalid request.\n\n\"ref\" wasn't supplied."))?;
    let found = shared.commit_of(&name).await?;
    let commit = found.ok_or_else(|| Refusal::unprocessable(format!("No ref found for: {name}")))?;
    let contexts = members.get("required_contexts").and_then(Value::as_array);
    if !contexts.is_some_and(Vec::is_empty) {
        let message = "Conflict: Commit status checks failed for the required contexts";
        return Err(Refusal(StatusCode::CONFLICT, message.into()));
    }
    // Unless told otherwise GitHub merges the default branch first, and then deploys nothing.
    if members.get("auto_merge") != Some(&Value::Bool(false)) && name != shared.default_branch {
        return Err(Refusal(StatusCode::CONFLICT, "Conflict merging the default branch".into()));
    }
    let environment = text(&members, "environment")?.unwrap_or_else(|| PRODUCTION.to_owned());
    let description = described(&members)?;
    let payload = members.get("payload").cloned().unwrap_or_else(|| json!({}));
    let made = {
        let mut world = shared.world();
        let id = FIRST_DEPLOYMENT_ID + world.deployments.len() as u64;
        let made = Deployment { id, commit, environment, payload, description, statuses: vec![] };
        world.deployments.push(made.clone());
        made
    };
    Ok((StatusCode::CREATED, Json(shape(&shared, &made))).into_response())
}

pub(super) async fn statuses(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<u64>,
    Query(query): Query<PageQuery>,
) -> Reply {
    let found = shared.world().deployments.iter().find(|made| made.id == id).cloned();
    let made = found.ok_or_else(Refusal::not_found)?;
    let newest_first = (0..made.statuses.len()).rev().collect();
    let (one_page, links) = page(newest_first, &query, &format!("{}/deployments/{id}/statuses", shared.api()));
    let body: Vec<Value> = one_page.into_iter().map(|index| status_shape(&shared, &made, index)).collect();
    Ok((links, Json(body)).into_response())
}

pub(super) async fn say(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<u64>,
    body: Result<Json<Value>, JsonRejection>,
) -> Reply {
    const KNOWN: [&str; 7] =
        ["state", "target_url", "log_url", "description", "environment", "environment_url", "auto_inactive"];
    shared.world().may_deploy.check()?;
    let members = members(body, &KNOWN)?;
    let status = DeploymentStatus {
        state: one_of(&members, &DEPLOYMENT_STATES)?,
        description: described(&members)?,
        log_url: address(&members, "log_url")?,
        environment_url: address(&members, "environment_url")?,
    };
    let made = {
        let mut world = shared.world();
        let found = world.deployments.iter_mut().find(|made| made.id == id).ok_or_else(Refusal::not_found)?;
        found.statuses.push(status.clone());
        let made = found.clone();
        if status.state == "success" && made.environment != PRODUCTION {
            world.deactivate_before(&made);
        }
        made
    };
    Ok((StatusCode::CREATED, Json(status_shape(&shared, &made, made.statuses.len() - 1))).into_response())
}

impl super::world::World {
    /// What GitHub does by itself: earlier deployments of an environment that is not production are no longer active.
    fn deactivate_before(&mut self, newest: &Deployment) {
        let earlier = self.deployments.iter_mut().filter(|made| made.environment == newest.environment);
        for made in earlier.filter(|made| made.id < newest.id) {
            if made.statuses.last().is_some_and(|last| last.state == "success") {
                let (state, description) = ("inactive".to_owned(), String::new());
                made.statuses.push(DeploymentStatus { state, description, log_url: None, environment_url: None });
            }
        }
    }
}

pub(super) async fn say_of_commit(
    State(shared): State<Arc<Shared>>,
    Path(sha): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Reply {
    shared.world().may_say.check()?;
    let members = members(body, &["state", "target_url", "description", "context"])?;
    let found = if super::git::is_hex(&sha, 40) { shared.git.commit_id(&sha).await? } else { None };
    let sha = found.ok_or_else(|| Refusal::unprocessable(format!("No commit found for SHA: {sha}")))?;
    let status = CommitStatus {
        state: one_of(&members, &COMMIT_STATES)?,
        description: Some(described(&members)?),
        target_url: address(&members, "target_url")?,
    };
    let context = text(&members, "context")?.unwrap_or_else(|| "default".to_owned());
    let now = shapes::time(shared.now());
    let body = json!({
        "id": 1, "node_id": "SC_1", "url": format!("{}/statuses/{sha}", shared.api()), "state": status.state,
        "context": context, "description": status.description, "target_url": status.target_url, "avatar_url": null,
        "creator": shapes::user(&shared, &shared.options.token_login), "created_at": now, "updated_at": now,
    });
    let mut world = shared.world();
    world.said.push((sha.clone(), context.clone(), status.clone()));
    world.statuses.insert((sha, context), status);
    drop(world);
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

pub(super) async fn protection(shared: &Shared, branch: &str) -> Reply {
    let known = shared.refs().await?.iter().any(|r| r.name == format!("refs/heads/{branch}"));
    if !known {
        return Err(Refusal(StatusCode::NOT_FOUND, "Branch not found".into()));
    }
    let world = shared.world();
    world.may_read_protection.check()?;
    let Some(checks) = &world.protection else {
        return Err(Refusal(StatusCode::NOT_FOUND, "Branch not protected".into()));
    };
    if checks.is_empty() {
        return Err(Refusal(StatusCode::NOT_FOUND, "Required status checks not enabled".into()));
    }
    let url = format!("{}/branches/{branch}/protection/required_status_checks", shared.api());
    let contexts: Vec<_> = checks.iter().map(|(name, _)| name).collect();
    let listed: Vec<_> = checks.iter().map(|(name, app)| json!({ "context": name, "app_id": app })).collect();
    ok(json!({
        "url": url, "strict": true, "contexts": contexts, "contexts_url": format!("{url}/contexts"), "checks": listed,
    }))
}

/// Rules for a branch, whether or not there is one of the name.
pub(super) async fn rules(
    State(shared): State<Arc<Shared>>,
    Path(_branch): Path<String>,
    Query(query): Query<PageQuery>,
) -> Reply {
    let (checks, merging) = {
        let world = shared.world();
        (world.rules.clone(), world.merging.clone())
    };
    let from =
        json!({ "ruleset_source_type": "Repository", "ruleset_source": shared.options.full_name, "ruleset_id": 42 });
    let with = |mut rule: Value| {
        if let (Some(rule), Some(from)) = (rule.as_object_mut(), from.as_object()) {
            rule.extend(from.clone());
        }
        rule
    };
    let mut all = vec![with(json!({ "type": "non_fast_forward" }))];
    if !checks.is_empty() {
        let listed: Vec<_> = checks
            .iter()
            .map(|(name, app)| match app {
                Some(app) => json!({ "context": name, "integration_id": app }),
                None => json!({ "context": name }),
            })
            .collect();
        let parameters = json!({ "required_status_checks": listed, "strict_required_status_checks_policy": false });
        all.push(with(json!({ "type": "required_status_checks", "parameters": parameters })));
    }
    if merging.approvals > 0 {
        let parameters = json!({
            "required_approving_review_count": merging.approvals, "dismiss_stale_reviews_on_push": false,
            "require_code_owner_review": false, "require_last_push_approval": false,
            "required_review_thread_resolution": false, "allowed_merge_methods": merging.methods,
        });
        all.push(with(json!({ "type": "pull_request", "parameters": parameters })));
    }
    if merging.queue {
        all.push(with(json!({ "type": "merge_queue" })));
    }
    let (one_page, links) = page(all, &query, &format!("{}/rules/branches/x", shared.api()));
    Ok((links, Json(one_page)).into_response())
}
