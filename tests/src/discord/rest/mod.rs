//! The routes, the gate that every call passes, and the answers' common form.
//!
//! One file a family of routes, and a line in `ROUTES`.

mod answers;
mod applications;
mod call;
mod channels;
mod commands;
mod guilds;
mod messages;
mod reactions;
mod respond;
mod routes;
mod threads;

pub(super) use respond::respond;

use super::fault::FaultKind;
use super::options::{DiscordLimits, Window};
use super::rate::{Standing, TooMany};
use super::refusal::{Answer, Refusal, Reply};
use super::server::Shared;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use call::Call;
use routes::{Entry, Rate};
use serde_json::json;
use std::io;
use std::sync::Arc;

/// Largest body of a call.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;
const MS_PER_S: i64 = 1_000;

/// What comes of a call, with what is said of how often it may come.
struct Outcome {
    reply: Result<Reply, TooMany>,
    standing: Option<Standing>,
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self { reply: Ok(Err(refusal)), standing: None }
    }
}

pub(super) async fn call(State(shared): State<Arc<Shared>>, Path(path): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let found = routes::find(parts.method.as_str(), &path);
    let fault = {
        let mut world = shared.world();
        let asked = if query.is_empty() { String::new() } else { format!("?{query}") };
        world.heard(format!("{} /{path}{asked}", parts.method));
        found.as_ref().and_then(|(entry, _)| world.fault_for(entry.name))
    };
    if let Some(fault) = fault.filter(|fault| *fault != FaultKind::AnswerLost) {
        return failing(fault).await;
    }
    let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let outcome = match found {
        Some((entry, params)) => called(&shared, entry, params, &query, &parts.headers, &body),
        None => Refusal::not_found().into(),
    };
    if fault.is_some() {
        return failing(FaultKind::AnswerLost).await;
    }
    let response = answered(outcome);
    if matches!(response.status().as_u16(), 401 | 403 | 429) {
        shared.world().invalid_calls += 1;
    }
    response
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Every call is checked in Discord's order: who it is, the token, how often it comes, what it says.
fn called(
    shared: &Arc<Shared>,
    entry: &Entry,
    params: Vec<(&'static str, String)>,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome {
    // Discord's front turns away who does not say who they are.
    if !text(headers, header::USER_AGENT).starts_with("DiscordBot (") {
        return Refusal::new(403, 40_333, "internal network error").into();
    }
    let token = text(headers, header::AUTHORIZATION).strip_prefix("Bot ");
    if entry.needs_token && (token != Some(&shared.options.token) || shared.world().revoked) {
        return Refusal::unauthorized().into();
    }
    let standing = match counted(shared, entry, &params) {
        Ok(standing) => standing,
        Err(too_many) => {
            let standing = too_many.standing.clone();
            return Outcome { reply: Err(too_many), standing };
        }
    };
    let call = Call::read(params, query, text(headers, header::CONTENT_TYPE), body);
    Outcome { reply: Ok(call.and_then(|call| (entry.call)(shared, &call))), standing }
}

fn counted(shared: &Shared, entry: &Entry, params: &[(&'static str, String)]) -> Result<Option<Standing>, TooMany> {
    let mut world = shared.world();
    let (limits, now) = (world.limits.clone(), world.now());
    if entry.needs_token {
        world.rates.take_global(limits.global_per_s, now)?;
    }
    // Calls of other channels, guilds and interactions are counted by themselves.
    let mut major = params.iter().filter(|(name, _)| ["channel", "guild", "token"].contains(name));
    let place = major.next().map(|(_, value)| value.as_str()).unwrap_or_default();
    world.rates.take(&bucket(entry), place, window(&limits, entry.rate), now)
}

fn window(limits: &DiscordLimits, rate: Rate) -> Window {
    match rate {
        Rate::Post => limits.post,
        Rate::Edit => limits.edit,
        Rate::Other => limits.other,
    }
}

/// As the header has it: the same for the same route, and nothing to read out of it.
fn bucket(entry: &Entry) -> String {
    use sha2::Digest as _;
    let hash = hex::encode(sha2::Sha256::digest(entry.name));
    hash.get(..32).unwrap_or_default().to_owned()
}

fn answered(outcome: Outcome) -> Response {
    let mut response = match outcome.reply {
        Ok(Ok(Answer { status, body })) => json_response(status, body),
        Ok(Err(refusal)) => json_response(refusal.status, Some(refusal.body())),
        Err(too_many) => limited(too_many.wait_ms, too_many.global),
    };
    if let Some(standing) = outcome.standing {
        let left_ms = (standing.ends_ms - standing.now_ms).max(0);
        let said = [
            ("x-ratelimit-limit", standing.limit.to_string()),
            ("x-ratelimit-remaining", standing.remaining.to_string()),
            ("x-ratelimit-reset", seconds(standing.ends_ms)),
            ("x-ratelimit-reset-after", seconds(left_ms)),
            ("x-ratelimit-bucket", standing.bucket),
        ];
        for (name, value) in said {
            set(response.headers_mut(), name, &value);
        }
    }
    response
}

/// `1470173023.123`.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / MS_PER_S, ms % MS_PER_S)
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn limited(wait_ms: i64, global: bool) -> Response {
    let retry_after: serde_json::Value = seconds(wait_ms).parse::<f64>().unwrap_or(1.0).into();
    let body = json!({ "message": "You are being rate limited.", "retry_after": retry_after, "global": global });
    let mut response = json_response(429, Some(body));
    let whole_s = (wait_ms + MS_PER_S - 1) / MS_PER_S;
    set(response.headers_mut(), "retry-after", &whole_s.to_string());
    set(response.headers_mut(), "x-ratelimit-scope", if global { "global" } else { "user" });
    if global {
        set(response.headers_mut(), "x-ratelimit-global", "true");
    }
    response
}

fn json_response(status: u16, body: Option<serde_json::Value>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match body {
        Some(body) => (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response(),
        None => status.into_response(),
    }
}

async fn failing(fault: FaultKind) -> Response {
    match fault {
        FaultKind::Timeout => std::future::pending().await,
        FaultKind::Status(status) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        FaultKind::Unknown(code) => answered(Refusal::unknown(code).into()),
        FaultKind::RateLimited { retry_after_ms, global } => limited(retry_after_ms, global),
        FaultKind::Garbled => "<html>Server Error</html>".into_response(),
        FaultKind::Huge(bytes) => Body::from(" ".repeat(bytes)).into_response(),
        FaultKind::AnswerLost => {
            let lost = futures::stream::once(async { Err::<Vec<u8>, _>(io::Error::other("the answer is lost")) });
            Body::from_stream(lost).into_response()
        }
    }
}
