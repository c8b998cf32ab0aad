//! Forms that open.

use super::components::{CUSTOM_ID_LIMIT_CHARS, custom_id};
use crate::discord::findings::{Findings, join, list, text_within};
use serde_json::Value;
use std::collections::BTreeSet;

const TITLE_LIMIT_CHARS: usize = 45;
const ROWS_LIMIT: usize = 5;
const LABEL_LIMIT_CHARS: usize = 45;
const DESCRIPTION_LIMIT_CHARS: usize = 100;
const PLACEHOLDER_LIMIT_CHARS: usize = 100;
const VALUE_LIMIT_CHARS: usize = 4_000;
const ROW: u64 = 1;
const TEXT_INPUT: u64 = 4;
const LABEL: u64 = 18;

/// The inputs of a form in their order, each with the label that it has or that is around it.
pub(in crate::discord) fn inputs(form: &Value) -> Vec<(String, Value)> {
    let rows = form["components"].as_array().into_iter().flatten();
    let inside = rows.flat_map(|row| match row["type"].as_u64() {
        Some(LABEL) => vec![(row["label"].as_str().unwrap_or_default().to_owned(), row["component"].clone())],
        _ => {
            let inputs = row["components"].as_array().into_iter().flatten();
            inputs.map(|input| (input["label"].as_str().unwrap_or_default().to_owned(), input.clone())).collect()
        }
    });
    inside.collect()
}

/// What is wrong with the data of an answer that opens a form.
pub(in crate::discord) fn check(data: &Value, findings: &mut Findings) {
    findings.unknown_members("data", data, &["custom_id", "title", "components"]);
    for (name, limit) in [("custom_id", CUSTOM_ID_LIMIT_CHARS), ("title", TITLE_LIMIT_CHARS)] {
        let length = data[name].as_str().map_or(0, |text| text.chars().count());
        if length == 0 {
            findings.missing(&join("data", name));
        } else if length > limit {
            findings.bad_length(&join("data", name), 1, limit);
        }
    }
    let rows = list(data, "components", "data", findings);
    if rows.is_empty() || rows.len() > ROWS_LIMIT {
        findings.bad_length("data.components", 1, ROWS_LIMIT);
    }
    let mut names = BTreeSet::new();
    for (number, row) in rows.iter().enumerate() {
        let path = format!("data.components.{number}");
        match row["type"].as_u64() {
            Some(ROW) => {
                findings.unknown_members(&path, row, &["type", "id", "components"]);
                let inside = list(row, "components", &path, findings);
                if inside.len() != 1 {
                    findings.bad_length(&join(&path, "components"), 1, 1);
                }
                for (number, one) in inside.iter().enumerate() {
                    let path = format!("{path}.components.{number}");
                    label(one, &path, findings);
                    input(one, &path, &mut names, findings);
                }
            }
            Some(LABEL) => {
                findings.unknown_members(&path, row, &["type", "id", "label", "description", "component"]);
                label(row, &path, findings);
                text_within(row, "description", DESCRIPTION_LIMIT_CHARS, &path, findings);
                input(&row["component"], &join(&path, "component"), &mut names, findings);
            }
            _ => findings.no_choice(&join(&path, "type"), "(1, 18)"),
        }
    }
}

fn label(holder: &Value, path: &str, findings: &mut Findings) {
    let length = holder["label"].as_str().map_or(0, |text| text.chars().count());
    if length == 0 {
        findings.missing(&join(path, "label"));
    } else if length > LABEL_LIMIT_CHARS {
        findings.bad_length(&join(path, "label"), 1, LABEL_LIMIT_CHARS);
    }
}

fn input(input: &Value, path: &str, names: &mut BTreeSet<String>, findings: &mut Findings) {
    if input["type"].as_u64() != Some(TEXT_INPUT) {
        // Menus in forms are Discord's too; the stand-in knows of none, and Slipway has none.
        return findings.no_choice(&join(path, "type"), "(4,)");
    }
    let known =
        ["type", "id", "custom_id", "style", "label", "value", "placeholder", "required", "min_length", "max_length"];
    findings.unknown_members(path, input, &known);
    custom_id(input, path, names, findings);
    if !matches!(input["style"].as_u64(), Some(1 | 2)) {
        findings.no_choice(&join(path, "style"), "(1, 2)");
    }
    text_within(input, "placeholder", PLACEHOLDER_LIMIT_CHARS, path, findings);
    let value = text_within(input, "value", VALUE_LIMIT_CHARS, path, findings);
    let number = |name: &str| input[name].as_u64().and_then(|number| usize::try_from(number).ok());
    for (name, least) in [("min_length", 0), ("max_length", 1)] {
        let wrong = number(name).is_none_or(|given| given < least || given > VALUE_LIMIT_CHARS);
        if !input[name].is_null() && wrong {
            let message = format!("int value should be between {least} and {VALUE_LIMIT_CHARS}.");
            findings.add(&join(path, name), "NUMBER_TYPE_MAX", &message);
        }
    }
    let (least, most) = (number("min_length").unwrap_or(0), number("max_length").unwrap_or(VALUE_LIMIT_CHARS));
    if least > most {
        findings.add(&join(path, "min_length"), "BASE_TYPE_BAD_LENGTH", "The least is more than the most.");
    }
    if value > 0 && (value > most || value < least) {
        findings.bad_length(&join(path, "value"), least, most);
    }
}
