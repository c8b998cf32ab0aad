//! Forms.

use super::*;
use expect_test::expect;
use proptest::prelude::*;
use slipway_core::message::form::{Form, Input, InputKind};

fn text(id: &str) -> Input {
    let kind = InputKind::Text { multiline: false, max: 200, initial: "load test".into() };
    Input { id: id.into(), label: "Why".into(), hint: Some("Others read it.".into()), kind, optional: false }
}

fn lock() -> Form {
    let options = vec![("1h".to_owned(), "one hour".to_owned()), ("4h".to_owned(), "four hours".to_owned())];
    let kind = InputKind::Choice { options, initial: Some("4h".into()) };
    let length = Input { id: "length".into(), label: "How long".into(), hint: None, kind, optional: true };
    Form {
        callback: "lock".into(),
        title: "Lock production".into(),
        submit: "Lock".into(),
        intro: Some(Line::plain("Only your own releases pass.")),
        private: "goals/production".into(),
        inputs: vec![text("reason"), length],
    }
}

#[test]
fn a_form_has_its_words_above_its_inputs() {
    expect![[r#"
        {
          "title": {
            "type": "plain_text",
            "text": "Lock production",
            "emoji": false
          },
          "blocks": [
            {
              "type": "rich_text",
              "elements": [
                {
                  "type": "rich_text_section",
                  "elements": [
                    {
                      "type": "text",
                      "text": "Only your own releases pass."
                    }
                  ]
                }
              ]
            },
            {
              "type": "input",
              "block_id": "reason",
              "label": {
                "type": "plain_text",
                "text": "Why",
                "emoji": false
              },
              "element": {
                "type": "plain_text_input",
                "action_id": "reason",
                "initial_value": "load test",
                "max_length": 200
              },
              "hint": {
                "type": "plain_text",
                "text": "Others read it.",
                "emoji": false
              }
            },
            {
              "type": "input",
              "block_id": "length",
              "label": {
                "type": "plain_text",
                "text": "How long",
                "emoji": false
              },
              "element": {
                "type": "static_select",
                "action_id": "length",
                "options": [
                  {
                    "text": {
                      "type": "plain_text",
                      "text": "one hour",
                      "emoji": false
                    },
                    "value": "1h"
                  },
                  {
                    "text": {
                      "type": "plain_text",
                      "text": "four hours",
                      "emoji": false
                    },
                    "value": "4h"
                  }
                ],
                "initial_option": {
                  "text": {
                    "type": "plain_text",
                    "text": "four hours",
                    "emoji": false
                  },
                  "value": "4h"
                }
              },
              "optional": true
            }
          ],
          "close": {
            "type": "plain_text",
            "text": "Cancel",
            "emoji": false
          },
          "submit": {
            "type": "plain_text",
            "text": "Lock",
            "emoji": false
          },
          "private_metadata": "goals/production",
          "callback_id": "lock"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&modal(&lock())).unwrap());
}

#[test]
fn inputs_that_nobody_could_fill_in_are_left_out() {
    let mut form = lock();
    form.intro = None;
    let none = InputKind::Choice { options: vec![(String::new(), "x".into())], initial: None };
    form.inputs = vec![text("a"), text("a"), text(""), Input { kind: none, ..text("b") }];
    assert_eq!(modal(&form).blocks.len(), 1);
}

#[test]
fn lines_stay_lines_where_several_can_be_typed() {
    let initial = |multiline, max| {
        let kind = InputKind::Text { multiline, max, initial: "one\u{202e}\ntwo\u{7}".into() };
        let form = Form { inputs: vec![Input { kind, ..text("a") }], intro: None, ..lock() };
        let json = serde_json::to_value(modal(&form)).unwrap();
        (json["blocks"][0]["element"]["initial_value"].clone(), json["blocks"][0]["element"]["max_length"].clone())
    };
    assert_eq!(initial(true, 200), ("one\ntwo\u{fffd}".into(), 200.into()));
    assert_eq!(initial(false, 0), ("…".into(), 1.into()));
    assert_eq!(initial(false, 9999), ("one two\u{fffd}".into(), 3000.into()));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "\\PC{0,100}", 1 => ".{0,30}", 1 => Just("a&<\u{301}\u{1f600}\n".repeat(900)), 1 => Just(String::new()) ]
}

fn any_input() -> impl Strategy<Value = Input> {
    let options = proptest::collection::vec((any_text(), any_text()), 0..12);
    let kind = prop_oneof![
        (any::<bool>(), any::<u16>(), any_text()).prop_map(|(multiline, max, initial)| InputKind::Text {
            multiline,
            max,
            initial
        }),
        (options, any::<u8>(), any::<bool>()).prop_map(|(options, chosen, has)| {
            let initial = options.get(usize::from(chosen) % options.len().max(1)).map(|(value, _)| value.clone());
            InputKind::Choice { options, initial: initial.filter(|_| has) }
        }),
    ];
    (any_text(), any_text(), proptest::option::of(any_text()), kind, any::<bool>())
        .prop_map(|(id, label, hint, kind, optional)| Input { id, label, hint, kind, optional })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_form_is_within_the_limits(
        texts in proptest::array::uniform4(any_text()),
        inputs in proptest::collection::vec(any_input(), 0..8),
        times in 1_usize..4,
        intro in proptest::option::of(any_text()),
    ) {
        let [callback, title, submit, private] = texts;
        let repeated = |n: usize| inputs.iter().cloned().map(move |input| Input { id: format!("{n}{}", input.id), ..input });
        let inputs: Vec<_> = (0..times).flat_map(repeated).collect();
        let intro = intro.map(|intro| Line::default().untrusted(intro));
        let view = modal(&Form { callback, title, submit, private, inputs, intro });
        let json = serde_json::to_value(&view).unwrap();
        check(&json);
        prop_assert_eq!(serde_json::from_value::<SlackModalView>(json).unwrap(), view);
    }
}

#[test]
fn more_than_a_form_may_have_is_left_out() {
    let options = (0..300).map(|n| (n.to_string(), "x".repeat(300))).collect();
    let kind = InputKind::Choice { options, initial: Some("299".into()) };
    let input = |n: usize| Input { id: n.to_string(), kind: kind.clone(), ..text("") };
    let json = serde_json::to_value(modal(&Form { inputs: (0..300).map(input).collect(), ..lock() })).unwrap();
    check(&json);
    assert_eq!(json["blocks"].as_array().unwrap().len(), 91);
    let element = &json["blocks"][90]["element"];
    assert_eq!(element["options"].as_array().unwrap().len(), 100);
    assert!(element.get("initial_option").is_none(), "it is none of the options");
}

fn length(value: &serde_json::Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

#[track_caller]
fn filled(value: &serde_json::Value, limit: usize) {
    assert!((1..=limit).contains(&length(&value["text"])), "{value}");
}

fn check(view: &serde_json::Value) {
    filled(&view["title"], 24);
    filled(&view["submit"], 24);
    filled(&view["close"], 24);
    assert!(length(&view["private_metadata"]) <= 3_000 && length(&view["callback_id"]) <= 255);
    let blocks = view["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 100);
    let mut ids = std::collections::BTreeSet::new();
    for block in blocks.iter().filter(|block| block["type"] == "input") {
        assert!((1..=255).contains(&length(&block["block_id"])) && ids.insert(block["block_id"].as_str()));
        assert_eq!(block["block_id"], block["element"]["action_id"]);
        filled(&block["label"], 2_000);
        if let Some(hint) = block.get("hint") {
            filled(hint, 2_000);
        }
        let element = &block["element"];
        if element["type"] == "plain_text_input" {
            let max = element["max_length"].as_u64().unwrap();
            assert!((1..=3_000).contains(&max));
            assert!(length(&element["initial_value"]) as u64 <= max);
            continue;
        }
        let options = element["options"].as_array().unwrap();
        assert!((1..=100).contains(&options.len()));
        for option in options {
            filled(&option["text"], 75);
            assert!((1..=150).contains(&length(&option["value"])));
        }
        assert!(element.get("initial_option").is_none_or(|initial| options.contains(initial)));
    }
}
