//! Every kind of tampering, on chains of every length.

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

fn broken(seq: u64, what: Breakage) -> Result<Anchor, (u64, Breakage)> {
    Err((seq, what))
}

/// The texts as a store keeps them.
fn stored(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| serde_json::to_string(record).unwrap()).collect()
}

fn read(mut verifier: Verifier, texts: &[String]) -> Result<Whole, Broken> {
    for text in texts {
        verifier.look(None, text.as_bytes());
    }
    verifier.finish()
}

fn verify(records: &[Record], anchor: Option<&Anchor>) -> Result<Anchor, (u64, Breakage)> {
    let whole = read(Verifier::new(anchor.cloned()), &stored(records));
    whole.map(|whole| whole.end).map_err(|broken| (broken.seq, broken.what))
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
        prop_assert_eq!(verify(&records, None), broken(at as u64 + 2, Breakage::Doubled));
    }

    #[test]
    fn what_is_no_record_any_more_is_found_where_it_is(count in 1_u64..20, at in 0_usize..20, text in ".{0,40}") {
        let records = chain(count);
        let mut texts = stored(&records);
        let at = at % texts.len();
        prop_assume!(serde_json::from_str::<Record>(&text).is_err());
        texts[at] = text;
        let broken = read(Verifier::new(None), &texts).unwrap_err();
        prop_assert_eq!((broken.seq, broken.what), (at as u64 + 1, Breakage::Unreadable));
    }

    #[test]
    fn any_changed_byte_is_found_where_it_is(count in 1_u64..6, at in 0_usize..6, byte in 0_usize..2_000, to: u8) {
        let mut texts: Vec<Vec<u8>> = stored(&chain(count)).into_iter().map(String::into_bytes).collect();
        let at = at % texts.len();
        let byte = byte % texts[at].len();
        prop_assume!(texts[at][byte] != to);
        texts[at][byte] = to;
        let mut verifier = Verifier::new(None);
        for text in &texts {
            verifier.look(None, text);
        }
        prop_assert_eq!(verifier.finish().unwrap_err().seq, at as u64 + 1, "byte {} as {}", byte, to);
    }

    #[test]
    fn a_piece_is_verified_from_its_first_record(count in 2_u64..20, from in 0_usize..20, seen in 0_usize..20) {
        let records = chain(count);
        let (from, seen) = (from % records.len(), seen % records.len());
        let piece = stored(&records[from..]);
        let whole = read(Verifier::of_a_piece(None), &piece).unwrap();
        prop_assert_eq!((whole.first, whole.end.count, whole.after_anchor), (from as u64 + 1, count, None));
        let anchor = Anchor { count: seen as u64 + 1, head: records[seen].hash.clone() };
        let with_anchor = read(Verifier::of_a_piece(Some(anchor.clone())), &piece);
        if seen + 1 < from {
            prop_assert_eq!(with_anchor.unwrap_err().what, Breakage::AnchorBefore);
        } else {
            prop_assert_eq!(with_anchor.unwrap().after_anchor, Some(count - seen as u64 - 1));
            let other = Anchor { head: other_hash(), ..anchor };
            let what = read(Verifier::of_a_piece(Some(other)), &piece).unwrap_err().what;
            prop_assert_eq!(what, if seen + 1 == from { Breakage::BadLink } else { Breakage::Rewritten });
        }
    }

    #[test]
    fn an_anchor_is_read_as_it_is_written(count in 1_u64.., padding in " {0,2}") {
        let anchor = Anchor { count, head: other_hash() };
        prop_assert_eq!(format!("{padding}{anchor}{padding}").parse(), Ok(anchor));
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
        let again: Vec<Record> = stored(&records).iter().map(|r| serde_json::from_str(r).unwrap()).collect();
        prop_assert_eq!(&again, &records);
        prop_assert!(verify(&again, None).is_ok());
    }
}

#[test]
fn keys_in_another_order_give_the_same_bytes() {
    let (one, two) =
        (json!({ "b": [1, { "y": 2, "x": "\"" }], "a": null }), json!({ "a": null, "b": [1, { "x": "\"", "y": 2 }] }));
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

#[test]
fn what_is_added_beside_what_was_hashed_is_a_change() {
    let records = chain(3);
    let text = &stored(&records)[1];
    for added in [
        text.replace("\"kind\"", "\"note\":1,\"kind\""),
        text.replace("\"stance\"", "\"stance\":\"veto\",\"stance\""),
        text.replace("\"stance\"", " \"stance\""),
        text.replace("\"policy_hash\":null", "\"policy_hush\":null"),
        text.replacen('T', " ", 1),
    ] {
        let mut texts = stored(&records);
        texts[1].clone_from(&added);
        let broken = read(Verifier::new(None), &texts).unwrap_err();
        assert_eq!((broken.seq, broken.what), (2, Breakage::Changed), "{added}");
    }
}

#[test]
fn a_row_under_another_number_is_out_of_its_place() {
    let records = chain(2);
    let texts = stored(&records);
    let mut verifier = Verifier::new(None);
    verifier.look(Some(1), texts[0].as_bytes());
    verifier.look(Some(7), texts[1].as_bytes());
    assert_eq!(verifier.finish().unwrap_err().what, Breakage::Reordered);
}

#[test]
fn what_is_broken_is_named_in_one_line() {
    let mut records = chain(3);
    records[1].body["person"] = json!("mallory");
    let said = |records: &[Record]| read(Verifier::new(None), &stored(records)).unwrap_err().to_string();
    assert_eq!(said(&records), "record 2 (vote, 2025-10-09T08:53:21Z): it was changed after it was written");
    records[1].kind = "\u{1b}[31m<@everyone>".into();
    assert_eq!(
        said(&records),
        "record 2 (??31m??everyone?, 2025-10-09T08:53:21Z): it was changed after it was written"
    );
    records.remove(1);
    assert_eq!(said(&records), "record 2, after vote of 2025-10-09T08:53:20Z: it is missing");
    assert_eq!(said(&records[1..]), "record 1: it is missing");
}

#[test]
fn only_anchors_are_anchors() {
    let head = other_hash();
    for bad in
        ["", "7", ":", "7:", &format!("+7:{head}"), &format!("7:{head}0"), &format!("0:{head}"), &format!(":{head}")]
    {
        assert!(bad.parse::<Anchor>().is_err(), "{bad}");
    }
    assert_eq!(Anchor::genesis().to_string().parse(), Ok(Anchor::genesis()));
}

#[test]
fn each_kind_says_what_it_is_about_in_its_own_place() {
    let columns = |body| append(None, Draft { body, ..draft(0) }).columns();
    let all = Columns {
        service: "goals".into(),
        environment: "staging".into(),
        release: "01A".into(),
        person: "ana".into(),
        plan: "5b3e".into(),
    };
    let of_a_release = json!({
        "service": "goals", "environment": "staging", "release": "01A", "person": "ana", "requester": "bob", "plan": "5b3e",
    });
    assert_eq!(columns(of_a_release), all);
    let lock = json!({ "environment": { "service": "goals", "environment": "staging" }, "by": "ana", "plan": null });
    assert_eq!(columns(lock), Columns { release: String::new(), plan: String::new(), ..all.clone() });
    let refused = json!({
        "request": { "key": { "service": "goals", "environment": "staging" }, "requester": "ana" }, "reasons": [],
    });
    assert_eq!(columns(refused), Columns { release: String::new(), plan: String::new(), ..all });
    let read = Draft { kind: "policies_changed".into(), body: json!({ "by": "start" }), ..draft(0) };
    assert_eq!(append(None, read).columns(), Columns::default(), "what had the policies read is no person");
    let unknown = json!({ "who": { "platform": "terminal", "id": "mallory" } });
    assert_eq!(columns(unknown), Columns { person: "terminal:mallory".into(), ..Columns::default() });
}
