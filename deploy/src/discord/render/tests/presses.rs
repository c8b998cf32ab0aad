//! What a button's name says.

use super::super::escape::length;
use super::*;
use crate::text::anything::verbs;
use proptest::prelude::*;
use slipway_core::message::Action;

fn buttons(actions: &[Action], key: &str) -> Vec<Value> {
    let message = Message { actions: actions.to_vec(), ..Message::answer(Line::plain("x"), []) };
    render(&message, &People::new(), key, "").components
}

#[test]
fn a_name_says_what_was_pressed_and_on_which_plan() {
    let digest = "b04f44".repeat(10) + "b04f";
    let id = custom_id(Verb::Approve, "release/01JD7Q4N5V0000000000000000", Some(&digest));
    assert_eq!(id, "approve|release/01JD7Q4N5V0000000000000000#b04f44b04f44b04f44b04f44b04f44b0");
    let is = Pressed {
        verb: "approve".into(),
        key: "release/01JD7Q4N5V0000000000000000".into(),
        plan: Some("b04f44b04f44b04f44b04f44b04f44b0".into()),
    };
    assert_eq!(pressed(&id), Some(is));
    let without = Pressed { verb: "details".into(), key: "a|b".into(), plan: None };
    assert_eq!(pressed(&custom_id(Verb::Details, "a|b", None)), Some(without.clone()));
    assert_eq!(pressed("details|a|b#"), Some(without));
    for other in ["", "approve", "|", "approve|", "|release/1", "approve|#b04f"] {
        assert_eq!(pressed(other), None, "{other}");
    }
}

#[test]
fn a_key_is_never_cut() {
    let actions = [Verb::Why, Verb::Approve].map(|verb| Action { verb, label: "Press".into() });
    let count = |key: &str| buttons(&actions, key).iter().map(|row| row["components"].as_array().unwrap().len()).sum();
    let counts: [usize; 5] = [96, 97, 92, 93, 0].map(|length| count(&"k".repeat(length)));
    assert_eq!(counts, [1, 0, 2, 1, 0]);
    assert_eq!(count("a\nb"), 0);
    assert_eq!(count(&format!("{}#{}", "k".repeat(59), "b".repeat(64))), 2);
}

#[test]
fn rows_have_five_buttons() {
    let all = verbs().into_iter().chain(verbs()).map(|verb| Action { verb, label: String::new() });
    let rows = buttons(&all.collect::<Vec<_>>(), "key");
    let lengths: Vec<_> = rows.iter().map(|row| row["components"].as_array().unwrap().len()).collect();
    assert_eq!(lengths, [5, 5, 2], "each verb once");
    assert_eq!(rows[0]["components"][0]["label"], "Approve");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_carried_comes_back(
        verb in proptest::sample::select(verbs()), key in "[a-z0-9/|:@]{1,50}", plan in proptest::option::of("[0-9a-f]{1,64}"),
    ) {
        let id = custom_id(verb, &key, plan.as_deref());
        prop_assert!(length(&id) <= 100);
        let pressed = pressed(&id).unwrap();
        prop_assert_eq!(serde_json::from_value::<Verb>(pressed.verb.into()).unwrap(), verb);
        prop_assert_eq!(pressed.key, key);
        prop_assert_eq!(pressed.plan, plan.map(|plan| plan.chars().take(32).collect::<String>()));
    }

    #[test]
    fn any_name_can_be_read(id in ".{0,120}") {
        let _ = pressed(&id);
        let _ = form_of(&id);
    }
}
