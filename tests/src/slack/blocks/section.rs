//! `section`.

use super::check::{Checker, Need, Node};
use super::element::{self, Place};
use super::text::{self, Allowed};

const TEXT_LIMIT_CHARS: usize = 3_000;
const FIELDS_LIMIT: usize = 10;
const FIELD_LIMIT_CHARS: usize = 2_000;

pub(super) fn check(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["block_id", "text", "fields", "accessory", "expand"]);
    if !node.map.contains_key("text") && !node.map.contains_key("fields") {
        checker.problem(&node.path, "must define either `fields` or `text`");
    }
    text::field(checker, node, "text", Allowed::PlainOrMarkup, TEXT_LIMIT_CHARS, Need::Optional);
    for field in checker.children(node, "fields", 1, FIELDS_LIMIT, Need::Optional) {
        text::object(checker, &field, Allowed::PlainOrMarkup, FIELD_LIMIT_CHARS);
    }
    if let Some(accessory) = checker.child(node, "accessory", Need::Optional) {
        element::check(checker, &accessory, Place::Accessory);
    }
    checker.flag(node, "expand");
}
