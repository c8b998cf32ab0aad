//! Response URLs: where the app answers a command or a press later on.

use super::chat::{self, Draft};
use super::fault::FaultKind;
use super::refusal::{Refusal, Reply};
use super::server::{BODY_LIMIT_BYTES, Shared, answered, failing};
use super::world::{KEPT_LIMIT, World};
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

const USES_LIMIT: u32 = 5;
/// 30 minutes.
const LIFE_S: i64 = 1_800;

/// One response URL.
#[derive(Clone, Debug)]
pub(super) struct Hook {
    user: String,
    channel: String,
    /// The message that was pressed, or the first answer.
    original: Option<String>,
    at: Timestamp,
    uses: u32,
}

impl World {
    /// A fresh response URL; `kind` is `commands` or `actions`.
    pub(super) fn hook(
        &mut self,
        base: &str,
        kind: &str,
        team: &str,
        place: (&str, &str),
        original: Option<&str>,
    ) -> String {
        let number = self.number();
        let path = format!("/hooks/{kind}/{team}/{number:012}/{}", self.fresh_id());
        while self.hooks.len() >= KEPT_LIMIT {
            self.hooks.pop_first();
        }
        let (user, channel) = (place.0.to_owned(), place.1.to_owned());
        let original = original.map(str::to_owned);
        self.hooks.insert(path.clone(), Hook { user, channel, original, at: self.now(), uses: 0 });
        format!("{base}{path}")
    }

    /// Counts a use.
    fn use_hook(&mut self, path: &str) -> Result<Hook, Refusal> {
        let now = self.now();
        let hook = self.hooks.get_mut(path).ok_or_else(|| Refusal::code("expired_url"))?;
        if now.as_second() - hook.at.as_second() > LIFE_S {
            return Err(Refusal::code("expired_url"));
        }
        if hook.uses >= USES_LIMIT {
            return Err(Refusal::code("used_url"));
        }
        hook.uses += 1;
        Ok(hook.clone())
    }
}

/// Everything that is posted to `/hooks/…`.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    Path(parts): Path<(String, String, String, String)>,
    request: Request,
) -> Response {
    let path = format!("/hooks/{}/{}/{}/{}", parts.0, parts.1, parts.2, parts.3);
    let fault = {
        let mut world = shared.world();
        // The address is a secret: what is remembered does not have it.
        world.heard(format!("POST hooks/{}", parts.0));
        world.fault_for("hooks")
    };
    if let Some(fault) = fault.filter(|fault| *fault != FaultKind::AnswerLost) {
        return failing(fault).await;
    }
    let Ok(body) = to_bytes(request.into_body(), BODY_LIMIT_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let hook = shared.world().use_hook(&path);
    let (status, reply) = match hook {
        Err(refusal) => (StatusCode::NOT_FOUND, Err(refusal)),
        Ok(hook) => (StatusCode::BAD_REQUEST, responded(&shared, &path, &hook, &body)),
    };
    match reply {
        _ if fault.is_some() => failing(FaultKind::AnswerLost).await,
        Ok(_) => "ok".into_response(),
        Err(refusal) => {
            let mut response = answered(Err(refusal));
            *response.status_mut() = status;
            response
        }
    }
}

fn responded(shared: &Shared, path: &str, hook: &Hook, body: &[u8]) -> Reply {
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::code("invalid_payload"))?;
    let flag = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Refusal::code("invalid_payload")),
    };
    let (replace, delete) = (flag("replace_original")?, flag("delete_original")?);
    let mut world = shared.world();
    let original = hook.original.as_deref();
    if delete {
        let ts = original.ok_or_else(|| Refusal::code("message_not_found"))?;
        world.change(&hook.channel, ts, |message| message.deleted = true);
        return Ok(json!({}));
    }
    let draft = Draft::answer(&body)?;
    if let Some(ts) = original.filter(|_| replace) {
        let edited = chat::edit(&mut world, &hook.channel, ts, draft);
        return edited.map(|_| json!({})).ok_or_else(|| Refusal::code("message_not_found"));
    }
    let message = said(shared, &mut world, &hook.user, &hook.channel, &body, draft)?;
    if let Some(hook) = world.hooks.get_mut(path) {
        hook.original.get_or_insert(message);
    }
    Ok(json!({}))
}

/// Puts an answer into the channel, for one person unless it says otherwise. Gives its time.
pub(super) fn said(
    shared: &Shared,
    world: &mut World,
    user: &str,
    channel: &str,
    body: &Value,
    draft: Draft,
) -> Result<String, Refusal> {
    let bot = &shared.options.bot_user;
    let message = match body.get("response_type").and_then(Value::as_str) {
        Some("in_channel") => chat::speak(world, bot, channel, draft)?,
        None | Some("ephemeral") => {
            let thread = chat::thread(world, channel, body.get("thread_ts").and_then(Value::as_str))?;
            chat::whisper(world, bot, channel, user, draft.in_thread(thread))?
        }
        Some(_) => return Err(Refusal::code("invalid_response_type")),
    };
    Ok(message.ts)
}
