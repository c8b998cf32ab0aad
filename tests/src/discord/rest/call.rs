//! One call: what is in its path, its query and its body.

use crate::discord::findings::Findings;
use crate::discord::refusal::Refusal;
use crate::discord::snowflake;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a call says.
#[derive(Clone, Debug)]
pub(super) struct Call {
    params: Vec<(&'static str, String)>,
    query: BTreeMap<String, String>,
    /// Null when there is none.
    pub(super) body: Value,
}

impl Call {
    pub(super) fn read(
        params: Vec<(&'static str, String)>,
        query: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        for (name, value) in &params {
            let is_id = !matches!(*name, "emoji" | "token");
            if is_id && snowflake::number(value).is_none() {
                let message = format!("Value \"{value}\" is not snowflake.");
                return Err(Findings::one(&format!("{name}_id"), "NUMBER_TYPE_COERCE", &message));
            }
        }
        let body = if body.is_empty() {
            Value::Null
        } else if content_type.split(';').next().unwrap_or_default().trim() != "application/json" {
            let message = "Expected \"Content-Type\" header to be one of {'application/json'}.";
            return Err(Findings::one("_misc", "CONTENT_TYPE_INVALID", message));
        } else {
            let wrong = |_| Refusal::new(400, 50_109, "The request body contains invalid JSON.");
            serde_json::from_slice(body).map_err(wrong)?
        };
        let url = reqwest::Url::parse(&format!("http://query.invalid/?{query}"));
        let pairs = url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default();
        Ok(Self { params, query: pairs, body })
    }

    /// What stands in the path in the place of a name.
    pub(super) fn at(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// An id in the query.
    pub(super) fn id(&self, name: &'static str) -> Result<Option<u64>, Refusal> {
        let Some(given) = self.asked(name) else { return Ok(None) };
        let wrong = || {
            let message = format!("Value \"{given}\" is not snowflake.");
            Findings::one(name, "NUMBER_TYPE_COERCE", &message)
        };
        snowflake::number(given).map(Some).ok_or_else(wrong)
    }

    /// How many of something are wanted at most.
    pub(super) fn limit(&self, usual: usize, most: usize) -> Result<usize, Refusal> {
        let Some(given) = self.asked("limit") else { return Ok(usual) };
        let wrong = || {
            let message = format!("int value should be between 1 and {most}.");
            Findings::one("limit", "NUMBER_TYPE_MAX", &message)
        };
        given.parse().ok().filter(|limit| (1..=most).contains(limit)).ok_or_else(wrong)
    }
}
