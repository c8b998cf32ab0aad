//! Records as a table, for spreadsheets.

use super::rows::Row;
use slipway_core::audit::{Columns, Record};
use std::borrow::Cow;

/// The columns, in their order.
pub(super) const HEAD: [&str; 11] =
    ["seq", "at", "kind", "service", "environment", "release", "person", "plan", "policy_hash", "hash", "body"];

/// How a cell begins that spreadsheet programs take for a formula, also in its wide form.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A row's cells. One that is no record has its number and its text.
pub(super) fn cells(row: &Row) -> [String; 11] {
    let Ok(record) = serde_json::from_slice::<Record>(&row.text) else {
        let mut cells = [const { String::new() }; 11];
        cells[0] = row.number.map(|number| number.to_string()).unwrap_or_default();
        cells[10] = harmless(&String::from_utf8_lossy(&row.text)).into_owned();
        return cells;
    };
    let Columns { service, environment, release, person, plan } = record.columns();
    let policy_hash = record.policy_hash.unwrap_or_default();
    let (hash, body) = (record.hash.to_string(), record.body.to_string());
    let texts = [record.kind, service, environment, release, person, plan, policy_hash, hash, body];
    let [kind, service, environment, release, person, plan, policy_hash, hash, body] =
        texts.map(|text| harmless(&text).into_owned());
    let (seq, at) = (record.seq.to_string(), record.at.to_string());
    [seq, at, kind, service, environment, release, person, plan, policy_hash, hash, body]
}

/// A cell that no spreadsheet program runs: what would begin a formula gets an apostrophe before it.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;
    use slipway_core::audit::{Draft, append};

    fn row(body: serde_json::Value) -> Row {
        let draft = Draft { at: Timestamp::UNIX_EPOCH, kind: "vote".into(), body, policy_hash: None };
        Row { number: Some(1), text: serde_json::to_vec(&append(None, draft)).unwrap() }
    }

    #[test]
    fn a_formula_stays_text() {
        for start in FORMULA_STARTS {
            let name = format!("{start}cmd|' /C calc'!A0");
            let cells = cells(&row(json!({ "service": name, "person": name, "release": name, "plan": name })));
            for cell in &cells[3..8] {
                assert!(cell.is_empty() || cell.starts_with('\''), "{cell}");
            }
            let text = format!("{name} is no record");
            let damaged = super::cells(&Row { number: Some(7), text: text.clone().into_bytes() });
            assert_eq!((damaged[0].as_str(), damaged[10].as_str()), ("7", format!("'{text}").as_str()));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_back_is_what_was_written(text in "(?s).{0,40}", other in "[\",\r\n' ]{0,8}") {
            let row = row(json!({ "service": text, "person": other, "reasons": [text, other] }));
            let mut file = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            file.write_record(HEAD).unwrap();
            file.write_record(cells(&row)).unwrap();
            let file = file.into_inner().unwrap();
            let read: Vec<_> = csv::Reader::from_reader(&file[..]).into_records().map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].iter().collect::<Vec<_>>(), cells(&row));
            let body: serde_json::Value = serde_json::from_str(&read[0][10]).unwrap();
            prop_assert_eq!(&body["reasons"][0], text.as_str());
        }
    }
}
