//! Forms that people fill in.

use super::{Did, Refused, did, person};
use crate::discord::DiscordSandbox;
use crate::discord::check::modal::inputs;
use crate::discord::delivery;
use crate::discord::interaction::{Kind, Modal};
use crate::discord::message::Message;
use crate::discord::payload;
use crate::discord::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What somebody reads when a form was not taken. The form stays.
const FAILED: &str = "Something went wrong. Try again.";
const LABEL: u64 = 18;

fn modal(world: &World, user: &str) -> Result<Modal, Refused> {
    world.modals.iter().find(|modal| modal.user == user).cloned().ok_or_else(|| Refused::code("no_form"))
}

impl DiscordSandbox {
    /// Sends the form that a person sees: a text for each input, by its custom id. What is not filled in has its first
    /// value.
    ///
    /// # Errors
    /// What is wrong with the form, or that the app did not take it.
    pub async fn submit(&self, user: &str, values: &Value) -> Did {
        let (payload, channel) = {
            let mut world = self.shared.world();
            let modal = modal(&world, user)?;
            let filled = filled(&modal.shown, values)?;
            let data = json!({
                "custom_id": modal.shown["custom_id"], "components": sent(&modal.shown, &filled),
            });
            let person = person(&world, user)?;
            let place = world.place(&modal.channel).ok_or_else(|| Refused::code("unknown_channel"))?;
            let source = modal.source.as_ref();
            let source = source.and_then(|id| world.messages.iter().find(|m| m.id == *id && !m.deleted)).cloned();
            let kind = Kind::Form(modal.number);
            (payload::begin(&mut world, &person, &place, kind, source.as_ref(), data), place.id)
        };
        let outcome = delivery::deliver(&self.shared, payload).await;
        did(&self.shared, outcome, (user, &channel), FAILED)
    }

    /// Takes a message that only they see out of their sight. The app is not told.
    ///
    /// # Errors
    /// When there is no such message.
    pub fn dismiss_message(&self, user: &str, channel: &str, id: &str) -> Did {
        let mut world = self.shared.world();
        let theirs = |m: &&Message| m.is(channel, id) && m.ephemeral_for.as_deref() == Some(user) && !m.deleted;
        world.messages.iter().find(theirs).ok_or_else(|| Refused::code("unknown_message"))?;
        world.change(channel, id, |message| message.deleted = true);
        Ok(())
    }

    /// Closes a form without sending it. The app is not told.
    ///
    /// # Errors
    /// When there is none.
    pub fn dismiss(&self, user: &str) -> Did {
        let mut world = self.shared.world();
        let number = modal(&world, user)?.number;
        world.modals.retain(|modal| modal.number != number);
        world.changed();
        Ok(())
    }
}

/// The text of each input, or what is wrong with it.
fn filled(form: &Value, values: &Value) -> Result<BTreeMap<String, String>, Refused> {
    let mut errors = BTreeMap::new();
    let mut filled = BTreeMap::new();
    for (_, input) in inputs(form) {
        let id = input["custom_id"].as_str().unwrap_or_default();
        let text = values[id].as_str().or_else(|| input["value"].as_str()).unwrap_or_default();
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        // An input is required unless it says that it is not.
        if length == 0 && input["required"] != false {
            errors.insert(id.to_owned(), "This field is required".to_owned());
        }
        let (least, most) = (input["min_length"].as_u64().unwrap_or(0), input["max_length"].as_u64().unwrap_or(4_000));
        if length > most || length > 0 && length < least {
            errors.insert(id.to_owned(), format!("Must be between {least} and {most} in length."));
        }
        filled.insert(id.to_owned(), text.to_owned());
    }
    if let Some(unknown) = values.as_object().and_then(|all| all.keys().find(|id| !filled.contains_key(*id))) {
        return Err(Refused::of("no_such_input", unknown, "The form has no such input."));
    }
    if errors.is_empty() { Ok(filled) } else { Err(Refused { errors, ..Refused::code("form_errors") }) }
}

/// The form's rows as they come back.
fn sent(form: &Value, filled: &BTreeMap<String, String>) -> Value {
    let mut id = 0;
    let mut number = || {
        id += 1;
        id
    };
    let rows = form["components"].as_array().into_iter().flatten();
    let sent = rows.map(|row| {
        let own = number();
        let mut value = |input: &Value| {
            let name = input["custom_id"].as_str().unwrap_or_default();
            json!({ "type": input["type"], "id": number(), "custom_id": name, "value": filled.get(name) })
        };
        if row["type"].as_u64() == Some(LABEL) {
            json!({ "type": LABEL, "id": own, "component": value(&row["component"]) })
        } else {
            let inside = row["components"].as_array().into_iter().flatten();
            json!({ "type": 1, "id": own, "components": inside.map(value).collect::<Vec<_>>() })
        }
    });
    sent.collect()
}
