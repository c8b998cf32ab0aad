//! A small language for the shapes of AWS's published service models, and a strict check against them.

use super::answer::Refusal;
use regex::Regex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// What a JSON value has to be.
pub(super) enum Shape {
    /// Text of a length in characters, and of a pattern that all of it matches.
    Text { min: usize, max: usize, pattern: Option<&'static str> },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number.
    Whole { min: i64, max: i64 },
    /// `true` or `false`.
    Truth,
    /// A list.
    List { of: &'static Shape, min: usize, max: usize },
    /// An object with keys of the caller's choice.
    Map { key: &'static Shape, value: &'static Shape },
    /// An object with these members and no others.
    Members(&'static [Member]),
    /// Known by name and not modelled further: what uses it is refused anyway.
    Object,
}

/// One member of a structure.
pub(super) struct Member {
    name: &'static str,
    shape: &'static Shape,
    required: bool,
}

/// A member that has to be there.
pub(super) const fn must(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, required: true }
}

/// A member that may be there.
pub(super) const fn may(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, required: false }
}

static COMPILED: LazyLock<Mutex<HashMap<&'static str, Regex>>> = LazyLock::new(Mutex::default);

/// Whether all of the text matches. A pattern that is none matches nothing.
pub(super) fn matches(pattern: &'static str, text: &str) -> bool {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = compiled.get(pattern) {
        return regex.is_match(text);
    }
    let Ok(regex) = Regex::new(&format!("^(?:{pattern})$")) else {
        return false;
    };
    let good = regex.is_match(text);
    compiled.insert(pattern, regex);
    good
}

impl Shape {
    /// Checks a whole request. `code` is what this service calls a broken constraint.
    pub(super) fn check(&self, value: &Value, code: &'static str) -> Result<(), Refusal> {
        self.at(value, "request", code)
    }

    fn at(&self, value: &Value, path: &str, code: &'static str) -> Result<(), Refusal> {
        let wrong_type = || Err(Refusal::new("SerializationException", format!("{path} has the wrong JSON type")));
        let broken = |what: String| {
            let text = format!("1 validation error detected: Value at '{path}' failed to satisfy constraint: {what}");
            Err(Refusal::new(code, text))
        };
        match (self, value) {
            (Self::Text { min, max, pattern }, Value::String(text)) => {
                let length = text.chars().count();
                if length < *min || length > *max {
                    return broken(format!("Member must have length between {min} and {max}"));
                }
                match pattern {
                    Some(pattern) if !matches(pattern, text) => {
                        broken(format!("Member must satisfy regular expression pattern: {pattern}"))
                    }
                    _ => Ok(()),
                }
            }
            (Self::OneOf(words), Value::String(text)) => {
                if words.contains(&text.as_str()) {
                    return Ok(());
                }
                broken(format!("Member must satisfy enum value set: [{}]", words.join(", ")))
            }
            (Self::Whole { min, max }, Value::Number(number)) => match number.as_i64() {
                Some(number) if number >= *min && number <= *max => Ok(()),
                Some(_) => broken(format!("Member must have value between {min} and {max}")),
                None => wrong_type(),
            },
            (Self::Truth, Value::Bool(_)) | (Self::Object, Value::Object(_)) => Ok(()),
            (Self::List { of, min, max }, Value::Array(items)) => {
                if items.len() < *min || items.len() > *max {
                    return broken(format!("Member must have length between {min} and {max}"));
                }
                items.iter().enumerate().try_for_each(|(n, item)| of.at(item, &format!("{path}.{n}"), code))
            }
            (Self::Map { key, value: of }, Value::Object(members)) => members.iter().try_for_each(|(name, member)| {
                key.at(&Value::String(name.clone()), &format!("{path} key"), code)?;
                of.at(member, &format!("{path}.{name}"), code)
            }),
            (Self::Members(known), Value::Object(given)) => members(known, given, path, code),
            _ => wrong_type(),
        }
    }
}

fn members(
    known: &[Member],
    given: &serde_json::Map<String, Value>,
    path: &str,
    code: &'static str,
) -> Result<(), Refusal> {
    if let Some(name) = given.keys().find(|name| known.iter().all(|member| member.name != name.as_str())) {
        // AWS itself may ignore these. Here they are mistakes that a test should show.
        return Err(Refusal::new("SerializationException", format!("{path} has an unknown member {name}")));
    }
    for member in known {
        let inner = format!("{path}.{}", member.name);
        match given.get(member.name).filter(|value| !value.is_null()) {
            Some(value) => member.shape.at(value, &inner, code)?,
            None if member.required => {
                let text = format!(
                    "1 validation error detected: Value null at '{inner}' failed to satisfy constraint: Member must \
                     not be null"
                );
                return Err(Refusal::new(code, text));
            }
            None => {}
        }
    }
    Ok(())
}
