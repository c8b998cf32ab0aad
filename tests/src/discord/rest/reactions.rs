//! Who put an emoji under a message.

use super::call::Call;
use super::messages::readable;
use crate::discord::message::{Emoji, Reaction};
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::{shapes, snowflake};
use serde_json::Value;
use std::sync::Arc;

const USERS_USUAL: usize = 25;
const USERS_LIMIT: usize = 100;

pub(super) fn users(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    readable(&world, call.at("channel"))?;
    let message = world.message(call.at("channel"), call.at("message")).ok_or_else(Refusal::message)?;
    let emoji = Emoji::read(call.at("emoji")).ok_or_else(|| Refusal::unknown(10_014))?;
    let (limit, after) = (call.limit(USERS_USUAL, USERS_LIMIT)?, call.id("after")?.unwrap_or(0));
    if let Some(kind) = call.asked("type")
        && kind != "0"
    {
        return Ok(Answer::ok(Value::Array(Vec::new())));
    }
    let found = message.reactions.iter().find(|reaction: &&Reaction| reaction.emoji.is(&emoji));
    let users = found.map(|reaction| reaction.users.as_slice()).unwrap_or_default();
    let mut numbers: Vec<_> = users.iter().filter_map(|id| Some((snowflake::number(id)?, id))).collect();
    numbers.sort();
    let page = numbers.into_iter().filter(|(number, _)| *number > after).take(limit);
    Ok(Answer::ok(page.filter_map(|(_, id)| shapes::user(&world, id)).collect()))
}
