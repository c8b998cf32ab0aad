//! Forms: what a person fills in, as Discord's modal.

use super::buttons::{ID_LIMIT_CHARS, SEPARATOR};
use super::escape::{fitted, length, literal};
use super::json;
use crate::text::lines::{plain, utc};
use crate::text::{clean, cut};
use serde_json::Value;
use serenity::builder::{CreateActionRow, CreateInputText, CreateInteractionResponse, CreateModal};
use serenity::model::application::InputTextStyle;
use slipway_core::message::form::{Form, Input, InputKind};
use std::collections::BTreeSet;

/// The longest title, and the longest label of an input.
const TITLE_LIMIT_CHARS: usize = 45;
/// The longest text that stands in an empty input.
const PLACEHOLDER_LIMIT_CHARS: usize = 100;
/// The longest text that a person may type.
const TEXT_LIMIT_CHARS: u16 = 4_000;
/// The longest value of a choice.
const VALUE_LIMIT_CHARS: usize = 150;
/// How many inputs a form has.
const INPUTS_LIMIT: usize = 5;

/// The answer that opens the form, within Discord's limits: what is too long is cut. Inputs without an id, with one
/// that another has or that is too long, choices without options, and those after the fifth are left out.
///
/// What the form carries unseen is part of its name; where the two are too long together, it is left out. There are
/// texts only: a choice is a text with the values to choose from in its label; where there is no room, they stand in the
/// text while nothing is typed. What is chosen beforehand always stands there: what it is about is not to be typed again.
/// The words above the inputs stand in the first one while it is empty, unless that has a hint of its own.
#[must_use]
pub fn modal(form: &Form) -> Value {
    let mut ids = BTreeSet::new();
    let mut intro = form.intro.as_ref().map(|line| plain(line, utc));
    let mut rows = Vec::new();
    for input in &form.inputs {
        let is_usable = (1..=ID_LIMIT_CHARS).contains(&length(&input.id)) && !ids.contains(input.id.as_str());
        if !is_usable || ids.len() >= INPUTS_LIMIT {
            continue;
        }
        if let Some(text) = text(input, intro.as_deref().unwrap_or_default()) {
            ids.insert(input.id.as_str());
            rows.push(CreateActionRow::InputText(text));
            intro = None;
        }
    }
    let title = literal(&form.title, TITLE_LIMIT_CHARS, "Slipway");
    json(&CreateInteractionResponse::Modal(CreateModal::new(form_id(form), title).components(rows)))
}

/// Which form it is and what it carries unseen, as the name of a form says it.
#[must_use]
pub fn form_of(custom_id: &str) -> Option<(String, String)> {
    let (callback, private) = custom_id.split_once(SEPARATOR)?;
    (!callback.is_empty()).then(|| (callback.to_owned(), private.to_owned()))
}

fn form_id(form: &Form) -> String {
    let callback = form.callback.replace(SEPARATOR, "");
    let whole = format!("{callback}{SEPARATOR}{}", form.private);
    if length(&whole) <= ID_LIMIT_CHARS {
        return whole;
    }
    // Half of what it carries could be taken for something else.
    fitted(&callback, ID_LIMIT_CHARS - 1, str::to_owned) + &SEPARATOR.to_string()
}

fn text(input: &Input, intro: &str) -> Option<CreateInputText> {
    let (multiline, max, initial, values) = match &input.kind {
        InputKind::Text { multiline, max, initial } => (*multiline, *max, initial.as_str(), String::new()),
        InputKind::Choice { options, initial } => {
            let values = values(options);
            let chosen = initial.as_deref().filter(|initial| values.contains(initial)).unwrap_or_default();
            if values.is_empty() {
                return None;
            }
            (false, longest(&values), chosen, values.join(", "))
        }
    };
    let max = max.clamp(1, TEXT_LIMIT_CHARS);
    let style = if multiline { InputTextStyle::Paragraph } else { InputTextStyle::Short };
    let with_values = format!("{} ({values})", input.label);
    let shows_values = !values.is_empty() && length(&with_values) <= TITLE_LIMIT_CHARS;
    let label = literal(if shows_values { &with_values } else { &input.label }, TITLE_LIMIT_CHARS, "–");
    let mut text = CreateInputText::new(style, label, &input.id).max_length(max).required(!input.optional);
    let hints = [if shows_values { "" } else { &values }, input.hint.as_deref().unwrap_or_default(), intro];
    let hint = hints.into_iter().map(|hint| literal(hint, PLACEHOLDER_LIMIT_CHARS, "")).find(|hint| !hint.is_empty());
    if let Some(hint) = hint {
        text = text.placeholder(hint);
    }
    let initial = initial_text(initial, multiline, usize::from(max));
    Some(if initial.is_empty() { text } else { text.value(initial) })
}

fn values(options: &[(String, String)]) -> Vec<&str> {
    let usable = |value: &&str| (1..=VALUE_LIMIT_CHARS).contains(&length(value));
    options.iter().map(|(value, _)| value.as_str()).filter(usable).collect()
}

fn longest(values: &[&str]) -> u16 {
    values.iter().map(|value| length(value)).max().and_then(|longest| u16::try_from(longest).ok()).unwrap_or(1)
}

/// The lines of a text that a person goes on with; one line where only one can be typed.
fn initial_text(text: &str, multiline: bool, limit: usize) -> String {
    let lines: Vec<String> = if multiline {
        text.lines().take(limit).map(|line| clean(line).collect()).collect()
    } else {
        vec![clean(text).collect()]
    };
    fitted(&cut(lines.join("\n").chars(), limit), limit, str::to_owned)
}
