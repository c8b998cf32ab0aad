//! What people see, as JSON.

use super::check::modal::inputs;
use super::interaction::Modal;
use super::message::Message;
use super::server::Shared;
use super::shapes;
use super::world::World;
use serde_json::{Value, json};

/// All of it, with the messages that changed after `after`.
pub(super) fn state(shared: &Shared, after: u64) -> Value {
    let world = shared.world();
    let users = world.users.iter().map(|user| json!({ "id": user.id, "name": user.name, "roles": user.roles }));
    let channels = world.channels.iter().map(|c| json!({ "id": c.id, "name": c.name, "is_dm": false }));
    let threads = world.threads.iter().map(|thread| {
        let mut shown = json!({ "id": thread.id, "name": thread.name, "is_dm": false });
        shown["thread"] = shapes::channel(&world, thread);
        shown
    });
    let directs = world
        .directs
        .iter()
        .map(|(user, id)| json!({ "id": id, "name": world.name(user), "is_dm": true, "user": user }));
    let messages = world.messages.iter().filter(|message| message.seq > after);
    let commands: Vec<_> = world.commands.values().flatten().collect();
    json!({
        "seq": world.seq(), "guild": { "id": world.guild, "name": "Acme" },
        "bot": { "id": world.bot_user, "name": "slipway", "connected": shared.hub.connected() },
        "application_id": world.application_id, "commands": commands, "users": users.collect::<Vec<_>>(),
        "roles": shapes::roles(&world),
        "channels": channels.chain(threads).chain(directs).collect::<Vec<_>>(),
        "messages": messages.map(|m| message(&world, m)).collect::<Vec<_>>(),
        "modals": world.modals.iter().map(modal).collect::<Vec<_>>(),
    })
}

/// A form as the person sees it.
pub(super) fn modal(modal: &Modal) -> Value {
    let inputs = inputs(&modal.shown).into_iter().map(|(label, input)| {
        let mut shown = input;
        shown["label"] = json!(label);
        shown
    });
    json!({
        "user": modal.user, "channel": modal.channel, "title": modal.shown["title"],
        "custom_id": modal.shown["custom_id"], "inputs": inputs.collect::<Vec<_>>(),
        "components": modal.shown["components"],
    })
}

/// A message as the people see it.
pub(super) fn message(world: &World, message: &Message) -> Value {
    let reactions = message.reactions.iter().map(
        |reaction| json!({ "emoji": reaction.emoji.name, "emoji_id": reaction.emoji.id, "users": reaction.users }),
    );
    let mut shown = json!({
        "seq": message.seq, "channel": message.channel, "id": message.id, "author": message.author,
        "content": message.said.content, "embeds": message.said.embeds, "components": message.said.components,
        "reactions": reactions.collect::<Vec<_>>(), "edited": message.edits > 0, "edits": message.edits,
        "deleted": message.deleted, "thinking": message.is_thinking(),
        "mentions": message.called,
        "has_thread": world.threads.iter().any(|thread| thread.id == message.id),
    });
    let interaction = message.interaction.as_deref().and_then(|id| world.interaction(id));
    if let Some(used) = interaction.filter(|used| !used.command.is_empty()) {
        shown["command"] = json!({ "user": used.user, "name": used.command });
    }
    let more = [("reply_to", message.reply_to.as_deref()), ("ephemeral_for", message.ephemeral_for.as_deref())];
    for (field, value) in more {
        if let Some(value) = value {
            shown[field] = json!(value);
        }
    }
    shown
}
