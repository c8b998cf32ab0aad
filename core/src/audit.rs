//! The audit log as a hash chain: each record carries the hash of the one before, so that a change, a deletion or
//! a reordering shows. A cut-off tail shows only against an anchor: a count and a head that were written down
//! elsewhere.

use crate::ids::is_lower_hex;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::borrow::Borrow;
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

/// The end of the chain at some moment, kept where whoever can change the log cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// How many records there were.
    pub count: u64,
    /// The hash of the last of them; the genesis hash when there were none.
    pub head: RecordHash,
}

/// What is wrong with a chain, at the first place where something is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("record {seq}: {what}")]
pub struct Broken {
    /// The place in the chain, from 1.
    pub seq: u64,
    /// What is wrong there.
    pub what: Breakage,
}

/// A kind of tampering, or of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Breakage {
    /// Its content is not what was hashed.
    #[error("it was changed after it was written")]
    Changed,
    /// It is not there.
    #[error("it is missing")]
    Missing,
    /// It is somewhere else, or here twice.
    #[error("the records are not in their order")]
    Reordered,
    /// It follows another record than the one before it: that one was replaced.
    #[error("it does not follow the record before it, which was replaced")]
    BadLink,
    /// The anchor says that there were more.
    #[error("it and everything after it were cut off, as the anchor shows")]
    CutOff,
    /// The anchor says that this record was another.
    #[error("it is not the record that the anchor names, so the chain was written anew")]
    Rewritten,
}

/// Checks a whole chain from its first record, and that it still contains what the anchor saw. Gives the anchor
/// of the chain as it is now.
///
/// # Errors
/// The first place where something is wrong.
pub fn verify<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    anchor: Option<&Anchor>,
) -> Result<Anchor, Broken> {
    let mut end = Anchor { count: 0, head: RecordHash::genesis() };
    let mut records = records.into_iter();
    while let Some(record) = records.next() {
        let record = record.borrow();
        let expected = end.count + 1;
        let broken = |what| Err(Broken { seq: expected, what });
        if record.computed() != record.hash {
            return broken(Breakage::Changed);
        }
        if record.seq != expected {
            let elsewhere = record.seq < expected || records.any(|later| later.borrow().seq == expected);
            return broken(if elsewhere { Breakage::Reordered } else { Breakage::Missing });
        }
        if record.previous != end.head {
            return broken(Breakage::BadLink);
        }
        end = Anchor { count: expected, head: record.hash.clone() };
        if anchor.is_some_and(|anchor| anchor.count == end.count && anchor.head != end.head) {
            return broken(Breakage::Rewritten);
        }
    }
    match anchor {
        Some(anchor) if anchor.count > end.count => Err(Broken { seq: end.count + 1, what: Breakage::CutOff }),
        _ => Ok(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn draft(n: u64) -> Draft {
        Draft {
            at: Timestamp::from_millisecond(1_760_000_000_000 + i64::try_from(n).unwrap() * 1_000).unwrap(),
            kind: "vote".into(),
            body: json!({ "person": format!("p{n}"), "stance": "approve", "n": n, "list": [1, { "b": null, "a": true }] }),
            policy_hash: n.is_multiple_of(2).then(|| "ab".repeat(32)),
        }
    }

    fn chain(count: u64) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        for n in 0..count {
            records.push(append(records.last(), draft(n)));
        }
        records
    }

    fn other_hash() -> RecordHash {
        RecordHash("f".repeat(64))
    }

    type Edit = fn(&mut Record);

    /// One edit for every field of a record.
    const EDITS: [Edit; 9] = [
        |r| r.seq += 1,
        |r| r.at = Timestamp::UNIX_EPOCH,
        |r| r.kind.push('x'),
        |r| r.body["person"] = json!("mallory"),
        |r| r.body["list"][1]["a"] = json!(false),
        |r| r.body["n"] = json!(r.body["n"].to_string()),
        |r| r.policy_hash = Some("cd".repeat(32)),
        |r| r.previous = other_hash(),
        |r| r.hash = other_hash(),
    ];

    fn broken(seq: u64, what: Breakage) -> Result<Anchor, Broken> {
        Err(Broken { seq, what })
    }

    proptest! {
        #[test]
        fn an_untouched_chain_holds(count in 0_u64..20) {
            let records = chain(count);
            let end = verify(&records, None).unwrap();
            prop_assert_eq!(end.count, count);
            prop_assert_eq!(verify(&records, Some(&end)), Ok(end.clone()));
            let longer = chain(count + 3);
            prop_assert!(verify(&longer, Some(&end)).is_ok(), "an older anchor still holds");
        }

        #[test]
        fn any_single_change_is_found_where_it_is(count in 1_u64..20, at in 0_usize..20, edit in 0..EDITS.len()) {
            let mut records = chain(count);
            let at = at % records.len();
            EDITS[edit](&mut records[at]);
            prop_assert_eq!(verify(&records, None), broken(at as u64 + 1, Breakage::Changed));
        }

        #[test]
        fn a_change_with_a_new_hash_breaks_the_next_link(count in 2_u64..20, at in 0_usize..20) {
            let mut records = chain(count);
            let at = at % (records.len() - 1);
            records[at].body["person"] = json!("mallory");
            records[at].hash = records[at].computed();
            prop_assert_eq!(verify(&records, None), broken(at as u64 + 2, Breakage::BadLink));
        }

        #[test]
        fn any_deletion_but_of_the_tail_is_found(count in 2_u64..20, at in 0_usize..20) {
            let mut records = chain(count);
            let end = verify(&records, None).unwrap();
            let at = at % records.len();
            records.remove(at);
            let last = at == records.len();
            let seen = verify(&records, Some(&end));
            prop_assert_eq!(seen, broken(at as u64 + 1, if last { Breakage::CutOff } else { Breakage::Missing }));
            prop_assert_eq!(verify(&records, None).is_ok(), last, "without an anchor a cut-off tail cannot show");
        }

        #[test]
        fn any_swap_is_found(count in 2_u64..20, a in 0_usize..20, b in 0_usize..20) {
            let mut records = chain(count);
            let (a, b) = (a % records.len(), b % records.len());
            prop_assume!(a != b);
            records.swap(a, b);
            prop_assert_eq!(verify(&records, None), broken(a.min(b) as u64 + 1, Breakage::Reordered));
        }

        #[test]
        fn any_repetition_is_found(count in 1_u64..20, at in 0_usize..20) {
            let mut records = chain(count);
            let at = at % records.len();
            records.insert(at + 1, records[at].clone());
            prop_assert_eq!(verify(&records, None), broken(at as u64 + 2, Breakage::Reordered));
        }

        #[test]
        fn a_chain_written_anew_is_found_by_its_anchor(count in 1_u64..20, at in 0_usize..20) {
            let records = chain(count);
            let end = verify(&records, None).unwrap();
            let at = at % records.len();
            let mut forged: Vec<Record> = records[..at].to_vec();
            for n in at as u64..count + 2 {
                forged.push(append(forged.last(), Draft { kind: "forged".into(), ..draft(n) }));
            }
            prop_assert!(verify(&forged, None).is_ok());
            prop_assert_eq!(verify(&forged, Some(&end)), broken(count, Breakage::Rewritten));
        }

        #[test]
        fn a_record_survives_its_store(text in ".*", number: f64, count in 1_u64..4) {
            let mut records = chain(count);
            let odd = Draft { body: json!({ "z": text, "a": [number, -1, u64::MAX], "": {} }), ..draft(9) };
            records.push(append(records.last(), Draft { at: "2026-11-23T10:00:00.123456789Z".parse().unwrap(), ..odd }));
            let stored: Vec<String> = records.iter().map(|r| serde_json::to_string(r).unwrap()).collect();
            let read: Vec<Record> = stored.iter().map(|r| serde_json::from_str(r).unwrap()).collect();
            prop_assert_eq!(&read, &records);
            prop_assert!(verify(&read, None).is_ok());
        }
    }

    #[test]
    fn keys_in_another_order_give_the_same_bytes() {
        let (one, two) = (
            json!({ "b": [1, { "y": 2, "x": "\"" }], "a": null }),
            json!({ "a": null, "b": [1, { "x": "\"", "y": 2 }] }),
        );
        assert_eq!(canonical(&one), r#"{"a":null,"b":[1,{"x":"\"","y":2}]}"#);
        assert_eq!(canonical(&one), canonical(&two));
    }

    #[test]
    fn the_hash_is_stable_across_versions() {
        expect_test::expect!["ea8d4770e7e2cd2d0bcfe5855b7dd4e9de959bd63f084e7c4c5e839acbb6a628"]
            .assert_eq(chain(3)[2].hash.as_str());
    }

    #[test]
    fn only_hashes_are_hashes() {
        assert_eq!(RecordHash::parse(RecordHash::genesis().as_str()), Ok(RecordHash::genesis()));
        for bad in ["", "0", &"F".repeat(64), &"0".repeat(65)] {
            assert!(RecordHash::parse(bad).is_err(), "{bad}");
        }
    }
}
