//! The policy set: what is in force, and reading it again.

use super::Web;
use crate::policies::{ReloadError, Reloaded};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// Who the audit log names: whoever holds the token.
const BY: &str = "api";

/// What is in force.
pub(super) async fn show(State(web): State<Web>) -> Json<Value> {
    let set = web.policies.in_force();
    let rules: Vec<_> = set.rule_ids().collect();
    Json(json!({ "hash": set.hash(), "source": web.policies.origin().source, "rules": rules }))
}

/// Reads the rules again. 422 names every mistake; the old rules then stay in force.
pub(super) async fn reload(State(web): State<Web>) -> (StatusCode, Json<Value>) {
    match web.policies.reload(BY).await {
        Ok(Reloaded::Same { hash }) => (StatusCode::OK, Json(json!({ "changed": false, "hash": hash }))),
        Ok(Reloaded::Changed { before, hash, rules }) => {
            (StatusCode::OK, Json(json!({ "changed": true, "before": before, "hash": hash, "rules": rules })))
        }
        Err(ReloadError::Policies(error)) => {
            let mistakes = error.mistakes();
            let what = "the policies have mistakes, so those in force stay";
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": what, "mistakes": mistakes })))
        }
        Err(ReloadError::Store(error)) => {
            tracing::error!(%error, "policies could not be stored");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": "the store does not answer" })))
        }
    }
}
