//! `input`.

use super::check::{Checker, Need, Node};
use super::element::{self, Place};
use super::text::{self, Allowed};

const TEXT_LIMIT_CHARS: usize = 2_000;

pub(super) fn check(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["block_id", "label", "hint", "optional", "dispatch_action", "element"]);
    text::field(checker, node, "label", Allowed::Plain, TEXT_LIMIT_CHARS, Need::Required);
    text::field(checker, node, "hint", Allowed::Plain, TEXT_LIMIT_CHARS, Need::Optional);
    checker.flag(node, "optional");
    checker.flag(node, "dispatch_action");
    if let Some(inner) = checker.child(node, "element", Need::Required) {
        element::check(checker, &inner, Place::Input);
    }
}
