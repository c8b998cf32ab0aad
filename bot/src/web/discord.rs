//! Discord's interactions over HTTP: verified over the bytes as they came, before anything in them is read.

use super::Web;
use crate::chat::discord::{Intake, heard};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use slipway_deploy::discord::verify;
use std::sync::Arc;
use tokio::time::Instant;
use tracing::warn;

/// The largest interaction that is read: a button brings the whole message along.
pub(super) const BODY_LIMIT_BYTES: usize = 256 * 1024;

/// What Discord's interactions need.
#[derive(Clone, Debug)]
pub struct DiscordDoor {
    /// What they are verified with: 64 hex digits.
    pub public_key: Option<Arc<str>>,
    /// Takes them in.
    pub intake: Arc<Intake>,
}

pub(super) async fn interactions(State(web): State<Web>, headers: HeaderMap, body: Bytes) -> Response {
    let came = Instant::now();
    let Some(discord) = &web.discord else { return StatusCode::NOT_FOUND.into_response() };
    let Some(public_key) = &discord.public_key else {
        let why = "DISCORD_PUBLIC_KEY is not set, so no interaction can be verified\n";
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (timestamp, signature) = (header("x-signature-timestamp"), header("x-signature-ed25519"));
    if let Err(bad) = verify(public_key, timestamp, signature, &body, web.clock.now()) {
        // Discord tries wrong ones now and then, to see that they are refused.
        warn!(why = %bad, "an interaction that is not Discord's is refused");
        return (StatusCode::UNAUTHORIZED, "the signature is missing, wrong or too old\n").into_response();
    }
    let asked = match serde_json::from_slice(&body).and_then(heard::asked) {
        Ok(asked) => asked,
        Err(error) => {
            // Discord's, so no attack; and nothing that it may hold goes into the log but what is wrong with it.
            tracing::error!(%error, "an interaction cannot be read");
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    match discord.intake.asked(asked, false, came).await {
        Some(answer) => Json(answer).into_response(),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}
