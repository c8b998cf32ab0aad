//! What the app gets of what people do.

use super::interaction::{Interaction, Kind, State};
use super::message::Message;
use super::options::DiscordUser;
use super::place::Place;
use super::shapes;
use super::snowflake;
use super::world::World;
use serde_json::{Value, json};

/// Somebody did something somewhere: what the app gets of it. It is answered by what comes with its token.
pub(super) fn begin(
    world: &mut World,
    user: &DiscordUser,
    place: &Place,
    kind: Kind,
    source: Option<&Message>,
    data: Value,
) -> Value {
    let id = world.fresh_id();
    let token = token(world, &id);
    world.begin(Interaction {
        id: id.clone(),
        token: token.clone(),
        kind,
        command: if kind == Kind::Command { command(&data) } else { String::new() },
        user: user.id.clone(),
        channel: place.id.clone(),
        made_ms: snowflake::made_ms(&id),
        state: State::Waiting,
        source: source.map(|message| message.id.clone()),
        original: None,
    });
    let mut payload = json!({
        "id": id, "application_id": world.application_id, "type": kind.number(), "token": token, "version": 1,
        "channel_id": place.id, "channel": shapes::channel(world, place), "locale": "en-US", "entitlements": [],
        "app_permissions": world.bot_permissions.to_string(), "attachment_size_limit": 10_485_760, "data": data,
        "authorizing_integration_owners": { "0": if place.is_direct() { "0" } else { &world.guild } },
        "context": u8::from(place.is_direct()),
    });
    if place.is_direct() {
        payload["user"] = shapes::user(world, &user.id).unwrap_or_default();
    } else {
        payload["guild_id"] = json!(world.guild);
        payload["guild"] = json!({ "id": world.guild, "locale": "en-US", "features": [] });
        payload["guild_locale"] = json!("en-US");
        payload["member"] = shapes::acting_member(world, user).unwrap_or_default();
    }
    if let Some(message) = source {
        payload["message"] = world.shown(message, false);
    }
    payload
}

/// Long, and nothing to read out of it.
fn token(world: &mut World, id: &str) -> String {
    use sha2::Digest as _;
    let seed = format!("{id} {}", world.number());
    format!("aW50ZXJhY3Rpb246{}", hex::encode(sha2::Sha256::digest(seed)))
}

/// A ping, as Discord sends it to an address that it is given.
pub(super) fn ping(world: &mut World) -> Value {
    let id = world.fresh_id();
    let token = token(world, &id);
    json!({
        "id": id, "application_id": world.application_id, "type": Kind::Ping.number(), "token": token, "version": 1,
        "entitlements": [], "authorizing_integration_owners": {},
    })
}

/// `release status`: a command's name with those of its subcommands.
fn command(data: &Value) -> String {
    const SUBCOMMANDS: [u64; 2] = [1, 2];
    let mut name = data["name"].as_str().unwrap_or_default().to_owned();
    let mut inside = &data["options"][0];
    while inside["type"].as_u64().is_some_and(|kind| SUBCOMMANDS.contains(&kind)) {
        name.push_str(&format!(" {}", inside["name"].as_str().unwrap_or_default()));
        inside = &inside["options"][0];
    }
    name
}
