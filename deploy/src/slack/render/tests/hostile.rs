//! Messages made to break the limits, or to reach people.

use super::*;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use slipway_core::message::{Action, Block, Span};

const VERBS: &[Verb] = &[Verb::Approve, Verb::Veto, Verb::Cancel, Verb::Retry, Verb::Why, Verb::Details];
const MARKS: &[Mark] = &[Mark::None, Mark::Waiting, Mark::Running, Mark::Live, Mark::Failed, Mark::Ended];

/// The ids of those who may be mentioned.
const PEOPLE: [(&str, &str); 2] = [("ana", "U012AB3CD"), ("bob", "W345EF")];

fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        6 => "\\PC{0,60}",
        3 => "[\\x00-\\x1f\\x7f-\\x9f\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200b}-\u{200f}\u{feff}a \u{1f1e6}\u{301}\u{3164}\u{644}]{0,80}",
        3 => "(<!channel>|<@U012AB3CD>|<!subteam\\^S1>|<#C1>|@here|\\*_~`|&lt;|:x:|\n|\"|\\\\|\u{202e}|\u{1f600}){0,20}",
        1 => ".{0,40}",
        1 => Just(String::new()),
        1 => Just(" \n\t".to_owned()),
        1 => Just("feature/".to_owned() + &"x".repeat(10_000)),
        1 => Just("\"\\".repeat(5_000)),
        1 => Just("漢".repeat(5_000)),
    ].boxed()
}

fn any_url() -> BoxedStrategy<String> {
    prop_oneof![
        any_text(),
        Just("javascript:alert(1)".to_owned()),
        Just("https://github.com/acme/goals".to_owned()),
        any_text().prop_map(|rest| format!("https://x/{rest}")),
    ]
    .boxed()
}

fn any_span() -> BoxedStrategy<Span> {
    let person = prop_oneof![Just("ana".to_owned()), Just("bob".to_owned()), any_text()];
    let person = person.prop_map(PersonId::new).boxed();
    prop_oneof![
        any_text().prop_map(Span::Plain),
        any_text().prop_map(Span::Untrusted),
        any_text().prop_map(Span::Strong),
        any_text().prop_map(Span::Code),
        person.clone().prop_map(Span::Person),
        person.prop_map(Span::Mention),
        (any::<i32>(), -1_i64..3).prop_map(|(s, k)| Span::Time(Timestamp::from_second(i64::from(s) * 50 * k).unwrap())),
        (any_url(), any_text()).prop_map(|(url, text)| Span::Link { url, text }),
    ]
    .boxed()
}

fn any_line() -> BoxedStrategy<Line> {
    let many = ("\\PC{0,20}", 50_usize..300)
        .prop_map(|(text, n)| (0..n).flat_map(|_| [Span::Code(text.clone()), Span::Plain(text.clone())]).collect());
    prop_oneof![8 => vec(any_span(), 0..6), 1 => many].prop_map(Line).boxed()
}

fn one_line() -> BoxedStrategy<Block> {
    prop_oneof![3 => any_line().prop_map(Block::Line), 1 => Just(Block::Gap), 1 => any_line().prop_map(Block::Warning)]
        .boxed()
}

fn any_block() -> BoxedStrategy<Block> {
    let many = (any_line(), 1_usize..200).prop_map(|(line, n)| vec![line; n]);
    let lines = prop_oneof![6 => vec(any_line(), 0..8), 1 => many];
    let rows = (vec(vec(any_line(), 0..9), 0..6), 0_usize..20).prop_map(|(rows, n)| repeated(&rows, n));
    let head = vec(any_text(), 0..9);
    prop_oneof![
        4 => one_line(),
        4 => (any_text(), lines).prop_map(|(label, lines)| Block::Field { label, lines }),
        1 => (any_text(), 0_usize..80).prop_map(|(text, n)| Block::Code(format!("{text}\n").repeat(n))),
        2 => (head, rows).prop_map(|(head, rows)| Block::Table { head, rows }),
    ]
    .boxed()
}

fn repeated<T: Clone>(values: &[T], times: usize) -> Vec<T> {
    (0..times).flat_map(|_| values.iter().cloned()).collect()
}

fn any_action() -> BoxedStrategy<Action> {
    (proptest::sample::select(VERBS), any_text()).prop_map(|(verb, label)| Action { verb, label }).boxed()
}

fn any_message() -> BoxedStrategy<Message> {
    let progress = (any::<u16>(), any_line()).prop_map(|(permille, label)| Progress { permille, label });
    let body = prop_oneof![
        4 => vec(any_block(), 0..12),
        1 => (one_line(), 0_usize..300).prop_map(|(block, n)| vec![block; n]),
        1 => vec(one_line(), 0..6).prop_map(|blocks| {
            repeated(&blocks.into_iter().flat_map(|block| [Block::Gap, block]).collect::<Vec<_>>(), 30)
        }),
    ];
    let actions = prop_oneof![3 => vec(any_action(), 0..7), 1 => vec(any_action(), 100..300)];
    let parts = (proptest::sample::select(MARKS), any_line(), proptest::option::of(progress), body, actions);
    parts
        .prop_map(|(mark, headline, progress, body, actions)| Message { mark, headline, progress, body, actions })
        .boxed()
}

fn any_key() -> BoxedStrategy<String> {
    prop_oneof![4 => "[a-z0-9:/]{1,60}", 1 => any_text(), 1 => Just("\"".repeat(255))].boxed()
}

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
    let action = |n: usize| Action { verb: VERBS[n % VERBS.len()], label: branch.clone() };
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
