//! The methods, the gate that every call passes, and the answers' common form.

use super::arguments::Arguments;
use super::world::{FaultKind, World};
use super::{SlackOptions, auth, groups};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Largest body of a call.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// What a method gives beside `ok`, or why it refuses.
pub(super) type Reply = Result<Value, Refusal>;

/// A method: its name, the scope that it needs, if any, and what it does.
struct Entry {
    name: &'static str,
    scope: Option<&'static str>,
    call: fn(&Shared, &Arguments) -> Reply,
}

/// All of them.
const METHODS: [Entry; 2] = [
    Entry { name: "auth.test", scope: None, call: auth::test },
    Entry { name: "usergroups.users.list", scope: Some("usergroups:read"), call: groups::users },
];

pub(super) struct Shared {
    pub(super) options: SlackOptions,
    pub(super) api_url: String,
    world: Mutex<World>,
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The listener's task; it ends with this value.
pub(super) struct Running(tokio::task::JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `ok: false`, which Slack answers with 200, and what comes with it.
#[derive(Debug)]
pub(super) struct Refusal {
    code: &'static str,
    more: Value,
}

impl Refusal {
    pub(super) fn code(code: &'static str) -> Self {
        Self { code, more: json!({}) }
    }

    pub(super) fn invalid_arguments(message: &str) -> Self {
        Self { code: "invalid_arguments", more: json!({ "response_metadata": { "messages": [message] } }) }
    }

    fn missing_scope(needed: &str, provided: &[String]) -> Self {
        Self { code: "missing_scope", more: json!({ "needed": needed, "provided": provided.join(",") }) }
    }
}

pub(super) async fn start(options: SlackOptions) -> io::Result<(Arc<Shared>, Running)> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let api_url = format!("http://{}/api", listener.local_addr()?);
    let world = Mutex::new(World::new(options.scopes.clone()));
    let shared = Arc::new(Shared { options, api_url, world });
    let app = Router::new().route("/api/{method}", any(method)).with_state(Arc::clone(&shared));
    let task = tokio::spawn(async move {
        // Ends only with the task.
        let _ = axum::serve(listener, app).await;
    });
    Ok((shared, Running(task)))
}

async fn method(State(shared): State<Arc<Shared>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let fault = {
        let mut world = shared.world();
        world.heard(format!("{} {name}?{query}", parts.method));
        world.fault_for(&name)
    };
    if let Some(fault) = fault {
        return failing(fault).await;
    }
    let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    answered(called(&shared, &name, &parts.method, &query, &parts.headers, &body))
}

/// Every call is checked in Slack's order: the method, the token, the scope, the arguments.
fn called(
    shared: &Shared,
    name: &str,
    method: &Method,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, Refusal> {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok()).unwrap_or_default();
    let Some(entry) = METHODS.iter().find(|entry| entry.name == name) else {
        return Err(Refusal { code: "unknown_method", more: json!({ "req_method": name }) });
    };
    if !matches!(*method, Method::GET | Method::POST) {
        return Err(Refusal::code("invalid_request_method"));
    }
    match text(header::AUTHORIZATION).strip_prefix("Bearer ") {
        None => return Err(Refusal::code("not_authed")),
        Some(token) if token != shared.options.token => return Err(Refusal::code("invalid_auth")),
        Some(_) if shared.world().revoked => return Err(Refusal::code("token_revoked")),
        Some(_) => {}
    }
    if let Some(needed) = entry.scope {
        let provided = shared.world().scopes.clone();
        if !provided.iter().any(|scope| scope == needed) {
            return Err(Refusal::missing_scope(needed, &provided));
        }
    }
    (entry.call)(shared, &Arguments::read(query, text(header::CONTENT_TYPE), body)?)
}

fn answered(reply: Reply) -> Response {
    let (ok, mut body) = match reply {
        Ok(body) => (true, body),
        Err(Refusal { code, mut more }) => {
            more["error"] = json!(code);
            (false, more)
        }
    };
    body["ok"] = json!(ok);
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

async fn failing(fault: FaultKind) -> Response {
    match fault {
        FaultKind::Timeout => std::future::pending().await,
        FaultKind::Status(status) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        FaultKind::RateLimited { retry_after_s } => {
            let mut response = answered(Err(Refusal::code("ratelimited")));
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_s.into());
            response
        }
        FaultKind::Garbled => "<html>Server Error</html>".into_response(),
        FaultKind::Huge(bytes) => Body::from(" ".repeat(bytes)).into_response(),
    }
}
