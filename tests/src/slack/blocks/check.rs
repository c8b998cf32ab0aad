//! Looking at a piece of JSON field by field, and noting what is wrong with its place, as Slack names it.

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Display;

/// More problems than this are not listed.
const PROBLEMS_LIMIT: usize = 20;

/// What was found so far in a message or a view.
#[derive(Debug, Default)]
pub(super) struct Checker {
    problems: Vec<String>,
    block_ids: BTreeSet<String>,
}

/// An object and where it is.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) map: &'a Map<String, Value>,
    /// A JSON pointer: `/blocks/0/text`.
    pub(super) path: String,
}

impl Node<'_> {
    pub(super) fn kind(&self) -> &str {
        self.map.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }
}

/// Whether a field may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

impl Checker {
    pub(super) fn result(self) -> Result<(), Vec<String>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }

    pub(super) fn problem(&mut self, path: &str, what: impl Display) {
        if self.problems.len() < PROBLEMS_LIMIT {
            self.problems.push(format!("[ERROR] {what} [json-pointer:{path}]"));
        }
    }

    pub(super) fn node<'a>(&mut self, value: &'a Value, path: String) -> Option<Node<'a>> {
        if let Value::Object(map) = value {
            return Some(Node { map, path });
        }
        self.problem(&path, "must provide an object");
        None
    }

    /// Nothing but these fields, and `type`, is there.
    pub(super) fn known(&mut self, node: &Node<'_>, names: &[&str]) {
        for name in node.map.keys().filter(|name| *name != "type" && !names.contains(&name.as_str())) {
            self.problem(&node.path, format!("invalid additional property: {name}"));
        }
    }

    fn field<'a>(&mut self, node: &Node<'a>, name: &str, need: Need) -> Option<&'a Value> {
        let found = node.map.get(name).filter(|value| !value.is_null());
        if found.is_none() && need == Need::Required {
            self.problem(&node.path, format!("missing required field: {name}"));
        }
        found
    }

    /// A text of 1 to `max` characters.
    pub(super) fn text<'a>(&mut self, node: &Node<'a>, name: &str, max: usize, need: Need) -> Option<&'a str> {
        self.text_from(node, name, 1, max, need)
    }

    /// A text of `min` to `max` characters.
    pub(super) fn text_from<'a>(
        &mut self,
        node: &Node<'a>,
        name: &str,
        min: usize,
        max: usize,
        need: Need,
    ) -> Option<&'a str> {
        let value = self.field(node, name, need)?;
        let path = node.at(name);
        let Some(text) = value.as_str() else {
            self.problem(&path, "must be a string");
            return None;
        };
        let length = text.chars().count();
        if length < min {
            self.problem(&path, format!("must be more than {} characters", min.saturating_sub(1)));
        }
        if length > max {
            self.problem(&path, format!("must be less than {} characters", max + 1));
        }
        Some(text)
    }

    pub(super) fn flag(&mut self, node: &Node<'_>, name: &str) {
        if self.field(node, name, Need::Optional).is_some_and(|value| !value.is_boolean()) {
            self.problem(&node.at(name), "must be a boolean");
        }
    }

    pub(super) fn number(&mut self, node: &Node<'_>, name: &str, min: i64, max: i64, need: Need) -> Option<i64> {
        let value = self.field(node, name, need)?;
        let number = value.as_i64();
        match number {
            None => self.problem(&node.at(name), "must be an integer"),
            Some(number) if number < min => self.problem(&node.at(name), format!("must be at least {min}")),
            Some(number) if number > max => self.problem(&node.at(name), format!("must be at most {max}")),
            Some(_) => {}
        }
        number
    }

    /// One of a few words.
    pub(super) fn word(&mut self, node: &Node<'_>, name: &str, words: &[&str], need: Need) {
        if let Some(text) = self.text(node, name, usize::MAX - 1, need)
            && !words.contains(&text)
        {
            self.problem(&node.at(name), format!("must be one of: {}", words.join(", ")));
        }
    }

    /// An `https` or `http` address.
    pub(super) fn url(&mut self, node: &Node<'_>, name: &str, need: Need) {
        if let Some(url) = self.text(node, name, super::URL_LIMIT_CHARS, need) {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            let mail = url.strip_prefix("mailto:");
            if rest.or(mail).is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace)) {
                self.problem(&node.at(name), "must be a valid url");
            }
        }
    }

    /// An object in a field.
    pub(super) fn child<'a>(&mut self, node: &Node<'a>, name: &str, need: Need) -> Option<Node<'a>> {
        let value = self.field(node, name, need)?;
        self.node(value, node.at(name))
    }

    /// `min` to `max` objects in a field.
    pub(super) fn children<'a>(
        &mut self,
        node: &Node<'a>,
        name: &str,
        min: usize,
        max: usize,
        need: Need,
    ) -> Vec<Node<'a>> {
        let Some(value) = self.field(node, name, need) else { return Vec::new() };
        let path = node.at(name);
        let Some(items) = value.as_array() else {
            self.problem(&path, "must be an array");
            return Vec::new();
        };
        if items.len() < min {
            self.problem(&path, format!("no fewer than {min} items allowed"));
        }
        if items.len() > max {
            self.problem(&path, format!("no more than {max} items allowed"));
        }
        items.iter().enumerate().filter_map(|(at, item)| self.node(item, format!("{path}/{at}"))).collect()
    }

    /// The type is one of these; a missing one is said as well.
    pub(super) fn kind(&mut self, node: &Node<'_>, kinds: &[&str]) -> bool {
        let Some(kind) = self.text(node, "type", usize::MAX - 1, Need::Required) else { return false };
        let known = kinds.contains(&kind);
        if !known {
            self.problem(&node.at("type"), format!("unsupported type: {kind}"));
        }
        known
    }

    /// A block's own id: no other block of the message has it.
    pub(super) fn block_id(&mut self, node: &Node<'_>) {
        if let Some(id) = self.text(node, "block_id", super::ID_LIMIT_CHARS, Need::Optional)
            && !self.block_ids.insert(id.to_owned())
        {
            self.problem(&node.at("block_id"), format!("`block_id` {id:?} already exists"));
        }
    }

    /// No two elements of a block have the same action id.
    pub(super) fn action_ids(&mut self, elements: &[Node<'_>]) {
        let mut seen = BTreeSet::new();
        for element in elements {
            let id = element.map.get("action_id").and_then(Value::as_str);
            if let Some(id) = id.filter(|id| !seen.insert(*id)) {
                self.problem(&element.at("action_id"), format!("`action_id` {id:?} already exists"));
            }
        }
    }
}
