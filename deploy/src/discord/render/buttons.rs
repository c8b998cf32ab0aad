//! Buttons.

use super::escape::{length, literal};
use super::json;
use crate::text::verbs;
use serde_json::Value;
use serenity::builder::{CreateActionRow, CreateButton};
use serenity::model::application::ButtonStyle;
use slipway_core::message::cards::action;
use slipway_core::message::{Action, Verb};

/// The longest text on a button.
const LABEL_LIMIT_CHARS: usize = 80;
/// The longest name of a button.
pub(super) const ID_LIMIT_CHARS: usize = 100;
/// How many buttons stand in one row.
const ROW_LIMIT: usize = 5;
/// How many rows a message has.
const ROWS_LIMIT: usize = 5;
/// How much of a plan's digest a button carries: 128 bits are as hard to hit twice as its release's id.
const PLAN_CHARS: usize = 32;
/// Between what a button does and what it does it to.
pub(super) const SEPARATOR: char = '|';
/// Between a message and the plan that is shown in it.
const PLAN_SEPARATOR: char = '#';

/// What somebody pressed, as the button's name says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// The verb as it is written everywhere: `approve`.
    pub verb: String,
    /// The message.
    pub key: String,
    /// How the digest of the plan begins that was shown in it.
    pub plan: Option<String>,
}

/// The name of a button: `approve|release/01J…#<how the plan's digest begins>`. Discord takes 100 characters.
#[must_use]
pub fn custom_id(verb: Verb, key: &str, plan: Option<&str>) -> String {
    let verb = verbs::name(verb);
    match plan {
        Some(plan) => {
            let plan: String = plan.chars().take(PLAN_CHARS).collect();
            format!("{verb}{SEPARATOR}{key}{PLAN_SEPARATOR}{plan}")
        }
        None => format!("{verb}{SEPARATOR}{key}"),
    }
}

/// What a button's name says; nothing when it is none of [`custom_id`]'s.
#[must_use]
pub fn pressed(custom_id: &str) -> Option<Pressed> {
    let (verb, rest) = custom_id.split_once(SEPARATOR)?;
    let (key, plan) = parts(rest);
    let plan = plan.filter(|plan| !plan.is_empty()).map(str::to_owned);
    (!verb.is_empty() && !key.is_empty()).then(|| Pressed { verb: verb.to_owned(), key: key.to_owned(), plan })
}

/// A message's key and the plan's digest, where it is there.
fn parts(key: &str) -> (&str, Option<&str>) {
    key.split_once(PLAN_SEPARATOR).map_or((key, None), |(key, plan)| (key, Some(plan)))
}

/// The buttons, each verb once; none where the key cannot say which message they belong to.
pub(super) fn rows(actions: &[Action], key: &str) -> Vec<Value> {
    let (key, plan) = parts(key);
    if key.is_empty() || key.contains(char::is_control) {
        return Vec::new();
    }
    let mut ids = Vec::new();
    let mut buttons = Vec::new();
    for Action { verb, label } in actions {
        let id = custom_id(*verb, key, plan);
        if !ids.contains(&id) && length(&id) <= ID_LIMIT_CHARS {
            buttons.push(button(*verb, label, &id));
            ids.push(id);
        }
    }
    let row = |buttons: &[CreateButton]| json(&CreateActionRow::Buttons(buttons.to_vec()));
    buttons.chunks(ROW_LIMIT).take(ROWS_LIMIT).map(row).collect()
}

fn button(verb: Verb, words: &str, id: &str) -> CreateButton {
    let style = match verb {
        Verb::Approve | Verb::Promote => ButtonStyle::Success,
        // Cancel stands beside it: two red ones would be mistaken for each other.
        Verb::Veto => ButtonStyle::Danger,
        Verb::Cancel
        | Verb::Retry
        | Verb::Why
        | Verb::Details
        | Verb::Lock
        | Verb::Unlock
        | Verb::Rerun
        | Verb::NotNow
        | Verb::Resume => ButtonStyle::Secondary,
    };
    let label = literal(words, LABEL_LIMIT_CHARS, &action(verb).label);
    CreateButton::new(id).label(label).style(style)
}
