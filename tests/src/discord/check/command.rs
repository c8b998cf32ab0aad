//! Commands as the app registers them.

use super::options;
use crate::discord::findings::{Findings, join, list, text_within};
use serde_json::Value;
use std::collections::BTreeSet;

const COMMANDS_LIMIT: usize = 100;
const NAME_LIMIT_CHARS: usize = 32;
const DESCRIPTION_LIMIT_CHARS: usize = 100;
/// All names, descriptions and values of one command.
const ALL_LIMIT_CHARS: usize = 8_000;
const CHAT_INPUT: u64 = 1;
const MEMBERS: [&str; 15] = [
    "id",
    "type",
    "application_id",
    "guild_id",
    "version",
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "options",
    "default_member_permissions",
    "dm_permission",
    "contexts",
    "integration_types",
    "nsfw",
];

/// A command's type; without one it is typed.
pub(in crate::discord) fn kind(command: &Value) -> u64 {
    command["type"].as_u64().unwrap_or(CHAT_INPUT)
}

/// What is wrong with a whole list of commands.
pub(in crate::discord) fn check(commands: &[Value], findings: &mut Findings) {
    if commands.len() > COMMANDS_LIMIT {
        let message = "Maximum number of application commands reached (100).";
        findings.add("", "APPLICATION_COMMANDS_TOO_MANY", message);
    }
    let mut names = BTreeSet::new();
    for (number, command) in commands.iter().enumerate() {
        let path = number.to_string();
        one(command, &path, findings);
        if !names.insert((kind(command), command["name"].as_str().unwrap_or_default())) {
            findings.add(
                &join(&path, "name"),
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            );
        }
    }
}

fn one(command: &Value, path: &str, findings: &mut Findings) {
    if !command.is_object() {
        return findings.wrong_type(path, "an object");
    }
    findings.unknown_members(path, command, &MEMBERS);
    if kind(command) == CHAT_INPUT {
        name(command, path, findings);
        description(command, path, findings);
    } else {
        if text_within(command, "name", NAME_LIMIT_CHARS, path, findings) == 0 {
            findings.missing(&join(path, "name"));
        }
        if command["description"].as_str().is_some_and(|text| !text.is_empty()) {
            findings.add(&join(path, "description"), "BASE_TYPE_MAX_LENGTH", "Must be 0 or fewer in length.");
        }
    }
    for (number, context) in list(command, "contexts", path, findings).iter().enumerate() {
        if !matches!(context.as_u64(), Some(0..=2)) {
            findings.no_choice(&format!("{path}.contexts.{number}"), "(0, 1, 2)");
        }
    }
    options::check(command, path, 0, findings);
    if chars(command) > ALL_LIMIT_CHARS {
        findings.add(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)");
    }
}

/// Small letters, digits, `-` and `_` of any script.
pub(super) fn name(holder: &Value, path: &str, findings: &mut Findings) {
    let path = &join(path, "name");
    let Some(name) = holder["name"].as_str() else { return findings.missing(path) };
    let length = name.chars().count();
    let letters = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\'');
    if length == 0 || length > NAME_LIMIT_CHARS {
        findings.bad_length(path, 1, NAME_LIMIT_CHARS);
    } else if !name.chars().all(letters) || name.to_lowercase() != name {
        findings.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
    }
}

pub(super) fn description(holder: &Value, path: &str, findings: &mut Findings) {
    let path = &join(path, "description");
    let Some(text) = holder["description"].as_str() else { return findings.missing(path) };
    if text.is_empty() || text.chars().count() > DESCRIPTION_LIMIT_CHARS {
        findings.bad_length(path, 1, DESCRIPTION_LIMIT_CHARS);
    }
}

fn chars(holder: &Value) -> usize {
    let own = ["name", "description", "value"].map(|part| holder[part].as_str().map_or(0, |text| text.chars().count()));
    let inside = ["options", "choices"].into_iter().flat_map(|part| holder[part].as_array().into_iter().flatten());
    own.iter().sum::<usize>() + inside.map(chars).sum::<usize>()
}
