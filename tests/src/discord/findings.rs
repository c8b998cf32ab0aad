//! What is wrong with a body, in Discord's shape.

use super::refusal::Refusal;
use serde_json::{Value, json};

/// Errors by place: `embeds.0.title`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Findings(Vec<(String, &'static str, String)>);

impl Findings {
    pub(super) fn add(&mut self, path: &str, code: &'static str, message: &str) {
        self.0.push((path.to_owned(), code, message.to_owned()));
    }

    pub(super) fn one(path: &str, code: &'static str, message: &str) -> Refusal {
        let mut findings = Self::default();
        findings.add(path, code, message);
        findings.refusal()
    }

    pub(super) fn missing(&mut self, path: &str) {
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    pub(super) fn too_long(&mut self, path: &str, limit: usize) {
        self.add(path, "BASE_TYPE_MAX_LENGTH", &format!("Must be {limit} or fewer in length."));
    }

    pub(super) fn bad_length(&mut self, path: &str, least: usize, most: usize) {
        self.add(path, "BASE_TYPE_BAD_LENGTH", &format!("Must be between {least} and {most} in length."));
    }

    pub(super) fn no_choice(&mut self, path: &str, choices: &str) {
        self.add(path, "BASE_TYPE_CHOICES", &format!("Value must be one of {choices}."));
    }

    pub(super) fn wrong_type(&mut self, path: &str, wanted: &str) {
        self.add(path, "BASE_TYPE_WRONG", &format!("This field must be {wanted}."));
    }

    /// A member that the real service would leave aside, and the bot would believe in. Nothing is no such member.
    pub(super) fn unknown_members(&mut self, path: &str, value: &Value, known: &[&str]) {
        let is_nothing = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        for (name, value) in value.as_object().into_iter().flatten() {
            if !known.contains(&name.as_str()) && !is_nothing(value) {
                self.add(&join(path, name), "UNKNOWN_FIELD", "The sandbox knows of no such field.");
            }
        }
    }

    pub(super) fn done(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(self.refusal()) }
    }

    fn refusal(self) -> Refusal {
        let mut errors = json!({});
        for (path, code, message) in self.0 {
            let mut place = &mut errors;
            for part in path.split('.').filter(|part| !part.is_empty()) {
                place = &mut place[part];
            }
            let new = json!({ "code": code, "message": message });
            match place["_errors"].as_array_mut() {
                Some(list) => list.push(new),
                None => place["_errors"] = json!([new]),
            }
        }
        Refusal { errors: Some(errors), ..Refusal::new(400, 50_035, "Invalid Form Body") }
    }
}

/// A place within a place.
pub(super) fn join(path: &str, part: impl std::fmt::Display) -> String {
    if path.is_empty() { part.to_string() } else { format!("{path}.{part}") }
}

/// An optional text; null is none. What is no text is a finding.
pub(super) fn text<'a>(value: &'a Value, name: &str, path: &str, findings: &mut Findings) -> Option<&'a str> {
    match value.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            findings.wrong_type(&join(path, name), "a string");
            None
        }
    }
}

/// An optional text of at most so many characters.
pub(super) fn text_within(value: &Value, name: &str, limit: usize, path: &str, findings: &mut Findings) -> usize {
    let length = text(value, name, path, findings).map_or(0, |text| text.chars().count());
    if length > limit {
        findings.too_long(&join(path, name), limit);
    }
    length
}

/// An optional list; null is an empty one.
pub(super) fn list<'a>(value: &'a Value, name: &str, path: &str, findings: &mut Findings) -> &'a [Value] {
    match value.get(name) {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) => items,
        Some(_) => {
            findings.add(&join(path, name), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            &[]
        }
    }
}

/// An optional yes or no.
pub(super) fn flag(value: &Value, name: &str, path: &str, findings: &mut Findings) -> bool {
    match value.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            findings.add(&join(path, name), "BOOLEAN_TYPE_PARSE", "Must be either true or false.");
            false
        }
    }
}
