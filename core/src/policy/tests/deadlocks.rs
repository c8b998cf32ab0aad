//! Whose releases nobody could approve.

use super::fixture::defaults;
use crate::person::{Directory, Person};
use crate::policy::Slot;
use crate::policy::deadlock::PAIRS_LIMIT;

/// Who asks, whose commit it is, and which team is short of people.
fn deadlocks(people: &[(&str, &[&str])], environment: &str) -> Vec<String> {
    let person = |&(id, teams): &(&str, &[&str])| Person {
        id: id.into(),
        teams: teams.iter().map(|&team| team.into()).collect(),
        identities: vec![],
    };
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let people = Directory::new(people.iter().map(person));
    let found = defaults().deadlocks(&"goals".into(), &environment.into(), "UTC", &people, now);
    let teams = |missing: &[Slot]| missing.iter().map(|slot| slot.team.to_string()).collect::<Vec<_>>().join(" ");
    found.iter().map(|d| format!("{} asks, {} wrote: {}", d.requester, d.author, teams(&d.missing))).collect()
}

#[test]
fn a_team_of_two_needs_somebody_else_for_what_the_other_one_wrote() {
    let two: &[(&str, &[&str])] = &[("ana", &["developers", "release"]), ("bob", &["developers", "release"])];
    let found = deadlocks(two, "production");
    assert_eq!(found, ["ana asks, bob wrote: release", "bob asks, ana wrote: release"]);
    assert_eq!(deadlocks(two, "staging"), [""; 0]);
}

#[test]
fn three_are_enough_and_one_is_not() {
    let three: &[(&str, &[&str])] = &[("ana", &["release"]), ("bob", &["release"]), ("cem", &["release"])];
    assert_eq!(deadlocks(three, "production"), [""; 0]);
    let one: &[(&str, &[&str])] = &[("ana", &["developers", "release"])];
    assert_eq!(deadlocks(one, "production"), ["ana asks, ana wrote: release"]);
    let nobody: &[(&str, &[&str])] = &[("ana", &["developers"]), ("bob", &["developers"]), ("cem", &[])];
    assert_eq!(deadlocks(nobody, "production").len(), 6, "whoever may ask, whoever wrote it");
}

#[test]
fn the_search_is_bounded_and_begins_with_everybody_s_own() {
    let names: Vec<String> = (0..40).map(|n| format!("p{n}")).collect();
    let people: Vec<(&str, &[&str])> = names.iter().map(|n| (n.as_str(), &["developers"] as &[&str])).collect();
    let found = deadlocks(&people, "production");
    assert_eq!(found.len(), PAIRS_LIMIT);
    assert!(found.contains(&"p39 asks, p39 wrote: release".to_owned()));
}
