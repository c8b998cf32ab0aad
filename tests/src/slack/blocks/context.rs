//! `context`.

use super::check::{Checker, Need, Node};
use super::image;
use super::text::{self, Allowed};

const ELEMENTS_LIMIT: usize = 10;
const TEXT_LIMIT_CHARS: usize = 3_000;

pub(super) fn check(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["block_id", "elements"]);
    for element in checker.children(node, "elements", 1, ELEMENTS_LIMIT, Need::Required) {
        if !checker.kind(&element, &["image", "mrkdwn", "plain_text"]) {
            continue;
        }
        match element.kind() {
            "image" => image::element(checker, &element),
            _ => text::object(checker, &element, Allowed::PlainOrMarkup, TEXT_LIMIT_CHARS),
        }
    }
}
