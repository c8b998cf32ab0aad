//! Every state meets every event; the whole table is in `table.txt`.

use super::*;
use crate::release::{AutomaticRollback, BuildProgress, PlanningStage};
use expect_test::expect_file;
use std::fmt::Write as _;

/// One release per state that the transition function tells apart.
fn states() -> Vec<(&'static str, Life)> {
    let resolved = || Event::Resolved { commit: sha(3), branch: None };
    let asked = || Life::new().then(Event::Requested);
    let building = || asked().then(resolved());
    let missing = || Event::BuildMissing { at: at(5) };
    let dispatching = || building().then(missing());
    let waiting = || Life::planned(&plan()).judged("wait", &[somebody_runs()]);
    let two_targets = || Life::at_step(&plan_for_targets(2), Step::Deploy);
    let migrating = |way| Life::migrating(way).then(Event::Requested);
    let by = || "01KE4NEW000000000000000000".into();
    vec![
        ("resolving", asked()),
        ("building", building()),
        ("dispatching", dispatching()),
        ("building what was dispatched", dispatching().then(Event::Dispatched { run: 7, temporary_tag: None })),
        ("gathering", building().then(Event::BuildReady)),
        ("judging", Life::planned(&plan())),
        ("judging, planned again", Life::planned(&plan()).judged("refresh", &[])),
        ("awaiting approval", Life::awaiting(&plan())),
        ("awaiting approval, voted", Life::awaiting(&plan()).then(vote("bob", Stance::Approve, &plan(), 30))),
        ("awaiting approval, planned again", Life::awaiting(&plan()).judged("refresh", &[])),
        ("queued", waiting()),
        ("queued, planned again", waiting().judged("refresh", &[])),
        ("running ci", Life::started(&plan())),
        ("running image", Life::at_step(&plan(), Step::Image)),
        ("running migrate", Life::at_step(&plan(), Step::Migrate)),
        ("running migrate, to be cancelled", Life::at_step(&plan(), Step::Migrate).then(cancel(true, 40))),
        ("running deploy", Life::at_step(&plan(), Step::Deploy)),
        ("running deploy, begun", Life::at_step(&plan(), Step::Deploy).then(began(0))),
        ("running deploy, first of two", two_targets().then(began(0))),
        ("running deploy, second of two", two_targets().then(began(0)).then(done(Step::Deploy, 50))),
        ("running verify", Life::at_step(&plan(), Step::Verify)),
        ("migrations only: building", migrating(MigrateWay::Up { goes_on: false }).then(resolved())),
        ("taking back: gathering", migrating(MigrateWay::Down { count: 1, of: vec![] }).then(resolved())),
        ("migrations only: running ci", Life::migrating_at(&up(), Step::Ci)),
        ("migrations only: running migrate", Life::migrating_at(&up(), Step::Migrate)),
        ("taking back: running migrate", Life::migrating_at(&down(), Step::Migrate)),
        (
            "taking back: running migrate, to be cancelled",
            Life::migrating_at(&down(), Step::Migrate).then(cancel(true, 40)),
        ),
        ("going back: gathering", Life::going_back(false).then(Event::Requested).then(resolved())),
        ("going back with migrations: running verify", Life::back_at(Step::Verify)),
        ("going back with migrations: running migrate", Life::back_at(Step::Migrate)),
        (
            "going back with migrations: running migrate, to be cancelled",
            Life::back_at(Step::Migrate).then(cancel(true, 40)),
        ),
        (
            "marked bad",
            Life::at_step(&plan(), Step::Verify)
                .then(done(Step::Verify, 90))
                .then(Event::MarkedBad { mark: bad_mark() }),
        ),
        ("denied", Life::planned(&plan()).judged("deny", &[])),
        ("succeeded", Life::at_step(&plan(), Step::Verify).then(done(Step::Verify, 90))),
        ("failed", Life::started(&plan()).then(broken(Step::Ci, false, 30))),
        ("rolled back", Life::at_step(&plan(), Step::Deploy).then(broken(Step::Deploy, true, 60))),
        ("cancelled", asked().then(cancel(false, 3))),
        ("expired", waiting().then(Event::TimedOut { at: at(86_400) })),
        ("superseded", waiting().then(Event::Superseded { by: by(), requester: None, at: at(50) })),
        ("shipping", shipping::shipping()),
        ("merging", shipping::shipping().then(shipping::ready(5))),
        ("shipping: building", shipping::shipping().then(shipping::ready(5)).then(shipping::merged(6))),
    ]
}

/// The events in the order of their declaration, each fitting the state as well as it can. The match names every
/// variant, so that a new one must be given its place here.
fn following(event: Option<&Event>, release: &Release) -> Option<Event> {
    let (step, plan) = (running_step(release), release.plan.clone().unwrap_or_else(plan));
    Some(match event {
        None => Event::Requested,
        Some(Event::Requested) => Event::Resolved { commit: sha(3), branch: None },
        Some(Event::Resolved { .. }) => {
            let progress =
                BuildProgress { detail: "2 of 3 jobs done".into(), permille: Some(666), url: None, jobs: vec![] };
            Event::BuildProgress { progress }
        }
        Some(Event::BuildProgress { .. }) => Event::BuildReady,
        Some(Event::BuildReady) => Event::BuildMissing { at: at(60) },
        Some(Event::BuildMissing { .. }) => Event::Dispatched { run: 8, temporary_tag: None },
        Some(Event::Dispatched { .. }) => planned(&plan, 60),
        Some(Event::Planned { .. }) => {
            Event::PlanningFailed { step: None, failure: Failure::new("No answer."), at: at(60) }
        }
        Some(Event::PlanningFailed { .. }) => judged("wait", &plan, &[vote_is_missing()], 60),
        Some(Event::Judged { .. }) => vote("bob", Stance::Approve, &plan, 60),
        Some(Event::Voted { .. }) => Event::Withdrawn { person: "bob".into() },
        Some(Event::Withdrawn { .. }) => broken_glass("bob", &plan, 60),
        Some(Event::Overridden { .. }) => Event::Progress { step, detail: "half".into(), permille: Some(500) },
        Some(Event::Progress { .. }) => began(release.target),
        Some(Event::DeployStarted { .. }) => done(step, 60),
        Some(Event::StepSucceeded { .. }) => broken(step, false, 60),
        Some(Event::StepFailed { .. }) => stopped(step, 60),
        Some(Event::StepStopped { .. }) => cancel(false, 60),
        Some(Event::CancelRequested { .. }) => Event::TimedOut { at: at(60) },
        Some(Event::TimedOut { .. }) => {
            Event::Superseded { by: "01KE4NEW000000000000000000".into(), requester: None, at: at(60) }
        }
        Some(Event::Superseded { .. }) => Event::MarkedBad { mark: bad_mark() },
        Some(Event::MarkedBad { .. }) => Event::MarkRemoved { by: "bob".into(), at: at(60) },
        Some(Event::MarkRemoved { .. }) => {
            Event::AutomaticRollback { rollback: AutomaticRollback::Not { why: "Nothing is good.".into() } }
        }
        Some(Event::AutomaticRollback { .. }) => Event::Promoted { tag: "latest".into(), problem: None, at: at(60) },
        Some(Event::Promoted { .. }) => Event::PullSeen { pull: shipping::shipped(false) },
        Some(Event::PullSeen { .. }) => shipping::ready(60),
        Some(Event::PullReady { .. }) => shipping::waits(60),
        Some(Event::PullWaits { .. }) => shipping::merged(60),
        Some(Event::PullMerged { .. }) => Event::LeftOut {
            because_of: "01KE4API000000000000000000".into(),
            why: "api failed in migrate".into(),
            by: "ana".into(),
            at: at(60),
        },
        Some(Event::LeftOut { .. }) => Event::GatherHeld { why: "The database does not answer.".into() },
        Some(Event::GatherHeld { .. }) => Event::VotesVoid { by: "ana".into(), at: Some(at(60)) },
        Some(Event::VotesVoid { .. }) => return None,
    })
}

fn running_step(release: &Release) -> Step {
    if let Phase::Running { step } = release.phase { step } else { Step::Ci }
}

/// All events for a release, with a label each: one per variant, and more where a field decides.
fn events(release: &Release) -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    while let Some(event) = following(all.last().map(|(_, event)| event), release) {
        all.push((event.name().to_owned(), event));
    }
    let (step, plan) = (running_step(release), release.plan.clone().unwrap_or_else(plan));
    for course in ["deny", "nothing_to_do", "dry_run", "refresh", "start"] {
        all.push((format!("judged: {course}"), judged(course, &plan, &[], 60)));
    }
    all.push(("judged: wait for another".into(), judged("wait", &plan, &[somebody_runs()], 60)));
    let wrong = Failure::new("The commit is gone.").final_for_request();
    all.push(("planning_failed for good".into(), Event::PlanningFailed { step: None, failure: wrong, at: at(60) }));
    all.push(("step_failed, rolled back".into(), broken(step, true, 60)));
    all.push(("cancel_requested, begun".into(), cancel(true, 60)));
    all
}

#[test]
fn every_state_meets_every_event() {
    let mut table = String::new();
    for (name, life) in states() {
        writeln!(table, "{name}: {}", describe(&life.release)).unwrap();
        let mut refused = Vec::new();
        for (label, event) in events(&life.release) {
            match step(&life.release, &event) {
                Ok((after, effects)) => {
                    let names: Vec<_> = effects.iter().map(Effect::name).collect();
                    let effects = if names.is_empty() { String::new() } else { format!("  + {}", names.join(", ")) };
                    writeln!(table, "    {label:<26} {}{effects}", describe(&after)).unwrap();
                }
                Err(Illegal { why: Some(why), .. }) => writeln!(table, "    {label:<26} refused: {why}").unwrap(),
                Err(_) => refused.push(label),
            }
        }
        let none_left = refused.len() == events(&life.release).len();
        let refused = if none_left { "everything".to_owned() } else { refused.join(", ") };
        writeln!(table, "    refused: {refused}\n").unwrap();
    }
    expect_file!["table.txt"].assert_eq(&table);
}

#[test]
fn the_table_has_every_phase_stage_and_step() {
    let seen: std::collections::BTreeSet<_> = states().iter().map(|(_, life)| describe(&life.release)).collect();
    use PlanningStage::{Building, Dispatching, Gathering, Judging, Merging, Resolving, Shipping};
    for stage in [Resolving, Building, Dispatching, Gathering, Judging, Shipping, Merging] {
        assert!(seen.contains(&format!("planning({stage:?})").to_lowercase()), "{stage:?}");
    }
    for step in Step::ALL {
        assert!(seen.contains(&format!("running({})", step.name())), "{step:?}");
    }
    let events = events(&Life::planned(&plan()).release);
    let names: std::collections::BTreeSet<_> = events.iter().map(|(_, event)| event.name()).collect();
    assert_eq!(names.len(), 31, "one per variant");
    assert_eq!(seen.len(), 7 + 1 + 4 + 5 + 7, "{seen:?}");
}

/// What is said of a release after its end.
const AFTER_THE_END: [&str; 3] = ["marked_bad", "mark_removed", "automatic_rollback"];

#[test]
fn a_refused_event_leaves_an_ended_release_ended() {
    for (name, life) in states().into_iter().filter(|(_, life)| life.release.phase.is_end()) {
        assert!(life.release.ended_at.is_some() && life.release.outcome.is_some(), "{name}");
        for (_, event) in events(&life.release) {
            if let Ok((after, _)) = step(&life.release, &event) {
                let of = |r: &Release| (r.phase.clone(), r.outcome.clone(), r.ended_at);
                assert_eq!(of(&after), of(&life.release), "{name}: {}", event.name());
                assert!(AFTER_THE_END.contains(&event.name()), "{name}: {}", event.name());
                continue;
            }
            let refused = life.refuses(&event);
            assert_eq!((refused.phase, refused.event), (life.release.phase.name(), event.name()), "{name}");
        }
    }
}

/// Whatever the engine has been told to do can end in a way that this state understands: no outcome is refused and
/// leaves the release with nothing to wait for.
#[test]
fn every_outcome_of_what_is_under_way_is_understood() {
    for (name, life) in states() {
        let Some(effect) = life.effects.iter().rfind(|effect| is_work(effect)).cloned() else { continue };
        if life.release.phase.is_end() || (life.release.is_waiting() && !life.release.gathering) {
            continue;
        }
        for outcome in outcomes(&effect, &life.release) {
            if let Err(illegal) = step(&life.release, &outcome) {
                panic!("{name}: {} ended with {}: {illegal}", effect.name(), outcome.name());
            }
        }
    }
}

fn is_work(effect: &Effect) -> bool {
    !matches!(
        effect,
        Effect::JudgeAt { .. }
            | Effect::ExpireAt { .. }
            | Effect::Tell { .. }
            | Effect::Announce
            | Effect::Promote { .. }
            | Effect::Report
            | Effect::RemoveTag { .. }
    )
}

/// All that an effect can end with.
fn outcomes(effect: &Effect, release: &Release) -> Vec<Event> {
    let failure = Failure::new("It broke.");
    let failed = Event::PlanningFailed { step: None, failure, at: at(70) };
    let ends = |step| vec![done(step, 70), broken(step, false, 70)];
    match effect {
        Effect::Resolve => vec![Event::Resolved { commit: sha(3), branch: None }, failed],
        Effect::AwaitBuild => vec![Event::BuildReady, Event::BuildMissing { at: at(70) }, failed],
        Effect::Dispatch => vec![Event::Dispatched { run: 9, temporary_tag: None }, failed],
        Effect::Gather => vec![planned(&plan(), 70), failed],
        Effect::ObserveCi => ends(Step::Ci),
        Effect::ObserveImage => ends(Step::Image),
        Effect::Migrate => ends(Step::Migrate),
        Effect::Deploy { target } => [vec![began(*target)], ends(Step::Deploy)].concat(),
        Effect::Follow { .. } => [vec![broken(Step::Deploy, true, 70)], ends(Step::Deploy)].concat(),
        Effect::Verify => ends(Step::Verify),
        Effect::AwaitPull => vec![shipping::ready(70), shipping::merged(70), failed],
        Effect::MergePull => vec![shipping::merged(70), shipping::waits(70), failed],
        Effect::JudgeAt { .. }
        | Effect::ExpireAt { .. }
        | Effect::Tell { .. }
        | Effect::Announce
        | Effect::Promote { .. }
        | Effect::Report
        | Effect::RemoveTag { .. } => {
            panic!("{} of {} is no work", effect.name(), release.id)
        }
    }
}
