//! Is it alive, and can it reach what it needs?

use super::Web;
use crate::defects;
use crate::standing::Company;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use slipway_core::membership::SourceState;

/// Alive: the process answers. Says nothing about the outside.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether it can be read who is in a team whose members are kept elsewhere.
fn team(state: &SourceState) -> (String, Result<(), String>) {
    let name = format!("team {} by {}", state.team, state.source);
    (name, state.trouble.as_ref().map_or(Ok(()), |trouble| Err(trouble.what.clone())))
}

/// Ready: 200, or 503 with the names of what is missing. `defects` is how often something in the process has panicked since
/// its start, without an end to anything else: the log says where.
pub(super) async fn readyz(State(web): State<Web>) -> (StatusCode, Json<Value>) {
    let mut parts = web.readiness.look().await;
    let store = web.store.inbox_waiting().await;
    let waiting = store.as_ref().copied().unwrap_or_default();
    parts.insert("store".to_owned(), store.map(|_| ()).map_err(|error| error.to_string()));
    parts.insert("policies".to_owned(), web.policies.problem().map_or(Ok(()), Err));
    match Company::shown(&web.store, web.readiness.setup(), web.clock.now()).await {
        Ok(company) => parts.extend(company.sources.iter().map(team)),
        Err(error) => drop(parts.insert("teams".to_owned(), Err(error.to_string()))),
    }
    let ready = parts.values().all(Result::is_ok);
    let says = |state: &Result<(), String>| match state {
        Ok(()) => "ok".to_owned(),
        Err(what) => what.clone(),
    };
    let parts: serde_json::Map<_, _> = parts.iter().map(|(name, state)| (name.clone(), says(state).into())).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "parts": parts, "inbox_waiting": waiting, "defects": defects::count() })))
}
