//! `reactions.*`: the emojis under a message.

use super::arguments::Arguments;
use super::refusal::{Refusal, Reply};
use super::server::Shared;
use serde_json::json;

/// Without `full` not all users are named.
const USERS_SHOWN: usize = 3;

pub(super) fn get(shared: &Shared, arguments: &Arguments) -> Reply {
    let world = shared.world();
    let full = arguments.flag("full")?;
    let (channel, ts) = (arguments.text("channel")?, arguments.text("timestamp")?);
    let (Some(channel), Some(ts)) = (channel, ts) else { return Err(Refusal::code("no_item_specified")) };
    if super::time::micros(ts).is_none() {
        return Err(Refusal::code("bad_timestamp"));
    }
    let found = world.seen_by_bot(channel)?;
    if !found.bot_is_member {
        return Err(Refusal::code("not_in_channel"));
    }
    let message = world.message(channel, ts).ok_or_else(|| Refusal::code("message_not_found"))?;
    let mut shown = shared.shown(&world, message, false);
    if !message.reactions.is_empty() {
        shown["reactions"] = message.reactions(if full { usize::MAX } else { USERS_SHOWN });
    }
    Ok(json!({ "type": "message", "channel": channel, "message": shown }))
}
