//! What the app is told of what people write: where it is mentioned, and in the conversation with it.

use super::message::Message;
use super::options::SlackOptions;
use super::payload;
use super::world::{Conversation, World};
use serde_json::{Value, json};

/// The event of a new message. None: the app hears nothing of it.
pub(super) fn new(world: &mut World, options: &SlackOptions, place: &Conversation, message: &Message) -> Option<Value> {
    let inner = match payload::is_im(place) {
        true => {
            let mut inner = said(world, options, "message", message);
            inner["channel_type"] = json!("im");
            is_heard_in_im(world, options, place).then_some(inner)?
        }
        false => mention(world, options, place, message)?,
    };
    Some(payload::event(world, options, &inner, Some(place)))
}

/// The event of a message that said something else before. A mention comes as if it were new, but for `edited`.
pub(super) fn changed(
    world: &mut World,
    options: &SlackOptions,
    place: &Conversation,
    before: &Message,
) -> Option<Value> {
    let now = world.message(&before.channel, &before.ts)?.clone();
    let at = world.ts();
    let inner = match payload::is_im(place) {
        true => {
            is_heard_in_im(world, options, place).then_some(())?;
            let shown = |world: &World, message: &Message| {
                world.shown(message, &options.team_id, &options.app_id, &options.bot_user, false)
            };
            json!({
                "type": "message", "subtype": "message_changed", "hidden": true, "channel": place.id,
                "channel_type": "im", "message": shown(world, &now), "previous_message": shown(world, before),
                "ts": at, "event_ts": at,
            })
        }
        false => {
            let mut inner = mention(world, options, place, &now)?;
            inner["edited"] = json!({ "user": now.user, "ts": now.edited_at });
            inner["event_ts"] = json!(at);
            inner
        }
    };
    Some(payload::event(world, options, &inner, Some(place)))
}

fn is_heard_in_im(world: &World, options: &SlackOptions, place: &Conversation) -> bool {
    options.message_im_subscribed && payload::is_told(world, place, "im:history")
}

/// None: the app is not mentioned, or may not hear of it.
fn mention(world: &mut World, options: &SlackOptions, place: &Conversation, message: &Message) -> Option<Value> {
    let mentioned = message.text.contains(&format!("<@{}>", options.bot_user));
    let told = mentioned && payload::is_told(world, place, "app_mentions:read");
    told.then(|| said(world, options, "app_mention", message))
}

/// The message as an event of a type has it.
fn said(world: &mut World, options: &SlackOptions, kind: &str, message: &Message) -> Value {
    let number = world.number();
    let mut inner = json!({
        "type": kind, "user": message.user, "text": message.text, "ts": message.ts,
        "client_msg_id": format!("9cbd4c5b-7ddf-4ede-b479-{number:012x}"), "team": options.team_id,
        "blocks": message.blocks, "channel": message.channel, "event_ts": message.ts,
    });
    if let Some(thread) = &message.thread_ts {
        inner["thread_ts"] = json!(thread);
    }
    if let Some(team) = world.user(&message.user).and_then(|user| user.team.clone()) {
        for field in ["team", "user_team", "source_team"] {
            inner[field] = json!(team);
        }
    }
    inner
}
