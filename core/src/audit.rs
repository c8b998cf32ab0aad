//! The audit log as a hash chain: each record carries the hash of the one before, so that a change, a deletion or
//! a reordering shows. A cut-off tail shows only against an anchor: a count and a head that were written down
//! elsewhere.

mod anchor;
mod columns;
mod daily;
#[cfg(test)]
mod tests;
mod verify;

pub use anchor::{Anchor, BadAnchor};
pub use columns::Columns;
pub use daily::day_due;
pub use verify::{Breakage, Broken, Verifier, Whole};

use crate::ids::is_lower_hex;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt;
use thiserror::Error;

/// Separates a record's hash from any other SHA-256, and names the layout of what is hashed.
const RECORD_DOMAIN: &str = "slipway-audit-v1";

/// SHA-256 of a record: 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordHash(String);

/// Why a text is not a record's hash.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a record's hash is 64 lower-case hex digits, not {0:?}")]
pub struct BadHash(String);

impl RecordHash {
    /// What the first record has for a predecessor: 64 zeros.
    #[must_use]
    pub fn genesis() -> Self {
        Self("0".repeat(64))
    }

    /// Checks and wraps a hash.
    ///
    /// # Errors
    /// When the text is not 64 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self, BadHash> {
        if is_lower_hex(text, 64) { Ok(Self(text.to_owned())) } else { Err(BadHash(text.to_owned())) }
    }

    /// All 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RecordHash {
    type Error = BadHash;
    fn try_from(text: String) -> Result<Self, BadHash> {
        Self::parse(&text)
    }
}

impl From<RecordHash> for String {
    fn from(hash: RecordHash) -> Self {
        hash.0
    }
}

impl fmt::Display for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// When it happened.
    pub at: Timestamp,
    /// What kind of thing: `request`, `decision`, `vote`, …
    pub kind: String,
    /// The thing itself.
    pub body: Value,
    /// The policies in force, where they mattered.
    pub policy_hash: Option<String>,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// When it happened, to the millisecond.
    pub at: Timestamp,
    /// What kind of thing.
    pub kind: String,
    /// The thing itself. Contains no fractional numbers, which not every store gives back as it got them.
    pub body: Value,
    /// The policies in force, where they mattered.
    pub policy_hash: Option<String>,
    /// The hash of the record before.
    pub previous: RecordHash,
    /// The hash over all of the above.
    pub hash: RecordHash,
}

impl Record {
    /// What the hash should be.
    fn computed(&self) -> RecordHash {
        // Exhaustive on purpose: a new field must be put in or left out knowingly.
        let Self { seq, at, kind, body, policy_hash, previous, hash: _ } = self;
        let content = serde_json::json!([RECORD_DOMAIN, seq, at.to_string(), kind, body, policy_hash, previous]);
        RecordHash(hex::encode(Sha256::digest(canonical(&content))))
    }
}

/// Makes the next record of the chain. The time is cut to whole milliseconds and fractional numbers become text,
/// so that every store gives back exactly what was hashed.
#[must_use]
pub fn append(previous: Option<&Record>, draft: Draft) -> Record {
    let Draft { at, kind, body, policy_hash } = draft;
    let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    let mut record = Record {
        seq: previous.map_or(1, |record| record.seq + 1),
        at,
        kind,
        body: without_fractions(body),
        policy_hash,
        previous: previous.map_or_else(RecordHash::genesis, |record| record.hash.clone()),
        hash: RecordHash::genesis(),
    };
    record.hash = record.computed();
    record
}

fn without_fractions(value: Value) -> Value {
    match value {
        Value::Number(number) if !(number.is_i64() || number.is_u64()) => Value::String(number.to_string()),
        Value::Array(items) => items.into_iter().map(without_fractions).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, member)| (key, without_fractions(member))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// JSON without spaces and with sorted keys: the same value gives the same bytes, whatever order a store kept.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            let members =
                members.iter().map(|(key, member)| format!("{}:{}", Value::String((*key).clone()), canonical(member)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

/// SHA-256 of anything, as 64 lower-case hex digits: names a configuration without repeating it.
#[must_use]
pub fn content_hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}
