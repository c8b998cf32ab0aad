//! The end of the chain, in the form in which it is kept elsewhere.

use super::RecordHash;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The end of the chain at some moment, kept where whoever can change the log cannot. Written as `COUNT:HASH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// How many records there were.
    pub count: u64,
    /// The hash of the last of them; the genesis hash when there were none.
    pub head: RecordHash,
}

/// Why a text is no anchor.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no anchor; copy it as it was posted: the number of records, a colon, and 64 hex digits")]
pub struct BadAnchor(String);

impl Anchor {
    /// The anchor of a chain without records.
    #[must_use]
    pub fn genesis() -> Self {
        Self { count: 0, head: RecordHash::genesis() }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.count, self.head)
    }
}

impl FromStr for Anchor {
    type Err = BadAnchor;

    fn from_str(text: &str) -> Result<Self, BadAnchor> {
        let bad = || BadAnchor(text.chars().take(100).collect());
        let (count, head) = text.trim().split_once(':').ok_or_else(bad)?;
        let plain = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        let count = count.parse().ok().filter(|_| plain).ok_or_else(bad)?;
        let head = RecordHash::parse(head).map_err(|_| bad())?;
        // Before the first record there is nothing else that a head could be.
        if count == 0 && head != RecordHash::genesis() { Err(bad()) } else { Ok(Self { count, head }) }
    }
}
