//! A message as Discord takes it.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The most people that a message may notify.
const NOTIFIED_LIMIT: usize = 100;
/// How much of a key's hash stands in a marker.
const MARKER_HASH_BYTES: usize = 16;

/// What is posted.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// What notifications and screen readers get, in Discord's markdown with everything from elsewhere escaped.
    pub content: String,
    /// What is shown below it; at most 10.
    pub embeds: Vec<Value>,
    /// Rows of buttons; at most 5.
    pub components: Vec<Value>,
    /// The ids of those whom the message notifies. Nobody else is, whatever the text holds.
    pub notified: Vec<String>,
}

impl Rendered {
    /// The members that posts, edits and answers have in common. All are always there: what an edit leaves out would
    /// stay as it was, and without `allowed_mentions` every mention in the text would notify.
    #[must_use]
    pub fn body(&self) -> Map<String, Value> {
        let users: Vec<&String> = self.notified.iter().take(NOTIFIED_LIMIT).collect();
        let mut body = Map::new();
        body.insert("content".to_owned(), self.content.as_str().into());
        body.insert("embeds".to_owned(), self.embeds.clone().into());
        body.insert("components".to_owned(), self.components.clone().into());
        body.insert("allowed_mentions".to_owned(), json!({ "parse": [], "users": users }));
        body
    }
}

/// The address by which a message of ours is found again: an embed has it, and nobody sees it. It leads nowhere.
#[must_use]
pub fn marker(key: &str) -> String {
    format!("https://slipway.invalid/m/{}", key_hash(key, MARKER_HASH_BYTES))
}

/// So many bytes of a key's hash, as hexadecimal digits.
pub(super) fn key_hash(key: &str, length_bytes: usize) -> String {
    let hash = Sha256::digest(key.as_bytes());
    hex::encode(&hash[..length_bytes.min(hash.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_always_sent_and_nobody_is_notified_by_chance() {
        let people = || (0..NOTIFIED_LIMIT * 2).map(|id| id.to_string());
        let what = Rendered { content: "@everyone".into(), embeds: vec![], components: vec![], notified: vec![] };
        let expected =
            r#"{"allowed_mentions":{"parse":[],"users":[]},"components":[],"content":"@everyone","embeds":[]}"#;
        let body = |what: &Rendered| serde_json::to_value(what.body()).unwrap();
        assert_eq!(body(&what), serde_json::from_str::<Value>(expected).unwrap());
        let many = Rendered { notified: people().collect(), ..what };
        let named = body(&many)["allowed_mentions"]["users"].clone();
        assert_eq!(named, json!(people().take(NOTIFIED_LIMIT).collect::<Vec<_>>()));
    }

    #[test]
    fn a_marker_tells_keys_apart_and_nothing_of_them() {
        assert_eq!(marker("r7/card"), "https://slipway.invalid/m/3229c9b17486c7a691a1c83b91f0a0d6");
        assert_ne!(marker("r7/card"), marker("r8/card"));
        let strange = marker("?/#\n\u{1f600}");
        assert!(strange["https://slipway.invalid/m/".len()..].bytes().all(|b| b.is_ascii_hexdigit()), "{strange}");
    }
}
