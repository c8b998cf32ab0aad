//! People, channels and the guild, as the API shows them.

use super::message::written;
use super::options::DiscordUser;
use super::permission;
use super::place::{Kind, Place};
use super::world::World;
use serde_json::{Value, json};

/// A person, or the app's user. None: nobody is known by this id.
pub(super) fn user(world: &World, id: &str) -> Option<Value> {
    let bot = id == world.bot_user;
    let name = if bot { "slipway" } else { &world.user(id)?.name };
    let mut letters = name.chars();
    let shown: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    let mut user = json!({
        "id": id, "username": name, "avatar": null, "discriminator": "0", "public_flags": 0, "flags": 0,
        "global_name": if bot { None } else { Some(shown) }, "banner": null, "accent_color": null,
    });
    if bot {
        user["bot"] = json!(true);
    }
    Some(user)
}

/// Somebody in the guild, without what they are elsewhere.
fn bare_member(world: &World, id: &str) -> Option<Value> {
    let roles = if id == world.bot_user { vec![world.bot_role()] } else { world.user(id)?.roles.clone() };
    Some(json!({
        "avatar": null, "banner": null, "communication_disabled_until": null, "flags": 0, "nick": null,
        "joined_at": written(world.began), "pending": false, "premium_since": null, "roles": roles, "mute": false,
        "deaf": false,
    }))
}

/// Somebody in the guild.
pub(super) fn member(world: &World, id: &str) -> Option<Value> {
    let mut member = bare_member(world, id)?;
    member["user"] = user(world, id)?;
    Some(member)
}

/// Who did something, with what they may do in the channel.
pub(super) fn acting_member(world: &World, user: &DiscordUser) -> Option<Value> {
    let mut member = member(world, &user.id)?;
    member["permissions"] = json!(world.permissions_of(user).to_string());
    Some(member)
}

/// The guild's roles: @everyone first, then the app's own.
pub(super) fn roles(world: &World) -> Vec<Value> {
    let everyone = (world.guild.clone(), "@everyone".to_owned(), permission::EVERYONE, false);
    let own = (world.bot_role(), "slipway".to_owned(), world.bot_permissions, true);
    let others = world.roles.iter().map(|role| (role.id.clone(), role.name.clone(), role.permissions, false));
    let all = [everyone, own].into_iter().chain(others).enumerate();
    let shown = all.map(|(position, (id, name, permissions, managed))| {
        json!({
            "id": id, "name": name, "permissions": permissions.to_string(), "position": position, "color": 0,
            "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null }, "hoist": false,
            "managed": managed, "mentionable": false, "icon": null, "unicode_emoji": null, "flags": 0,
        })
    });
    shown.collect()
}

/// The guild as REST has it.
pub(super) fn guild(world: &World) -> Value {
    json!({
        "id": world.guild, "name": "Acme", "icon": null, "description": null, "owner_id": world.owner,
        "roles": roles(world), "emojis": [], "stickers": [], "features": [], "verification_level": 0, "mfa_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "nsfw_level": 0, "premium_tier": 0,
        "preferred_locale": "en-US", "afk_timeout": 300, "system_channel_flags": 0,
    })
}

/// The guild as `GUILD_CREATE` has it.
pub(super) fn whole_guild(world: &World) -> Value {
    let mut guild = guild(world);
    let places = world.channels.iter().filter_map(|channel| world.place(&channel.id));
    guild["channels"] =
        places.filter(|place| world.may(place, permission::VIEW_CHANNEL)).map(|p| channel(world, &p)).collect();
    guild["members"] = json!([member(world, &world.bot_user)]);
    guild["member_count"] = json!(world.users.len() + 1);
    guild["joined_at"] = json!(written(world.began));
    for (member, value) in [("large", json!(false)), ("unavailable", json!(false))] {
        guild[member] = value;
    }
    for list in ["threads", "presences", "voice_states", "stage_instances", "guild_scheduled_events"] {
        guild[list] = json!([]);
    }
    guild
}

/// A channel, a thread or a conversation.
pub(super) fn channel(world: &World, place: &Place) -> Value {
    let mut shown = json!({
        "id": place.id, "type": place.kind.number(), "last_message_id": world.last_id(&place.id), "flags": 0,
    });
    let more = match &place.kind {
        Kind::Direct(with) => json!({ "recipients": [user(world, with)] }),
        Kind::Text => json!({
            "guild_id": world.guild, "name": place.name, "position": 0, "parent_id": null, "topic": null,
            "nsfw": false, "rate_limit_per_user": 0, "permission_overwrites": world.overwrites(&place.id),
        }),
        Kind::Thread { parent, archived, locked } => json!({
            "guild_id": world.guild, "name": place.name, "parent_id": parent, "owner_id": world.bot_user,
            "rate_limit_per_user": 0, "message_count": world.count_in(&place.id), "member_count": 1,
            "total_message_sent": world.count_in(&place.id),
            "thread_metadata": {
                "archived": archived, "locked": locked, "auto_archive_duration": 1440,
                "archive_timestamp": written(world.began), "create_timestamp": written(world.began),
            },
        }),
    };
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
    shown
}
