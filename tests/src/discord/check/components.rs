//! Buttons and menus under a message.

use crate::discord::findings::{Findings, flag, join, list, text, text_within};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ROWS_LIMIT: usize = 5;
const BUTTONS_LIMIT: usize = 5;
const LABEL_LIMIT_CHARS: usize = 80;
const PLACEHOLDER_LIMIT_CHARS: usize = 150;
const URL_LIMIT_CHARS: usize = 512;
const OPTIONS_LIMIT: usize = 25;
const OPTION_LIMIT_CHARS: usize = 100;
/// Longest name of a component, and of a form.
pub(super) const CUSTOM_ID_LIMIT_CHARS: usize = 100;
const ROW: u64 = 1;
const BUTTON: u64 = 2;
const LINK_STYLE: u64 = 5;

/// The components of a body as they are kept: with a number each.
pub(in crate::discord) fn read(body: &Value, findings: &mut Findings) -> Vec<Value> {
    let rows = list(body, "components", "", findings);
    if rows.len() > ROWS_LIMIT {
        findings.bad_length("components", 1, ROWS_LIMIT);
    }
    let mut names = BTreeSet::new();
    for (number, row) in rows.iter().enumerate() {
        let path = format!("components.{number}");
        if row["type"].as_u64() != Some(ROW) {
            findings.no_choice(&join(&path, "type"), "(1,)");
            continue;
        }
        findings.unknown_members(&path, row, &["type", "id", "components"]);
        self::row(row, &path, &mut names, findings);
    }
    numbered(rows)
}

/// Each component has a number of its own in the message.
fn numbered(rows: &[Value]) -> Vec<Value> {
    let mut next = 0;
    let mut number = |component: &mut Value| {
        next += 1;
        if component.is_object() {
            component["id"] = json!(next);
        }
    };
    let mut rows = rows.to_vec();
    for row in &mut rows {
        number(row);
        row["components"].as_array_mut().into_iter().flatten().for_each(&mut number);
    }
    rows
}

fn row(row: &Value, path: &str, names: &mut BTreeSet<String>, findings: &mut Findings) {
    let inside = list(row, "components", path, findings);
    let path = join(path, "components");
    let menus = inside.iter().filter(|component| component["type"].as_u64() != Some(BUTTON)).count();
    // A menu takes the whole row.
    let limit = if menus == 0 { BUTTONS_LIMIT } else { 1 };
    if inside.is_empty() || inside.len() > limit {
        findings.bad_length(&path, 1, limit);
    }
    for (number, component) in inside.iter().enumerate() {
        let path = join(&path, number);
        match component["type"].as_u64() {
            Some(BUTTON) => button(component, &path, names, findings),
            Some(3 | 5 | 6 | 7 | 8) => menu(component, &path, names, findings),
            _ => findings.no_choice(&join(&path, "type"), "(2, 3, 5, 6, 7, 8)"),
        }
    }
}

/// A name that no other component of the message or form has.
pub(super) fn custom_id(component: &Value, path: &str, names: &mut BTreeSet<String>, findings: &mut Findings) {
    let path = &join(path, "custom_id");
    let Some(name) = component["custom_id"].as_str() else { return findings.missing(path) };
    if name.is_empty() || name.chars().count() > CUSTOM_ID_LIMIT_CHARS {
        findings.bad_length(path, 1, CUSTOM_ID_LIMIT_CHARS);
    }
    if !names.insert(name.to_owned()) {
        let message = "Component custom id cannot be duplicated";
        findings.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", message);
    }
}

fn button(button: &Value, path: &str, names: &mut BTreeSet<String>, findings: &mut Findings) {
    let known = ["type", "id", "custom_id", "style", "label", "disabled", "url", "emoji"];
    findings.unknown_members(path, button, &known);
    let label = text_within(button, "label", LABEL_LIMIT_CHARS, path, findings);
    if label == 0 && button["emoji"].is_null() {
        findings.add(path, "BUTTON_COMPONENT_INVALID_FORM", "A button must have a label or an emoji.");
    }
    flag(button, "disabled", path, findings);
    match button["style"].as_u64() {
        Some(1..=4) => {
            custom_id(button, path, names, findings);
            if !button["url"].is_null() {
                let message = "A custom id and url cannot both be specified";
                findings.add(path, "BUTTON_COMPONENT_CUSTOM_ID_AND_URL", message);
            }
        }
        Some(LINK_STYLE) => {
            text_within(button, "url", URL_LIMIT_CHARS, path, findings);
            let url = button["url"].as_str().unwrap_or_default();
            if !reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "discord")) {
                findings.add(&join(path, "url"), "BUTTON_COMPONENT_URL_REQUIRED", "A url is required");
            }
            if !button["custom_id"].is_null() {
                let message = "A custom id and url cannot both be specified";
                findings.add(path, "BUTTON_COMPONENT_CUSTOM_ID_AND_URL", message);
            }
        }
        _ => findings.no_choice(&join(path, "style"), "(1, 2, 3, 4, 5)"),
    }
}

fn menu(menu: &Value, path: &str, names: &mut BTreeSet<String>, findings: &mut Findings) {
    custom_id(menu, path, names, findings);
    text_within(menu, "placeholder", PLACEHOLDER_LIMIT_CHARS, path, findings);
    if menu["type"] != 3 {
        return;
    }
    let options = list(menu, "options", path, findings);
    if options.is_empty() || options.len() > OPTIONS_LIMIT {
        findings.bad_length(&join(path, "options"), 1, OPTIONS_LIMIT);
    }
    let mut values = BTreeSet::new();
    for (number, option) in options.iter().enumerate() {
        let path = format!("{path}.options.{number}");
        for name in ["label", "value"] {
            if text_within(option, name, OPTION_LIMIT_CHARS, &path, findings) == 0 {
                findings.missing(&join(&path, name));
            }
        }
        if let Some(value) = text(option, "value", &path, findings)
            && !values.insert(value)
        {
            let message = "The specified option value is already used";
            findings.add(&join(&path, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message);
        }
    }
}
