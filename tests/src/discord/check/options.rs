//! A command's options.

use super::command::{description, name};
use crate::discord::findings::{Findings, join, list, text_within};
use serde_json::Value;
use std::collections::BTreeSet;

const OPTIONS_LIMIT: usize = 25;
const CHOICES_LIMIT: usize = 25;
const CHOICE_LIMIT_CHARS: usize = 100;
const TEXT_LIMIT_CHARS: u64 = 6_000;
const SUBCOMMAND: u64 = 1;
const GROUP: u64 = 2;
const STRING: u64 = 3;
const KINDS_LIMIT: u64 = 11;
const MEMBERS: [&str; 14] = [
    "type",
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "required",
    "choices",
    "options",
    "autocomplete",
    "min_length",
    "max_length",
    "min_value",
    "max_value",
    "channel_types",
];

fn kind(option: &Value) -> u64 {
    option["type"].as_u64().unwrap_or(0)
}

/// What is wrong with the options of a command (depth 0), a group (1) or a subcommand.
pub(super) fn check(holder: &Value, path: &str, depth: u32, findings: &mut Findings) {
    let options = list(holder, "options", path, findings);
    let path = &join(path, "options");
    if options.len() > OPTIONS_LIMIT {
        findings.too_long(path, OPTIONS_LIMIT);
    }
    let branches = options.iter().filter(|option| matches!(kind(option), SUBCOMMAND | GROUP)).count();
    if branches > 0 && branches < options.len() {
        let message = "Sub-command and sub-command group option types are mutually exclusive to all other types";
        findings.add(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message);
    }
    let mut names = BTreeSet::new();
    let mut optional = false;
    for (number, option) in options.iter().enumerate() {
        let path = &join(path, number);
        one(option, path, depth, findings);
        if !names.insert(option["name"].as_str().unwrap_or_default()) {
            let message = "Option name already exists";
            findings.add(&join(path, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", message);
        }
        if option["required"] == true && optional {
            let message = "Required options must be placed before non-required options";
            findings.add(path, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message);
        }
        optional |= option["required"] != true;
    }
}

fn one(option: &Value, path: &str, depth: u32, findings: &mut Findings) {
    findings.unknown_members(path, option, &MEMBERS);
    name(option, path, findings);
    description(option, path, findings);
    match kind(option) {
        // A group holds subcommands, a subcommand holds neither.
        GROUP if depth == 0 => return check(option, path, 1, findings),
        SUBCOMMAND if depth <= 1 => return check(option, path, 2, findings),
        STRING..=KINDS_LIMIT => {}
        _ => findings.no_choice(&join(path, "type"), "(3, 4, 5, 6, 7, 8, 9, 10, 11)"),
    }
    if option["options"].as_array().is_some_and(|inside| !inside.is_empty()) {
        findings.add(&join(path, "options"), "BASE_TYPE_MAX_LENGTH", "Must be 0 or fewer in length.");
    }
    choices(option, path, findings);
    for (name, least) in [("min_length", 0), ("max_length", 1)] {
        let wrong = option[name].as_u64().is_none_or(|given| given < least || given > TEXT_LIMIT_CHARS);
        if !option[name].is_null() && (wrong || kind(option) != STRING) {
            let message = format!("int value should be between {least} and {TEXT_LIMIT_CHARS}.");
            findings.add(&join(path, name), "NUMBER_TYPE_MAX", &message);
        }
    }
}

fn choices(option: &Value, path: &str, findings: &mut Findings) {
    let choices = list(option, "choices", path, findings);
    let path = &join(path, "choices");
    if choices.len() > CHOICES_LIMIT {
        findings.too_long(path, CHOICES_LIMIT);
    }
    let takes_choices = matches!(kind(option), 3 | 4 | 10);
    if (!choices.is_empty() && (!takes_choices || option["autocomplete"] == true))
        || (option["autocomplete"] == true && !takes_choices)
    {
        let message = "This option cannot have choices and autocomplete";
        findings.add(path, "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID", message);
    }
    for (number, choice) in choices.iter().enumerate() {
        self::choice(choice, kind(option) == STRING, &join(path, number), findings);
    }
}

/// One thing to choose.
pub(in crate::discord) fn choice(choice: &Value, is_text: bool, path: &str, findings: &mut Findings) {
    findings.unknown_members(path, choice, &["name", "name_localizations", "value"]);
    if text_within(choice, "name", CHOICE_LIMIT_CHARS, path, findings) == 0 {
        findings.missing(&join(path, "name"));
    }
    let value = &choice["value"];
    let right = if is_text { value.is_string() } else { value.is_number() };
    if !right {
        findings.wrong_type(&join(path, "value"), if is_text { "a string" } else { "a number" });
    } else if is_text {
        text_within(choice, "value", CHOICE_LIMIT_CHARS, path, findings);
    }
}
