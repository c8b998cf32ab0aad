//! `header`.

use super::check::{Checker, Need, Node};
use super::text::{self, Allowed};

const TEXT_LIMIT_CHARS: usize = 150;

pub(super) fn check(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["block_id", "text"]);
    text::field(checker, node, "text", Allowed::Plain, TEXT_LIMIT_CHARS, Need::Required);
}
