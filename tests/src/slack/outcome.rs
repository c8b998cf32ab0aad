//! What a person sees of what the app answered.

use super::blocks;
use super::chat::{self, Draft};
use super::delivery::{Answered, DeliveryAnswer, Outgoing};
use super::response_url::said;
use super::server::Shared;
use super::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the answer is for.
#[derive(Clone, Debug)]
pub(super) enum Then {
    /// An event: nobody waits.
    Nothing,
    /// A command that somebody typed.
    Command { user: String, channel: String, command: String },
    /// A press, in a channel if it was not in a form or home tab.
    Press { user: String, channel: Option<String> },
    /// A form that was sent.
    Form { user: String, view_id: String },
}

/// What came of what a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// It waits until deliveries are let go.
    Held,
    /// The person reads this.
    Failed {
        error: &'static str,
        shown: String,
    },
    /// By block id.
    FormErrors(BTreeMap<String, String>),
}

fn error_code(answer: DeliveryAnswer) -> &'static str {
    if answer == DeliveryAnswer::TimedOut { "operation_timeout" } else { "dispatch_failed" }
}

/// Shows the app's answer, or that there is none.
pub(super) fn finished(shared: &Shared, outgoing: &Outgoing, answered: &Answered) -> Outcome {
    match &outgoing.then {
        Then::Nothing => Outcome::Done,
        Then::Command { user, channel, command } => answered_command(shared, (user, channel), command, answered),
        Then::Press { user, channel } => {
            if answered.answer.is_taken() {
                return Outcome::Done;
            }
            let error = error_code(answered.answer);
            let shown = format!("This did not work: the app did not respond ({error}).");
            if let Some(channel) = channel {
                note(&mut shared.world(), channel, user, &shown);
            }
            Outcome::Failed { error, shown }
        }
        Then::Form { user, view_id } => answered_form(shared, user, view_id, answered),
    }
}

/// Slack's own words for one person.
fn note(world: &mut World, channel: &str, user: &str, text: &str) {
    // Without room for the note there is none.
    let _ = chat::whisper(world, super::SLACKBOT, channel, user, Draft::words(text));
}

fn answered_command(shared: &Shared, place: (&str, &str), command: &str, answered: &Answered) -> Outcome {
    let (user, channel) = place;
    let mut world = shared.world();
    if !answered.answer.is_taken() {
        let error = error_code(answered.answer);
        let shown = match answered.answer {
            DeliveryAnswer::Unreachable => format!("{command} failed because the app did not respond."),
            _ => format!("{command} failed with the error \"{error}\""),
        };
        note(&mut world, channel, user, &shown);
        return Outcome::Failed { error, shown };
    }
    let body = match &answered.body {
        Value::Null => return Outcome::Done,
        Value::String(text) => json!({ "text": text }),
        Value::Object(members) if members.is_empty() => return Outcome::Done,
        other => other.clone(),
    };
    let shown = Draft::answer(&body).and_then(|draft| said(shared, &mut world, user, channel, &body, draft));
    let Err(refusal) = shown else { return Outcome::Done };
    let shown = format!("{command} failed with the error \"{}\"", refusal.code);
    note(&mut world, channel, user, &shown);
    Outcome::Failed { error: refusal.code, shown }
}

fn answered_form(shared: &Shared, user: &str, view_id: &str, answered: &Answered) -> Outcome {
    let trouble = |error: &'static str| Outcome::Failed { error, shown: "This did not work. Try again.".to_owned() };
    if !answered.answer.is_taken() {
        return trouble(error_code(answered.answer));
    }
    let mut world = shared.world();
    let Some(index) = world.modals.iter().position(|view| view.id == view_id) else { return trouble("view_not_found") };
    let body = &answered.body;
    match body.get("response_action").and_then(Value::as_str) {
        None if body.is_null() || body == &json!({}) => {
            world.modals.remove(index);
        }
        Some("clear") => world.modals.retain(|view| view.user != user),
        Some("errors") => {
            let known = &world.modals[index].shown["blocks"];
            return form_errors(known, &body["errors"]).unwrap_or_else(|| trouble("invalid_response_action"));
        }
        Some(action @ ("update" | "push")) => {
            let given = &body["view"];
            if blocks::view(given, "modal").is_err() {
                return trouble("invalid_view");
            }
            let old = world.modals[index].clone();
            let replaced = Some(&old).filter(|_| action == "update");
            let view = world.make_view(shared, user, given, replaced);
            if action == "update" {
                world.modals[index] = view;
            } else if world.open_modal(view).is_err() {
                return trouble("push_limit_reached");
            }
        }
        _ => return trouble("invalid_response_action"),
    }
    world.changed();
    Outcome::Done
}

/// The errors by block id. None: they are of no input of the form.
fn form_errors(known: &Value, errors: &Value) -> Option<Outcome> {
    let inputs: Vec<_> = known.as_array()?.iter().filter(|block| block["type"] == "input").collect();
    let mut shown = BTreeMap::new();
    for (id, text) in errors.as_object().filter(|errors| !errors.is_empty())? {
        inputs.iter().find(|block| block["block_id"] == id.as_str())?;
        shown.insert(id.clone(), text.as_str()?.to_owned());
    }
    Some(Outcome::FormErrors(shown))
}
