//! The app, its user, and where its gateway is.

use super::call::Call;
use crate::discord::options::DiscordMode;
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::shapes;
use serde_json::json;
use std::sync::Arc;

/// Sessions that an app may begin in a day.
const SESSIONS_LIMIT: u64 = 1_000;
const MS_PER_DAY: u64 = 24 * 60 * 60 * 1_000;
/// The app may list members: it is in few guilds and has it switched on.
const MEMBERS_FLAG: u64 = 1 << 15;

pub(super) fn me(shared: &Arc<Shared>, _call: &Call) -> Reply {
    let world = shared.world();
    let url = match &world.mode {
        DiscordMode::Gateway => None,
        DiscordMode::Http { url } => url.clone(),
    };
    Ok(Answer::ok(json!({
        "id": world.application_id, "name": "Slipway", "icon": null, "description": "", "bot_public": false,
        "bot_require_code_grant": false, "verify_key": shared.key.public(), "interactions_endpoint_url": url,
        "flags": if world.members_intent { MEMBERS_FLAG } else { 0 }, "bot": shapes::user(&world, &world.bot_user),
        "redirect_uris": [], "role_connections_verification_url": null, "approximate_guild_count": 1,
    })))
}

pub(super) fn user(shared: &Arc<Shared>, _call: &Call) -> Reply {
    let world = shared.world();
    let me = shapes::user(&world, &world.bot_user).ok_or_else(|| Refusal::unknown(10_013))?;
    Ok(Answer::ok(me))
}

pub(super) fn gateway(shared: &Arc<Shared>, _call: &Call) -> Reply {
    let remaining = SESSIONS_LIMIT.saturating_sub(shared.hub.identifies());
    Ok(Answer::ok(json!({
        "url": shared.gateway_url, "shards": 1,
        "session_start_limit": {
            "total": SESSIONS_LIMIT, "remaining": remaining, "reset_after": MS_PER_DAY, "max_concurrency": 1,
        },
    })))
}
