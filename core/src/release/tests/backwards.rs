//! Rollbacks: built once, migrations last, and what is live whatever comes after.

use super::*;
use crate::release::AutomaticRollback;

#[test]
fn a_rollback_waits_for_no_build() {
    for migrations in [false, true] {
        let resolved = Event::Resolved { commit: sha(3), branch: None };
        let life = Life::going_back(migrations).then(Event::Requested).then(resolved);
        assert_eq!(life.effect_names(), ["resolve", "expire_at", "gather"]);
    }
}

#[test]
fn migrations_are_taken_back_after_the_older_version_is_verified() {
    let life = Life::back_at(Step::Migrate);
    let names = life.effect_names();
    let acts: Vec<_> = names.iter().filter(|name| ["deploy", "verify", "migrate"].contains(name)).collect();
    assert_eq!(acts, [&"deploy", &"verify", &"migrate"]);
    assert_eq!(life.release.steps.get(Step::Verify).state, StepState::Succeeded);
    let life = life.then(done(Step::Migrate, 90));
    assert_eq!((&life.release.phase, &life.release.outcome), (&Phase::Succeeded, &Some(Outcome::Live)));
}

#[test]
fn where_nothing_stands_between_it_ends_with_the_verification() {
    let mut life = Life::back_at(Step::Verify);
    life.release.plan.as_mut().unwrap().taken_back.clear();
    let life = life.then(done(Step::Verify, 90));
    assert_eq!(life.release.outcome, Some(Outcome::Live));
    assert_eq!(life.release.steps.get(Step::Migrate).detail.as_deref(), Some("none to take back"));
}

#[test]
fn what_is_live_stays_so_whatever_becomes_of_the_migrations() {
    let at_migrate = || Life::back_at(Step::Migrate);
    assert_eq!(at_migrate().release.brought_live(), None, "it has not ended");
    let failed = at_migrate().then(broken(Step::Migrate, true, 70));
    assert_eq!((&failed.release.phase, failed.release.brought_live()), (&Phase::Failed, Some(true)));
    let told = failed.effects.iter().any(|e| matches!(e, Effect::Tell { what, .. } if what.contains("went back, but")));
    assert!(told, "{:?}", failed.effects);
    let broken_off = at_migrate().then(cancel(true, 60)).then(stopped(Step::Migrate, 70));
    assert_eq!((&broken_off.release.phase, broken_off.release.brought_live()), (&Phase::Cancelled, Some(true)));
    let unbegun = at_migrate().then(cancel(false, 60));
    assert_eq!((&unbegun.release.phase, unbegun.release.brought_live()), (&Phase::Cancelled, Some(true)));
    let came_late = at_migrate().then(cancel(true, 60)).then(done(Step::Migrate, 70));
    assert_eq!(came_late.release.outcome, Some(Outcome::Live), "all of it was done");
    let unhealthy = Life::back_at(Step::Verify).then(broken(Step::Verify, false, 70));
    assert_eq!(unhealthy.release.brought_live(), Some(false));
    assert_eq!(unhealthy.release.steps.get(Step::Migrate).state, StepState::Pending, "the schema is not touched then");
    let undeployed = Life::back_at(Step::Deploy).then(broken(Step::Deploy, false, 70));
    assert_eq!(undeployed.release.brought_live(), None);
}

#[test]
fn what_is_live_is_shown_and_tagged_so_although_its_migrations_failed() {
    let back = || {
        let mut life = Life::back_at(Step::Migrate);
        life.release.plan.as_mut().unwrap().promote = Some("production".into());
        life
    };
    let promoted = || Event::Promoted { tag: "production".into(), problem: None, at: at(99) };
    for ended in [
        back().then(broken(Step::Migrate, true, 70)),
        back().then(cancel(true, 60)).then(stopped(Step::Migrate, 70)),
        back().then(done(Step::Migrate, 70)),
    ] {
        assert_eq!(
            ended.effects.iter().filter(|e| matches!(e, Effect::Promote { tag } if tag == "production")).count(),
            1
        );
        assert_eq!(ended.release.report().map(|report| report.state), Some(crate::release::ReportState::Live));
        assert!(ended.then(promoted()).release.promotion.is_some());
    }
    let mut unhealthy = Life::back_at(Step::Verify);
    unhealthy.release.plan.as_mut().unwrap().promote = Some("production".into());
    let unhealthy = unhealthy.then(broken(Step::Verify, false, 70));
    assert!(!unhealthy.effects.iter().any(|e| matches!(e, Effect::Promote { .. })));
    assert_eq!(unhealthy.release.report().map(|report| report.state), Some(crate::release::ReportState::Failed));
    unhealthy.refuses(&promoted());
}

#[test]
fn while_it_is_verified_only_the_migrations_can_be_stopped() {
    let life = Life::back_at(Step::Verify).then(cancel(false, 40));
    assert_eq!(life.release.phase, Phase::Running { step: Step::Verify });
    life.refuses(&cancel(false, 41));
    let ended = life.clone().then(done(Step::Verify, 60));
    let details = vec!["No migration was taken back.".to_owned()];
    assert_eq!(ended.release.outcome, Some(Outcome::Cancelled { by: "cem".into(), details }));
    assert_eq!(ended.release.brought_live(), Some(true));
    let failed = life.then(broken(Step::Verify, false, 60));
    assert_eq!(failed.release.phase, Phase::Failed, "that it is not healthy is told all the same");
    let mut nothing_to_take = Life::back_at(Step::Verify);
    nothing_to_take.release.plan.as_mut().unwrap().taken_back.clear();
    nothing_to_take.refuses(&cancel(false, 40));
}

#[test]
fn a_mark_is_for_what_has_ended_and_had_a_commit() {
    let mark = || Event::MarkedBad { mark: bad_mark() };
    let live = Life::at_step(&plan(), Step::Verify).then(done(Step::Verify, 90));
    let marked = live.clone().then(mark());
    assert_eq!(marked.release.known_bad, Some(bad_mark()));
    assert_eq!((&marked.release.phase, &marked.release.outcome), (&live.release.phase, &live.release.outcome));
    let removed = marked.then(Event::MarkRemoved { by: "ana".into(), at: at(4_000) });
    assert_eq!(removed.release, live.release);
    removed.refuses(&Event::MarkRemoved { by: "ana".into(), at: at(4_000) });
    Life::at_step(&plan(), Step::Verify).refuses(&mark());
    Life::new().then(Event::Requested).then(cancel(false, 3)).refuses(&mark());
    Life::migrating_at(&up(), Step::Migrate).then(done(Step::Migrate, 50)).refuses(&mark());
}

#[test]
fn an_automatic_rollback_follows_once_and_people_are_told() {
    let asked = || Event::AutomaticRollback {
        rollback: AutomaticRollback::Asked { release: "01KE4BACK00000000000000000".into(), commit: sha(1) },
    };
    let failed = Life::at_step(&plan(), Step::Verify).then(broken(Step::Verify, false, 70));
    let life = failed.then(asked());
    let told = life.effects.last();
    assert!(
        matches!(told, Some(Effect::Tell { people, what }) if people == &["ana".into()] && what.contains("by itself")),
        "{told:?}"
    );
    assert_eq!(life.release.phase, Phase::Failed);
    life.refuses(&asked());
    Life::at_step(&plan(), Step::Verify).then(done(Step::Verify, 90)).refuses(&asked());
}

#[test]
fn a_release_of_an_older_version_is_read_without_what_is_new() {
    let mut life = Life::going_back(false);
    let RequestKind::Rollback { from, .. } = &mut life.release.request.kind else { unreachable!() };
    *from = None;
    let text = serde_json::to_string(&life.release).unwrap();
    for new in ["known_bad", "automatic", "because_of", "\"from\"", "\"migrations\":"] {
        assert!(!text.contains(new), "{new} in {text}");
    }
    assert_eq!(serde_json::from_str::<Release>(&text).unwrap(), life.release);
}

#[test]
fn what_ran_before_is_known_where_every_target_ran_it() {
    use crate::plan::{Plan, PlannedTarget};
    let ran = |runs: &[Option<u8>], base: Option<u8>| {
        let target = |runs: &Option<u8>| PlannedTarget {
            kind: "dry".into(),
            id: "goals".into(),
            name: "goals".into(),
            settings: std::collections::BTreeMap::new(),
            runs: runs.map(sha),
            image: None,
            operation: None,
        };
        let mut release = Life::planned(&plan()).release;
        let targets = runs.iter().map(target).collect();
        release.plan = Some(Plan { base: base.map(sha), targets, ..plan() });
        release.ran_before().cloned()
    };
    assert_eq!(ran(&[Some(1), Some(1)], Some(1)), Some(sha(1)));
    for (runs, base) in [
        (&[Some(1), Some(2)][..], Some(1)),
        (&[Some(1), None], Some(1)),
        (&[None], Some(1)),
        (&[None], None),
        (&[], Some(1)),
    ] {
        assert_eq!(ran(runs, base), None, "{runs:?} {base:?}");
    }
}
