//! Members of a request: only those of the published model, each of the right type.

use super::server::Refusal;
use serde_json::{Map, Value};

/// An object's members, checked against what the model has.
pub(super) fn only<'a>(value: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, Refusal> {
    let object = value.as_object().ok_or_else(|| Refusal::serialization("expected an object"))?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(Refusal::serialization(&format!("unknown member {unknown}"))),
        None => Ok(object),
    }
}

/// A required text.
pub(super) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    match object.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(Value::String(_)) | None => Err(Refusal::invalid(&format!("Missing required member {name}"))),
        Some(_) => Err(Refusal::serialization(&format!("{name} must be a string"))),
    }
}

/// An optional text.
pub(super) fn optional_text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    if object.contains_key(name) { text(object, name).map(Some) } else { Ok(None) }
}

/// A text that must be one of a few.
pub(super) fn one_of(object: &Map<String, Value>, name: &str, values: &[&str]) -> Result<(), Refusal> {
    let given = text(object, name)?;
    if values.contains(&given) {
        return Ok(());
    }
    Err(Refusal::invalid(&format!("{name} must satisfy enum value set: {values:?}")))
}

/// `sha256:` and 64 lower-case hex digits.
pub(super) fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
