//! Answers with ETags, and 304 for who has the newest already.

use super::server::Shared;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// The largest answer that has one.
const BODY_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// Answers a request. What is asked for with the ETag of what there is now has no body.
pub(super) async fn answered(shared: &Shared, request: Request, next: Next) -> Response {
    let asked = request.method() == Method::GET;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let answer = next.run(request).await;
    if !asked || answer.status() != StatusCode::OK {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // What leads to the other pages belongs to it.
    let links = parts.headers.get(header::LINK).map(HeaderValue::as_bytes).unwrap_or_default();
    let hash = hex::encode(Sha256::new().chain_update(links).chain_update(&body).finalize());
    let Ok(etag) = HeaderValue::from_str(&format!("W/\"{hash}\"")) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let same = known.as_ref() == Some(&etag);
    parts.headers.insert(header::ETAG, etag);
    if same {
        shared.world().not_modified += 1;
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}
