//! What a service reads its settings from: which version of each secret it ran with, and which keys differ since.
//! Names and keyed hashes only; values never come here.

use crate::ids::{CommitSha, ReleaseId};
use crate::plan::ConfigVersion;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many keys of one secret are told apart. A secret with more counts as one value.
pub const KEYS_LIMIT: usize = 200;
/// The longest name of a key that is told apart, in characters. A secret with a longer one counts as one value.
pub const KEY_NAME_LIMIT_CHARS: usize = 128;

/// What is known of a secret's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "seen", rename_all = "snake_case")]
pub enum KeysSeen {
    /// Nothing: there was no key to hash them with.
    #[default]
    NotHashed,
    /// Nothing: Slipway may not read the value.
    NotAllowed,
    /// A keyed hash of each.
    Hashed(Fingerprints),
}

impl KeysSeen {
    /// Whether nothing is known only because there was no key to hash with.
    #[must_use]
    pub fn is_not_hashed(&self) -> bool {
        *self == Self::NotHashed
    }
}

/// A keyed hash for each key of one secret, or one for all of it under the secret's own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Which key they were hashed with. Those of another key cannot be compared.
    pub key_id: String,
    /// By name; untrusted text.
    pub of: BTreeMap<String, String>,
}

/// What a release was started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RanWith {
    /// The release.
    pub release: ReleaseId,
    /// Its commit.
    pub commit: CommitSha,
    /// When it went live.
    pub at: Timestamp,
    /// The secrets.
    pub secrets: Vec<ConfigVersion>,
}

/// What the running release was started with, against what is stored by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The release that runs.
    pub release: ReleaseId,
    /// Its commit.
    pub commit: CommitSha,
    /// When it went live.
    pub since: Timestamp,
    /// What differs; nothing when this is empty.
    pub changes: Vec<SecretChange>,
}

impl Drift {
    /// Compares.
    #[must_use]
    pub fn between(ran: &RanWith, now: &[ConfigVersion]) -> Self {
        let changes = changes(&ran.secrets, now);
        Self { release: ran.release.clone(), commit: ran.commit.clone(), since: ran.at, changes }
    }
}

/// One secret that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretChange {
    /// Its name.
    pub secret: String,
    /// How it differs.
    #[serde(flatten)]
    pub what: Changed,
}

/// How a secret differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "changed", rename_all = "snake_case")]
pub enum Changed {
    /// In these keys; untrusted text.
    Keys {
        /// By name.
        keys: BTreeMap<String, KeyChange>,
    },
    /// It was stored again, and it is not known which keys are others.
    Somehow {
        /// Why not.
        why: Unknown,
    },
    /// It was not among the environment's secrets then.
    Added,
}

/// How a key differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChange {
    /// Another value.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

impl KeyChange {
    /// One word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// Why it is not known which keys differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// There is no key to hash them with now.
    NoKey,
    /// There was none when the release went live.
    NoKeyThen,
    /// There was another one then.
    OtherKey,
    /// Slipway may not read the value, or might not then.
    NotAllowed,
}

impl Unknown {
    /// The reason in a few words.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::NoKey => "SLIPWAY_CONFIG_HMAC_KEY is not set",
            Self::NoKeyThen => "they were not recorded when this went live",
            Self::OtherKey => "SLIPWAY_CONFIG_HMAC_KEY was another one when this went live",
            Self::NotAllowed => "AWS does not allow secretsmanager:GetSecretValue",
        }
    }
}

/// What differs between the secrets as they were and as they are. One that was stored again with the same keys and
/// values is no change, where that can be told.
#[must_use]
pub fn changes(before: &[ConfigVersion], now: &[ConfigVersion]) -> Vec<SecretChange> {
    let change = |secret: &ConfigVersion| {
        let what = match before.iter().find(|other| other.secret == secret.secret) {
            Some(before) => changed(before, secret)?,
            None => Changed::Added,
        };
        Some(SecretChange { secret: secret.secret.clone(), what })
    };
    now.iter().filter_map(change).collect()
}

fn changed(before: &ConfigVersion, now: &ConfigVersion) -> Option<Changed> {
    if before.version_id == now.version_id {
        return None;
    }
    let somehow = |why| Some(Changed::Somehow { why });
    match (&before.keys, &now.keys) {
        (_, KeysSeen::NotHashed) => somehow(Unknown::NoKey),
        (KeysSeen::NotAllowed, _) | (_, KeysSeen::NotAllowed) => somehow(Unknown::NotAllowed),
        (KeysSeen::NotHashed, _) => somehow(Unknown::NoKeyThen),
        (KeysSeen::Hashed(before), KeysSeen::Hashed(now)) if before.key_id != now.key_id => somehow(Unknown::OtherKey),
        (KeysSeen::Hashed(before), KeysSeen::Hashed(now)) => {
            let keys = between(before, now);
            (!keys.is_empty()).then_some(Changed::Keys { keys })
        }
    }
}

fn between(before: &Fingerprints, now: &Fingerprints) -> BTreeMap<String, KeyChange> {
    let removed = before.of.keys().filter(|name| !now.of.contains_key(*name));
    let removed = removed.map(|name| (name.clone(), KeyChange::Removed));
    let differs = now.of.iter().filter_map(|(name, hash)| match before.of.get(name) {
        None => Some((name.clone(), KeyChange::Added)),
        Some(before) => (before != hash).then(|| (name.clone(), KeyChange::Changed)),
    });
    removed.chain(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn secret(version: &str, key_id: &str, keys: &[(&str, &str)]) -> ConfigVersion {
        let of = keys.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect();
        let keys = KeysSeen::Hashed(Fingerprints { key_id: key_id.to_owned(), of });
        ConfigVersion { keys, ..ConfigVersion::new("goals/staging", version) }
    }

    fn what(before: &ConfigVersion, now: &ConfigVersion) -> Option<Changed> {
        changes(std::slice::from_ref(before), std::slice::from_ref(now)).pop().map(|change| change.what)
    }

    #[test]
    fn keys_are_compared_by_name() {
        let before = secret("v1", "k", &[("SMTP_HOST", "a"), ("OLD", "b"), ("SAME", "c")]);
        let now = secret("v2", "k", &[("SMTP_HOST", "x"), ("SENTRY_DSN", "y"), ("SAME", "c")]);
        let Some(Changed::Keys { keys }) = what(&before, &now) else { panic!() };
        let keys: Vec<_> = keys.iter().map(|(name, change)| format!("{name} {}", change.name())).collect();
        assert_eq!(keys, ["OLD removed", "SENTRY_DSN added", "SMTP_HOST changed"]);
    }

    #[test]
    fn what_was_stored_again_as_it_was_is_no_change() {
        let before = secret("v1", "k", &[("SMTP_HOST", "a")]);
        assert_eq!(what(&before, &secret("v2", "k", &[("SMTP_HOST", "a")])), None);
        assert_eq!(what(&before, &secret("v1", "k", &[("SMTP_HOST", "x")])), None);
    }

    #[test]
    fn a_new_key_for_the_hashes_does_not_show_every_key_as_changed() {
        let before = secret("v1", "k", &[("SMTP_HOST", "a")]);
        let why = |before: &ConfigVersion, now: &ConfigVersion| match what(before, now) {
            Some(Changed::Somehow { why }) => Some(why),
            _ => None,
        };
        assert_eq!(what(&before, &secret("v1", "other", &[("SMTP_HOST", "x")])), None);
        assert_eq!(why(&before, &secret("v2", "other", &[("SMTP_HOST", "x")])), Some(Unknown::OtherKey));
        let bare = |version| ConfigVersion::new("goals/staging", version);
        assert_eq!(why(&before, &bare("v2")), Some(Unknown::NoKey));
        assert_eq!(why(&bare("v1"), &secret("v2", "k", &[])), Some(Unknown::NoKeyThen));
        let denied = ConfigVersion { keys: KeysSeen::NotAllowed, ..bare("v2") };
        assert_eq!(why(&before, &denied), Some(Unknown::NotAllowed));
    }

    #[test]
    fn a_secret_that_is_new_among_them_is_told_and_one_that_is_not_looked_at_any_more_is_not() {
        let changes = changes(&[ConfigVersion::new("goals/old", "v1")], &[ConfigVersion::new("goals/new", "v1")]);
        assert_eq!(changes, [SecretChange { secret: "goals/new".to_owned(), what: Changed::Added }]);
    }
}
