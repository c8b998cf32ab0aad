//! Answers to what Discord asks, in its own form.

use super::intake::SURE;
use serde_json::{Value, json};
use slipway_core::intent::MESSAGE_KEY_PREFIX;
use slipway_core::message::{Line, Message, Verb};
use slipway_deploy::discord::{Rendered, custom_id, render};
use std::collections::BTreeMap;

/// Only whoever asked sees it.
const EPHEMERAL: u32 = 64;
/// How many choices are offered.
pub(super) const CHOICES_LIMIT: usize = 25;
/// The longest name and the longest value of a choice, in the units of UTF-16.
const CHOICE_LIMIT_UNITS: usize = 100;

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// As it is offered.
    pub(super) name: String,
    /// What is filled in.
    pub(super) value: String,
}

impl From<String> for Choice {
    fn from(value: String) -> Self {
        Self { name: value.clone(), value }
    }
}

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
pub(super) fn choices(choices: &[Choice]) -> Value {
    let fits = choices.iter().filter(|choice| !choice.value.is_empty() && is_short(&choice.value));
    let shown = |choice: &Choice| json!({ "name": cut(&choice.name), "value": choice.value });
    let choices: Vec<_> = fits.take(CHOICES_LIMIT).map(shown).collect();
    json!({ "type": 8, "data": { "choices": choices } })
}

/// A value that were cut would be another one.
fn is_short(text: &str) -> bool {
    text.encode_utf16().count() <= CHOICE_LIMIT_UNITS
}

fn cut(name: &str) -> String {
    if is_short(name) {
        return name.to_owned();
    }
    let mut left = CHOICE_LIMIT_UNITS - 1;
    let fits = |c: &char| left.checked_sub(c.len_utf16()).map(|rest| left = rest).is_some();
    let kept: String = name.chars().take_while(fits).collect();
    kept + "…"
}

/// What cannot be taken back is asked about.
pub(super) fn are_you_sure(key: &str, plan: Option<&str>) -> Value {
    let mut asked = say(if key.starts_with(MESSAGE_KEY_PREFIX) {
        "Cancel this deployment? It has not begun."
    } else {
        "Cancel this release? What it has done by then stays. Asking again makes a new release."
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_are_not_offered_than_discord_takes() {
        let names = (0..30).map(|n| Choice::from(format!("{n:0>40}"))).collect::<Vec<_>>();
        let answer = choices(&names);
        let offered = answer["data"]["choices"].as_array().unwrap();
        assert_eq!((offered.len(), &offered[24]["value"]), (CHOICES_LIMIT, &json!(format!("{:0>40}", 24))));
    }

    #[test]
    fn names_are_cut_and_values_are_not() {
        let long = "🚀".repeat(80);
        let all = [
            Choice { name: long.clone(), value: "01M891PN".into() },
            Choice::from(long),
            Choice::from("v".repeat(CHOICE_LIMIT_UNITS)),
            Choice::from(String::new()),
        ];
        let answer = choices(&all);
        let offered = answer["data"]["choices"].as_array().unwrap();
        assert_eq!(offered.len(), 2, "{answer}");
        assert_eq!(offered[0], json!({ "name": "🚀".repeat(49) + "…", "value": "01M891PN" }));
        assert_eq!(offered[1]["name"], offered[1]["value"]);
    }
}
