//! What orders migrations: a number for most tools, text that is made of numbers for all of them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;

/// The most characters of a version.
pub const VERSION_LIMIT_CHARS: usize = 50;

/// A migration's version, as its file and the history table write it: `20251104120000`, `0007`, `1.2`.
///
/// Ordered by its numbers from left to right; of two with the same numbers (`7`, `007`) the text decides.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

impl Version {
    /// Digits, or digits with dots between them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        (parts && text.len() <= VERSION_LIMIT_CHARS).then(|| Self(text.into()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number, if it is one that a `bigint` holds.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The number, if writing it gives the same text again.
    fn plain_number(&self) -> Option<i64> {
        self.number().filter(|number| *number.to_string() == *self.0)
    }

    fn numbers(&self) -> impl Iterator<Item = &str> {
        self.0.split('.').map(|part| part.trim_start_matches('0'))
    }
}

impl From<u64> for Version {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of as many digits the text has the order of the numbers: the usual case, and maps ask often.
        if self.0.len() == other.0.len() && !self.0.contains('.') && !other.0.contains('.') {
            return self.0.cmp(&other.0);
        }
        let (mut ours, mut theirs) = (self.numbers(), other.numbers());
        loop {
            let order = match (ours.next(), theirs.next()) {
                (Some(a), Some(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
                (Some(_), None) => Ordering::Greater,
                (None, Some(_)) => Ordering::Less,
                (None, None) => return self.0.cmp(&other.0),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A number where it is one: that is how versions were stored before there were others.
impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.plain_number() {
            Some(number) => serializer.serialize_i64(number),
            None => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored {
            Number(i64),
            Text(String),
        }
        let text = match Stored::deserialize(deserializer)? {
            Stored::Number(number) => number.to_string(),
            Stored::Text(text) => text,
        };
        Self::parse(&text).ok_or_else(|| D::Error::custom("a migration's version is made of digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn numbers_decide_and_then_the_text() {
        let sorted = ["1", "01", "1.1", "1.02", "1.10", "2", "9", "10", "20251104120000"].map(version);
        let mut shuffled = sorted.clone();
        shuffled.reverse();
        shuffled.sort();
        let mut expected = sorted.to_vec();
        expected.swap(0, 1);
        assert_eq!(shuffled.to_vec(), expected);
    }

    #[test]
    fn only_digits_and_dots_between_them() {
        for text in ["", ".", "1.", ".1", "1..2", "v1", "-1", "1 ", "٣", &"1".repeat(51)] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn stored_as_a_number_where_it_is_one() {
        for (text, stored) in [("7", "7"), ("007", "\"007\""), ("1.2", "\"1.2\""), ("20251104120000", "20251104120000")]
        {
            assert_eq!(serde_json::to_string(&version(text)).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Version>(stored).unwrap(), version(text));
        }
        serde_json::from_str::<Version>("-1").unwrap_err();
    }
}
