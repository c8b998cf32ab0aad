//! The API of the terminal chat: type, react, press, read.

use super::Web;
use crate::engine::Incoming;
use crate::store::Delivery;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use slipway_core::message::Verb;
use slipway_core::person::Identity;
use slipway_core::policy::Stance;
use std::time::Duration;

/// The longest time a reader may ask to wait for news.
const WAIT_LIMIT_MS: u64 = 20_000;
/// How many messages one answer holds.
const MESSAGES_LIMIT: u32 = 100;
/// What the chat's channels begin with.
const CHANNEL_PREFIX: &str = "terminal:";
/// The longest delivery id.
const DELIVERY_LIMIT_CHARS: usize = 100;

/// A typed line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typed {
    person: String,
    channel: String,
    text: String,
    delivery: String,
}

/// A reaction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reacted {
    person: String,
    channel: String,
    message: String,
    reaction: String,
    #[serde(default = "yes")]
    added: bool,
    delivery: String,
}

/// A button.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pressed {
    person: String,
    channel: String,
    message: String,
    button: Verb,
    delivery: String,
}

/// What a reader has seen, and how long to wait for more.
#[derive(Deserialize)]
pub(super) struct Since {
    #[serde(default)]
    after: i64,
    #[serde(default)]
    wait_ms: u64,
}

fn yes() -> bool {
    true
}

pub(super) async fn command(State(web): State<Web>, Json(typed): Json<Typed>) -> Response {
    let Typed { person, channel, text, delivery } = typed;
    take(&web, &delivery, Incoming::Typed { who: Identity::Terminal(person), channel, text }).await
}

pub(super) async fn reaction(State(web): State<Web>, Json(reacted): Json<Reacted>) -> Response {
    let Reacted { person, channel, message, reaction, added, delivery } = reacted;
    let stance = match reaction.as_str() {
        "✅" => Stance::Approve,
        "❌" => Stance::Veto,
        _ => return (StatusCode::OK, Json(json!({ "ignored": "this reaction stands for no vote" }))).into_response(),
    };
    let incoming = Incoming::Reacted {
        who: Identity::Terminal(person),
        channel,
        message,
        stance,
        added,
        at_us: None,
        name: reaction,
        found: false,
    };
    take(&web, &delivery, incoming).await
}

pub(super) async fn button(State(web): State<Web>, Json(pressed): Json<Pressed>) -> Response {
    let Pressed { person, channel, message, button, delivery } = pressed;
    take(
        &web,
        &delivery,
        Incoming::Pressed { who: Identity::Terminal(person), channel, message, verb: button, plan: None },
    )
    .await
}

/// Acknowledges what is durable, and only that.
async fn take(web: &Web, delivery: &str, incoming: Incoming) -> Response {
    // Nobody at a terminal speaks in the channels of another chat, where the answer would also go.
    if !incoming.sender().is_some_and(|(_, channel)| channel.starts_with(CHANNEL_PREFIX)) {
        let why = format!("`channel` must be one of this chat, such as {CHANNEL_PREFIX}releases");
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response();
    }
    if delivery.is_empty() || delivery.chars().count() > DELIVERY_LIMIT_CHARS {
        let why = format!("`delivery` must have 1 to {DELIVERY_LIMIT_CHARS} characters, unique for each delivery");
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response();
    }
    let key = format!("terminal/{delivery}");
    let stored = web.store.deliver(&key, &incoming, &web.clock);
    let stored = tokio::time::timeout(Duration::from_millis(web.ack_budget_ms), stored).await;
    let not_confirmed = |why: String| {
        let says = json!({ "error": format!("not confirmed: {why}; see /release status") });
        (StatusCode::SERVICE_UNAVAILABLE, Json(says)).into_response()
    };
    match stored {
        Ok(Ok(delivery)) => {
            web.signals.inbox.notify_one();
            let repeated = delivery == Delivery::Repeated;
            (StatusCode::ACCEPTED, Json(json!({ "accepted": true, "repeated": repeated }))).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a delivery could not be stored");
            not_confirmed("the store failed".to_owned())
        }
        Err(_) => not_confirmed(format!("it took longer than {} ms", web.ack_budget_ms)),
    }
}

/// Messages that changed after a sequence number; waits for some when there are none.
pub(super) async fn messages(State(web): State<Web>, Query(since): Query<Since>) -> Response {
    let wait = Duration::from_millis(since.wait_ms.min(WAIT_LIMIT_MS));
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        let Some(changed) = web.terminal.as_ref().map(|notify| notify.notified()) else {
            return Json(json!([])).into_response();
        };
        // Listening begins before looking, so that nothing falls between.
        tokio::pin!(changed);
        changed.as_mut().enable();
        match web.store.terminal_since(since.after, MESSAGES_LIMIT).await {
            Err(error) => {
                tracing::error!(%error, "messages could not be read");
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            Ok(messages) if !messages.is_empty() => return Json(messages).into_response(),
            Ok(_) => {}
        }
        if tokio::time::timeout_at(deadline, changed).await.is_err() {
            return Json(json!([])).into_response();
        }
    }
}
