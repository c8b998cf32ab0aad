//! Signed requests to the app.

use super::delivery::{DeliveryAnswer, Mischief};
use super::server::Shared;
use super::signing;
use reqwest::{RequestBuilder, header};
use serde_json::Value;

/// How much of the app's answer is read.
const ANSWER_LIMIT_BYTES: usize = 256 * 1024;
/// How old a stale delivery is, in seconds.
const STALE_S: i64 = 600;

/// Brings an interaction to the app: what came of it, and the answer's body.
pub(super) async fn post(
    shared: &Shared,
    url: Option<&str>,
    payload: &Value,
    mischief: Option<Mischief>,
) -> (DeliveryAnswer, Value) {
    let Some(url) = url else { return (DeliveryAnswer::Unreachable, Value::Null) };
    let now_s = shared.world().unshifted_now().as_second();
    let at_s = if mischief == Some(Mischief::Stale) { now_s - STALE_S } else { now_s };
    let (at, mut body) = (at_s.to_string(), payload.to_string());
    let mut signature = shared.key.signature(&at, body.as_bytes());
    if mischief == Some(Mischief::OtherKey)
        && let Ok(other) = signing::Key::fresh()
    {
        signature = other.signature(&at, body.as_bytes());
    }
    if mischief == Some(Mischief::Tampered) {
        body.push(' ');
    }
    let request = shared.http.post(url);
    let mut request = request
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "Discord-Interactions/1.0 (+https://discord.com)")
        .body(body);
    if mischief != Some(Mischief::Unsigned) {
        request = request.header("X-Signature-Timestamp", at).header("X-Signature-Ed25519", signature);
    }
    exchange(request).await
}

async fn exchange(request: RequestBuilder) -> (DeliveryAnswer, Value) {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return (DeliveryAnswer::Unreachable, Value::Null),
        Err(_) => return (DeliveryAnswer::ConnectionLost, Value::Null),
    };
    let answer = DeliveryAnswer::Status(response.status().as_u16());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LIMIT_BYTES => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Ok(Some(_)) | Err(_) => return (DeliveryAnswer::ConnectionLost, Value::Null),
        }
    }
    (answer, serde_json::from_slice(&body).unwrap_or_default())
}
