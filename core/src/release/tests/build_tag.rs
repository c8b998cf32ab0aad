//! The tag that a build needs is taken away once, however its release goes on.

use super::*;

const TAG: &str = "slipway/01JD7Q4N0000000000000000AA";

/// Taken away so far.
fn removed(life: &Life) -> Vec<&Effect> {
    life.effects.iter().filter(|effect| matches!(effect, Effect::RemoveTag { .. })).collect()
}

fn dispatching() -> Life {
    Life::new()
        .then(Event::Requested)
        .then(Event::Resolved { commit: sha(3), branch: None })
        .then(Event::BuildMissing { at: at(2) })
}

fn building(tag: Option<&str>) -> Life {
    dispatching().then(Event::Dispatched { run: 7, temporary_tag: tag.map(str::to_owned) })
}

fn cancelled(life: Life) -> Life {
    life.then(Event::CancelRequested { by: "ana".into(), begun: false, at: at(60) })
}

#[test]
fn it_goes_when_the_build_is_there_and_not_once_more_at_the_end() {
    let expected = Effect::RemoveTag { tag: TAG.to_owned() };
    let life = building(Some(TAG));
    assert!(removed(&life).is_empty(), "jobs fetch it when they begin");
    let life = life.then(Event::BuildReady);
    assert_eq!(removed(&life), [&expected]);
    assert_eq!(removed(&cancelled(life)), [&expected]);
}

#[test]
fn it_goes_when_the_release_ends_before_its_build() {
    let expected = Effect::RemoveTag { tag: TAG.to_owned() };
    let superseded = Event::Superseded { by: "01JD7Q4P".into(), requester: None, at: at(60) };
    let failed = Event::PlanningFailed { step: Some(Step::Ci), failure: Failure::new("Red."), at: at(60) };
    for life in [cancelled(building(Some(TAG))), building(Some(TAG)).then(superseded), building(Some(TAG)).then(failed)]
    {
        assert_eq!(removed(&life), [&expected], "{:?}", life.release.phase);
    }
}

#[test]
fn it_may_be_there_where_the_dispatch_was_under_way() {
    let life = cancelled(dispatching());
    assert_eq!(removed(&life), [&Effect::RemoveTag { tag: life.release.build_tag() }]);
    assert!(!removed(&life)[0].ends_with_release());
}

#[test]
fn where_none_was_needed_none_goes() {
    assert!(removed(&cancelled(building(None).then(Event::BuildReady))).is_empty());
    assert!(removed(&cancelled(building(None))).is_empty());
    assert!(removed(&cancelled(Life::new().then(Event::Requested))).is_empty());
}
