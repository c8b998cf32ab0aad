//! The guild and its members.

use super::call::Call;
use crate::discord::permission::EVERYONE;
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::world::World;
use crate::discord::{shapes, snowflake};
use serde_json::json;
use std::sync::Arc;

/// Guilds in one answer.
const GUILDS_LIMIT: usize = 200;
/// Members in one answer.
const MEMBERS_LIMIT: usize = 1_000;

fn known(world: &World, guild: &str) -> Result<(), Refusal> {
    if guild == world.guild { Ok(()) } else { Err(Refusal::unknown(10_004)) }
}

pub(super) fn mine(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    call.limit(GUILDS_LIMIT, GUILDS_LIMIT)?;
    let permissions = EVERYONE | world.bot_permissions;
    Ok(Answer::ok(json!([{
        "id": world.guild, "name": "Acme", "icon": null, "banner": null, "owner": false,
        "permissions": permissions.to_string(), "features": [],
    }])))
}

pub(super) fn get(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    known(&world, call.at("guild"))?;
    Ok(Answer::ok(shapes::guild(&world)))
}

pub(super) fn member(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    known(&world, call.at("guild"))?;
    let member = shapes::member(&world, call.at("user")).ok_or_else(|| Refusal::unknown(10_007))?;
    Ok(Answer::ok(member))
}

/// Pages by id; only for an app that has the privileged intent.
pub(super) fn members(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    known(&world, call.at("guild"))?;
    if !world.members_intent {
        return Err(Refusal::access());
    }
    let (limit, after) = (call.limit(1, MEMBERS_LIMIT)?, call.id("after")?.unwrap_or(0));
    let ids = world.users.iter().map(|user| &user.id).chain([&world.bot_user]);
    let mut ids: Vec<_> = ids.filter_map(|id| Some((snowflake::number(id)?, id))).collect();
    ids.sort();
    let page = ids.into_iter().filter(|(number, _)| *number > after).take(limit);
    Ok(Answer::ok(page.filter_map(|(_, id)| shapes::member(&world, id)).collect()))
}
