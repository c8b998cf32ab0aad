//! Block Kit, as strict as Slack documents it. One file a kind of block.

mod actions;
mod check;
mod context;
mod divider;
mod element;
mod header;
mod image;
mod input;
mod rich_text;
mod section;
mod show;
mod text;
mod view;

use super::refusal::Refusal;
use check::{Checker, Need, Node};
use serde_json::{Map, Value, json};

pub(super) use show::{lines, plain};

/// Blocks of a message.
const BLOCKS_LIMIT: usize = 50;
/// All blocks of a message as JSON. Slack does not say; a message of 9,597 was taken and one of 11,341 was not.
const MESSAGE_LIMIT_CHARS: usize = 10_000;
/// A whole view as JSON.
const VIEW_LIMIT_BYTES: usize = 250 * 1024;
/// `block_id`, `action_id`, `callback_id`.
const ID_LIMIT_CHARS: usize = 255;
const URL_LIMIT_CHARS: usize = 3_000;

/// One kind of block: its name, and what looks at it.
type Kind = (&'static str, fn(&mut Checker, &Node<'_>));

const KINDS: [Kind; 8] = [
    ("actions", actions::check),
    ("context", context::check),
    ("divider", divider::check),
    ("header", header::check),
    ("image", image::block),
    ("input", input::check),
    ("rich_text", rich_text::check),
    ("section", section::check),
];

fn block(checker: &mut Checker, node: &Node<'_>) {
    if checker.kind(node, &KINDS.map(|(name, _)| name)) {
        checker.block_id(node);
        if let Some((_, check)) = KINDS.iter().find(|(name, _)| *name == node.kind()) {
            check(checker, node);
        }
    }
}

/// The blocks of a message: an array.
pub(super) fn message(blocks: &Value) -> Result<(), Refusal> {
    if !blocks.as_array().is_some_and(|items| items.iter().all(Value::is_object)) {
        return Err(Refusal::code("invalid_blocks_format"));
    }
    let holder = Map::from_iter([("blocks".to_owned(), blocks.clone())]);
    let mut checker = Checker::default();
    let root = Node { map: &holder, path: String::new() };
    for one in checker.children(&root, "blocks", 0, BLOCKS_LIMIT, Need::Required) {
        block(&mut checker, &one);
    }
    checker.result().map_err(|problems| Refusal::invalid_blocks(&problems))?;
    if blocks.to_string().chars().count() > MESSAGE_LIMIT_CHARS {
        return Err(Refusal::code("msg_blocks_too_long"));
    }
    Ok(())
}

/// A view: `modal` or `home`.
pub(super) fn view(view: &Value, kind: &str) -> Result<(), Refusal> {
    let mut checker = Checker::default();
    if let Some(node) = checker.node(view, "/view".to_owned()) {
        view::check(&mut checker, &node, kind);
    }
    checker.result().map_err(|problems| Refusal::invalid_view(&problems))?;
    if view.to_string().len() > VIEW_LIMIT_BYTES {
        return Err(Refusal::code("view_too_large"));
    }
    Ok(())
}

/// Gives ids to the blocks and elements that came without.
pub(super) fn name_all(blocks: &mut Value, made: &mut u64) {
    let mut fresh = |value: &mut Value, field: &str| {
        if let Value::Object(members) = value
            && !members.contains_key(field)
        {
            *made += 1;
            members.insert(field.to_owned(), json!(format!("x{made:04}")));
        }
    };
    for block in blocks.as_array_mut().into_iter().flatten() {
        fresh(block, "block_id");
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "actions" => {
                let elements = block.get_mut("elements").and_then(Value::as_array_mut);
                elements.into_iter().flatten().for_each(|element| fresh(element, "action_id"));
            }
            "input" | "section" => {
                let field = if kind == "input" { "element" } else { "accessory" };
                if let Some(element) = block.get_mut(field).filter(|element| element["type"] != "image") {
                    fresh(element, "action_id");
                }
            }
            _ => {}
        }
    }
}

/// The elements of blocks that have an action id, each with its block's id.
pub(super) fn elements(blocks: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        let id = block["block_id"].as_str().unwrap_or_default();
        let listed = if block["type"] == "actions" { block["elements"].as_array() } else { None };
        let single = [block.get("element"), block.get("accessory")].into_iter().flatten();
        let all = listed.into_iter().flatten().chain(single).filter(|element| element.get("action_id").is_some());
        found.extend(all.map(|element| (id.to_owned(), element.clone())));
    }
    found
}
