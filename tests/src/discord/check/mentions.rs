//! Who may be called by a message, and who is.

use crate::discord::findings::{Findings, flag, join, list};
use crate::discord::snowflake;
use serde_json::Value;
use std::collections::BTreeSet;

const IDS_LIMIT: usize = 100;
const KINDS: [&str; 3] = ["users", "roles", "everyone"];

/// What a message's `allowed_mentions` let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::discord) struct Allowed {
    all_users: bool,
    all_roles: bool,
    everyone: bool,
    users: BTreeSet<String>,
    roles: BTreeSet<String>,
    pub(in crate::discord) replied_user: bool,
}

impl Allowed {
    /// What is said when nothing is: all are called.
    fn everybody() -> Self {
        Self {
            all_users: true,
            all_roles: true,
            everyone: true,
            users: BTreeSet::new(),
            roles: BTreeSet::new(),
            replied_user: true,
        }
    }

    /// Whom a text calls: users' ids, `&` with a role's id, `everyone`, `here`.
    pub(in crate::discord) fn called(&self, content: &str) -> Vec<String> {
        let mut called: Vec<String> = named(content)
            .into_iter()
            .filter(|name| match name.strip_prefix('&') {
                Some(role) => self.all_roles || self.roles.contains(role),
                None => self.all_users || self.users.contains(name),
            })
            .collect();
        // Discord looks for these words anywhere, also within code.
        for word in ["everyone", "here"] {
            if self.everyone && content.contains(&format!("@{word}")) {
                called.push(word.to_owned());
            }
        }
        called.sort();
        called.dedup();
        called
    }
}

/// The ids in `<@1>`, `<@!1>` and, with their `&`, in `<@&1>`, outside of code.
pub(in crate::discord) fn named(content: &str) -> Vec<String> {
    let outside = content.split('`').step_by(2);
    let pieces = outside.flat_map(|text| text.split("<@").skip(1));
    let inside = pieces.filter_map(|piece| piece.split_once('>').map(|(inside, _)| inside));
    let names = inside.map(|name| name.strip_prefix('!').unwrap_or(name));
    let is_name = |name: &&str| snowflake::number(name.strip_prefix('&').unwrap_or(name)).is_some();
    names.filter(is_name).map(str::to_owned).collect()
}

/// A body's `allowed_mentions`.
pub(in crate::discord) fn read(body: &Value, findings: &mut Findings) -> Allowed {
    let (given, path) = (&body["allowed_mentions"], "allowed_mentions");
    if given.is_null() {
        return Allowed::everybody();
    }
    if !given.is_object() {
        findings.wrong_type(path, "an object");
    }
    findings.unknown_members(path, given, &["parse", "users", "roles", "replied_user"]);
    let parse = list(given, "parse", path, findings);
    for (number, kind) in parse.iter().enumerate() {
        if !KINDS.iter().any(|known| kind == known) {
            findings.no_choice(&format!("{path}.parse.{number}"), "('roles', 'users', 'everyone')");
        }
    }
    let parses = |kind: &str| parse.iter().any(|given| given == kind);
    let users = ids(given, "users", findings);
    let roles = ids(given, "roles", findings);
    for (kind, ids) in [("users", &users), ("roles", &roles)] {
        if parses(kind) && !ids.is_empty() {
            let message = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
            findings.add(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", &message);
        }
    }
    Allowed {
        all_users: parses("users"),
        all_roles: parses("roles"),
        everyone: parses("everyone"),
        users,
        roles,
        replied_user: flag(given, "replied_user", path, findings),
    }
}

fn ids(given: &Value, name: &str, findings: &mut Findings) -> BTreeSet<String> {
    let listed = list(given, name, "allowed_mentions", findings);
    let path = join("allowed_mentions", name);
    if listed.len() > IDS_LIMIT {
        findings.too_long(&path, IDS_LIMIT);
    }
    let mut ids = BTreeSet::new();
    for (number, id) in listed.iter().enumerate() {
        match id.as_str().filter(|id| snowflake::number(id).is_some()) {
            Some(id) if ids.insert(id.to_owned()) => {}
            Some(_) => findings.add(&path, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value"),
            None => {
                let message = format!("Value {id} is not snowflake.");
                findings.add(&join(&path, number), "NUMBER_TYPE_COERCE", &message);
            }
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_is_called() {
        let called = |allowed: Value, content: &str| {
            let mut findings = Findings::default();
            let allowed = read(&json!({ "allowed_mentions": allowed }), &mut findings);
            findings.done().unwrap();
            allowed.called(content)
        };
        let text = "<@1> <@!2> <@&3> @everyone `<@4>` <@x> @here";
        assert_eq!(called(Value::Null, text), ["&3", "1", "2", "everyone", "here"]);
        assert_eq!(called(json!({ "parse": [] }), text), [""; 0]);
        assert_eq!(called(json!({ "parse": [], "users": ["2"] }), text), ["2"]);
        assert_eq!(called(json!({ "parse": ["roles"] }), text), ["&3"]);
    }
}
