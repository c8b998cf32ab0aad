//! Text objects, confirmation dialogs and options.

use super::check::{Checker, Need, Node};
use serde_json::Value;

const CONFIRM_TITLE_LIMIT_CHARS: usize = 100;
const CONFIRM_TEXT_LIMIT_CHARS: usize = 300;
const CONFIRM_BUTTON_LIMIT_CHARS: usize = 30;
const OPTION_TEXT_LIMIT_CHARS: usize = 75;
const OPTION_VALUE_LIMIT_CHARS: usize = 150;
const GROUPS_LIMIT: usize = 100;

/// What kinds of text may stand somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    Plain,
    PlainOrMarkup,
}

/// A text object in a field.
pub(super) fn field(checker: &mut Checker, node: &Node<'_>, name: &str, allowed: Allowed, max: usize, need: Need) {
    if let Some(text) = checker.child(node, name, need) {
        object(checker, &text, allowed, max);
    }
}

pub(super) fn object(checker: &mut Checker, text: &Node<'_>, allowed: Allowed, max: usize) {
    let kinds: &[&str] = match allowed {
        Allowed::Plain => &["plain_text"],
        Allowed::PlainOrMarkup => &["plain_text", "mrkdwn"],
    };
    if !checker.kind(text, kinds) {
        return;
    }
    match text.kind() {
        "plain_text" => {
            checker.known(text, &["text", "emoji"]);
            checker.flag(text, "emoji");
        }
        _ => {
            checker.known(text, &["text", "verbatim"]);
            checker.flag(text, "verbatim");
        }
    }
    checker.text(text, "text", max, Need::Required);
}

/// The question that comes before something is done.
pub(super) fn confirm(checker: &mut Checker, node: &Node<'_>) {
    let Some(confirm) = checker.child(node, "confirm", Need::Optional) else { return };
    checker.known(&confirm, &["title", "text", "confirm", "deny", "style"]);
    field(checker, &confirm, "title", Allowed::Plain, CONFIRM_TITLE_LIMIT_CHARS, Need::Required);
    field(checker, &confirm, "text", Allowed::PlainOrMarkup, CONFIRM_TEXT_LIMIT_CHARS, Need::Required);
    for name in ["confirm", "deny"] {
        field(checker, &confirm, name, Allowed::Plain, CONFIRM_BUTTON_LIMIT_CHARS, Need::Required);
    }
    checker.word(&confirm, "style", &["primary", "danger"], Need::Optional);
}

fn option(checker: &mut Checker, option: &Node<'_>, allowed: Allowed, fields: &[&str]) {
    checker.known(option, fields);
    field(checker, option, "text", allowed, OPTION_TEXT_LIMIT_CHARS, Need::Required);
    checker.text(option, "value", OPTION_VALUE_LIMIT_CHARS, Need::Required);
    field(checker, option, "description", allowed, OPTION_TEXT_LIMIT_CHARS, Need::Optional);
    if fields.contains(&"url") {
        checker.url(option, "url", Need::Optional);
    }
}

/// `options`, 1 to `max` of them.
pub(super) fn options(checker: &mut Checker, node: &Node<'_>, max: usize, allowed: Allowed, fields: &[&str]) {
    for one in checker.children(node, "options", 1, max, Need::Required) {
        option(checker, &one, allowed, fields);
    }
}

/// `options` or `option_groups`, one of the two.
pub(super) fn options_or_groups(checker: &mut Checker, node: &Node<'_>, max: usize) {
    let fields = ["text", "value", "description"];
    match (node.map.contains_key("options"), node.map.contains_key("option_groups")) {
        (true, true) => checker.problem(&node.path, "may define only one of `options` and `option_groups`"),
        (false, true) => {
            for group in checker.children(node, "option_groups", 1, GROUPS_LIMIT, Need::Required) {
                checker.known(&group, &["label", "options"]);
                field(checker, &group, "label", Allowed::Plain, OPTION_TEXT_LIMIT_CHARS, Need::Required);
                options(checker, &group, max, Allowed::Plain, &fields);
            }
        }
        _ => options(checker, node, max, Allowed::Plain, &fields),
    }
}

/// What is chosen at first is among the options, word for word.
pub(super) fn initial(checker: &mut Checker, node: &Node<'_>) {
    let listed = |name: &str| node.map.get(name).and_then(Value::as_array).into_iter().flatten();
    let grouped = listed("option_groups").filter_map(|group| group.get("options")?.as_array()).flatten();
    let offered: Vec<_> = listed("options").chain(grouped).collect();
    let chosen = node.map.get("initial_option").into_iter().chain(listed("initial_options"));
    let strange = chosen.filter(|chosen| !offered.iter().any(|offered| offered == chosen)).count();
    if strange > 0 {
        checker.problem(&node.path, "the initial option must match one of the options");
    }
}
