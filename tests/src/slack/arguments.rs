//! The arguments of a call, in each of the forms that Slack takes: query, form or JSON.

use super::refusal::Refusal;
use serde_json::Value;
use std::collections::BTreeMap;

/// Arguments by name.
#[derive(Debug, Default)]
pub(super) struct Arguments(BTreeMap<String, Value>);

impl Arguments {
    /// Reads the query, and the body in the form that `content_type` names.
    pub(super) fn read(query: &str, content_type: &str, body: &[u8]) -> Result<Self, Refusal> {
        let mut arguments = Self::default();
        arguments.add_pairs(query);
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind {
            "" if body.is_empty() => {}
            "application/x-www-form-urlencoded" => arguments.add_pairs(&String::from_utf8_lossy(body)),
            "application/json" => match serde_json::from_slice(body) {
                Ok(Value::Object(members)) => arguments.0.extend(members),
                Ok(_) => return Err(Refusal::code("json_not_object")),
                Err(_) => return Err(Refusal::code("invalid_json")),
            },
            _ => return Err(Refusal::code("invalid_post_type")),
        }
        Ok(arguments)
    }

    /// The members of a JSON object.
    pub(super) fn of_json(body: &Value) -> Result<Self, Refusal> {
        let members = body.as_object().ok_or_else(|| Refusal::code("json_not_object"))?;
        Ok(Self(members.clone().into_iter().collect()))
    }

    fn add_pairs(&mut self, pairs: &str) {
        let parsed: Vec<(String, String)> = pairs.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
        self.0.extend(parsed.into_iter().map(|(name, value)| (name, Value::String(value))));
    }

    /// A text that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        let given = self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        given.ok_or_else(|| Refusal::invalid_arguments(&format!("[ERROR] missing required field: {name}")))
    }

    /// A text that may be missing. Any other type is refused.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::invalid_arguments(&format!("[ERROR] must be a string [json-pointer:/{name}]"))),
        }
    }

    /// A number, as one or in a text.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let number = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(other) => other.as_u64(),
        };
        let refusal = || Refusal::invalid_arguments(&format!("[ERROR] must be an integer [json-pointer:/{name}]"));
        number.map(Some).ok_or_else(refusal)
    }

    /// JSON, as it is or written out in a text, as forms have it. What cannot be read is refused with `code`.
    pub(super) fn json(&self, name: &str, code: &'static str) -> Result<Option<Value>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| Refusal::code(code)),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// Whether it is said to be true; false where it is not given.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "1") => Ok(true),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "0") => Ok(false),
            Some(_) => Err(Refusal::invalid_arguments(&format!("[ERROR] must be a boolean: {name}"))),
        }
    }
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(name), decoded(value))
}

/// `%41` and `+`, as forms write them.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap_or(b'%')
            }
            plain => plain,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_form_and_json_say_the_same() {
        let form = "application/x-www-form-urlencoded";
        let json = br#"{"usergroup":"S 1&","include_disabled":true}"#;
        for read in [
            Arguments::read("usergroup=S+1%26&include_disabled=true", "", b""),
            Arguments::read("", form, b"usergroup=S%201%26&include_disabled=1"),
            Arguments::read("", "application/json; charset=utf-8", json),
        ] {
            let read = read.unwrap();
            assert_eq!((read.need("usergroup").unwrap(), read.flag("include_disabled").unwrap()), ("S 1&", true));
        }
        assert!(Arguments::read("", "text/plain", b"usergroup=S1").is_err());
        assert!(Arguments::read("usergroup=", "", b"").unwrap().need("usergroup").is_err());
    }
}
