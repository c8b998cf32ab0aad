//! A pull request that is shipped: waited for, merged, and then a release like any other.

use super::*;
use crate::pull::{Merge, Shipped};
use crate::release::PlanningStage;

pub(super) fn shipped(merged: bool) -> Box<Shipped> {
    Box::new(Shipped {
        number: 7,
        title: "Show profile links".into(),
        author: Some("eve-dev".into()),
        url: "https://github.com/acme/goals/pull/7".into(),
        head: sha(9),
        base: "main".into(),
        missing: vec![],
        counted: vec![],
        not_counted: vec![],
        refusals: 0,
        merge: merged.then(|| Merge { commit: sha(3), by: None }),
    })
}

fn seen() -> Event {
    Event::PullSeen { pull: Box::new(Shipped { missing: vec!["1 approval missing".into()], ..*shipped(false) }) }
}

pub(super) fn ready(seconds: i64) -> Event {
    Event::PullReady { pull: shipped(false), at: at(seconds) }
}

pub(super) fn waits(seconds: i64) -> Event {
    Event::PullWaits { pull: shipped(false), at: at(seconds) }
}

pub(super) fn merged(seconds: i64) -> Event {
    Event::PullMerged { pull: shipped(true), at: at(seconds) }
}

pub(super) fn shipping() -> Life {
    let mut request = request();
    request.kind = RequestKind::Ship { pull: 7, again: None };
    request.reference = None;
    let release = Release::new("01KE4ABC000000000000000000".into(), request);
    Life { release, effects: Vec::new() }.then(Event::Requested)
}

fn stage(life: &Life) -> PlanningStage {
    let Phase::Planning { stage } = life.release.phase else { panic!("{:?}", life.release.phase) };
    stage
}

#[test]
fn it_is_merged_and_goes_live() {
    let life = shipping()
        .then(seen())
        .then(ready(100))
        .then(merged(110))
        .then(Event::BuildReady)
        .then(planned(&plan(), 120))
        .judged("start", &[])
        .runs_to(Step::Deploy);
    assert_eq!(life.release.commit, Some(sha(3)), "the merge commit, and not the head");
    assert_eq!(life.release.branch.as_deref(), Some("main"));
    let expected = [
        "await_pull",
        "expire_at",
        "merge_pull",
        "await_build",
        "expire_at",
        "gather",
        "observe_ci",
        "observe_image",
        "migrate",
        "deploy",
    ];
    assert_eq!(life.effect_names(), expected);
}

#[test]
fn what_was_merged_already_is_not_merged_again() {
    let life = shipping().then(merged(5));
    assert_eq!(stage(&life), PlanningStage::Building);
    assert!(!life.effect_names().contains(&"merge_pull"));
    life.refuses(&merged(6));
    life.refuses(&ready(6));
}

#[test]
fn a_merge_that_was_refused_is_waited_for_again() {
    let life = shipping().then(ready(10)).then(waits(11));
    assert_eq!(stage(&life), PlanningStage::Shipping);
    assert_eq!(life.effects.last().and_then(Effect::not_before), Some(at(86_400)), "its time is not longer for that");
    assert_eq!(stage(&life.then(ready(20))), PlanningStage::Merging);
}

#[test]
fn a_merge_without_a_commit_means_nothing() {
    shipping().then(ready(10)).refuses(&Event::PullMerged { pull: shipped(false), at: at(12) });
}

#[test]
fn before_the_merge_it_can_be_cancelled_and_nothing_was_merged() {
    for life in [shipping(), shipping().then(seen()), shipping().then(ready(10))] {
        let life = life.then(cancel(false, 20));
        assert_eq!((&life.release.phase, life.release.merge()), (&Phase::Cancelled, None));
    }
    let refused = shipping().then(ready(10)).refuses(&cancel(true, 20));
    assert!(refused.why.unwrap().contains("is being merged"), "{refused:?}");
    let after = shipping().then(ready(10)).then(merged(12)).then(cancel(false, 20));
    assert!(after.release.merge().is_some() && after.release.phase == Phase::Cancelled, "it says that it is merged");
}

#[test]
fn its_time_ends_before_the_merge_and_begins_anew_with_it() {
    assert_eq!(shipping().then(Event::TimedOut { at: at(86_400) }).release.phase, Phase::Expired);
    // It is not known whether it is merged.
    let merging = shipping().then(ready(86_000));
    merging.refuses(&Event::TimedOut { at: at(86_400) });
    let building = merging.then(merged(86_500));
    assert_eq!(building.release.request.expires_at, at(86_400 + 86_500));
    building.refuses(&Event::TimedOut { at: at(86_400) });
    assert_eq!(building.then(Event::TimedOut { at: at(86_400 + 86_500) }).release.phase, Phase::Expired);
}

#[test]
fn a_dry_run_merges_nothing() {
    for outcome in [ready(10), waits(10)] {
        let mut life = shipping();
        life.release.request.dry_run = true;
        let life = life.then(outcome);
        assert_eq!(life.release.outcome, Some(Outcome::DryRun));
        assert!(!life.effect_names().contains(&"merge_pull"));
    }
}

#[test]
fn asked_for_again_it_is_shipped_or_what_was_merged_is_deployed() {
    let failed = Event::PlanningFailed { step: None, failure: Failure::new("Closed."), at: at(9) };
    let again = shipping().then(failed.clone()).release.ships_again();
    assert_eq!(again, Some(RequestKind::Ship { pull: 7, again: Some("01KE4ABC000000000000000000".into()) }));
    assert_eq!(shipping().then(merged(5)).then(failed).release.ships_again(), None);
}

#[test]
fn a_release_from_before_there_were_pull_requests_is_read() {
    let text = serde_json::to_string(&Life::new().release).unwrap();
    assert!(!text.contains("ships"), "{text}");
    assert_eq!(serde_json::from_str::<Release>(&text).unwrap().ships, None);
}
