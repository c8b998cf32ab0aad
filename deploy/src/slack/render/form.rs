//! Forms: what a person fills in, as Slack's modal.

use super::buttons::literal;
use super::page::Page;
use super::spans::{Look, People, inlines};
use crate::text::{clean, cut, label, shortened};
use slack_morphism::prelude::*;
use slipway_core::message::Line;
use slipway_core::message::form::{Form, Input, InputKind};
use std::collections::BTreeSet;

/// The longest title and the longest text on the button that sends the form.
const TITLE_LIMIT_CHARS: usize = 24;
/// The longest label and the longest hint of an input.
const LABEL_LIMIT_CHARS: usize = 2_000;
/// How many choices one input has.
const OPTIONS_LIMIT: usize = 100;
/// The longest text of a choice.
const OPTION_LIMIT_CHARS: usize = 75;
/// The longest value of a choice.
const VALUE_LIMIT_CHARS: usize = 150;
/// What the form carries unseen, at most.
const PRIVATE_LIMIT_CHARS: usize = 3_000;
/// The longest name of a form or an input.
const ID_LIMIT_CHARS: usize = 255;
/// The longest text that a person may type.
const TEXT_LIMIT_CHARS: u16 = 3_000;
/// How many inputs a form has; Slack takes 100 blocks.
const INPUTS_LIMIT: usize = 90;
/// What the words above the inputs may take as JSON.
const INTRO_LIMIT_CHARS: usize = 3_000;

/// The form within Slack's limits: what is too long is cut. Inputs without an id, with one that another has, and
/// choices without options are left out.
#[must_use]
pub fn modal(form: &Form) -> SlackModalView {
    let mut ids = BTreeSet::new();
    let mut blocks = form.intro.as_ref().map(intro).unwrap_or_default();
    for input in &form.inputs {
        let id = id(&input.id);
        if id.is_empty() || ids.len() >= INPUTS_LIMIT || ids.contains(&id) {
            continue;
        }
        if let Some(element) = element(&id, &input.kind) {
            blocks.push(block(&id, input, element));
            ids.insert(id);
        }
    }
    let callback = id(&form.callback);
    let private: String = form.private.chars().take(PRIVATE_LIMIT_CHARS).collect();
    SlackModalView::new(literal(label(&form.title, TITLE_LIMIT_CHARS, "Slipway")), blocks)
        .with_close(literal("Cancel".to_owned()))
        .with_submit(literal(label(&form.submit, TITLE_LIMIT_CHARS, "Submit")))
        .opt_private_metadata(Some(private).filter(|private| !private.is_empty()))
        .opt_callback_id(Some(callback).filter(|callback| !callback.is_empty()).map(SlackCallbackId))
}

fn id(text: &str) -> String {
    text.chars().take(ID_LIMIT_CHARS).collect()
}

fn intro(line: &Line) -> Vec<SlackBlock> {
    let mut page = Page::new(INTRO_LIMIT_CHARS, 1);
    page.line(inlines(line, Look::Plain, &People::new()));
    page.finish()
}

fn block(id: &str, input: &Input, element: SlackInputBlockElement) -> SlackBlock {
    let hint = input.hint.as_ref().map(|hint| label(hint, LABEL_LIMIT_CHARS, "")).filter(|hint| !hint.is_empty());
    let title = label(&input.label, LABEL_LIMIT_CHARS, "–");
    SlackInputBlock::new(literal(title), element)
        .with_block_id(SlackBlockId(id.to_owned()))
        .opt_hint(hint.map(literal))
        .opt_optional(input.optional.then_some(true))
        .into()
}

fn element(id: &str, kind: &InputKind) -> Option<SlackInputBlockElement> {
    let id = SlackActionId(id.to_owned());
    match kind {
        InputKind::Text { multiline, max, initial } => {
            let max = (*max).clamp(1, TEXT_LIMIT_CHARS);
            let initial = initial_text(initial, *multiline, usize::from(max));
            let element = SlackBlockPlainTextInputElement::new()
                .with_action_id(id)
                .with_max_length(u64::from(max))
                .opt_multiline(multiline.then_some(true))
                .opt_initial_value(Some(initial).filter(|initial| !initial.is_empty()));
            Some(SlackInputBlockElement::PlainTextInput(element))
        }
        InputKind::Choice { options, initial } => {
            let choices = choices(options);
            let chosen = initial.as_ref().and_then(|value| choices.iter().find(|choice| choice.value == *value));
            let element = SlackBlockStaticSelectElement::new().with_action_id(id).opt_initial_option(chosen.cloned());
            (!choices.is_empty()).then(|| SlackInputBlockElement::StaticSelect(element.with_options(choices)))
        }
    }
}

/// The lines of a text that a person goes on with; one line where only one can be typed.
fn initial_text(text: &str, multiline: bool, limit: usize) -> String {
    if !multiline {
        return shortened(text, limit);
    }
    let lines: Vec<String> = text.lines().take(limit).map(|line| clean(line).collect()).collect();
    cut(lines.join("\n").chars(), limit)
}

fn choices(options: &[(String, String)]) -> Vec<SlackBlockChoiceItem<SlackBlockPlainTextOnly>> {
    let mut values = BTreeSet::new();
    let usable = options.iter().filter(|(value, _)| !value.is_empty() && value.chars().count() <= VALUE_LIMIT_CHARS);
    let once = usable.filter(|(value, _)| values.insert(value.as_str())).take(OPTIONS_LIMIT);
    let choice = |(value, text): &(String, String)| {
        SlackBlockChoiceItem::new(literal(label(text, OPTION_LIMIT_CHARS, "–")), value.clone())
    };
    once.map(choice).collect()
}
