//! Slack's deliveries over HTTP: verified over the bytes as they came, before anything in them is read.

use super::Web;
use crate::chat::entrance::{NOT_CONFIRMED, NOT_READY};
use crate::chat::slack::heard::{self, Delivery, Heard, Unreadable};
use crate::chat::slack::{Intake, Taken};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde_json::{Value, json};
use slipway_deploy::slack::verify;
use std::sync::Arc;
use tokio::time::Instant;
use tracing::warn;

/// The largest delivery that is read: a button brings the whole message along, three times as long in a form.
pub(super) const BODY_LIMIT_BYTES: usize = 256 * 1024;

/// What Slack's deliveries need.
#[derive(Clone, Debug)]
pub struct SlackDoor {
    /// What they are signed with.
    pub signing_secret: Option<Arc<SecretString>>,
    /// Takes them in.
    pub intake: Arc<Intake>,
}

/// Which door a delivery came through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Commands,
    Interactions,
    Events,
}

pub(super) async fn commands(State(web): State<Web>, headers: HeaderMap, body: Bytes) -> Response {
    through(&web, Door::Commands, &headers, &body).await
}

pub(super) async fn interactions(State(web): State<Web>, headers: HeaderMap, body: Bytes) -> Response {
    through(&web, Door::Interactions, &headers, &body).await
}

pub(super) async fn events(State(web): State<Web>, headers: HeaderMap, body: Bytes) -> Response {
    through(&web, Door::Events, &headers, &body).await
}

async fn through(web: &Web, door: Door, headers: &HeaderMap, body: &Bytes) -> Response {
    let came = Instant::now();
    let Some(slack) = &web.slack else { return StatusCode::NOT_FOUND.into_response() };
    let Some(secret) = &slack.signing_secret else {
        let why = "SLACK_SIGNING_SECRET is not set, so no delivery can be verified\n";
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (timestamp, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    if let Err(bad) = verify(secret, timestamp, signature, body, web.clock.now()) {
        warn!(why = %bad, "a delivery that is not Slack's is refused");
        return (StatusCode::UNAUTHORIZED, "the signature is missing, wrong or too old\n").into_response();
    }
    match read(door, body) {
        Ok(Delivery { heard: Heard::Nothing, .. }) => StatusCode::OK.into_response(),
        Ok(delivery) => answered(door, slack.intake.take(delivery, came).await),
        Err(error) => {
            // Slack's, so no attack; and nothing that it may hold goes into the log but what is wrong with it.
            tracing::error!(%error, "a delivery of Slack's cannot be read");
            StatusCode::BAD_REQUEST.into_response()
        }
    }
}

fn read(door: Door, body: &[u8]) -> Result<Delivery, Unreadable> {
    match door {
        Door::Events => heard::event(serde_json::from_slice(body)?),
        Door::Commands => match form(body) {
            // Slack looks now and then whether the address has a certificate.
            fields if fields["ssl_check"] == "1" => Ok(Delivery::nothing()),
            fields => heard::command(fields),
        },
        Door::Interactions => {
            let fields = form(body);
            heard::interaction(serde_json::from_str(fields["payload"].as_str().unwrap_or_default())?)
        }
    }
}

/// The fields of a form; the last of a name counts.
fn form(body: &[u8]) -> Value {
    let field = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        (name.into_owned(), Value::String(value.into_owned()))
    };
    Value::Object(form_urlencoded::parse(body).map(field).collect())
}

fn answered(door: Door, taken: Taken) -> Response {
    let say = |what: &str| Json(json!({ "response_type": "ephemeral", "text": what })).into_response();
    match (taken, door) {
        (Taken::Done, _) => StatusCode::OK.into_response(),
        (Taken::Answer(answer), _) => Json(answer).into_response(),
        (Taken::Say(what), Door::Commands) => say(&what),
        (Taken::Say(_), _) => StatusCode::OK.into_response(),
        (Taken::NotConfirmed, Door::Commands) => say(NOT_CONFIRMED),
        (Taken::NotReady, Door::Commands) => say(NOT_READY),
        (Taken::NotConfirmed | Taken::NotReady, _) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        // Slack counts what fails, and switches events off.
        (Taken::NotOurs, Door::Events) => StatusCode::OK.into_response(),
        (Taken::NotOurs, _) => StatusCode::FORBIDDEN.into_response(),
    }
}
