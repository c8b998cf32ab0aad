//! Reading the chain again, record by record: whole, or broken at the first place where something is wrong.

use super::{Anchor, Record};
use jiff::Timestamp;
use std::cmp::Ordering;
use std::error::Error as StdError;
use std::fmt;
use thiserror::Error;

/// How much of a kind is repeated in a sentence: whoever changed the record may have written anything there.
const KIND_LIMIT_CHARS: usize = 40;

/// What is wrong with a chain, at the first place where something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The place in the chain, from 1.
    pub seq: u64,
    /// When the record there says that it happened; `None` where there is none.
    pub at: Option<Timestamp>,
    /// Of what kind it says that it is.
    pub kind: Option<String>,
    /// What is wrong there.
    pub what: Breakage,
}

impl StdError for Broken {}

impl fmt::Display for Broken {
    /// `record 12 (vote_refused, 2026-11-24T08:00:00Z): it was changed after it was written`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}", self.seq)?;
        if let (Some(at), Some(kind)) = (self.at, &self.kind) {
            let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '?' };
            write!(f, " ({}, {at})", kind.chars().take(KIND_LIMIT_CHARS).map(plain).collect::<String>())?;
        }
        write!(f, ": {}", self.what)
    }
}

/// A kind of tampering, or of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Breakage {
    /// It cannot be read as a record any more.
    #[error("it is no record any more")]
    Unreadable,
    /// Its content is not what was hashed.
    #[error("it was changed after it was written")]
    Changed,
    /// It is not there.
    #[error("it is missing")]
    Missing,
    /// It is somewhere else.
    #[error("it is not in its place, the records are not in their order")]
    Reordered,
    /// In its place is one that was there before.
    #[error("an earlier record is there again in its place")]
    Doubled,
    /// It follows another record than the one before it: that one was replaced.
    #[error("it does not follow the record before it, which was replaced")]
    BadLink,
    /// The anchor says that there were more.
    #[error("it and everything after it were cut off, as the anchor shows")]
    CutOff,
    /// The anchor says that this record was another.
    #[error("it is not the record that the anchor names, so the chain was written anew")]
    Rewritten,
    /// There is only a later piece of the chain.
    #[error("it is the first one here, and the anchor is of an earlier one; export from further back")]
    AnchorBefore,
}

/// A chain, or a piece of one, in which nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The number of its first record; 1 unless it is a piece.
    pub first: u64,
    /// The anchor of its end.
    pub end: Anchor,
    /// How many records came after the given anchor; `None` without one.
    pub after_anchor: Option<u64>,
}

/// Verifies a chain while its records pass by, keeping none of them.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// Where the chain begins; `None`: with whatever record comes first.
    first: Option<u64>,
    /// The end of what has been verified.
    end: Anchor,
    anchor: Option<Anchor>,
    /// A record was missing where it should be. It may come later, and then it was moved.
    gap: bool,
    broken: Option<Broken>,
}

impl Verifier {
    /// For a chain from its first record, which must still contain what the anchor saw.
    #[must_use]
    pub fn new(anchor: Option<Anchor>) -> Self {
        Self { first: Some(1), end: Anchor::genesis(), anchor, gap: false, broken: None }
    }

    /// For a piece of a chain: what its first record says of the one before is believed.
    #[must_use]
    pub fn of_a_piece(anchor: Option<Anchor>) -> Self {
        Self { first: None, ..Self::new(anchor) }
    }

    /// Looks at the next record as it is stored. `row` is the number under which a store keeps it. Gives the record if
    /// it fits; nothing from the first on that does not.
    pub fn look(&mut self, row: Option<i64>, text: &[u8]) -> Option<Record> {
        if self.is_decided() {
            return None;
        }
        let record: Option<Record> = serde_json::from_slice(text).ok();
        if self.gap {
            self.look_for_the_missing(record.as_ref());
            return None;
        }
        let Some(record) = record else {
            self.breaks(None, Breakage::Unreadable);
            return None;
        };
        if self.first.is_none() {
            self.begin_with(&record);
        }
        let wrong = self.wrong_with(&record, row, text).or_else(|| self.wrong_for_the_anchor(&record));
        if let Some(what) = wrong {
            self.breaks(Some(&record), what);
            return None;
        }
        self.end = Anchor { count: record.seq, head: record.hash.clone() };
        Some(record)
    }

    /// Whether nothing that comes can change the answer.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.broken.is_some() && !self.gap
    }

    /// The answer after the last record.
    ///
    /// # Errors
    /// The first place where something is wrong.
    pub fn finish(self) -> Result<Whole, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let after_anchor = match &self.anchor {
            None => None,
            Some(anchor) if anchor.count > self.end.count => {
                return Err(Broken { seq: self.expected(), at: None, kind: None, what: Breakage::CutOff });
            }
            Some(anchor) => Some(self.end.count - anchor.count),
        };
        Ok(Whole { first: self.first.unwrap_or(1), end: self.end, after_anchor })
    }

    fn expected(&self) -> u64 {
        self.end.count.saturating_add(1)
    }

    fn begin_with(&mut self, record: &Record) {
        self.first = Some(record.seq);
        if record.seq > 1 {
            self.end = Anchor { count: record.seq - 1, head: record.previous.clone() };
        }
    }

    fn wrong_with(&self, record: &Record, row: Option<i64>, text: &[u8]) -> Option<Breakage> {
        let expected = self.expected();
        if record.computed() != record.hash || !is_all_of(record, text) {
            Some(Breakage::Changed)
        } else if record.seq < expected {
            Some(Breakage::Doubled)
        } else if record.seq > expected {
            Some(Breakage::Missing)
        } else if row.is_some_and(|row| u64::try_from(row) != Ok(record.seq)) {
            Some(Breakage::Reordered)
        } else if record.previous != self.end.head {
            Some(Breakage::BadLink)
        } else {
            None
        }
    }

    fn wrong_for_the_anchor(&self, record: &Record) -> Option<Breakage> {
        let anchor = self.anchor.as_ref()?;
        if anchor.count == record.seq && anchor.head != record.hash {
            return Some(Breakage::Rewritten);
        }
        // Later than at the first record of a piece, what was before it has been compared.
        if self.first != Some(record.seq) {
            return None;
        }
        match anchor.count.cmp(&self.end.count) {
            Ordering::Less => Some(Breakage::AnchorBefore),
            Ordering::Equal if anchor.head != self.end.head => Some(Breakage::BadLink),
            Ordering::Equal | Ordering::Greater => None,
        }
    }

    fn breaks(&mut self, record: Option<&Record>, what: Breakage) {
        self.gap = what == Breakage::Missing;
        // What stands where one is missing says nothing of it.
        let record = record.filter(|_| !self.gap);
        let (at, kind) = (record.map(|record| record.at), record.map(|record| record.kind.clone()));
        self.broken = Some(Broken { seq: self.expected(), at, kind, what });
    }

    fn look_for_the_missing(&mut self, record: Option<&Record>) {
        if let Some(record) = record.filter(|record| record.seq == self.expected()) {
            self.breaks(Some(record), Breakage::Reordered);
        }
    }
}

/// Whether a record is all that its text says. What else an object may hold, such as a member that is there twice, is
/// not hashed; it shows in the length, whatever the order of the members.
fn is_all_of(record: &Record, text: &[u8]) -> bool {
    serde_json::to_string(record).is_ok_and(|own| own.len() == text.trim_ascii().len())
}
