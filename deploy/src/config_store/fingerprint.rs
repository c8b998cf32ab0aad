//! Keyed hashes of settings: they tell that a value changed, and nothing about it to whoever lacks the key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sha2::Sha256;
use slipway_core::configuration::{Fingerprints, KEY_NAME_LIMIT_CHARS, KEYS_LIMIT};
use thiserror::Error;

/// The shortest key: with less, whoever has the hashes could try all of them.
pub const FINGERPRINT_KEY_MIN_CHARS: usize = 32;

/// Separates these hashes from any other with the same key.
const VALUE_DOMAIN: &str = "slipway-config-value-v1";
const KEY_DOMAIN: &str = "slipway-config-key-v1";
/// How much of a hash is kept: 128 bits, so that no two values meet by chance.
const FINGERPRINT_BYTES: usize = 16;
/// How much of a hash names the key. It is not secret, and too little to try keys against.
const KEY_ID_BYTES: usize = 4;

/// The key would not keep the values from being guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("SLIPWAY_CONFIG_HMAC_KEY is shorter than {FINGERPRINT_KEY_MIN_CHARS} characters. Set a long random text.")]
pub struct KeyTooShort;

/// What settings are hashed with.
#[derive(Clone, Debug)]
pub struct FingerprintKey {
    secret: SecretString,
}

impl FingerprintKey {
    /// From at least [`FINGERPRINT_KEY_MIN_CHARS`] characters.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn new(secret: SecretString) -> Result<Self, KeyTooShort> {
        let long_enough = secret.expose_secret().chars().count() >= FINGERPRINT_KEY_MIN_CHARS;
        if long_enough { Ok(Self { secret }) } else { Err(KeyTooShort) }
    }

    /// A name for it, to tell hashes of another key from changed values.
    #[must_use]
    pub fn id(&self) -> String {
        self.hash(&[KEY_DOMAIN.as_bytes()], KEY_ID_BYTES)
    }

    fn hash(&self, parts: &[&[u8]], bytes: usize) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes()) else {
            // An HMAC takes keys of every length.
            return String::new();
        };
        for part in parts {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let hash = mac.finalize().into_bytes();
        hex::encode(hash.get(..bytes).unwrap_or(&hash))
    }
}

/// A hash for each key of a secret's value. The names of secret and key are in it, so that equal values in two places do
/// not look equal.
pub(crate) fn fingerprints(secret: &str, value: &[u8], key: &FingerprintKey) -> Fingerprints {
    let of = |name: &str, value: &[u8]| {
        let hash = key.hash(&[VALUE_DOMAIN.as_bytes(), secret.as_bytes(), name.as_bytes(), value], FINGERPRINT_BYTES);
        (name.to_owned(), hash)
    };
    let of = match serde_json::from_slice(value) {
        Ok(Value::Object(keys)) if can_be_told_apart(&keys) => {
            keys.iter().map(|(name, value)| of(name, value.to_string().as_bytes())).collect()
        }
        _ => [of(secret, value)].into(),
    };
    Fingerprints { key_id: key.id(), of }
}

fn can_be_told_apart(keys: &serde_json::Map<String, Value>) -> bool {
    keys.len() <= KEYS_LIMIT && keys.keys().all(|name| name.chars().count() <= KEY_NAME_LIMIT_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> FingerprintKey {
        FingerprintKey::new(SecretString::from(text.repeat(32))).unwrap()
    }

    fn of(json: &str) -> Fingerprints {
        fingerprints("goals/staging", json.as_bytes(), &key("k"))
    }

    #[test]
    fn a_key_must_be_long() {
        assert_eq!(FingerprintKey::new("x".repeat(31).into()).unwrap_err(), KeyTooShort);
        // Characters, not bytes.
        assert!(FingerprintKey::new("é".repeat(31).into()).is_err());
        assert!(!format!("{:?}", key("hunter2")).contains("hunter2"));
    }

    #[test]
    fn only_the_changed_key_has_another_hash() {
        let before = of(r#"{"SMTP_HOST":"smtp.acme.dev","PORT":"25"}"#);
        let now = of(r#"{ "PORT": "25",  "SMTP_HOST": "mail.acme.dev" }"#);
        assert_eq!(before.of["PORT"], now.of["PORT"]);
        assert_ne!(before.of["SMTP_HOST"], now.of["SMTP_HOST"]);
        assert!(!format!("{before:?}{now:?}").contains("acme"));
    }

    #[test]
    fn equal_values_in_two_places_do_not_look_equal() {
        let one = of(r#"{"A":"same","B":"same"}"#);
        assert_ne!(one.of["A"], one.of["B"]);
        let other = fingerprints("goals/production", br#"{"A":"same"}"#, &key("k"));
        assert_ne!(one.of["A"], other.of["A"]);
        // Nor does a value that ends where the name of another key begins.
        assert_ne!(of(r#"{"AB":"c"}"#).of["AB"], of(r#"{"A":"Bc"}"#).of["A"]);
    }

    #[test]
    fn another_key_is_another_name_and_another_hash() {
        let (one, other) = (of(r#"{"A":"x"}"#), fingerprints("goals/staging", br#"{"A":"x"}"#, &key("l")));
        assert_ne!(one.key_id, other.key_id);
        assert_ne!(one.of["A"], other.of["A"]);
        assert_eq!(one.key_id, key("k").id());
    }

    #[test]
    fn what_has_no_keys_or_too_many_is_one_value() {
        let many: serde_json::Map<_, _> = (0..=KEYS_LIMIT).map(|n| (n.to_string(), Value::Null)).collect();
        let long = format!("{{\"{}\":1}}", "x".repeat(KEY_NAME_LIMIT_CHARS + 1));
        for text in ["hunter2", "[1]", "", &Value::Object(many).to_string(), &long] {
            let seen = of(text);
            assert_eq!(seen.of.keys().collect::<Vec<_>>(), ["goals/staging"], "{text}");
        }
        assert_eq!(of("{}").of.len(), 0);
    }
}
