//! `actions`.

use super::check::{Checker, Need, Node};
use super::element::{self, Place};

const ELEMENTS_LIMIT: usize = 25;

pub(super) fn check(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["block_id", "elements"]);
    let elements = checker.children(node, "elements", 1, ELEMENTS_LIMIT, Need::Required);
    for one in &elements {
        element::check(checker, one, Place::Actions);
    }
    checker.action_ids(&elements);
}
