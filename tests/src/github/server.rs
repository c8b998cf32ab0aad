//! Routes, the gate that every request passes, and the answers' common form.

use super::ci::CiMode;
use super::git::Git;
use super::world::{BuiltImage, FaultKind, World};
use super::{
    GitHubOptions, actions, app, check_runs, collaborators, commits, contents, deployments, etag, pull_lists, pulls,
    refs, repository, shapes, teams,
};
use crate::spoilt;
use crate::traffic::{self, Exchange, Traffic};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post, put};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) struct Shared {
    pub(super) options: GitHubOptions,
    pub(super) git: Git,
    pub(super) base: String,
    /// Another origin, as GitHub keeps logs at another company's address.
    pub(super) logs_base: String,
    pub(super) default_branch: String,
    built: HashSet<String>,
    world: Mutex<World>,
    pub(super) traffic: Traffic,
}

/// The listeners' tasks; they end with this value.
pub(super) struct Running([tokio::task::JoinHandle<()>; 2]);

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// A refusal in GitHub's form.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

pub(super) type Reply = Result<Response, Refusal>;

impl Refusal {
    pub(super) fn not_found() -> Self {
        Self(StatusCode::NOT_FOUND, "Not Found".into())
    }

    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, message.into())
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "message": self.1,
            "documentation_url": "https://docs.github.com/rest",
            "status": self.0.as_u16().to_string(),
        });
        (self.0, axum::Json(body)).into_response()
    }
}

pub(super) fn ok(body: Value) -> Reply {
    Ok(axum::Json(body).into_response())
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.options.clock)()
    }

    /// `{base}/repos/owner/name`.
    pub(super) fn api(&self) -> String {
        format!("{}/repos/{}", self.base, self.options.full_name)
    }

    /// Where pages for people would be.
    pub(super) fn html(&self) -> String {
        format!("{}/{}", self.base, self.options.full_name)
    }

    pub(super) fn mark(&self, commit: &str, mode: CiMode) {
        let now = self.now();
        let mut world = self.world();
        world.runs.retain(|r| r.commit != commit || r.event != "push");
        world.add_run(WORKFLOW, commit, &self.default_branch, "push", now, mode);
    }

    /// A commit was pushed now: its run begins, and goes through its states. A green one builds the image.
    pub(super) fn push(&self, commit: &str, mode: CiMode) {
        let now = self.now();
        let mut world = self.world();
        let id = world.add_run(WORKFLOW, commit, &self.default_branch, "push", now, mode).id;
        for run in world.runs.iter_mut().filter(|run| run.id == id) {
            (run.takes_time, run.told) = (true, mode != CiMode::Green);
        }
    }

    /// A commit built long ago has its run and its checks, made when somebody first asks.
    pub(super) fn recall(&self, commit: &str, committed_at: Timestamp) {
        if !self.built.contains(commit) {
            return;
        }
        let mut world = self.world();
        if !world.runs.iter().any(|r| r.commit == commit) {
            world.add_run(WORKFLOW, commit, &self.default_branch, "push", committed_at, CiMode::Green);
        }
    }

    pub(super) fn settle(&self) {
        let now = self.now();
        // The hook is called without the lock: it may ask this stand-in something.
        let built = self.world().newly_built(now, self.options.pace);
        for commit in built {
            (self.options.on_build_success)(BuiltImage { repository: self.options.full_name.clone(), commit });
        }
    }
}

/// The workflow of runs that nobody dispatched.
const WORKFLOW: &str = "build.yaml";
/// Entries on a page unless asked otherwise, and at most.
const PER_PAGE: usize = 30;
const PER_PAGE_MAX: usize = 100;
/// The largest request and the largest answer, in bytes.
const BODY_LIMIT_BYTES: usize = 64 * 1024 * 1024;

#[derive(Deserialize, Default, Clone)]
pub(super) struct PageQuery {
    pub(super) per_page: Option<usize>,
    pub(super) page: Option<usize>,
    /// Of check runs: only those of this name.
    pub(super) check_name: Option<String>,
}

/// One page of a list, and the `Link` header that leads to the others.
pub(super) fn page<T>(all: Vec<T>, query: &PageQuery, url: &str) -> (Vec<T>, HeaderMap) {
    let per_page = query.per_page.unwrap_or(PER_PAGE).clamp(1, PER_PAGE_MAX);
    let page = query.page.unwrap_or(1).max(1);
    let last = all.len().div_ceil(per_page).max(1);
    let joint = if url.contains('?') { '&' } else { '?' };
    let link = |to: usize, rel: &str| format!("<{url}{joint}per_page={per_page}&page={to}>; rel=\"{rel}\"");
    let mut links = Vec::new();
    if page > 1 {
        links.extend([link(page - 1, "prev"), link(1, "first")]);
    }
    if page < last {
        links.extend([link(page + 1, "next"), link(last, "last")]);
    }
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&links.join(", "))
        && !links.is_empty()
    {
        headers.insert(header::LINK, value);
    }
    (all.into_iter().skip((page - 1).saturating_mul(per_page)).take(per_page).collect(), headers)
}

pub(super) async fn start(options: GitHubOptions) -> io::Result<(Arc<Shared>, Running)> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let logs_listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let logs_base = format!("http://{}", logs_listener.local_addr()?);
    let git = Git::open(options.repository.clone()).await?;
    let not_git = || io::Error::new(io::ErrorKind::NotFound, format!("{} is no git repository", git.path.display()));
    let refs = git.refs().await?.ok_or_else(not_git)?;
    let default_branch = match git.default_branch().await? {
        Some(name) => name,
        None => refs.iter().find_map(|r| r.name.strip_prefix("refs/heads/")).unwrap_or("main").to_owned(),
    };
    let mut built = HashSet::new();
    for commit in &options.built {
        if !super::git::is_hex(commit, 40) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a built commit is not 40 hex digits"));
        }
        built.extend(git.list(commit, None).await?);
    }
    let world = Mutex::new(World::new(options.ci));
    let shared =
        Arc::new(Shared { options, git, base, logs_base, default_branch, built, world, traffic: Traffic::default() });
    let logs = Router::new().route("/_logs/{id}", get(actions::log_text)).with_state(Arc::clone(&shared));
    let tasks = [(listener, router(Arc::clone(&shared))), (logs_listener, logs)].map(|(listener, app)| {
        tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, app).await;
        })
    });
    Ok((shared, Running(tasks)))
}

fn router(shared: Arc<Shared>) -> Router {
    let repo = format!("/repos/{}", shared.options.full_name);
    let at = |rest: &str| format!("{repo}{rest}");
    Router::new()
        .route("/user", get(user))
        .route("/orgs/{organisation}/teams/{slug}/members", get(teams::members))
        .route(&repo, get(own_repository))
        .route(&at("/branches"), get(refs::branches))
        .route(&at("/branches/{*branch}"), get(refs::branch))
        .route(&at("/tags"), get(refs::tags))
        .route(&at("/git/ref/{*name}"), get(refs::one))
        .route(&at("/git/matching-refs/{*name}"), get(refs::matching))
        .route(&at("/git/refs"), post(refs::create))
        .route(&at("/git/refs/{*name}"), delete(refs::remove))
        .route(&at("/git/tags/{sha}"), get(refs::tag_object))
        .route(&at("/git/trees/{sha}"), get(contents::tree))
        .route(&at("/git/blobs/{sha}"), get(contents::blob))
        .route(&at("/contents/{*path}"), get(contents::contents))
        .route(&at("/commits"), get(commits::list))
        .route(&at("/commits/{*rest}"), get(commits::one))
        .route(&at("/compare/{basehead}"), get(commits::compare))
        .route(&at("/actions/workflows/{workflow}/dispatches"), post(actions::dispatch))
        .route(&at("/actions/workflows/{workflow}/runs"), get(actions::runs))
        .route(&at("/actions/runs/{id}"), get(actions::run))
        .route(&at("/actions/runs/{id}/jobs"), get(actions::jobs))
        .route(&at("/actions/jobs/{id}/logs"), get(actions::logs))
        .route(&at("/actions/runs/{id}/rerun-failed-jobs"), post(actions::rerun_failed_jobs))
        .route(&at("/deployments"), get(deployments::list).post(deployments::create))
        .route(&at("/deployments/{id}/statuses"), get(deployments::statuses).post(deployments::say))
        .route(&at("/statuses/{sha}"), post(deployments::say_of_commit))
        .route(&at("/rules/branches/{*branch}"), get(deployments::rules))
        .route(&at("/installation"), get(app::installation))
        .route(&at("/pulls/{number}"), get(pulls::one))
        .route(&at("/pulls/{number}/reviews"), get(pulls::reviews))
        .route(&at("/pulls/{number}/merge"), put(pulls::merge))
        .route("/app/installations/{id}/access_tokens", post(app::token))
        .route(&at("/pulls"), get(pull_lists::list))
        .route(&at("/pulls/{number}/files"), get(pull_lists::files))
        .route(&at("/check-runs"), post(check_runs::create))
        .route(&at("/check-runs/{id}"), patch(check_runs::update))
        .route(&at("/collaborators/{login}/permission"), get(collaborators::permission))
        .fallback(|| async { Refusal::not_found() })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), gate))
        .with_state(shared)
}

async fn user(State(shared): State<Arc<Shared>>) -> Reply {
    let mut reply = axum::Json(shapes::user(&shared, &shared.options.token_login)).into_response();
    reply.headers_mut().insert("x-oauth-scopes", HeaderValue::from_static("repo, workflow"));
    Ok(reply)
}

async fn own_repository(State(shared): State<Arc<Shared>>) -> Reply {
    ok(repository::full(&shared))
}

/// What every request must have, and the faults that were asked for.
async fn gate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    shared.settle();
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let line = format!("{} {path}", request.method());
    let fault = {
        let mut world = shared.world();
        world.heard(&line);
        world.fault_for(&line)
    };
    if let Err(refusal) = admissible(&shared, request.uri().path(), request.headers()) {
        return refusal.into_response();
    }
    match fault {
        None => kept(&shared, line, request, next).await,
        Some(FaultKind::Timeout) => std::future::pending().await,
        Some(FaultKind::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Refusal(status, "Server Error".into()).into_response()
        }
        Some(FaultKind::Garbled) => "<html>Unicorn!</html>".into_response(),
        Some(FaultKind::LostAnswerAfterAct) => {
            let done = next.run(request).await;
            // A body that breaks off closes the connection.
            let broken = futures::stream::once(async { Err::<Vec<u8>, _>(io::Error::other("the connection broke")) });
            let mut parts = done.into_parts().0;
            // 204 has no body that could break off.
            parts.status = StatusCode::OK;
            Response::from_parts(parts, Body::from_stream(broken))
        }
        Some(FaultKind::RateLimited { retry_after }) => {
            let refusal = Refusal(StatusCode::FORBIDDEN, "You have exceeded a secondary rate limit.".into());
            ([(header::RETRY_AFTER, retry_after.to_string())], refusal).into_response()
        }
        Some(FaultKind::Denied) => {
            Refusal(StatusCode::FORBIDDEN, "Resource not accessible by integration".into()).into_response()
        }
        Some(kind @ (FaultKind::CutOff | FaultKind::Hollow | FaultKind::Doubled)) => {
            spoilt_answer(kind, next.run(request).await).await
        }
    }
}

/// What was answered, come to harm on the way.
async fn spoilt_answer(kind: FaultKind, answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return Refusal(StatusCode::INTERNAL_SERVER_ERROR, "Server Error".into()).into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    // 204 has no body that could come to harm.
    if parts.status == StatusCode::NO_CONTENT {
        parts.status = StatusCode::OK;
    }
    let whole = traffic::json(&body);
    let body = match kind {
        FaultKind::CutOff => spoilt::cut(&body),
        FaultKind::Hollow => Body::from(spoilt::hollow(&whole).to_string()),
        _ => Body::from(spoilt::doubled(whole).to_string()),
    };
    Response::from_parts(parts, body)
}

/// Carries it out and keeps what was said on both sides.
async fn kept(shared: &Shared, call: String, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(asked) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return Refusal(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large".into()).into_response();
    };
    let request = Request::from_parts(head, Body::from(asked.clone()));
    let (parts, body) = etag::answered(shared, request, next).await.into_parts();
    let Ok(said) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return Refusal(StatusCode::INTERNAL_SERVER_ERROR, "Server Error".into()).into_response();
    };
    let (request, answer) = (traffic::json(&asked), traffic::json(&said));
    shared.traffic.keep(Exchange { call, request, status: parts.status.as_u16(), answer });
    Response::from_parts(parts, Body::from(said))
}

fn admissible(shared: &Shared, path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    if text(header::USER_AGENT).is_none_or(str::is_empty) {
        let message =
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header";
        return Err(Refusal(StatusCode::FORBIDDEN, message.into()));
    }
    let token = text(header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer "));
    match token {
        None => return Err(Refusal(StatusCode::UNAUTHORIZED, "Requires authentication".into())),
        Some(token) => knows(shared, path, token)?,
    }
    accepts(text(header::ACCEPT))
}

/// Whether a token is one for this path.
fn knows(shared: &Shared, path: &str, token: &str) -> Result<(), Refusal> {
    let (world, now) = (shared.world(), shared.now());
    match &world.app {
        Some(app) if app::is_own(path) => app.has_signed(token, now),
        Some(app) if app.has_given(token, now) => Ok(()),
        _ if token == shared.options.token => Ok(()),
        _ => Err(Refusal(StatusCode::UNAUTHORIZED, "Bad credentials".into())),
    }
}

impl Shared {
    /// Whether a request comes with a token of the App's installation.
    pub(super) fn is_of_the_app(&self, headers: &HeaderMap) -> bool {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let now = self.now();
        self.world().app.as_ref().is_some_and(|app| app.has_given(token, now))
    }
}

fn accepts(accept: Option<&str>) -> Result<(), Refusal> {
    let takes = |accept: &str| accept.contains("*/*") || accept.contains("json") || accept.contains("vnd.github");
    if accept.is_some_and(|accept| !takes(accept)) {
        let message = "Unsupported 'Accept' header. Must accept 'application/json'.";
        return Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, message.into()));
    }
    Ok(())
}
