//! Forms.

use super::super::escape::length;
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
        private: r#"{"channel":"discord:1032011029"}"#.into(),
        inputs: vec![length, text("reason")],
    }
}

fn inputs(modal: &Value) -> Vec<Value> {
    modal["data"]["components"].as_array().unwrap().iter().map(|row| row["components"][0].clone()).collect()
}

#[test]
fn a_form_is_a_modal_of_texts() {
    expect![[r#"
        {
          "type": 9,
          "data": {
            "components": [
              {
                "type": 1,
                "components": [
                  {
                    "type": 4,
                    "custom_id": "length",
                    "style": 1,
                    "label": "How long (1h, 4h)",
                    "max_length": 2,
                    "required": false,
                    "value": "4h",
                    "placeholder": "Only your own releases pass."
                  }
                ]
              },
              {
                "type": 1,
                "components": [
                  {
                    "type": 4,
                    "custom_id": "reason",
                    "style": 1,
                    "label": "Why",
                    "max_length": 200,
                    "required": true,
                    "value": "load test",
                    "placeholder": "Others read it."
                  }
                ]
              }
            ],
            "custom_id": "lock|{\"channel\":\"discord:1032011029\"}",
            "title": "Lock production"
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&modal(&lock())).unwrap());
}

#[test]
fn a_name_says_which_form_was_sent_and_what_it_carries() {
    let id = |form: &Form| modal(form)["data"]["custom_id"].as_str().unwrap().to_owned();
    assert_eq!(form_of(&id(&lock())), Some(("lock".into(), r#"{"channel":"discord:1032011029"}"#.into())));
    let long = Form { private: "x".repeat(96), ..lock() };
    assert_eq!(form_of(&id(&long)), Some(("lock".into(), String::new())), "never a part of it");
    let bars = Form { callback: "a|b".into(), private: "c|d".into(), ..lock() };
    assert_eq!(form_of(&id(&bars)), Some(("ab".into(), "c|d".into())));
    assert_eq!([form_of("lock"), form_of("|x"), form_of("")], [None, None, None]);
}

#[test]
fn values_to_choose_from_stand_where_there_is_room_and_the_chosen_one_always() {
    let with = |count: usize| {
        let options = (0..count).map(|n| (format!("environment-{n}"), String::new())).collect();
        let kind = InputKind::Choice { options, initial: Some("environment-1".into()) };
        let input = Input { kind, ..lock().inputs[0].clone() };
        let input = inputs(&modal(&Form { inputs: vec![input], ..lock() })).remove(0);
        (input["label"].clone(), input["placeholder"].clone(), input["value"].clone())
    };
    let chosen = Value::from("environment-1");
    let both =
        ("How long (environment-0, environment-1)".into(), "Only your own releases pass.".into(), chosen.clone());
    assert_eq!(with(2), both);
    let (label, placeholder, value) = with(8);
    assert_eq!((label, value), ("How long".into(), chosen), "what is chosen is there, however many there are");
    assert!(placeholder.as_str().unwrap().starts_with("environment-0, environment-1, "), "{placeholder}");
}

#[test]
fn inputs_that_nobody_could_fill_in_are_left_out() {
    let none = InputKind::Choice { options: vec![(String::new(), "x".into())], initial: None };
    let long = "x".repeat(101);
    let unusable = [text("a"), text("a"), text(""), text(&long), Input { kind: none, ..text("b") }];
    assert_eq!(inputs(&modal(&Form { inputs: unusable.into(), ..lock() })).len(), 1);
    let many = (0..9).map(|n| text(&n.to_string())).collect();
    assert_eq!(inputs(&modal(&Form { inputs: many, ..lock() })).len(), 5);
}

#[test]
fn lines_stay_lines_where_several_can_be_typed() {
    let initial = |multiline, max| {
        let kind = InputKind::Text { multiline, max, initial: "one\u{202e}\ntwo\u{7}".into() };
        let input = inputs(&modal(&Form { inputs: vec![Input { kind, ..text("a") }], ..lock() })).remove(0);
        (input["value"].clone(), input["max_length"].clone(), input["style"].clone())
    };
    assert_eq!(initial(true, 200), ("one\ntwo\u{fffd}".into(), 200.into(), 2.into()));
    assert_eq!(initial(false, 0), ("…".into(), 1.into(), 1.into()));
    assert_eq!(initial(false, 9999), ("one two\u{fffd}".into(), 4000.into(), 1.into()));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\PC{0,100}", 1 => ".{0,30}", 1 => Just("a&<\u{301}\u{1f600}\n".repeat(900)),
        1 => Just("\u{1d400}".repeat(99)), 1 => Just(String::new()),
    ]
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

fn chars(value: &Value) -> usize {
    value.as_str().map_or(0, length)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_form_is_within_the_limits(
        texts in proptest::array::uniform4(any_text()),
        inputs in proptest::collection::vec(any_input(), 0..8),
        intro in proptest::option::of(any_text()),
    ) {
        let [callback, title, submit, private] = texts;
        let intro = intro.map(|intro| Line::default().untrusted(intro));
        let modal = modal(&Form { callback, title, submit, private, inputs, intro });
        prop_assert_eq!(&modal["type"], 9);
        let data = &modal["data"];
        prop_assert!((1..=45).contains(&chars(&data["title"])) && (1..=100).contains(&chars(&data["custom_id"])));
        let mut ids = std::collections::BTreeSet::new();
        let inputs = self::inputs(&modal);
        prop_assert!(inputs.len() <= 5);
        for input in inputs {
            let id = input["custom_id"].as_str().unwrap().to_owned();
            prop_assert!((1..=100).contains(&length(&id)) && ids.insert(id));
            prop_assert!((1..=45).contains(&chars(&input["label"])), "{}", input);
            prop_assert!(input.get("placeholder").is_none_or(|text| (1..=100).contains(&chars(text))), "{}", input);
            let max = input["max_length"].as_u64().unwrap();
            prop_assert!((1..=4_000).contains(&max));
            prop_assert!(chars(&input["value"]) as u64 <= max, "{}", input);
        }
    }
}
