//! What people see, as JSON.

use super::message::Message;
use super::server::Shared;
use serde_json::{Value, json};

/// All of it, with the messages that changed after `after`.
pub(super) fn state(shared: &Shared, after: u64) -> Value {
    let world = shared.world();
    let options = &shared.options;
    let commands = options.commands.iter().map(|command| {
        let hint = &command.usage_hint;
        json!({ "command": command.command, "description": command.description, "usage_hint": hint })
    });
    let users = world.users.iter().map(|user| {
        let mut shown = json!({ "id": user.id, "name": user.name, "real_name": user.real_name });
        if let Some(team) = &user.team {
            shown["team_id"] = json!(team);
        }
        shown
    });
    let channels = world.channels.iter().map(|c| json!({ "id": c.id, "name": c.name, "is_im": false }));
    let ims =
        world.ims.iter().map(|(user, id)| json!({ "id": id, "name": world.name(user), "is_im": true, "user": user }));
    let messages = world.messages.iter().filter(|message| message.seq > after).map(message);
    let modals = world.modals.iter().map(|view| json!({ "user": view.user, "view_id": view.id, "view": view.shown }));
    let homes = world.homes.values().map(|view| json!({ "user": view.user, "view": view.shown }));
    json!({
        "seq": world.seq(), "team": { "id": options.team_id, "name": "Acme" },
        "bot": { "user_id": options.bot_user, "name": "slipway" },
        "commands": commands.collect::<Vec<_>>(), "users": users.collect::<Vec<_>>(),
        "channels": channels.chain(ims).collect::<Vec<_>>(), "messages": messages.collect::<Vec<_>>(),
        "modals": modals.collect::<Vec<_>>(), "homes": homes.collect::<Vec<_>>(),
    })
}

fn message(message: &Message) -> Value {
    let reactions = message.reactions.iter().map(|reaction| json!({ "name": reaction.name, "users": reaction.users }));
    let mut shown = json!({
        "seq": message.seq, "channel": message.channel, "ts": message.ts, "user": message.user, "text": message.text,
        "blocks": message.blocks.clone().unwrap_or_else(|| json!([])), "reactions": reactions.collect::<Vec<_>>(),
        "edited": message.edits > 0, "edits": message.edits, "deleted": message.deleted,
    });
    let more = [
        ("thread_ts", message.thread_ts.as_deref()),
        ("ephemeral_for", message.ephemeral_for.as_deref()),
        ("key", message.key()),
    ];
    for (field, value) in more {
        if let Some(value) = value {
            shown[field] = json!(value);
        }
    }
    shown
}
