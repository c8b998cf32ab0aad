//! `image`, as a block and as an element.

use super::check::{Checker, Need, Node};
use super::text::{self, Allowed};

const ALT_LIMIT_CHARS: usize = 2_000;

pub(super) fn block(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["block_id", "image_url", "alt_text", "title"]);
    text::field(checker, node, "title", Allowed::Plain, ALT_LIMIT_CHARS, Need::Optional);
    source(checker, node);
}

pub(super) fn element(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["image_url", "alt_text"]);
    source(checker, node);
}

fn source(checker: &mut Checker, node: &Node<'_>) {
    checker.url(node, "image_url", Need::Required);
    checker.text(node, "alt_text", ALT_LIMIT_CHARS, Need::Required);
}
