//! Names and identifiers, each a type of its own so that one cannot be passed for another.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id!(
    /// One attempt to bring a commit to an environment: a ULID, 26 characters.
    ReleaseId
);
text_id!(
    /// One human, whatever the chat: the name of a `[person.NAME]` section.
    PersonId
);
text_id!(
    /// The name of a `[service.NAME]` section.
    ServiceName
);
text_id!(
    /// The name of a `[service.X.environment.NAME]` section.
    EnvironmentName
);
text_id!(
    /// A group of people that policies speak of.
    TeamName
);

text_id!(
    /// A deployment that is to be asked for later: made like a [`ReleaseId`], and different from all of them.
    IntentId
);

impl IntentId {
    /// The first eight characters, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl PersonId {
    const SLIPWAY: &str = "slipway";

    /// Slipway itself, where nobody asked: it may do what policies permit `Person::"slipway"`, has no account anywhere
    /// and never votes.
    #[must_use]
    pub fn slipway() -> Self {
        Self(Self::SLIPWAY.to_owned())
    }

    /// Whether it is Slipway itself, so nobody.
    #[must_use]
    pub fn is_slipway(&self) -> bool {
        self.0 == Self::SLIPWAY
    }
}

impl ReleaseId {
    /// Ids made at least this far apart, in milliseconds, differ in their short form.
    pub const SHORT_WINDOW_MS: i64 = 1 << 10;

    /// The first eight characters, for people. They are part of the ULID's time and change every
    /// [`Self::SHORT_WINDOW_MS`]; whoever makes ids keeps them that far apart.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// Why a text is not a commit id or an image digest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadId {
    /// Not 40 lower-case hex digits.
    #[error("a commit is 40 lower-case hex digits, not {0:?}")]
    Commit(String),
    /// Not `sha256:` and 64 lower-case hex digits.
    #[error("an image digest is \"sha256:\" and 64 lower-case hex digits, not {0:?}")]
    ImageDigest(String),
}

pub(crate) fn is_lower_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A git commit: 40 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitSha(String);

impl CommitSha {
    /// Checks and wraps a full commit id.
    ///
    /// # Errors
    /// When the text is not 40 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        if is_lower_hex(text, 40) { Ok(Self(text.to_owned())) } else { Err(BadId::Commit(text.to_owned())) }
    }

    /// All 40 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 7 digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

/// The content address of an image: `sha256:` and 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageDigest(String);

impl ImageDigest {
    /// Checks and wraps a digest.
    ///
    /// # Errors
    /// When the text is not `sha256:` and 64 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        match text.strip_prefix("sha256:") {
            Some(hex) if is_lower_hex(hex, 64) => Ok(Self(text.to_owned())),
            _ => Err(BadId::ImageDigest(text.to_owned())),
        }
    }

    /// The whole digest with its `sha256:`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `sha256:3f8a…e1`, for people.
    #[must_use]
    pub fn short(&self) -> String {
        let hex = &self.0["sha256:".len()..];
        format!("sha256:{}…{}", &hex[..4], &hex[62..])
    }
}

macro_rules! checked_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
checked_text!(CommitSha);
checked_text!(ImageDigest);

/// A service's environment: the thing that is locked, queued for and released to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EnvironmentKey {
    /// The service.
    pub service: ServiceName,
    /// Its environment.
    pub environment: EnvironmentName,
}

impl fmt::Display for EnvironmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.service, self.environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lower_case_ids_are_taken() {
        let commit = "4c1f9e2b0d7a4c1f9e2b0d7a4c1f9e2b0d7a4c1f";
        assert_eq!(CommitSha::parse(commit).unwrap().short(), "4c1f9e2");
        for bad in ["", "main", "4c1f9e2", &commit.to_uppercase(), &format!("{commit}0")] {
            assert!(CommitSha::parse(bad).is_err(), "{bad}");
        }
        let digest = format!("sha256:{}", "3f8a".repeat(16));
        assert_eq!(ImageDigest::parse(&digest).unwrap().short(), "sha256:3f8a…8a");
        for bad in ["latest", "sha256:", &digest[..70], &digest.to_uppercase()] {
            assert!(ImageDigest::parse(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<CommitSha>("\"main\"").is_err());
    }
}
