//! Signed requests to the app.

use super::delivery::{Answered, DeliveryAnswer, DeliveryKind, Mischief};
use super::server::Shared;
use super::signing::signature;
use reqwest::{RequestBuilder, Url, header};
use serde_json::Value;

/// How much of the app's answer is read.
const ANSWER_LIMIT_BYTES: usize = 256 * 1024;
/// How old a stale delivery is, in seconds.
const STALE_S: i64 = 600;

/// Brings a payload to the app, within the time that Slack waits.
pub(super) async fn post(
    shared: &Shared,
    kind: DeliveryKind,
    payload: &Value,
    attempt: u32,
    reason: &str,
    mischief: Option<Mischief>,
) -> Answered {
    let (bot_url, now_s, limit) = {
        let world = shared.world();
        (world.bot_url.clone(), world.unshifted_now().as_second(), world.limits.answer_within)
    };
    let Some(bot_url) = bot_url else { return Answered::without_body(DeliveryAnswer::Unreachable) };
    let (path, content_type) = match kind {
        DeliveryKind::Command => ("commands", "application/x-www-form-urlencoded"),
        DeliveryKind::Interaction => ("interactions", "application/x-www-form-urlencoded"),
        DeliveryKind::Event => ("events", "application/json"),
    };
    let mut body = written(kind, payload);
    let at_s = if mischief == Some(Mischief::Stale) { now_s - STALE_S } else { now_s };
    let secret = if mischief == Some(Mischief::OtherSecret) { "another" } else { &shared.options.signing_secret };
    let signed = signature(secret, at_s, body.as_bytes());
    if mischief == Some(Mischief::Tampered) {
        body.push_str(if kind == DeliveryKind::Event { " " } else { "&tampered=1" });
    }
    let request = shared.http.post(format!("{}/slack/{path}", bot_url.trim_end_matches('/')));
    let mut request = request
        .header(header::CONTENT_TYPE, content_type)
        .header(header::USER_AGENT, "Slackbot 1.0 (+https://api.slack.com/robots)")
        .body(body);
    if mischief != Some(Mischief::Unsigned) {
        request = request.header("X-Slack-Request-Timestamp", at_s).header("X-Slack-Signature", signed);
    }
    if attempt > 0 {
        request = request.header("X-Slack-Retry-Num", attempt).header("X-Slack-Retry-Reason", reason);
    }
    let answered = tokio::time::timeout(limit, exchange(request)).await;
    answered.unwrap_or_else(|_| Answered::without_body(DeliveryAnswer::TimedOut))
}

/// The body: a form for commands, a form with one field for presses, JSON for events.
fn written(kind: DeliveryKind, payload: &Value) -> String {
    let pairs: Vec<(String, String)> = match kind {
        DeliveryKind::Event => return payload.to_string(),
        DeliveryKind::Interaction => vec![("payload".to_owned(), payload.to_string())],
        DeliveryKind::Command => {
            let members = payload.as_object().into_iter().flatten();
            members.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
        }
    };
    // The form's encoding is that of a query.
    let url = Url::parse_with_params("http://form.invalid/", &pairs).ok();
    url.as_ref().and_then(Url::query).unwrap_or_default().to_owned()
}

async fn exchange(request: RequestBuilder) -> Answered {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Answered::without_body(DeliveryAnswer::Unreachable),
        Err(_) => return Answered::without_body(DeliveryAnswer::ConnectionLost),
    };
    let answer = DeliveryAnswer::Status(response.status().as_u16());
    let no_retry = response.headers().get("x-slack-no-retry").is_some_and(|value| value == "1");
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LIMIT_BYTES => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Ok(Some(_)) | Err(_) => return Answered::without_body(DeliveryAnswer::ConnectionLost),
        }
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    let body = match text.trim() {
        "" => Value::Null,
        written => serde_json::from_str(written).unwrap_or(Value::String(text)),
    };
    Answered { answer, body, no_retry }
}
