//! `divider`.

use super::check::{Checker, Node};

pub(super) fn check(checker: &mut Checker, node: &Node<'_>) {
    checker.known(node, &["block_id"]);
}
