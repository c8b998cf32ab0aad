//! Random lives: whatever happens in whatever order, these hold.

use super::*;
use crate::release::{BuildProgress, Outcome, PlanningStage};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What happens next, as far as it does not depend on the state.
#[derive(Clone, Copy, Debug)]
struct Draw {
    /// Which event.
    kind: u8,
    /// Which of its shapes.
    shape: u8,
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let draw = (0..26_u8, any::<u8>()).prop_map(|(kind, shape)| Draw { kind, shape });
    proptest::collection::vec(draw, 0..120)
}

/// Plans of one commit that differ in what runs, what is pending and how many targets there are.
fn some_plan(shape: u8) -> Plan {
    let mut plan = plan_for_targets(1 + usize::from(shape & 1));
    if shape & 2 != 0 {
        plan.migrations.clear();
    }
    if shape & 4 != 0 {
        plan.base = Some(sha(2));
        plan.commits.truncate(1);
    }
    plan
}

/// The plan as a release of this kind would have it.
fn of_kind(plan: Plan, release: &Release) -> Plan {
    let kind = release.request.kind.plan_kind();
    match kind {
        PlanKind::Deploy | PlanKind::Rollback => Plan { kind, ..plan },
        PlanKind::MigrateUp => Plan { kind, targets: vec![], commits: vec![], ..plan },
        PlanKind::MigrateDown => Plan {
            kind,
            targets: vec![],
            commits: vec![],
            taken_back: plan.migrations.clone(),
            migrations: vec![],
            ..plan
        },
        PlanKind::Config => Plan { kind, commits: vec![], migrations: vec![], ..plan },
    }
}

/// An event that often fits the state, and sometimes does not.
fn event(draw: Draw, release: &Release, now: i64) -> Event {
    let Draw { kind, shape } = draw;
    let running = if let Phase::Running { step } = release.phase { step } else { Step::Ci };
    let step = if shape.is_multiple_of(8) { Step::ALL[usize::from(shape / 8) % 5] } else { running };
    let some_plan = |shape| of_kind(some_plan(shape), release);
    let known = release.plan.clone().unwrap_or_else(|| of_kind(plan(), release));
    let about = if shape % 16 == 1 { some_plan(shape / 16) } else { known };
    let person = ["bob", "cem", "eve"][usize::from(shape) % 3];
    let failure = Failure { request_is_wrong: shape.is_multiple_of(4), ..Failure::new("It broke.") };
    match kind {
        0 => Event::Requested,
        1 => Event::Resolved { commit: sha(3), branch: None },
        2 => Event::BuildProgress {
            progress: BuildProgress { detail: "half".into(), permille: Some(500), url: None, jobs: vec![] },
        },
        3 => Event::BuildReady,
        4 => Event::BuildMissing { at: at(now) },
        5 => Event::Dispatched { run: u64::from(shape), temporary_tag: None },
        6 | 7 => planned(&some_plan(shape), now),
        8 if shape.is_multiple_of(4) => Event::PlanningFailed { step: None, failure, at: at(now) },
        8 | 9 => judged("start", &about, &[], now),
        10 => judged("wait", &about, &[vote_is_missing()], now),
        11 => judged("wait", &about, &[somebody_runs()], now),
        12 | 13 => judged("refresh", &about, &[], now),
        14 => judged(["deny", "nothing_to_do", "dry_run", "wait", "wait"][usize::from(shape) % 5], &about, &[], now),
        15 => vote(person, if shape & 1 == 0 { Stance::Approve } else { Stance::Veto }, &about, now),
        16 => Event::Withdrawn { person: person.into() },
        24 => broken_glass(person, &about, now),
        25 if shape.is_multiple_of(4) => shipping::waits(now),
        25 if shape.is_multiple_of(2) => shipping::ready(now),
        25 => shipping::merged(now),
        17 => Event::Progress { step, detail: "half".into(), permille: None },
        18 => began(usize::from(shape % 3)),
        19 | 20 => done(step, now),
        21 if shape.is_multiple_of(4) => broken(step, shape & 16 != 0, now),
        22 if shape.is_multiple_of(4) => cancel(shape & 16 != 0, now),
        22 if shape.is_multiple_of(3) => stopped(step, now),
        23 if shape.is_multiple_of(16) => Event::TimedOut { at: at(now) },
        23 if shape % 16 == 4 => {
            Event::Superseded { by: "01KE4NEW000000000000000000".into(), requester: None, at: at(now) }
        }
        _ => done(running, now),
    }
}

/// The work that must be under way in a state, so that it does not hang. `None`: a person, another release, a timer
/// or the gate, which looks after every event, moves it on.
fn under_way(release: &Release) -> Option<&'static str> {
    if release.gathering {
        return Some("gather");
    }
    match &release.phase {
        Phase::Planning { stage } => match stage {
            PlanningStage::Resolving => Some("resolve"),
            PlanningStage::Building => Some("await_build"),
            PlanningStage::Dispatching => Some("dispatch"),
            PlanningStage::Gathering => Some("gather"),
            PlanningStage::Judging => None,
            PlanningStage::Shipping => Some("await_pull"),
            PlanningStage::Merging => Some("merge_pull"),
        },
        Phase::Running { step } => Some(match step {
            Step::Ci => "observe_ci",
            Step::Image => "observe_image",
            Step::Migrate => "migrate",
            Step::Deploy if release.operation.is_some() => "follow",
            Step::Deploy => "deploy",
            Step::Verify => "verify",
        }),
        _ => None,
    }
}

/// What must not be done twice, whatever happens.
fn acts_once(effect: &Effect) -> bool {
    match effect {
        Effect::Dispatch
        | Effect::Migrate
        | Effect::Deploy { .. }
        | Effect::Follow { .. }
        | Effect::ObserveCi
        | Effect::ObserveImage
        | Effect::Verify
        | Effect::Announce
        | Effect::Promote { .. }
        | Effect::RemoveTag { .. } => true,
        Effect::Resolve
        | Effect::AwaitBuild
        | Effect::Gather
        | Effect::JudgeAt { .. }
        | Effect::ExpireAt { .. }
        | Effect::Tell { .. }
        | Effect::Report
        // A merge may be refused, and is asked for again once more has come; GitHub merges one pull request once.
        | Effect::AwaitPull
        | Effect::MergePull => false,
    }
}

/// Checks one transition.
fn holds(before: &Release, event: &Event, after: &Release, effects: &[Effect]) {
    let ran = matches!(before.phase, Phase::Running { .. });
    if matches!(after.phase, Phase::Running { .. }) && !ran {
        let Event::Judged { verdict } = event else { panic!("{} started a run", event.name()) };
        assert_eq!(verdict.course(), crate::gate::Course::Start);
        assert_eq!(Some(verdict.digest()), after.digest().as_ref());
        assert!(!before.gathering);
    }
    if let (Phase::Running { step }, true) = (&after.phase, after.request.kind.plan_kind().only_migrates()) {
        assert!(matches!(step, Step::Ci | Step::Migrate), "nothing is deployed");
    }
    let deployed = after.outcome == Some(Outcome::Live);
    assert!(!(deployed && after.request.kind.plan_kind().only_migrates()), "nothing was deployed");
    assert!(!before.phase.is_end(), "{} woke a release that had ended", event.name());
    assert_eq!(after.phase.is_end(), after.ended_at.is_some());
    assert_eq!(after.phase.is_end(), after.outcome.is_some());
    assert!(!(ran && after.digest() != before.digest()), "the plan changed under a run");
    let voters: BTreeSet<_> = after.votes.iter().map(|vote| &vote.person).collect();
    assert_eq!(voters.len(), after.votes.len(), "somebody votes twice");
    let mut approvals = after.votes.iter().filter(|vote| vote.stance == Stance::Approve);
    assert!(approvals.all(|vote| Some(&vote.digest) == after.digest().as_ref()), "an approval of another plan");
    let objects = |release: &Release| {
        let vetoes = release.votes.iter().filter(|vote| vote.stance == Stance::Veto);
        vetoes.map(|vote| vote.person.clone()).collect::<BTreeSet<_>>()
    };
    let may_end = matches!(event, Event::Withdrawn { .. } | Event::Voted { .. });
    assert!(may_end || objects(after).is_superset(&objects(before)), "a veto is gone that nobody withdrew");
    let wanted = under_way(after);
    let moved = wanted.is_some() && wanted != under_way(before);
    assert!(!moved || effects.iter().any(|e| Some(e.name()) == wanted), "{} without {wanted:?}", describe(after));
}

fn survives_json<T>(value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value);
}

fn walk(start: Life, draws: &[Draw]) {
    let mut life = start;
    let mut done_once: Vec<Effect> = life.effects.iter().filter(|effect| acts_once(effect)).cloned().collect();
    for (now, draw) in (100_i64..).zip(draws) {
        let event = event(*draw, &life.release, now);
        survives_json(&event);
        let Ok((after, effects)) = step(&life.release, &event) else { continue };
        holds(&life.release, &event, &after, &effects);
        survives_json(&after);
        for effect in effects {
            survives_json(&effect);
            if acts_once(&effect) {
                let follows_again = |old: &Effect| match (old, &effect) {
                    (Effect::Follow { target: old, .. }, Effect::Follow { target, .. }) => old == target,
                    (old, effect) => *old == *effect,
                };
                assert!(!done_once.iter().any(follows_again), "{effect:?} twice");
                done_once.push(effect);
            }
        }
        life.release = after;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life_keeps_the_promises(draws in draws()) {
        walk(Life::new().then(Event::Requested), &draws);
    }

    #[test]
    fn any_migration_keeps_the_promises(back in any::<bool>(), begun in any::<bool>(), draws in draws()) {
        let plan = if back { down() } else { up() };
        let start = if begun { Life::migrating_at(&plan, Step::Migrate) } else { Life::migrating_at(&plan, Step::Ci) };
        walk(start, &draws);
    }

    #[test]
    fn any_wait_keeps_the_promises(shape in any::<u8>(), draws in draws()) {
        walk(Life::awaiting(&some_plan(shape)), &draws);
    }

    #[test]
    fn any_run_keeps_the_promises(shape in any::<u8>(), draws in draws()) {
        walk(Life::started(&some_plan(shape)), &draws);
    }

    #[test]
    fn any_ship_keeps_the_promises(draws in draws()) {
        walk(shipping::shipping(), &draws);
    }
}

/// The walks above must be able to reach the ends, or they prove nothing.
#[test]
fn the_draws_can_reach_success() {
    let mut life = Life::new().then(Event::Requested);
    for kind in [1, 4, 5, 3, 6, 13, 6, 10, 15, 9, 19, 19, 19, 18, 19, 19] {
        let shape = if kind == 18 { 0 } else { 2 };
        let shape = if kind == 6 { 0 } else { shape };
        let event = event(Draw { kind, shape }, &life.release, 100);
        life = life.then(event);
    }
    assert_eq!(life.release.phase, Phase::Succeeded);
}
