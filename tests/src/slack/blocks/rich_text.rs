//! `rich_text`: sections, lists, quotes and preformatted text, and what stands in their lines.

use super::check::{Checker, Need, Node};

/// Of the elements of one block and of the elements of one line; ours, since Slack names none.
const ELEMENTS_LIMIT: usize = 1_000;
const TEXT_LIMIT_CHARS: usize = 40_000;
const INDENT_LIMIT: i64 = 8;
const ID_LIMIT_CHARS: usize = 255;

/// What a line may contain.
const INLINE: [&str; 9] = ["broadcast", "color", "channel", "date", "emoji", "link", "text", "user", "usergroup"];
/// What a date's format is made of.
const DATE_TOKENS: [&str; 13] = [
    "date_num",
    "date_slash",
    "date_long",
    "date_long_full",
    "date_long_pretty",
    "date",
    "date_pretty",
    "date_short",
    "date_short_pretty",
    "time",
    "time_secs",
    "ago",
    "day_divider_pretty",
];

pub(super) fn check(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["block_id", "elements"]);
    for element in checker.children(node, "elements", 1, ELEMENTS_LIMIT, Need::Required) {
        let kinds = ["rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"];
        if !checker.kind(&element, &kinds) {
            continue;
        }
        match element.kind() {
            "rich_text_section" => lines(checker, &element, &[], &INLINE),
            "rich_text_list" => list(checker, &element),
            "rich_text_preformatted" => {
                border(checker, &element);
                checker.text(&element, "language", ID_LIMIT_CHARS, Need::Optional);
                lines(checker, &element, &["border", "language"], &["text", "link"]);
            }
            _ => {
                border(checker, &element);
                lines(checker, &element, &["border"], &INLINE);
            }
        }
    }
}

fn border(checker: &mut Checker, node: &Node<'_>) {
    checker.number(node, "border", 0, 1, Need::Optional);
}

fn list(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["style", "elements", "indent", "offset", "border"]);
    checker.word(node, "style", &["bullet", "ordered"], Need::Required);
    checker.number(node, "indent", 0, INDENT_LIMIT, Need::Optional);
    checker.number(node, "offset", 0, i64::MAX, Need::Optional);
    border(checker, node);
    for item in checker.children(node, "elements", 1, ELEMENTS_LIMIT, Need::Required) {
        if checker.kind(&item, &["rich_text_section"]) {
            lines(checker, &item, &[], &INLINE);
        }
    }
}

fn lines(checker: &mut Checker, node: &Node<'_>, more: &[&str], kinds: &[&str]) {
    checker.known(node, &[&["elements"], more].concat());
    for element in checker.children(node, "elements", 1, ELEMENTS_LIMIT, Need::Required) {
        if checker.kind(&element, kinds) {
            inline(checker, &element);
        }
    }
}

fn inline(checker: &mut Checker, node: &Node<'_>) {
    let id = |checker: &mut Checker, name: &str, starts: &[char]| {
        let id = checker.text(node, name, ID_LIMIT_CHARS, Need::Required);
        if id.is_some_and(|id| !id.starts_with(starts)) {
            checker.problem(&format!("{}/{name}", node.path), "must be an id");
        }
    };
    match node.kind() {
        "broadcast" => {
            checker.known(node, &["range", "style"]);
            checker.word(node, "range", &["here", "channel", "everyone"], Need::Required);
        }
        "color" => {
            checker.known(node, &["value"]);
            checker.text(node, "value", ID_LIMIT_CHARS, Need::Required);
        }
        "channel" => {
            checker.known(node, &["channel_id", "style"]);
            id(checker, "channel_id", &['C', 'G']);
        }
        "user" => {
            checker.known(node, &["user_id", "style"]);
            id(checker, "user_id", &['U', 'W']);
        }
        "usergroup" => {
            checker.known(node, &["usergroup_id", "style"]);
            id(checker, "usergroup_id", &['S']);
        }
        "date" => date(checker, node),
        "emoji" => {
            checker.known(node, &["name", "unicode", "skin_tone", "style"]);
            checker.text(node, "name", ID_LIMIT_CHARS, Need::Required);
        }
        "link" => {
            checker.known(node, &["url", "text", "unsafe", "style"]);
            checker.url(node, "url", Need::Required);
            checker.text(node, "text", TEXT_LIMIT_CHARS, Need::Optional);
            checker.flag(node, "unsafe");
        }
        _ => {
            checker.known(node, &["text", "style"]);
            checker.text(node, "text", TEXT_LIMIT_CHARS, Need::Required);
        }
    }
    style(checker, node);
}

fn style(checker: &mut Checker, node: &Node<'_>) {
    let Some(style) = checker.child(node, "style", Need::Optional) else { return };
    let names: &[&str] = match node.kind() {
        "text" | "link" | "date" => &["bold", "italic", "strike", "code", "underline"],
        _ => &["bold", "italic", "strike", "highlight", "client_highlight", "unlink"],
    };
    for name in style.map.keys().filter(|name| !names.contains(&name.as_str())) {
        checker.problem(&style.path, format!("invalid additional property: {name}"));
    }
    for name in names {
        checker.flag(&style, name);
    }
}

fn date(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["timestamp", "format", "url", "fallback", "style"]);
    checker.number(node, "timestamp", 0, i64::MAX, Need::Required);
    checker.url(node, "url", Need::Optional);
    checker.text(node, "fallback", TEXT_LIMIT_CHARS, Need::Optional);
    let Some(format) = checker.text(node, "format", TEXT_LIMIT_CHARS, Need::Required) else { return };
    let tokens: Vec<_> = format.split('{').skip(1).map(|piece| piece.split_once('}').map(|(token, _)| token)).collect();
    if tokens.is_empty() || tokens.iter().any(|token| token.is_none_or(|token| !DATE_TOKENS.contains(&token))) {
        checker.problem(&format!("{}/format", node.path), "must be made of date tokens");
    }
}
