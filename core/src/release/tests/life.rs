//! Whole lives: to success, to every failure, stopped at every point.

use super::*;
use crate::release::{Outcome, Promotion, StepState};

#[test]
fn a_deploy_with_a_migration_goes_live() {
    let life = Life::new()
        .then(Event::Requested)
        .then(Event::Resolved { commit: sha(3), branch: Some("main".into()) })
        .then(Event::BuildMissing { at: at(2) })
        .then(Event::Dispatched { run: 7, temporary_tag: None })
        .then(Event::BuildReady)
        .then(planned(&plan(), 10))
        .judged("start", &[])
        .then(done(Step::Ci, 21))
        .then(done(Step::Image, 22))
        .then(done(Step::Migrate, 23))
        .then(began(0))
        .then(done(Step::Deploy, 90))
        .then(done(Step::Verify, 95));
    assert_eq!(life.release.phase, Phase::Succeeded);
    assert_eq!(life.release.outcome, Some(Outcome::Live));
    assert_eq!((life.release.started_at, life.release.ended_at), (Some(at(20)), Some(at(95))));
    assert!(Step::ALL.iter().all(|s| life.release.steps.get(*s).state == StepState::Succeeded));
    let expected = [
        "resolve",
        "expire_at",
        "await_build",
        "dispatch",
        "await_build",
        "gather",
        "observe_ci",
        "observe_image",
        "migrate",
        "deploy",
        "follow",
        "verify",
        "announce",
    ];
    assert_eq!(life.effect_names(), expected);
    let expire = life.effects.iter().find_map(Effect::not_before);
    assert_eq!(expire, Some(request().expires_at));
}

#[test]
fn without_a_migration_to_run_the_step_is_skipped() {
    let mut none = plan();
    none.migrations.clear();
    let mut not_here = plan();
    not_here.migrations[0].not_run = Some("needs PostgreSQL".into());
    for plan in [none, not_here] {
        let life = Life::at_step(&plan, Step::Deploy);
        assert_eq!(life.release.steps.get(Step::Migrate).state, StepState::Skipped);
        assert!(!life.effect_names().contains(&"migrate"));
    }
}

#[test]
fn targets_are_deployed_in_turn() {
    let life = Life::at_step(&plan_for_targets(2), Step::Deploy);
    let life = life.then(began(0)).then(done(Step::Deploy, 60));
    assert_eq!(life.release.phase, Phase::Running { step: Step::Deploy });
    assert_eq!((life.release.target, &life.release.operation), (1, &None));
    assert_eq!(life.release.steps.get(Step::Deploy).state, StepState::Running);
    life.refuses(&began(0));
    let life = life.then(began(1)).then(done(Step::Deploy, 90));
    assert_eq!(life.release.phase, Phase::Running { step: Step::Verify });
    let deploys: Vec<_> = life.effects.iter().filter(|e| e.name() == "deploy").collect();
    assert_eq!(deploys, [&Effect::Deploy { target: 0 }, &Effect::Deploy { target: 1 }]);
}

#[test]
fn a_build_that_leaves_no_image_is_not_tried_again() {
    let life = Life::new()
        .then(Event::Requested)
        .then(Event::Resolved { commit: sha(3), branch: None })
        .then(Event::BuildMissing { at: at(2) })
        .then(Event::Dispatched { run: 7, temporary_tag: None })
        .then(Event::BuildMissing { at: at(300) });
    assert_eq!(life.release.phase, Phase::Failed);
    let Some(Outcome::Failed { step: Some(Step::Image), failure }) = &life.release.outcome else { panic!() };
    assert!(failure.what.contains("run 7"), "{}", failure.what);
    assert_eq!(life.effect_names().iter().filter(|n| **n == "dispatch").count(), 1);
}

#[test]
fn planning_that_fails_names_the_step_at_fault() {
    let asked = Life::new().then(Event::Requested);
    for step in [None, Some(Step::Ci), Some(Step::Image)] {
        let failed = Event::PlanningFailed { step, failure: Failure::new("CI is red."), at: at(9) };
        let life = asked.clone().then(failed);
        assert_eq!(life.release.outcome, Some(Outcome::Failed { step, failure: Failure::new("CI is red.") }));
        for other in Step::ALL {
            let expected = if Some(other) == step { StepState::Failed } else { StepState::Pending };
            assert_eq!(life.release.steps.get(other).state, expected);
        }
    }
}

#[test]
fn a_failed_step_ends_it_and_leaves_the_rest_pending() {
    for failing in Step::ALL {
        let life = Life::at_step(&plan(), failing).then(broken(failing, false, 70));
        assert_eq!(life.release.phase, Phase::Failed);
        let failure = Failure::new("It broke.");
        assert_eq!(life.release.outcome, Some(Outcome::Failed { step: Some(failing), failure }));
        for step in Step::ALL {
            let expected = match step.cmp(&failing) {
                std::cmp::Ordering::Less => StepState::Succeeded,
                std::cmp::Ordering::Equal => StepState::Failed,
                std::cmp::Ordering::Greater => StepState::Pending,
            };
            assert_eq!(life.release.steps.get(step).state, expected, "{failing:?} failed, {step:?}");
        }
        assert!(!life.effect_names().contains(&"announce"));
    }
}

#[test]
fn what_the_platform_rolled_back_is_no_success_and_no_plain_failure() {
    let life = Life::at_step(&plan(), Step::Deploy).then(began(0)).then(broken(Step::Deploy, true, 70));
    assert_eq!(life.release.phase, Phase::RolledBack);
    assert_eq!(life.release.outcome, Some(Outcome::RolledBack { failure: Failure::new("It broke.") }));
    assert_eq!(life.release.steps.get(Step::Migrate).state, StepState::Succeeded, "what was applied stays applied");
    life.refuses(&done(Step::Deploy, 80));
    let migration = Life::at_step(&plan(), Step::Migrate).then(broken(Step::Migrate, true, 70));
    assert_eq!(migration.release.phase, Phase::Failed, "no platform put a version back");
}

#[test]
fn news_of_another_step_is_refused() {
    let life = Life::at_step(&plan(), Step::Migrate);
    for other in [Step::Ci, Step::Image, Step::Deploy, Step::Verify] {
        life.refuses(&done(other, 60));
        life.refuses(&broken(other, false, 60));
        life.refuses(&Event::Progress { step: other, detail: "half".into(), permille: None });
    }
    let twice = Life::at_step(&plan(), Step::Deploy).then(began(0));
    twice.refuses(&began(0));
    Life::at_step(&plan(), Step::Deploy).refuses(&began(1));
}

#[test]
fn progress_shows_and_is_gone_when_the_step_ends() {
    let half = Event::Progress { step: Step::Migrate, detail: "1 of 2".into(), permille: Some(500) };
    let life = Life::at_step(&plan(), Step::Migrate).then(half);
    let record = life.release.steps.get(Step::Migrate);
    assert_eq!((record.detail.as_deref(), record.permille), (Some("1 of 2"), Some(500)));
    let life = life.then(done(Step::Migrate, 60));
    let record = life.release.steps.get(Step::Migrate);
    assert_eq!((record.detail.as_deref(), record.permille, record.ended_at), (Some("done"), None, Some(at(60))));
}

fn cancelled(life: Life, begun: bool) -> Release {
    let life = life.then(cancel(begun, 60));
    assert_eq!(life.release.phase, Phase::Cancelled);
    assert_eq!(life.release.outcome, Some(Outcome::Cancelled { by: "cem".into(), details: vec![] }));
    assert!(!life.release.gathering);
    life.release
}

#[test]
fn it_can_be_cancelled_at_once_until_something_changes_outside() {
    for begun in [false, true] {
        cancelled(Life::new(), begun);
        cancelled(Life::planned(&plan()), begun);
        cancelled(Life::awaiting(&plan()), begun);
        cancelled(Life::awaiting(&plan()).judged("refresh", &[]), begun);
        cancelled(Life::planned(&plan()).judged("wait", &[somebody_runs()]), begun);
        cancelled(Life::started(&plan()), begun);
        cancelled(Life::at_step(&plan(), Step::Image), begun);
    }
    cancelled(Life::at_step(&plan(), Step::Migrate), false);
    let release = cancelled(Life::at_step(&plan(), Step::Deploy), false);
    assert_eq!(release.steps.get(Step::Deploy).state, StepState::Pending, "it had not begun");
}

#[test]
fn cancelling_begun_migrations_stops_it_after_them() {
    let life = Life::at_step(&plan(), Step::Migrate).then(cancel(true, 40));
    assert_eq!(life.release.phase, Phase::Running { step: Step::Migrate });
    for begun in [true, false] {
        assert!(life.refuses(&cancel(begun, 41)).why.is_some(), "the second click is told what happens");
    }
    let stopped = life.clone().then(done(Step::Migrate, 50));
    assert_eq!(stopped.release.phase, Phase::Cancelled);
    assert!(!stopped.effect_names().contains(&"deploy"));
    let failed = life.then(broken(Step::Migrate, false, 50));
    assert_eq!(failed.release.phase, Phase::Failed);
}

#[test]
fn past_the_point_of_no_return_cancel_says_why_not() {
    let deploy = || Life::at_step(&plan(), Step::Deploy);
    let second = Life::at_step(&plan_for_targets(2), Step::Deploy).then(began(0)).then(done(Step::Deploy, 50));
    for (life, begun) in [
        (deploy(), true),
        // The operation is known although the caller did not see that it has begun.
        (deploy().then(began(0)), false),
        (second.clone(), false),
        (second, true),
        (Life::at_step(&plan(), Step::Verify), false),
        (Life::at_step(&plan(), Step::Verify), true),
    ] {
        assert!(life.refuses(&cancel(begun, 60)).why.is_some_and(|why| why.contains("roll back")));
    }
}

#[test]
fn only_what_has_not_started_expires_or_is_superseded() {
    let expire = Event::TimedOut { at: at(86_400) };
    let supersede = Event::Superseded { by: "01KE4NEW000000000000000000".into(), requester: None, at: at(50) };
    for life in [Life::new(), Life::planned(&plan()), Life::awaiting(&plan())] {
        let expired = life.clone().then(expire.clone());
        assert_eq!((expired.release.phase, expired.release.outcome), (Phase::Expired, Some(Outcome::Expired)));
        let superseded = life.then(supersede.clone());
        assert_eq!(superseded.release.phase, Phase::Superseded);
    }
    let voted = Life::awaiting(&plan()).then(vote("bob", Stance::Approve, &plan(), 30));
    let by_eve =
        Event::Superseded { by: "01KE4NEW000000000000000000".into(), requester: Some("eve".into()), at: at(50) };
    let told = voted.clone().then(by_eve).effects;
    let Some(Effect::Tell { people, what }) = told.last() else { panic!("{told:?}") };
    assert_eq!(people, &["ana".into(), "bob".into()], "whoever asked, and whoever voted");
    assert!(what.contains("votes on this one are void"), "{what}");
    let by_ana =
        Event::Superseded { by: "01KE4NEW000000000000000000".into(), requester: Some("ana".into()), at: at(50) };
    let told = voted.then(by_ana).effects;
    assert!(matches!(told.last(), Some(Effect::Tell { people, .. }) if *people == ["bob".into()]), "{told:?}");
    for step in Step::ALL {
        let life = Life::at_step(&plan(), step);
        life.refuses(&expire);
        life.refuses(&supersede);
    }
}

#[test]
fn migrations_alone_deploy_nothing() {
    for (plan, planning) in [(up(), &["await_build", "gather"][..]), (down(), &["gather"][..])] {
        let life = Life::migrating_at(&plan, Step::Migrate).then(done(Step::Migrate, 60));
        assert_eq!(life.release.phase, Phase::Succeeded);
        assert_eq!(life.release.outcome, Some(Outcome::Migrated));
        let run = ["observe_ci", "migrate", "announce"];
        assert_eq!(life.effect_names(), [&["resolve", "expire_at"], planning, &run].concat());
        for step in [Step::Image, Step::Deploy, Step::Verify] {
            assert_eq!(life.release.steps.get(step).state, StepState::Skipped, "{step:?}");
        }
    }
}

#[test]
fn a_run_that_is_broken_off_ends_as_cancelled_and_says_what_stays() {
    let running = || Life::at_step(&plan(), Step::Migrate);
    running().refuses(&stopped(Step::Migrate, 60));
    let life = running().then(cancel(true, 50)).then(stopped(Step::Migrate, 60));
    let details = vec!["Applied and still there: 1.sql.".to_owned()];
    assert_eq!(life.release.outcome, Some(Outcome::Cancelled { by: "cem".into(), details }));
    assert_eq!(life.release.steps.get(Step::Migrate).state, StepState::Failed);
    // What it failed of before it could be broken off is told as a failure.
    let life = running().then(cancel(true, 50)).then(broken(Step::Migrate, false, 60));
    assert_eq!(life.release.phase, Phase::Failed);
    running().then(cancel(true, 50)).refuses(&cancel(true, 55));
}

#[test]
fn what_was_stored_before_there_were_migrations_alone_is_read() {
    let cancelled: Outcome = serde_json::from_str(r#"{"outcome":"cancelled","by":"ana"}"#).unwrap();
    assert_eq!(cancelled, Outcome::Cancelled { by: "ana".into(), details: vec![] });
    let mut stored = serde_json::to_value(plan()).unwrap();
    for new in ["taken_back", "files_from", "goes_on"] {
        assert_eq!(stored.as_object_mut().unwrap().remove(new), None, "{new} is left out where it says nothing");
    }
    assert_eq!(serde_json::from_value::<Plan>(stored).unwrap(), plan());
}

#[test]
fn the_configuration_alone_skips_what_is_there_already() {
    let plan = Plan { kind: PlanKind::Config, migrations: vec![], commits: vec![], ..plan() };
    let mut life = Life::new();
    life.release.request.kind = RequestKind::Config { commit: sha(3), again: None };
    let life = life.then(Event::Requested).then(Event::Resolved { commit: sha(3), branch: None });
    // It was built once: nothing waits for a build.
    assert_eq!(life.effects.last(), Some(&Effect::Gather));
    let life = life.then(planned(&plan, 10)).judged("start", &[]).then(done(Step::Ci, 30));
    assert_eq!(life.effects.last(), Some(&Effect::Deploy { target: 0 }));
    assert_eq!(life.release.phase, Phase::Running { step: Step::Deploy });
    assert_eq!(life.release.steps.get(Step::Image).state, StepState::Skipped);
    assert_eq!(life.release.steps.get(Step::Migrate).state, StepState::Skipped);
}

#[test]
fn a_tag_is_moved_after_success_alone_and_what_became_of_it_is_told_once() {
    let promoting = Plan { promote: Some("latest".into()), ..plan() };
    let moved = |tag: &str, problem: Option<&str>| Event::Promoted {
        tag: tag.into(),
        problem: problem.map(str::to_owned),
        at: at(90),
    };
    let verify = || Life::at_step(&promoting, Step::Verify);
    let live = || verify().then(done(Step::Verify, 80));
    assert_eq!(live().effects.last(), Some(&Effect::Promote { tag: "latest".into() }));
    assert!(!verify().then(broken(Step::Verify, false, 80)).effect_names().contains(&"promote"));
    let plain = Life::at_step(&plan(), Step::Verify).then(done(Step::Verify, 80));
    assert!(!plain.effect_names().contains(&"promote"));
    plain.refuses(&moved("latest", None));

    live().refuses(&moved("stable", None));
    verify().refuses(&moved("latest", None));
    let told = live().then(moved("latest", Some("It is immutable.")));
    let promotion = Promotion { tag: "latest".into(), problem: Some("It is immutable.".into()) };
    assert_eq!(told.release.promotion, Some(promotion));
    assert_eq!(told.release.phase, Phase::Succeeded);
    told.refuses(&moved("latest", None));
    assert_ne!(promoting.digest(), plan().digest(), "who approves approves that, too");
}
