//! The server: tells the services apart, checks signatures, lets requests go wrong when asked to.

use super::{Shared, World, app_runner, ecr, secrets, signature};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The largest body that is read.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// A failure to come.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The action: `UpdateService`.
    pub action: String,
    /// What happens.
    pub kind: FaultKind,
    /// How many times.
    pub times: u32,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing is done; 503.
    Unavailable,
    /// Nothing is done; AWS asks for fewer calls.
    Throttle,
    /// It is done, and the answer is a 503.
    LostAnswerAfterAct,
    /// Nothing is done, and no answer ever comes.
    Timeout,
}

/// A refused request in AWS's form.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: String,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned() }
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(400, "ValidationException", message)
    }

    pub(super) fn serialization(message: &str) -> Self {
        Self::new(400, "SerializationException", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = json!({ "__type": self.code, "message": self.message });
        (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) async fn start(shared: Arc<Shared>) -> io::Result<(String, Running)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .route("/", post(call))
        .route("/service/{name}/healthz", get(health))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .with_state(shared);
    let running = tokio::spawn(async move {
        // It ends with the process or by being dropped.
        let _ = axum::serve(listener, router).await;
    });
    Ok((endpoint, Running(running)))
}

/// The wall clock, in milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

async fn call(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let Some((prefix, action)) = target.split_once('.') else {
        return Refusal::new(400, "UnknownOperationException", "no X-Amz-Target").into_response();
    };
    let service = match prefix {
        "AppRunner" => "apprunner",
        "AmazonEC2ContainerRegistry_V20150921" => "ecr",
        "secretsmanager" => "secretsmanager",
        _ => return Refusal::new(400, "UnknownOperationException", prefix).into_response(),
    };
    if let Err(signature::Refused(code, message)) = signature::check(&headers, service, now_ms()) {
        return Refusal::new(if code.starts_with("Missing") { 403 } else { 400 }, code, &message).into_response();
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/x-amz-json-1.") {
        return Refusal::serialization("unexpected content type").into_response();
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return Refusal::serialization("the body is no JSON").into_response();
    };
    let fault = take_fault(&mut shared.lock(), action);
    let unavailable = || Refusal::new(503, "ServiceUnavailableException", "try again later").into_response();
    match fault {
        Some(FaultKind::Unavailable) => return unavailable(),
        Some(FaultKind::Throttle) => return Refusal::new(400, "ThrottlingException", "Rate exceeded").into_response(),
        Some(FaultKind::Timeout) => std::future::pending::<()>().await,
        Some(FaultKind::LostAnswerAfterAct) | None => {}
    }
    let answer = answer(&mut shared.lock(), service, action, &body);
    match answer {
        _ if fault == Some(FaultKind::LostAnswerAfterAct) => unavailable(),
        Ok(answer) => ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], answer.to_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn take_fault(world: &mut World, action: &str) -> Option<FaultKind> {
    let fault = world.faults.iter_mut().find(|fault| fault.action == action && fault.times > 0)?;
    fault.times -= 1;
    Some(fault.kind)
}

fn answer(world: &mut World, service: &str, action: &str, body: &Value) -> Result<Value, Refusal> {
    let (now, pace) = (now_ms(), world.pace);
    world.services.settle(now, pace);
    match (service, action) {
        ("apprunner", "DescribeService") => app_runner::describe(world, body),
        ("apprunner", "UpdateService") => app_runner::update(world, body, now),
        ("apprunner", "StartDeployment") => app_runner::start_deployment(world, body, now),
        ("apprunner", "ListOperations") => app_runner::list_operations(world, body),
        ("ecr", "DescribeImages") => ecr::describe_images(&world.images, body),
        ("secretsmanager", "DescribeSecret") => secrets::describe(&world.secrets, body),
        ("secretsmanager", "GetSecretValue") => secrets::value(&world.secrets, body),
        _ => Err(Refusal::new(400, "UnknownOperationException", action)),
    }
}

/// The service itself: says which commit it was built from, by its image's tag.
async fn health(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    let mut world = shared.lock();
    let pace = world.pace;
    world.services.settle(now_ms(), pace);
    let Some(image) = world.services.running_by_name(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let digest = world.images.digest_of(&image).unwrap_or_default();
    let commit = world.images.tag_of(&digest);
    if world.services.unhealthy.contains(&digest) {
        let says = json!({ "status": "failing", "error": "cannot connect to smtp.acme.dev", "commit": commit });
        return (StatusCode::SERVICE_UNAVAILABLE, axum::Json(says)).into_response();
    }
    axum::Json(json!({ "status": "ok", "commit": commit })).into_response()
}
