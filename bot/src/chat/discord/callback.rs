//! Answers to what Discord asks, in its own form.

use super::intake::SURE;
use serde_json::{Value, json};
use slipway_core::message::{Line, Message, Verb};
use slipway_deploy::discord::{Rendered, custom_id, render};
use std::collections::BTreeMap;

/// Only whoever asked sees it.
const EPHEMERAL: u32 = 64;
/// How many choices are offered.
pub(super) const CHOICES_LIMIT: usize = 25;
/// The longest choice.
const CHOICE_LIMIT_CHARS: usize = 100;

/// Somebody is there.
pub(super) fn pong() -> Value {
    json!({ "type": 1 })
}

/// Says something to whoever asked.
pub(super) fn say(what: &str) -> Value {
    answer(&words(what))
}

/// The same in whole messages.
pub(super) fn answer(message: &Message) -> Value {
    let mut data = render(message, &BTreeMap::new(), "", "").body();
    data.insert("flags".to_owned(), EPHEMERAL.into());
    json!({ "type": 4, "data": data })
}

/// An answer will come, for whoever asked.
pub(super) fn later() -> Value {
    json!({ "type": 5, "data": { "flags": EPHEMERAL } })
}

/// It was seen, and there may be nothing to say.
pub(super) fn seen() -> Value {
    json!({ "type": 6 })
}

/// What was asked by `are_you_sure` is asked no more.
pub(super) fn cancelling() -> Value {
    json!({ "type": 7, "data": { "content": "Cancelling: the card shows it.", "components": [] } })
}

/// What can stand in an option.
pub(super) fn choices(choices: &[String]) -> Value {
    // A choice that were cut would be another one.
    let fits =
        choices.iter().filter(|choice| !choice.is_empty() && choice.encode_utf16().count() <= CHOICE_LIMIT_CHARS);
    let choices: Vec<_> = fits.take(CHOICES_LIMIT).map(|choice| json!({ "name": choice, "value": choice })).collect();
    json!({ "type": 8, "data": { "choices": choices } })
}

/// What cannot be taken back is asked about.
pub(super) fn are_you_sure(key: &str, plan: Option<&str>) -> Value {
    let mut asked = say("Cancel this release? What it has done by then stays. Asking again makes a new release.");
    // The button's own id, by another verb: pressed, it means it.
    let id = custom_id(Verb::Cancel, key, plan).replacen("cancel", SURE, 1);
    asked["data"]["components"] =
        json!([{ "type": 1, "components": [{ "type": 2, "style": 4, "label": "Cancel it", "custom_id": id }] }]);
    asked
}

/// Plain words.
pub(super) fn said(what: &str) -> Rendered {
    render(&words(what), &BTreeMap::new(), "", "")
}

fn words(what: &str) -> Message {
    Message::answer(Line::plain(what), [])
}
