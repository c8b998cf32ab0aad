//! Who may have a pull request merged, also under rules from before there was such a question.

use super::fixture::{default_files, person, vocabulary};
use crate::policy::{Act, Decision, PolicySet, built_in};

const ACTION: &str = "action ship appliesTo";

fn set(schema: &str, files: &[(String, String)]) -> PolicySet {
    PolicySet::parse(schema, files, &vocabulary()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn may_ship(set: &PolicySet) -> Decision {
    set.may_act(&person("ana", &["developers"]), Act::Ship, &"goals".into(), &"production".into())
}

#[test]
fn a_folder_from_before_works_on_and_ships_nothing() {
    let (before, _) = built_in::SCHEMA.split_once("\n// Who has a pull request merged").unwrap();
    assert!(built_in::SCHEMA.contains(ACTION) && !before.contains(ACTION));
    let files: Vec<_> = default_files()
        .into_iter()
        .map(|(name, text)| match text.split_once("\n// /release ship merges") {
            Some((before, _)) => (name, before.to_owned()),
            None => (name, text),
        })
        .collect();
    let old = set(before, &files);
    let Decision::Deny { reasons } = may_ship(&old) else { panic!("nobody said that she may") };
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].why.contains("take schema.cedarschema of this version"), "{reasons:?}");
    assert!(may_ship(&set(built_in::SCHEMA, &default_files())).is_allow());
    // The schema alone permits nobody.
    let Decision::Deny { reasons } = may_ship(&set(built_in::SCHEMA, &files)) else { panic!("no rule says so") };
    assert_eq!(reasons[0].why, "No rule lets ana ship pull requests to production.");
}
