//! The commands that the app registers.

use super::call::Call;
use crate::discord::check::command;
use crate::discord::findings::Findings;
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::world::World;
use serde_json::{Value, json};
use std::sync::Arc;

/// Whose commands: the guild's, or those of everywhere.
fn owner(world: &World, call: &Call) -> Result<String, Refusal> {
    if call.at("application") != world.application_id {
        return Err(Refusal::access());
    }
    match call.at("guild") {
        guild if guild.is_empty() || guild == world.guild => Ok(guild.to_owned()),
        _ => Err(Refusal::access()),
    }
}

pub(super) fn list(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    let owner = owner(&world, call)?;
    Ok(Answer::ok(Value::Array(world.commands.get(&owner).cloned().unwrap_or_default())))
}

/// All that were there are replaced.
pub(super) fn put(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let owner = owner(&world, call)?;
    let Some(given) = call.body.as_array() else {
        return Err(Findings::one("_misc", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"));
    };
    let mut findings = Findings::default();
    command::check(given, &mut findings);
    findings.done()?;
    let before = world.commands.remove(&owner).unwrap_or_default();
    let commands: Vec<_> = given.iter().map(|command| kept(&mut world, &owner, &before, command)).collect();
    world.commands.insert(owner, commands.clone());
    world.changed();
    Ok(Answer::ok(Value::Array(commands)))
}

/// As Discord gives it back. A command of the same name keeps its id.
fn kept(world: &mut World, owner: &str, before: &[Value], given: &Value) -> Value {
    let kind = command::kind(given);
    let same = before.iter().find(|old| old["name"] == given["name"] && command::kind(old) == kind);
    let id = same.map(|old| old["id"].clone()).unwrap_or_else(|| json!(world.fresh_id()));
    let mut kept = given.clone();
    if let Some(members) = kept.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    kept["id"] = id;
    kept["type"] = json!(kind);
    kept["application_id"] = json!(world.application_id);
    kept["version"] = json!(world.fresh_id());
    if kept.get("description").is_none() {
        kept["description"] = json!("");
    }
    let null = Value::Null;
    let mut usual = vec![
        ("default_member_permissions", null.clone()),
        ("name_localizations", null.clone()),
        ("description_localizations", null.clone()),
        ("nsfw", json!(false)),
    ];
    if owner.is_empty() {
        usual.extend([("dm_permission", json!(true)), ("contexts", null), ("integration_types", json!([0]))]);
    } else {
        usual.push(("guild_id", json!(owner)));
    }
    for (name, usual) in usual {
        if kept.get(name).is_none() {
            kept[name] = usual;
        }
    }
    without_usual(&mut kept);
    kept
}

/// What an option is anyway is not said of it.
fn without_usual(holder: &mut Value) {
    for option in holder["options"].as_array_mut().into_iter().flatten() {
        if let Some(members) = option.as_object_mut() {
            members.retain(|name, value| {
                let usual = matches!(name.as_str(), "required" | "autocomplete") && value == false;
                let empty =
                    matches!(name.as_str(), "choices" | "options") && value.as_array().is_some_and(Vec::is_empty);
                !usual && !empty && !value.is_null()
            });
        }
        without_usual(option);
    }
}
