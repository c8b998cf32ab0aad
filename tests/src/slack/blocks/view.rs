//! Modals and home tabs.

use super::check::{Checker, Need, Node};
use super::text::{self, Allowed};
use super::{ID_LIMIT_CHARS, block};

const BLOCKS_LIMIT: usize = 100;
const TITLE_LIMIT_CHARS: usize = 24;
const METADATA_LIMIT_CHARS: usize = 3_000;

/// `kind` is `modal` or `home`. `path` is where the view stands in the call.
pub(super) fn check(checker: &mut Checker, node: &Node<'_>, kind: &str) {
    if !checker.kind(node, &[kind]) {
        return;
    }
    let common = ["blocks", "private_metadata", "callback_id", "external_id"];
    let modal = ["title", "close", "submit", "clear_on_close", "notify_on_close", "submit_disabled"];
    let more: &[&str] = if kind == "modal" { &modal } else { &[] };
    checker.known(node, &[&common[..], more].concat());
    checker.text_from(node, "private_metadata", 0, METADATA_LIMIT_CHARS, Need::Optional);
    checker.text_from(node, "callback_id", 0, ID_LIMIT_CHARS, Need::Optional);
    checker.text_from(node, "external_id", 0, ID_LIMIT_CHARS, Need::Optional);
    let blocks = checker.children(node, "blocks", 0, BLOCKS_LIMIT, Need::Required);
    for one in &blocks {
        block(checker, one);
    }
    if kind == "home" {
        return;
    }
    text::field(checker, node, "title", Allowed::Plain, TITLE_LIMIT_CHARS, Need::Required);
    for name in ["submit", "close"] {
        text::field(checker, node, name, Allowed::Plain, TITLE_LIMIT_CHARS, Need::Optional);
    }
    for name in ["clear_on_close", "notify_on_close", "submit_disabled"] {
        checker.flag(node, name);
    }
    let asks = blocks.iter().any(|one| one.kind() == "input");
    if asks && !node.map.contains_key("submit") {
        checker.problem(&node.path, "missing required field: submit, which a view with an input needs");
    }
}
