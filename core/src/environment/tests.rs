//! Tests of the environment: order, superseding, lock, and what is judged when.

mod by_hand;
mod groups;
mod order;
mod reserved;
mod tag;
mod untouched;
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
    Waiting {
        release,
        requester,
        kind: PlanKind::Deploy,
        commit: sha(commit),
        contains,
        asked_at: at(asked),
        bumped: None,
        passed: 0,
        brings_nothing: false,
    }
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
    Lock {
        owner: owner.into(),
        reason: "load test".into(),
        at: at(from),
        until: until.map(at),
        channel: "terminal:releases".into(),
        reminded_at: None,
    }
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
    let (free, _) = step(&taken_over, &Event::Unlocked { by: "ana".into() }).unwrap();
    assert_eq!(step(&free, &Event::Unlocked { by: "ana".into() }), Err(Illegal::NotLocked));
}

#[test]
fn unlocking_lets_everybody_who_waits_be_judged_in_order() {
    let (_, effects) = after([
        enqueued(deploy("A", 1, &[], 1)),
        enqueued(deploy("B", 2, &[], 2)),
        Event::Locked(lock("ana", 10, None)),
        Event::Unlocked { by: "ana".into() },
    ]);
    assert_eq!(effects, [judge("A"), judge("B")], "who waited behind their own lock need not be told");
}

#[test]
fn what_is_due_of_a_lock_and_when() {
    const MINUTE: i64 = 60;
    const DAY: i64 = 24 * 60 * MINUTE;
    let waits = || deploy("A", 1, &[], 5);
    let ends = |seconds| Some(lock("bob", 0, Some(seconds)));
    let reminded = |lock: Option<Lock>, seconds| lock.map(|lock| Lock { reminded_at: Some(at(seconds)), ..lock });
    let endless = || Some(lock("bob", 0, None));
    let owners = || Waiting { requester: "bob".into(), ..waits() };
    for (name, lock, queue, due_at, moments) in [
        ("no lock", None, vec![waits()], None, vec![(DAY, None)]),
        (
            "an hour",
            ends(60 * MINUTE),
            vec![],
            Some(50 * MINUTE),
            vec![
                (50 * MINUTE - 1, None),
                (50 * MINUTE, Some(Due::Reminder)),
                (60 * MINUTE - 1, Some(Due::Reminder)),
                (60 * MINUTE, Some(Due::RanOut)),
                (DAY, Some(Due::RanOut)),
            ],
        ),
        (
            "an hour, reminded",
            reminded(ends(60 * MINUTE), 50 * MINUTE),
            vec![],
            Some(60 * MINUTE),
            vec![(59 * MINUTE, None), (60 * MINUTE, Some(Due::RanOut))],
        ),
        ("too short for a reminder", ends(10 * MINUTE), vec![], Some(10 * MINUTE), vec![(10 * MINUTE - 1, None)]),
        ("a bit longer", ends(10 * MINUTE + 1), vec![], Some(1), vec![(0, None), (1, Some(Due::Reminder))]),
        ("no end, nobody waits", endless(), vec![], None, vec![(9 * DAY, None)]),
        ("no end, only the owner waits", endless(), vec![owners()], None, vec![(9 * DAY, None)]),
        (
            "no end, somebody waits",
            endless(),
            vec![owners(), waits()],
            Some(DAY),
            vec![(DAY - 1, None), (DAY, Some(Due::Reminder))],
        ),
        (
            "no end, reminded yesterday",
            reminded(endless(), DAY + 7),
            vec![waits()],
            Some(2 * DAY + 7),
            vec![(2 * DAY, None), (2 * DAY + 7, Some(Due::Reminder))],
        ),
    ] {
        let environment = Environment { lock, queue, ..environment() };
        assert_eq!(environment.due_at(), due_at.map(at), "{name}");
        for (moment, due) in moments {
            assert_eq!(environment.due(at(moment)), due, "{name} at {moment}");
            let ran_out = step(&environment, &Event::LockRanOut { at: at(moment) });
            assert_eq!(ran_out.is_ok(), due == Some(Due::RanOut), "{name} at {moment}");
            let reminded = step(&environment, &Event::Reminded { at: at(moment) });
            assert_eq!(reminded.is_ok(), due == Some(Due::Reminder), "{name} at {moment}");
            let again = reminded.map(|(next, _)| step(&next, &Event::Reminded { at: at(moment) }));
            assert!(again.is_err() || again == Ok(Err(Illegal::NotDue)), "{name} at {moment}: reminded twice");
        }
    }
}

/// Whom the effects tell, each with the places in the queue: `ana 1 3`.
fn told(effects: &[Effect]) -> Vec<String> {
    let tell = |effect: &Effect| match effect {
        Effect::Tell(news) => {
            let places: String = news.places.iter().map(|(place, _)| format!(" {place}")).collect();
            Some(format!("{}{places}", news.person))
        }
        _ => None,
    };
    effects.iter().filter_map(tell).collect()
}

#[test]
fn whoever_waits_behind_a_lock_is_told_of_its_end_once() {
    let of = |release: &str, person: &str, commit: u8| Waiting {
        requester: person.into(),
        ..deploy(release, commit, &[], commit.into())
    };
    let (locked, _) = after([
        enqueued(of("A", "ana", 1)),
        enqueued(of("B", "bob", 2)),
        enqueued(of("C", "ana", 3)),
        enqueued(of("D", "cem", 4)),
        Event::Locked(lock("bob", 10, Some(100))),
    ]);
    for event in [Event::Unlocked { by: "ana".into() }, Event::LockRanOut { at: at(100) }] {
        let (open, effects) = step(&locked, &event).unwrap();
        assert_eq!((open.lock.clone(), told(&effects)), (None, vec!["ana 1 3".into(), "cem 4".into()]), "{event:?}");
        let judged: Vec<_> = ["A", "B", "C", "D"].map(judge).into();
        assert!(effects.ends_with(&judged), "{effects:?}");
        assert!(step(&open, &event).is_err(), "once");
    }
    for (to, expected) in [("cem", vec!["cem 4", "ana 1 3"]), ("eve", vec!["eve"])] {
        let handed = lock(to, 50, Some(100));
        let by_owner = Event::HandedOver { lock: handed.clone(), by: "bob".into() };
        let (passed, effects) = step(&locked, &by_owner).unwrap();
        assert_eq!((passed.lock, told(&effects)), (Some(handed), expected.into_iter().map(str::to_owned).collect()));
    }
}

#[test]
fn only_a_lock_that_holds_is_handed_over_and_to_another() {
    let (locked, _) = after([Event::Locked(lock("bob", 10, Some(100)))]);
    let event = |owner: &str, seconds| Event::HandedOver { lock: lock(owner, seconds, None), by: "bob".into() };
    let to = |owner: &str, seconds| step(&locked, &event(owner, seconds)).map(|_| ());
    assert_eq!(to("cem", 99), Ok(()));
    assert_eq!(to("bob", 99), Err(Illegal::Owned("bob".into())));
    assert_eq!(to("cem", 100), Err(Illegal::NotLocked));
    let none = step(&environment(), &event("cem", 1));
    assert_eq!(none, Err(Illegal::NotLocked));
}

#[test]
fn a_lock_stored_before_it_knew_its_channel_is_read() {
    let old = r#"{"owner":"bob","reason":"load test","at":"2026-01-05T08:00:10Z","until":null}"#;
    let expected = Lock { channel: String::new(), ..lock("bob", 10, None) };
    assert_eq!(serde_json::from_str::<Lock>(old).unwrap(), expected);
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
