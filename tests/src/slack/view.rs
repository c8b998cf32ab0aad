//! `views.*`: forms and home tabs, and the triggers that allow a form to be opened.

use super::arguments::Arguments;
use super::blocks;
use super::refusal::{Refusal, Reply};
use super::server::Shared;
use super::world::{KEPT_LIMIT, World};
use jiff::Timestamp;
use serde_json::{Value, json};

/// How long after the press a form can be opened, in milliseconds.
const TRIGGER_LIFE_MS: i64 = 3_000;
/// Forms that lie on one another.
const STACK_LIMIT: usize = 3;
/// Open forms of all people.
const MODALS_LIMIT: usize = 1_000;

/// A form or home tab.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) id: String,
    pub(super) user: String,
    /// As the API and payloads show it.
    pub(super) shown: Value,
}

/// What a press or a command gives the app: it may open one form, soon.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    user: String,
    at: Timestamp,
    used: bool,
}

impl World {
    /// A fresh trigger for something that a user did.
    pub(super) fn trigger(&mut self, user: &str) -> String {
        let number = self.number();
        let id = format!("{number:013}.738474920.{}", self.fresh_id());
        while self.triggers.len() >= KEPT_LIMIT {
            self.triggers.pop_first();
        }
        self.triggers.insert(id.clone(), Trigger { user: user.to_owned(), at: self.now(), used: false });
        id
    }

    /// Uses up a trigger: whose it was.
    fn use_trigger(&mut self, id: &str) -> Result<String, Refusal> {
        let now = self.now();
        let Some(trigger) = self.triggers.get_mut(id) else { return Err(Refusal::code("invalid_trigger")) };
        if trigger.used {
            return Err(Refusal::code("exchanged_trigger_id"));
        }
        if now.as_millisecond() - trigger.at.as_millisecond() > TRIGGER_LIFE_MS {
            return Err(Refusal::code("expired_trigger_id"));
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    /// A view that was checked, as Slack keeps it. `old` is the one whose place it takes.
    pub(super) fn make_view(&mut self, shared: &Shared, user: &str, given: &Value, old: Option<&View>) -> View {
        let number = self.number();
        let id = old.map_or_else(|| format!("V{}", self.fresh_id()), |old| old.id.clone());
        let mut blocks = given["blocks"].clone();
        self.name_all(&mut blocks);
        let options = &shared.options;
        let or = |field: &str, other: Value| given.get(field).cloned().unwrap_or(other);
        let beneath = self.modals.iter().rev().find(|view| view.user == user).map(|view| view.id.clone());
        let (root, previous) = match old {
            Some(old) => (old.shown["root_view_id"].clone(), old.shown["previous_view_id"].clone()),
            None => (json!(id), if given["type"] == "modal" { json!(beneath) } else { Value::Null }),
        };
        let shown = json!({
            "id": id, "team_id": options.team_id, "type": given["type"], "blocks": blocks,
            "private_metadata": or("private_metadata", json!("")), "callback_id": or("callback_id", json!("")),
            "state": { "values": {} }, "hash": format!("{}.{number:08x}", self.now().as_second()),
            "title": or("title", Value::Null), "clear_on_close": or("clear_on_close", json!(false)),
            "notify_on_close": or("notify_on_close", json!(false)), "close": or("close", Value::Null),
            "submit": or("submit", Value::Null), "previous_view_id": previous, "root_view_id": root,
            "app_id": options.app_id, "external_id": or("external_id", json!("")),
            "app_installed_team_id": options.team_id, "bot_id": super::BOT_ID,
        });
        View { id, user: user.to_owned(), shown }
    }

    /// Lays a form on those that are open.
    pub(super) fn open_modal(&mut self, view: View) -> Result<(), Refusal> {
        let open = self.modals.iter().filter(|modal| modal.user == view.user).count();
        if open >= STACK_LIMIT || self.modals.len() >= MODALS_LIMIT {
            return Err(Refusal::code("push_limit_reached"));
        }
        self.modals.push(view);
        self.changed();
        Ok(())
    }
}

fn given(arguments: &Arguments, kind: &str) -> Result<Value, Refusal> {
    let unreadable = Refusal::invalid_arguments("[ERROR] missing required field: view");
    let view = arguments.json("view", "invalid_arguments")?.ok_or(unreadable)?;
    blocks::view(&view, kind)?;
    Ok(view)
}

pub(super) fn open(shared: &Shared, arguments: &Arguments) -> Reply {
    let mut world = shared.world();
    let trigger = arguments.need("trigger_id")?;
    let given = given(arguments, "modal")?;
    let user = world.use_trigger(trigger)?;
    let external = given.get("external_id").and_then(Value::as_str).filter(|id| !id.is_empty());
    if external.is_some_and(|id| world.modals.iter().any(|view| view.shown["external_id"] == id)) {
        return Err(Refusal::code("duplicate_external_id"));
    }
    let view = world.make_view(shared, &user, &given, None);
    let shown = view.shown.clone();
    world.open_modal(view)?;
    Ok(json!({ "view": shown }))
}

/// `hash` is that of the view which the caller saw last.
fn same_hash(arguments: &Arguments, old: Option<&View>) -> Result<(), Refusal> {
    let hash = arguments.text("hash")?;
    if hash.is_some_and(|hash| old.is_none_or(|old| old.shown["hash"] != hash)) {
        return Err(Refusal::code("hash_conflict"));
    }
    Ok(())
}

pub(super) fn update(shared: &Shared, arguments: &Arguments) -> Reply {
    let mut world = shared.world();
    let given = given(arguments, "modal")?;
    let (id, external) = (arguments.text("view_id")?, arguments.text("external_id")?);
    let fits = |view: &View| match (id, external) {
        (Some(id), _) => view.id == id,
        (None, Some(external)) => view.shown["external_id"] == external,
        (None, None) => false,
    };
    let index = world.modals.iter().position(fits).ok_or_else(|| Refusal::code("not_found"))?;
    let old = world.modals[index].clone();
    same_hash(arguments, Some(&old))?;
    let view = world.make_view(shared, &old.user, &given, Some(&old));
    let shown = view.shown.clone();
    world.modals[index] = view;
    world.changed();
    Ok(json!({ "view": shown }))
}

pub(super) fn publish(shared: &Shared, arguments: &Arguments) -> Reply {
    let mut world = shared.world();
    let user = arguments.need("user_id")?;
    let given = given(arguments, "home")?;
    if world.user(user).is_none() {
        return Err(Refusal::invalid_arguments("[ERROR] unknown user [json-pointer:/user_id]"));
    }
    let old = world.homes.get(user).cloned();
    same_hash(arguments, old.as_ref())?;
    let view = world.make_view(shared, user, &given, old.as_ref());
    let shown = view.shown.clone();
    world.homes.insert(user.to_owned(), view);
    world.changed();
    Ok(json!({ "view": shown }))
}
