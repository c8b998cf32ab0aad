//! What a release takes out of what runs, also under a schema from before rules could speak of that.

use super::fixture::{default_files, scene, vocabulary};
use crate::policy::{PolicySet, built_in};

const ATTRIBUTE: &str = "    takesOut: Long,\n";

fn set(schema: &str, files: &[(String, String)]) -> PolicySet {
    PolicySet::parse(schema, files, &vocabulary()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

#[test]
fn a_folder_from_before_works_on_and_asks_nothing_more() {
    assert!(built_in::SCHEMA.contains(ATTRIBUTE));
    let before = built_in::SCHEMA.replace(ATTRIBUTE, "");
    let files: Vec<_> = default_files()
        .into_iter()
        .map(|(name, text)| match text.split_once("@id(\"takes-out\")") {
            Some((before, rest)) => (name, before.to_owned() + rest.split_once(";\n").unwrap().1),
            None => (name, text),
        })
        .collect();
    let mut scene = scene();
    scene.plan.takes_out.total = 3;
    let old = scene.run(&set(&before, &files));
    let new = scene.run(&set(built_in::SCHEMA, &default_files()));
    assert!(old.contains("production-approval") && !old.contains("takes-out"), "{old}");
    assert!(!old.contains("policy-error"), "{old}");
    assert!(new.contains("takes-out"), "{new}");
    assert!(
        PolicySet::parse(&before, &default_files(), &vocabulary()).is_err(),
        "the rule alone is refused when it is read"
    );
}
