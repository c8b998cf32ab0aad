//! Tests of the environment: order, superseding, lock, and what is judged when.

mod walk;

use super::*;
use crate::plan::tests::sha;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + seconds).unwrap()
}

fn environment() -> Environment {
    Environment::new(EnvironmentKey { service: "goals".into(), environment: "production".into() })
}

/// A deployment of commit `commit`, asked for at `asked`, whose plan also contains `older`.
fn deploy(release: &str, commit: u8, older: &[u8], asked: i64) -> Waiting {
    let contains = older.iter().chain([&commit]).map(|seed| sha(*seed)).collect();
    let (release, requester) = (release.into(), "ana".into());
    Waiting { release, requester, kind: PlanKind::Deploy, commit: sha(commit), contains, asked_at: at(asked) }
}

fn rollback(release: &str, commit: u8, asked: i64) -> Waiting {
    Waiting { kind: PlanKind::Rollback, ..deploy(release, commit, &[], asked) }
}

fn enqueued(waiting: Waiting) -> Event {
    Event::Enqueued(waiting)
}

fn started(release: &str, person: &str, seconds: i64) -> Event {
    Event::Started { release: release.into(), requester: person.into(), at: at(seconds) }
}

fn ended(release: &str, seconds: i64) -> Event {
    Event::Ended { release: release.into(), live: None, at: at(seconds) }
}

fn live(release: &str, commit: u8, seconds: i64) -> Live {
    let image = ImageDigest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap();
    Live { release: release.into(), commit: sha(commit), image, by: "ana".into(), since: at(seconds), verified: true }
}

fn lock(owner: &str, from: i64, until: Option<i64>) -> Lock {
    Lock { owner: owner.into(), reason: "load test".into(), at: at(from), until: until.map(at) }
}

fn judge(release: &str) -> Effect {
    Effect::Judge { release: release.into() }
}

fn supersede(release: &str, by: &str) -> Effect {
    Effect::Supersede { release: release.into(), by: by.into(), requester: "ana".into() }
}

/// All these events, and what followed from the last one.
fn after(events: impl IntoIterator<Item = Event>) -> (Environment, Vec<Effect>) {
    events.into_iter().fold((environment(), vec![]), |(environment, _), event| {
        step(&environment, &event).unwrap_or_else(|illegal| panic!("{event:?}: {illegal}"))
    })
}

fn queue(environment: &Environment) -> Vec<&str> {
    environment.queue.iter().map(|waiting| waiting.release.as_str()).collect()
}

fn blockers(environment: &Environment, release: &str, person: &str, now: i64) -> Vec<String> {
    environment.blockers(&release.into(), &person.into(), at(now)).into_iter().map(|reason| reason.why).collect()
}

#[test]
fn first_come_first_served() {
    let (environment, _) =
        after([enqueued(deploy("A", 1, &[], 1)), enqueued(deploy("B", 2, &[], 2)), enqueued(deploy("C", 3, &[], 3))]);
    assert_eq!(queue(&environment), ["A", "B", "C"]);
    assert_eq!(blockers(&environment, "A", "ana", 9), [""; 0]);
    assert_eq!(blockers(&environment, "C", "ana", 9), ["Release A was asked for before."]);
    for release in ["B", "C", "unknown"] {
        assert_eq!(step(&environment, &started(release, "ana", 9)), Err(Illegal::NotItsTurn));
    }
    let (running, effects) = step(&environment, &started("A", "ana", 9)).unwrap();
    assert_eq!((queue(&running), effects), (vec!["B", "C"], vec![]));
    assert_eq!(running.running, Some("A".into()));
    assert_eq!(blockers(&running, "B", "ana", 10), ["Release A is running here."]);
    assert_eq!(blockers(&running, "A", "ana", 10), [""; 0]);
    for release in ["A", "B", "C"] {
        assert_eq!(step(&running, &started(release, "ana", 10)), Err(Illegal::Busy("A".into())));
    }
    let (idle, effects) = step(&running, &ended("A", 60)).unwrap();
    assert_eq!((queue(&idle), &idle.running, effects), (vec!["B", "C"], &None, vec![judge("B"), judge("C")]));
}

#[test]
fn what_is_planned_again_keeps_its_place() {
    let (environment, effects) =
        after([enqueued(deploy("A", 1, &[], 1)), enqueued(deploy("B", 2, &[], 2)), enqueued(deploy("A", 1, &[7], 1))]);
    assert_eq!((queue(&environment), effects), (vec!["A", "B"], vec![]));
    assert!(environment.queue[0].contains.contains(&sha(7)));
}

#[test]
fn only_a_newer_request_that_contains_it_supersedes() {
    let old = deploy("OLD", 1, &[], 10);
    for (name, other, expected) in [
        ("newer and contains it", deploy("NEW", 2, &[1], 11), vec![supersede("OLD", "NEW")]),
        ("the same commit again", deploy("NEW", 1, &[], 11), vec![supersede("OLD", "NEW")]),
        ("newer, of another line", deploy("NEW", 2, &[], 11), vec![]),
        ("a rollback that contains it", Waiting { kind: PlanKind::Rollback, ..deploy("NEW", 2, &[1], 11) }, vec![]),
        ("older and contains it", deploy("NEW", 2, &[1], 9), vec![]),
    ] {
        let (environment, effects) = after([enqueued(old.clone()), enqueued(other)]);
        assert_eq!(effects, expected, "{name}");
        assert_eq!(queue(&environment).contains(&"OLD"), expected.is_empty(), "{name}");
        assert!(queue(&environment).contains(&"NEW"), "{name}");
    }
    let (_, effects) = after([enqueued(rollback("OLD", 1, 10)), enqueued(deploy("NEW", 2, &[1], 11))]);
    assert_eq!(effects, [], "a rollback is never superseded");
}

#[test]
fn of_two_requests_of_one_moment_one_supersedes() {
    let (a, b) = (deploy("A", 1, &[], 10), deploy("B", 1, &[], 10));
    for order in [[a.clone(), b.clone()], [b, a]] {
        let (environment, effects) = after(order.map(enqueued));
        assert_eq!((queue(&environment), effects), (vec!["B"], vec![supersede("A", "B")]));
    }
}

#[test]
fn an_older_request_that_was_planned_later_is_superseded_on_arrival() {
    let (environment, effects) = after([enqueued(deploy("NEW", 2, &[1], 11)), enqueued(deploy("OLD", 1, &[], 10))]);
    assert_eq!((queue(&environment), effects), (vec!["NEW"], vec![supersede("OLD", "NEW")]));
    let (unchanged, effects) = step(&environment, &ended("OLD", 12)).unwrap();
    assert_eq!((unchanged, effects), (environment, vec![]));
}

#[test]
fn the_running_one_is_never_superseded() {
    let (environment, effects) =
        after([enqueued(deploy("OLD", 1, &[], 1)), started("OLD", "ana", 2), enqueued(deploy("NEW", 2, &[1], 3))]);
    assert_eq!(effects, []);
    assert_eq!((environment.running.as_ref(), queue(&environment)), (Some(&"OLD".into()), vec!["NEW"]));
}

#[test]
fn who_moves_up_behind_a_superseded_one_is_judged() {
    let (environment, effects) =
        after([enqueued(deploy("A", 1, &[], 1)), enqueued(deploy("X", 9, &[], 2)), enqueued(deploy("B", 2, &[1], 3))]);
    assert_eq!(queue(&environment), ["X", "B"]);
    assert_eq!(effects, [supersede("A", "B"), judge("X")]);
}

#[test]
fn a_newer_request_supersedes_all_that_it_contains() {
    let (environment, effects) = after([
        enqueued(deploy("A", 1, &[], 1)),
        enqueued(rollback("R", 8, 2)),
        enqueued(deploy("X", 9, &[], 3)),
        enqueued(deploy("C", 3, &[2], 4)),
        enqueued(deploy("D", 4, &[3, 2, 1, 8], 5)),
    ]);
    assert_eq!(queue(&environment), ["R", "X", "D"]);
    assert_eq!(effects, [supersede("A", "D"), supersede("C", "D")]);
}

#[test]
fn rollbacks_go_first_in_their_own_order() {
    let (environment, _) = after([
        enqueued(deploy("A", 1, &[], 1)),
        enqueued(rollback("R1", 8, 2)),
        enqueued(deploy("B", 2, &[], 3)),
        enqueued(rollback("R2", 7, 4)),
    ]);
    assert_eq!(queue(&environment), ["R1", "R2", "A", "B"]);
    assert_eq!(blockers(&environment, "A", "ana", 5), ["Release R1 was asked for before."]);
}

#[test]
fn a_rollback_does_not_push_in_before_the_running_one() {
    let (environment, _) =
        after([enqueued(deploy("A", 1, &[], 1)), started("A", "ana", 2), enqueued(rollback("R", 8, 3))]);
    assert_eq!(step(&environment, &started("R", "ana", 4)), Err(Illegal::Busy("A".into())));
    let (_, effects) = step(&environment, &ended("A", 5)).unwrap();
    assert_eq!(effects, [judge("R")]);
}

#[test]
fn a_lock_lets_its_owner_pass_and_runs_out() {
    let (locked, effects) = after([enqueued(deploy("A", 1, &[], 1)), Event::Locked(lock("bob", 10, Some(100)))]);
    assert_eq!(effects, [judge("A")], "its message has to say so");
    assert_eq!(step(&locked, &started("A", "ana", 99)), Err(Illegal::Locked("bob".into())));
    assert!(step(&locked, &started("A", "bob", 99)).is_ok());
    assert!(step(&locked, &started("A", "ana", 100)).is_ok(), "the lock has run out");
    let reasons = locked.blockers(&"A".into(), &"ana".into(), at(99));
    let until_end = Clears::Unlock { owner: "bob".into(), until: Some(at(100)) };
    assert_eq!(reasons.iter().map(|r| &r.clears).collect::<Vec<_>>(), [&until_end]);
    assert_eq!(blockers(&locked, "A", "bob", 99), [""; 0]);
    assert_eq!(blockers(&locked, "A", "ana", 100), [""; 0]);
    assert_eq!(locked.lock(at(99)).map(|l| &l.owner), Some(&"bob".into()));
    assert_eq!(locked.lock(at(100)), None);
}

#[test]
fn a_lock_is_its_owners_to_change_until_it_ends() {
    let (locked, _) = after([Event::Locked(lock("bob", 10, Some(100)))]);
    assert_eq!(step(&locked, &Event::Locked(lock("cem", 99, None))), Err(Illegal::Locked("bob".into())));
    let (longer, _) = step(&locked, &Event::Locked(lock("bob", 50, None))).unwrap();
    assert_eq!(longer.lock(at(1_000_000)).map(|l| l.at), Some(at(50)));
    let (taken_over, _) = step(&locked, &Event::Locked(lock("cem", 100, None))).unwrap();
    assert_eq!(taken_over.lock.as_ref().map(|l| &l.owner), Some(&"cem".into()));
    let (free, _) = step(&taken_over, &Event::Unlocked).unwrap();
    assert_eq!(step(&free, &Event::Unlocked), Err(Illegal::NotLocked));
}

#[test]
fn unlocking_lets_everybody_who_waits_be_judged_in_order() {
    let (_, effects) = after([
        enqueued(deploy("A", 1, &[], 1)),
        enqueued(deploy("B", 2, &[], 2)),
        Event::Locked(lock("bob", 10, None)),
        Event::Unlocked,
    ]);
    assert_eq!(effects, [judge("A"), judge("B")]);
}

#[test]
fn a_full_queue_takes_no_more_but_what_supersedes() {
    let full: Vec<_> = (0_u8..).take(QUEUE_LIMIT).map(|n| deploy(&format!("{n:02}"), n, &[], n.into())).collect();
    let (environment, _) = after(full.into_iter().map(enqueued));
    assert_eq!(environment.queue.len(), QUEUE_LIMIT);
    assert_eq!(step(&environment, &enqueued(deploy("X", 200, &[], 200))), Err(Illegal::QueueFull));
    assert_eq!(step(&environment, &enqueued(rollback("X", 200, 200))), Err(Illegal::QueueFull));
    assert!(step(&environment, &enqueued(deploy("07", 7, &[99], 7))).is_ok(), "it is there already");
    let (swapped, effects) = step(&environment, &enqueued(deploy("X", 200, &[3], 200))).unwrap();
    assert_eq!((swapped.queue.len(), effects), (QUEUE_LIMIT, vec![supersede("03", "X")]));
}

#[test]
fn the_end_of_what_is_not_here_changes_nothing() {
    let (environment, _) = after([
        enqueued(deploy("A", 1, &[], 1)),
        enqueued(deploy("B", 2, &[], 2)),
        started("A", "ana", 3),
        Event::Ended { release: "A".into(), live: Some(live("A", 1, 60)), at: at(60) },
    ]);
    for stranger in ["unknown", "A"] {
        let late = Event::Ended { release: stranger.into(), live: Some(live(stranger, 7, 1)), at: at(90) };
        assert_eq!(step(&environment, &late), Ok((environment.clone(), vec![])));
    }
}

#[test]
fn the_end_of_a_waiting_one_moves_the_next_up() {
    let (environment, _) =
        after([enqueued(deploy("A", 1, &[], 1)), enqueued(deploy("B", 2, &[], 2)), enqueued(deploy("C", 3, &[], 3))]);
    let (without_b, effects) = step(&environment, &ended("B", 9)).unwrap();
    assert_eq!((queue(&without_b), effects), (vec!["A", "C"], vec![]));
    let (without_a, effects) = step(&environment, &ended("A", 9)).unwrap();
    assert_eq!((queue(&without_a), effects), (vec!["B", "C"], vec![judge("B"), judge("C")]));
    assert_eq!(without_a.changed_at, None, "nothing has run");
}

#[test]
fn a_run_leaves_what_is_live_and_when_it_ended() {
    let run = [enqueued(deploy("A", 1, &[], 1)), started("A", "ana", 3)];
    let failed = after(run.iter().cloned().chain([ended("A", 50)])).0;
    assert_eq!((failed.live, failed.changed_at), (None, Some(at(50))), "migrations may have been applied");
    let brought = Event::Ended { release: "A".into(), live: Some(live("A", 1, 60)), at: at(60) };
    let done = after(run.into_iter().chain([brought])).0;
    assert_eq!((done.live, done.changed_at), (Some(live("A", 1, 60)), Some(at(60))));
}

#[test]
fn an_environment_stored_before_it_knew_its_last_change_is_read() {
    let old =
        r#"{"key":{"service":"goals","environment":"production"},"lock":null,"queue":[],"running":null,"live":null}"#;
    assert_eq!(serde_json::from_str::<Environment>(old).unwrap(), environment());
}
