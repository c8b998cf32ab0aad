//! What can be pressed, chosen or filled in.

use super::check::{Checker, Need, Node};
use super::text::{self, Allowed};
use super::{ID_LIMIT_CHARS, image};

const BUTTON_TEXT_LIMIT_CHARS: usize = 75;
const BUTTON_VALUE_LIMIT_CHARS: usize = 2_000;
const PLACEHOLDER_LIMIT_CHARS: usize = 150;
const SELECT_OPTIONS_LIMIT: usize = 100;
const OVERFLOW_OPTIONS_LIMIT: usize = 5;
const CHOICES_LIMIT: usize = 10;
const INPUT_LIMIT_CHARS: usize = 3_000;

/// Where an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Actions,
    Accessory,
    Input,
}

const CHOOSERS: [&str; 6] =
    ["static_select", "users_select", "conversations_select", "channels_select", "radio_buttons", "checkboxes"];

impl Place {
    fn kinds(self) -> Vec<&'static str> {
        let more: &[&str] = match self {
            Self::Actions => &["button", "overflow"],
            Self::Accessory => &["button", "overflow", "image", "multi_static_select"],
            Self::Input => &["plain_text_input", "number_input", "multi_static_select"],
        };
        CHOOSERS.iter().chain(more).copied().collect()
    }
}

pub(super) fn check(checker: &mut Checker, node: &Node<'_>, place: Place) {
    if !checker.kind(node, &place.kinds()) {
        return;
    }
    let kind = node.kind();
    if kind == "image" {
        return image::element(checker, node);
    }
    checker.text(node, "action_id", ID_LIMIT_CHARS, Need::Optional);
    match kind {
        "button" => button(checker, node),
        "plain_text_input" => text_input(checker, node),
        "number_input" => number_input(checker, node),
        "static_select" | "multi_static_select" => select(checker, node),
        "overflow" => {
            checker.known(node, &["action_id", "options", "confirm"]);
            let fields = ["text", "value", "description", "url"];
            text::options(checker, node, OVERFLOW_OPTIONS_LIMIT, Allowed::Plain, &fields);
            text::confirm(checker, node);
        }
        "radio_buttons" | "checkboxes" => {
            let initial = if kind == "checkboxes" { "initial_options" } else { "initial_option" };
            checker.known(node, &["action_id", "options", initial, "confirm", "focus_on_load"]);
            let fields = ["text", "value", "description"];
            text::options(checker, node, CHOICES_LIMIT, Allowed::PlainOrMarkup, &fields);
            text::initial(checker, node);
            text::confirm(checker, node);
            checker.flag(node, "focus_on_load");
        }
        other => chooser(checker, node, other),
    }
}

fn button(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["text", "action_id", "url", "value", "style", "confirm", "accessibility_label"]);
    text::field(checker, node, "text", Allowed::Plain, BUTTON_TEXT_LIMIT_CHARS, Need::Required);
    checker.url(node, "url", Need::Optional);
    checker.text(node, "value", BUTTON_VALUE_LIMIT_CHARS, Need::Optional);
    checker.word(node, "style", &["primary", "danger"], Need::Optional);
    checker.text(node, "accessibility_label", BUTTON_TEXT_LIMIT_CHARS, Need::Optional);
    text::confirm(checker, node);
}

fn placeholder(checker: &mut Checker, node: &Node<'_>) {
    text::field(checker, node, "placeholder", Allowed::Plain, PLACEHOLDER_LIMIT_CHARS, Need::Optional);
    checker.flag(node, "focus_on_load");
}

fn text_input(checker: &mut Checker, node: &Node<'_>) {
    let lengths = ["min_length", "max_length"];
    let fields = ["action_id", "initial_value", "multiline", "dispatch_action_config", "focus_on_load", "placeholder"];
    checker.known(node, &[&fields[..], &lengths[..]].concat());
    placeholder(checker, node);
    checker.flag(node, "multiline");
    checker.text_from(node, "initial_value", 0, INPUT_LIMIT_CHARS, Need::Optional);
    let limit = i64::try_from(INPUT_LIMIT_CHARS).unwrap_or(i64::MAX);
    let min = checker.number(node, "min_length", 0, limit, Need::Optional);
    let max = checker.number(node, "max_length", 1, limit, Need::Optional);
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        checker.problem(&node.path, "min_length must not be more than max_length");
    }
    checker.child(node, "dispatch_action_config", Need::Optional);
}

fn number_input(checker: &mut Checker, node: &Node<'_>) {
    let fields = ["action_id", "is_decimal_allowed", "initial_value", "min_value", "max_value"];
    checker.known(node, &[&fields[..], &["dispatch_action_config", "focus_on_load", "placeholder"]].concat());
    placeholder(checker, node);
    if !node.map.get("is_decimal_allowed").is_some_and(serde_json::Value::is_boolean) {
        checker.problem(&node.path, "missing required field: is_decimal_allowed");
    }
    for name in ["initial_value", "min_value", "max_value"] {
        let given = checker.text(node, name, INPUT_LIMIT_CHARS, Need::Optional);
        if given.is_some_and(|text| text.parse::<f64>().is_err()) {
            checker.problem(&format!("{}/{name}", node.path), "must be a number in a string");
        }
    }
}

fn select(checker: &mut Checker, node: &Node<'_>) {
    let several = node.kind() == "multi_static_select";
    let initial = if several { "initial_options" } else { "initial_option" };
    let fields = ["action_id", "options", "option_groups", "confirm", "focus_on_load", "placeholder", initial];
    let more: &[&str] = if several { &["max_selected_items"] } else { &[] };
    checker.known(node, &[&fields[..], more].concat());
    placeholder(checker, node);
    checker.number(node, "max_selected_items", 1, i64::MAX, Need::Optional);
    text::options_or_groups(checker, node, SELECT_OPTIONS_LIMIT);
    text::initial(checker, node);
    text::confirm(checker, node);
}

/// Users, channels or conversations.
fn chooser(checker: &mut Checker, node: &Node<'_>, kind: &str) {
    let initial: &[&str] = match kind {
        "users_select" => &["initial_user"],
        "channels_select" => &["initial_channel", "response_url_enabled"],
        _ => &["initial_conversation", "default_to_current_conversation", "response_url_enabled", "filter"],
    };
    checker.known(node, &[&["action_id", "confirm", "focus_on_load", "placeholder"], initial].concat());
    placeholder(checker, node);
    checker.text(node, initial[0], ID_LIMIT_CHARS, Need::Optional);
    text::confirm(checker, node);
}
