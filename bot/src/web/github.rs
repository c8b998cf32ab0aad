//! GitHub's webhooks: verified over the bytes as they came. They only make a look come earlier, so nothing in them but
//! the repository's name is read.

use super::Web;
use crate::engine::Incoming;
use crate::setup::Setup;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde::Deserialize;
use slipway_deploy::github::verify_webhook;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::{error, warn};

/// The largest delivery that GitHub makes.
pub(super) const BODY_LIMIT_BYTES: usize = 25 * 1024 * 1024;
/// How many of them are read at once.
const READ_AT_ONCE_LIMIT: usize = 4;
/// How long one may take to come.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// The longest id of a delivery that is taken.
const DELIVERY_LIMIT_BYTES: usize = 100;
/// The events after which a build or a pull request may stand differently.
const EVENTS: [&str; 8] = [
    "push",
    "check_run",
    "check_suite",
    "status",
    "workflow_run",
    "workflow_job",
    "pull_request",
    "pull_request_review",
];

/// What GitHub's webhooks need.
#[derive(Clone, Debug)]
pub struct GithubDoor {
    /// What they are signed with; `None`: none is taken.
    pub secret: Option<Arc<SecretString>>,
    /// Whose repositories matter.
    pub setup: Arc<Setup>,
    reading: Arc<Semaphore>,
}

impl GithubDoor {
    /// For the repositories of this set-up.
    #[must_use]
    pub fn new(secret: Option<SecretString>, setup: Arc<Setup>) -> Self {
        Self { secret: secret.map(Arc::new), setup, reading: Arc::new(Semaphore::new(READ_AT_ONCE_LIMIT)) }
    }
}

#[derive(Deserialize)]
struct Delivered {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

pub(super) async fn webhooks(State(web): State<Web>, headers: HeaderMap, body: Body) -> Response {
    let Some(secret) = &web.github.secret else {
        let why = "GITHUB_WEBHOOK_SECRET is not set, so no webhook can be verified\n";
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Nothing is read of what is not even signed, and only so much at once of what is.
    if text("x-hub-signature-256").is_none_or(|signature| !signature.starts_with("sha256=")) {
        return (StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n").into_response();
    }
    let Ok(_place) = web.github.reading.try_acquire() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many webhooks at once\n").into_response();
    };
    let Ok(Ok(body)) = tokio::time::timeout(READ_LIMIT, to_bytes(body, BODY_LIMIT_BYTES)).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or did not come\n").into_response();
    };
    if let Err(bad) = verify_webhook(secret, text("x-hub-signature-256"), &body) {
        warn!(why = %bad, "a webhook that is not GitHub's is refused");
        return (StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n").into_response();
    }
    let plain =
        |id: &&str| !id.is_empty() && id.len() <= DELIVERY_LIMIT_BYTES && id.bytes().all(|b| b.is_ascii_graphic());
    let (Some(event), Some(delivery)) = (text("x-github-event"), text("x-github-delivery").filter(plain)) else {
        return (StatusCode::BAD_REQUEST, "X-GitHub-Event or X-GitHub-Delivery is missing\n").into_response();
    };
    if event == "ping" {
        return (StatusCode::OK, "pong\n").into_response();
    }
    if !EVENTS.contains(&event) {
        return (StatusCode::ACCEPTED, "not needed\n").into_response();
    }
    if !text(header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json")) {
        let why = "set the webhook's content type to application/json\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, why).into_response();
    }
    let Ok(Delivered { repository }) = serde_json::from_slice(&body) else {
        error!(event, "a webhook of GitHub's cannot be read");
        return StatusCode::BAD_REQUEST.into_response();
    };
    // The name as the configuration has it: GitHub takes either case.
    let known = repository.and_then(|found| {
        let names = web.github.setup.services().map(|(_, service)| service.repository.to_string());
        names.into_iter().find(|name| name.eq_ignore_ascii_case(&found.full_name))
    });
    match known {
        Some(repository) => taken(&web, delivery, repository).await,
        None => (StatusCode::ACCEPTED, "of no repository that is released\n").into_response(),
    }
}

/// Durable before it is acknowledged; what comes twice is taken once.
async fn taken(web: &Web, delivery: &str, repository: String) -> Response {
    let incoming = Incoming::GithubSpoke { repository };
    let key = format!("github/{delivery}");
    let stored = web.store.deliver(&key, &incoming, &web.clock);
    match tokio::time::timeout(Duration::from_millis(web.ack_budget_ms), stored).await {
        Ok(Ok(_)) => {
            web.signals.inbox.notify_one();
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(Err(error)) => {
            error!(%error, "a webhook could not be stored");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
