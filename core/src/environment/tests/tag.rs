//! A tag that others read, and who moved it.

use super::by_hand::{brought, image};
use super::*;
use crate::environment::{FollowedTag, TagNames, tagged_by_slipway};

fn names(n: u8) -> TagNames {
    TagNames { tag: "latest".into(), digest: image(n), commit: Some(sha(n)) }
}

fn seen(environment: &Environment, names: &TagNames, seconds: i64) -> Environment {
    let ours = tagged_by_slipway([environment], &names.tag);
    step(environment, &Event::TagSeen { names: names.clone(), ours, at: at(seconds) }).unwrap().0
}

/// A release has moved it, at the moment at which the environment was changed last.
fn moved(environment: &Environment, n: u8) -> Environment {
    moved_later(environment, n, environment.changed_at.unwrap())
}

fn moved_later(environment: &Environment, n: u8, at: Timestamp) -> Environment {
    step(environment, &Event::TagMoved { names: names(n), at }).unwrap().0
}

fn moved_at(environment: &Environment) -> Option<Timestamp> {
    environment.tag.as_ref().unwrap().moved_at
}

#[test]
fn what_a_tag_named_when_it_was_seen_first_is_nobodys_doing() {
    let here = brought(&environment(), 1, 10);
    let here = seen(&here, &names(9), 20);
    assert_eq!(here.tag, Some(FollowedTag::known(names(9))));
    assert_eq!(seen(&here, &names(9), 30), here);
    assert_eq!(moved_at(&seen(&here, &names(8), 30)), Some(at(30)), "from then on it is");
    assert_eq!(seen(&environment(), &names(9), 20).tag, None, "where Slipway has brought nothing it has no say");
}

#[test]
fn what_a_release_moved_it_to_is_ours_whenever_it_is_seen() {
    let here = brought(&environment(), 1, 10);
    let here = brought(&seen(&here, &names(1), 20), 2, 30);
    assert_eq!(seen(&here, &names(1), 40), here, "not moved yet");
    assert_eq!(moved_at(&seen(&here, &names(2), 40)), None, "moved, and seen before that was told");
    let here = moved(&here, 2);
    assert_eq!(here.tag, Some(FollowedTag::left(names(2), at(30))));
    // Another environment of the service moves the same tag.
    let other = brought(&environment(), 5, 10);
    let ours = tagged_by_slipway([&here, &other], "latest");
    let looked = step(&here, &Event::TagSeen { names: names(5), ours, at: at(50) }).unwrap().0;
    assert_eq!(moved_at(&looked), None);
}

#[test]
fn what_somebody_moved_it_to_is_theirs_until_it_names_what_is_known() {
    let here = moved(&brought(&environment(), 1, 10), 1);
    let here = seen(&here, &names(7), 20);
    assert_eq!(moved_at(&here), Some(at(20)));
    let further = seen(&here, &names(8), 60);
    assert_eq!((moved_at(&further), &further.tag.as_ref().unwrap().names), (Some(at(20)), &names(8)), "the same story");
    assert_eq!(further.live, here.live, "nothing was deployed by that");
    assert_eq!(moved_at(&seen(&further, &names(1), 90)), None, "somebody put it back");
    assert_eq!(moved_at(&moved(&brought(&further, 2, 90), 2)), None, "a release moved it");
    let other = TagNames { tag: "stable".into(), ..names(6) };
    assert_eq!(seen(&further, &other, 90).tag, Some(FollowedTag::known(other)), "another tag is followed by now");
}

#[test]
fn nothing_is_said_of_a_moment_that_a_run_may_have_changed() {
    let here = moved(&brought(&environment(), 1, 10), 1);
    assert_eq!(seen(&here, &names(7), 10), here, "the look began before the end of the run");
    let runs = step(&here, &enqueued(deploy("B", 3, &[], 15))).unwrap().0;
    let runs = step(&runs, &started("B", "ana", 16)).unwrap().0;
    assert_eq!(seen(&runs, &names(7), 20), runs);
    assert_eq!(moved(&runs, 1).tag, here.tag, "what a release has done is known all the same");
}

#[test]
fn a_look_that_began_before_a_release_moved_it_says_nothing() {
    let here = brought(&moved(&brought(&environment(), 1, 10), 1), 2, 30);
    let here = moved_later(&here, 2, at(50));
    assert_eq!(seen(&here, &names(7), 40), here, "after the end of the run, and before it moved the tag");
    assert_eq!(seen(&here, &names(7), 50), here);
    let theirs = seen(&here, &names(7), 60);
    assert_eq!(moved_at(&theirs), Some(at(60)));
    assert_eq!(seen(&theirs, &names(8), 45), theirs);
}

#[test]
fn it_is_read_back_from_the_store() {
    let here = seen(&moved(&brought(&environment(), 1, 10), 1), &names(7), 20);
    let again: Environment = serde_json::from_str(&serde_json::to_string(&here).unwrap()).unwrap();
    assert_eq!(again, here);
    let mut old = serde_json::to_value(&here).unwrap();
    old["tag"].as_object_mut().unwrap().remove("known_at");
    let before = FollowedTag { known_at: None, ..here.tag.unwrap() };
    assert_eq!(serde_json::from_value::<Environment>(old.clone()).unwrap().tag, Some(before), "moves had no time");
    old.as_object_mut().unwrap().remove("tag");
    assert_eq!(serde_json::from_value::<Environment>(old).unwrap().tag, None, "of before tags were looked at");
}
