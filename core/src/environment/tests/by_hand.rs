//! What somebody brings past Slipway.

use super::*;
use crate::policy::Past;

pub(super) fn image(n: u8) -> ImageDigest {
    ImageDigest::parse(&format!("sha256:{}", format!("{n:02x}").repeat(32))).unwrap()
}

fn runs(n: u8) -> TargetRuns {
    let digest = image(n);
    let name = format!("registry/goals@{digest}");
    TargetRuns { target: "goals".into(), image: name, digest: Some(digest), commit: Some(sha(n)), operation: None }
}

fn looked(runs: Vec<TargetRuns>, seconds: i64) -> Event {
    Event::Looked { look: Look { runs, at: at(seconds), tag: None }, ours: BTreeSet::new() }
}

/// Slipway brings version `n` at some moment.
pub(super) fn brought(environment: &Environment, n: u8, seconds: i64) -> Environment {
    let release = format!("R{seconds}");
    let mut next = environment.clone();
    let live = Live { image: image(n), ..live(&release, n, seconds) };
    let ends = Event::Ended { release: release.as_str().into(), live: Some(live), at: at(seconds) };
    for event in [enqueued(deploy(&release, n, &[], seconds)), started(&release, "ana", seconds), ends] {
        next = step(&next, &event).unwrap().0;
    }
    next
}

fn soaked_s(environment: &Environment, n: u8, seconds: i64) -> i64 {
    let here = super::environment();
    Past::of(&image(n), &here, Some(environment)).soak.unwrap().seconds(at(seconds))
}

#[test]
fn what_slipway_brought_is_no_news() {
    let here = brought(&environment(), 1, 10);
    assert_eq!(step(&here, &looked(vec![runs(1)], 20)).unwrap(), (here.clone(), vec![]));
    let nothing_brought = environment();
    assert_eq!(step(&nothing_brought, &looked(vec![runs(1)], 20)).unwrap().0, nothing_brought);
}

#[test]
fn what_somebody_brought_is_written_down_once_and_whoever_waits_is_judged_again() {
    let here = brought(&environment(), 1, 10);
    let here = step(&here, &enqueued(deploy("B", 3, &[], 15))).unwrap().0;
    let (next, effects) = step(&here, &looked(vec![runs(1), runs(2)], 20)).unwrap();
    assert_eq!(next.by_hand, Some(ByHand { runs: runs(2), noticed_at: at(20) }));
    assert_eq!((next.changed_at, next.live.as_ref()), (Some(at(20)), here.live.as_ref()));
    assert_eq!(effects, vec![judge("B")]);
    assert_eq!(step(&next, &looked(vec![runs(1), runs(2)], 30)).unwrap(), (next.clone(), vec![]));
    let other = step(&next, &looked(vec![runs(3)], 30)).unwrap().0;
    assert_eq!(other.by_hand, Some(ByHand { runs: runs(3), noticed_at: at(30) }));
}

#[test]
fn a_tag_that_means_nothing_known_is_somebody_elses() {
    let here = brought(&environment(), 1, 10);
    let tag = TargetRuns { image: "registry/goals:latest".into(), digest: None, commit: None, ..runs(1) };
    let next = step(&here, &looked(vec![tag.clone()], 20)).unwrap().0;
    assert_eq!(next.by_hand.as_ref().unwrap().runs, tag);
    assert_eq!(step(&next, &looked(vec![tag], 30)).unwrap().0, next);
}

#[test]
fn what_a_run_of_slipways_left_behind_is_nobodys_hand() {
    let here = brought(&environment(), 1, 10);
    let event = Event::Looked { look: Look { runs: vec![runs(2)], at: at(20), tag: None }, ours: [image(2)].into() };
    assert_eq!(step(&here, &event).unwrap().0, here);
}

#[test]
fn a_look_that_may_have_seen_a_run_says_nothing() {
    let here = brought(&environment(), 1, 10);
    let here = step(&here, &enqueued(deploy("B", 3, &[], 15))).unwrap().0;
    let running = step(&here, &started("B", "ana", 20)).unwrap().0;
    assert_eq!(step(&running, &looked(vec![runs(3)], 25)).unwrap().0, running);
    let over = step(&running, &ended("B", 30)).unwrap().0;
    assert_eq!(step(&over, &looked(vec![runs(3)], 25)).unwrap().0, over, "it began before the end");
    assert!(step(&over, &looked(vec![runs(3)], 35)).unwrap().0.by_hand.is_some());
}

#[test]
fn a_soak_ends_where_somebody_brings_something_else_and_begins_anew() {
    let here = brought(&environment(), 1, 10);
    assert_eq!(soaked_s(&here, 1, 70), 60);
    let by_hand = step(&here, &looked(vec![runs(2)], 40)).unwrap().0;
    assert_eq!(soaked_s(&by_hand, 1, 70), 30);
    assert_eq!(soaked_s(&by_hand, 2, 70), 0, "it was not brought through the gate, and nobody found it healthy");
    let again = step(&by_hand, &looked(vec![runs(1)], 60)).unwrap().0;
    assert_eq!((&again.by_hand, again.live.as_ref().unwrap().since), (&None, at(60)));
    assert_eq!(soaked_s(&again, 1, 70), 40);
    // The next release ends what somebody brought, and nothing is counted twice.
    let next = brought(&by_hand, 3, 90);
    assert_eq!((&next.by_hand, soaked_s(&next, 1, 200), soaked_s(&next, 3, 100)), (&None, 30, 10));
}

#[test]
fn what_is_kept_from_before_can_be_read() {
    let mut kept = serde_json::to_value(brought(&environment(), 1, 10)).unwrap();
    kept.as_object_mut().unwrap().remove("by_hand");
    assert_eq!(serde_json::from_value::<Environment>(kept).unwrap(), brought(&environment(), 1, 10));
}

#[test]
fn a_tag_that_is_moved_under_a_target_deploys_nothing() {
    let here = brought(&environment(), 1, 10);
    let by_tag = |n, operation: &str| TargetRuns {
        image: "registry/goals:latest".into(),
        operation: Some(operation.into()),
        ..runs(n)
    };
    let next = step(&here, &looked(vec![by_tag(2, "UPDATE_SERVICE 7d0c")], 20)).unwrap().0;
    assert_eq!(next.by_hand.as_ref().unwrap().runs.commit, Some(sha(2)));
    let moved = step(&next, &looked(vec![by_tag(3, "UPDATE_SERVICE 7d0c")], 30)).unwrap().0;
    assert_eq!(moved, next, "it runs what the tag named then");
    let deployed = step(&next, &looked(vec![by_tag(3, "START_DEPLOYMENT 8e1d")], 30)).unwrap().0;
    assert_eq!(deployed.by_hand.unwrap().runs.commit, Some(sha(3)));
}

#[test]
fn a_tag_that_is_moved_back_alone_does_not_bring_back_what_slipway_had_brought() {
    let here = brought(&environment(), 1, 10);
    let by_tag = |n, operation: Option<&str>| TargetRuns {
        image: "registry/goals:latest".into(),
        operation: operation.map(str::to_owned),
        ..runs(n)
    };
    for operation in [Some("UPDATE_SERVICE 7d0c"), None] {
        let next = step(&here, &looked(vec![by_tag(2, operation)], 20)).unwrap().0;
        let moved_back = looked(vec![by_tag(1, operation)], 30);
        assert_eq!(step(&next, &moved_back).unwrap(), (next.clone(), vec![]), "{operation:?}");
        // To what one of Slipway's own runs had left there.
        let look = Look { runs: vec![by_tag(4, operation)], at: at(30), tag: None };
        let to_ours = Event::Looked { look, ours: [image(4)].into() };
        assert_eq!(step(&next, &to_ours).unwrap().0, next, "{operation:?}");
        let deployed = step(&next, &looked(vec![by_tag(1, Some("START_DEPLOYMENT 8e1d"))], 40)).unwrap().0;
        assert_eq!((&deployed.by_hand, deployed.live.as_ref().unwrap().since), (&None, at(40)), "{operation:?}");
        assert_eq!(step(&next, &looked(vec![runs(1)], 40)).unwrap().0.by_hand, None, "by digest");
        let elsewhere = TargetRuns { target: "other".into(), ..by_tag(1, operation) };
        assert_eq!(step(&next, &looked(vec![elsewhere], 40)).unwrap().0.by_hand, None, "another target");
    }
}
