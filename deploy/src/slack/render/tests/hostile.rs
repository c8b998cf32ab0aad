//! Messages made to break the limits, or to reach people.

use super::*;
use crate::text::anything::{any_key, any_message, repeated, verbs};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use slipway_core::message::{Action, Block};

/// The ids of those who may be mentioned.
const PEOPLE: [(&str, &str); 2] = [("ana", "U012AB3CD"), ("bob", "W345EF")];

fn people() -> People {
    PEOPLE.map(|(id, user)| (id.into(), user.to_owned())).into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_within_the_limits_and_reaches_nobody_else(message in any_message(), key in any_key()) {
        let rendered = render(&message, &people(), &key);
        check(&rendered.blocks, 50, 9_000);
        let text = &rendered.text;
        prop_assert!((1..=300).contains(&text.chars().count()), "{}", text);
        prop_assert!(!text.contains(['<', '>']) && !text.contains(char::is_control), "{}", text);
        // The first line and the buttons are always there.
        prop_assert!(matches!(&rendered.blocks[0], SlackBlock::RichText(_)));
        let has_key = !key.is_empty() && key.len() <= 255 && !key.contains(char::is_control);
        let has_buttons = matches!(rendered.blocks.last(), Some(SlackBlock::Actions(_)));
        prop_assert_eq!(has_buttons, has_key && !message.actions.is_empty());
        let again = render(&message, &people(), &key);
        prop_assert_eq!(rendered, again);
    }

    #[test]
    fn every_home_tab_is_within_the_limits(
        messages in vec((any_key(), any_message()), 0..4), times in 1_usize..6,
    ) {
        let blocks = home_blocks(&repeated(&messages, times), &people());
        check(&blocks, 100, 25_000);
    }
}

#[test]
fn thousands_of_everything_still_make_a_message() {
    let branch = "feature/".to_owned() + &"<!channel>\u{202e}".repeat(1_000);
    let line = Line::default().untrusted(branch.as_str()).text(" ").code(branch.as_str());
    let lines = vec![Line::default().untrusted("<@U012AB3CD> *x*").code(":x:"); 2_000];
    let verbs = verbs();
    let action = |n: usize| Action { verb: verbs[n % verbs.len()], label: branch.clone() };
    for part in [
        Block::Line(line.clone()),
        Block::Warning(line.clone()),
        Block::Field { label: branch.clone(), lines: lines.clone() },
        Block::Code(branch.clone() + &"\n\"".repeat(5_000)),
        Block::Table { head: vec![branch.clone(); 50], rows: vec![lines[..20].to_vec(); 200] },
    ] {
        let message = Message {
            mark: Mark::Waiting,
            headline: line.clone(),
            progress: Some(Progress { permille: 500, label: line.clone() }),
            body: (0..60).flat_map(|_| [Block::Gap, part.clone()]).collect(),
            actions: (0..500).map(action).collect(),
        };
        let rendered = render(&message, &people(), "key");
        check(&rendered.blocks, 50, 9_000);
        let shown = shown::shown(&rendered.blocks);
        assert!(shown.starts_with("*○ feature/<!channel><!channel>") && shown.contains("[feature/"), "{shown}");
        assert!(shown.contains("_Shortened here: Details shows the rest._"), "{shown}");
        let homes: Vec<_> = (0..4).map(|n| (format!("key {n}"), message.clone())).collect();
        check(&home_blocks(&homes, &people()), 100, 25_000);
    }
}

#[track_caller]
fn check(blocks: &[SlackBlock], blocks_limit: usize, chars_limit: usize) {
    assert!((1..=blocks_limit).contains(&blocks.len()), "{} blocks", blocks.len());
    let json = serde_json::to_string(blocks).unwrap();
    assert!(json.chars().count() <= chars_limit, "{} characters", json.chars().count());
    let values: Vec<Value> = serde_json::from_str(&json).unwrap();
    values.iter().for_each(walk);
    assert_eq!(serde_json::from_str::<Vec<SlackBlock>>(&json).unwrap(), blocks);
}

/// Every object and string in it.
fn walk(value: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(kind) = fields.get("type") {
                object(kind.as_str().unwrap(), value);
            }
            // A button's key is given back as it is.
            fields.iter().filter(|(name, _)| *name != "value").for_each(|(_, value)| walk(value));
        }
        Value::Array(values) => {
            assert!(!values.is_empty(), "an empty list");
            values.iter().for_each(walk);
        }
        Value::String(text) => {
            assert!(!text.is_empty(), "an empty text");
            let bad = |c: char| (c.is_control() && c != '\n') || slipway_core::message::hidden::is_invisible(c);
            assert!(!text.contains(bad), "{text:?}");
        }
        Value::Null => panic!("a null"),
        Value::Bool(_) | Value::Number(_) => {}
    }
}

fn chars(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

/// The text that is read of a list of pieces.
fn read(elements: &Value) -> String {
    elements.as_array().unwrap().iter().filter_map(|piece| piece["text"].as_str()).collect()
}

fn object(kind: &str, value: &Value) {
    match kind {
        "rich_text" | "rich_text_list" | "divider" | "text" | "plain_text" => {}
        "rich_text_section" | "rich_text_quote" | "rich_text_preformatted" => {
            let elements = &value["elements"];
            let is_seen = |piece: &Value| piece["type"] != "text" || !piece["text"].as_str().unwrap().trim().is_empty();
            assert!(elements.as_array().unwrap().iter().any(is_seen), "nothing to see: {value}");
            assert!(read(elements).chars().count() <= 3_000, "a long text");
        }
        "user" => assert!(PEOPLE.iter().any(|(_, user)| value["user_id"] == *user), "{value}"),
        "link" => {
            let url = value["url"].as_str().unwrap();
            assert!(url.starts_with("https://") || url.starts_with("http://"), "{url}");
            assert!(url.is_ascii() && url.len() <= 1_000, "{url}");
        }
        "date" => {
            assert!(value["fallback"].as_str().unwrap().ends_with(" UTC"), "{value}");
            assert!(value["timestamp"].as_i64().unwrap() >= 0, "{value}");
        }
        "actions" => {
            let buttons = value["elements"].as_array().unwrap();
            assert!(buttons.len() <= 25);
            let mut ids: Vec<_> = buttons.iter().map(|button| button["action_id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), buttons.len(), "an id twice");
        }
        "button" => {
            assert!(chars(&value["text"]["text"]) <= 75 && value["text"]["type"] == "plain_text", "{value}");
            assert!(chars(&value["value"]) <= 2_000 && chars(&value["action_id"]) <= 255, "{value}");
            assert_eq!(value.get("confirm").is_some(), value["action_id"] == "cancel", "{value}");
            if let Some(asked) = value.get("confirm") {
                let within =
                    |part: &str, limit| asked[part]["type"] == "plain_text" && chars(&asked[part]["text"]) <= limit;
                let texts = within("title", 100) && within("text", 300) && within("confirm", 30) && within("deny", 30);
                assert!(texts, "{value}");
            }
        }
        other => panic!("{other} is not made here"),
    }
}
