//! A release as JSON.

use super::Web;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use slipway_core::ids::ReleaseId;

/// The whole state of one release.
pub(super) async fn release(State(web): State<Web>, Path(id): Path<String>) -> Response {
    match web.store.release(&ReleaseId::new(id)).await {
        Ok(Some(stored)) => Json(stored.release).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, Json(json!({ "error": "there is no such release" }))).into_response(),
        Err(error) => {
            tracing::error!(%error, "a release could not be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
