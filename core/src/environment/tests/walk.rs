//! Random events: whatever happens in whatever order, these hold.

use super::*;
use proptest::prelude::*;

/// Releases by number. The commit, the line of history and the kind follow from the number, so that events about
/// one release agree with each other.
fn release(number: u8) -> Waiting {
    let name = format!("{number:02}");
    // Two lines of history: even and odd. Each release contains the four before it on its own line.
    let older: Vec<u8> = (1..=4).filter_map(|n| number.checked_sub(2 * n)).collect();
    let waiting = if number.is_multiple_of(7) {
        rollback(&name, number, number.into())
    } else {
        deploy(&name, number, &older, number.into())
    };
    Waiting { requester: person(number), ..waiting }
}

fn person(number: u8) -> PersonId {
    ["ana", "bob", "cem"][usize::from(number % 3)].into()
}

fn events() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0..17_u8, 0..80_u8), 0..150)
}

/// One that waits, or one that does not.
fn queued(number: u8, environment: &Environment) -> ReleaseId {
    let waiting = environment.queue.get(usize::from(number) % (environment.queue.len() + 1));
    waiting.map_or_else(|| format!("{number:02}").as_str().into(), |waiting| waiting.release.clone())
}

fn bumped(number: u8, now: i64) -> Bumped {
    Bumped { by: person(number / 3), at: at(now) }
}

fn event(kind: u8, number: u8, environment: &Environment, now: i64) -> Event {
    let name = format!("{number:02}");
    let first = environment.queue.first().map_or(name.clone(), |w| w.release.to_string());
    let running = environment.running.as_ref().map_or(name.clone(), ToString::to_string);
    match kind {
        0..=4 => enqueued(release(number)),
        5 | 6 => started(&first, "ana", now),
        7 => started(&name, "ana", now),
        8 => Event::Ended { release: running.as_str().into(), live: Some(live(&running, number, now)), at: at(now) },
        9 => ended(&name, now),
        10 => Event::Locked(lock("bob", now, Some(now + i64::from(number)))),
        11 => {
            let lock = lock(person(number).as_str(), now, Some(now + i64::from(number)));
            Event::HandedOver { lock, by: person(number / 3) }
        }
        12 => Event::LockRanOut { at: at(now) },
        13 => Event::Reminded { at: at(now) },
        14 | 15 => Event::Bumped { release: queued(number, environment), by: bumped(number, now) },
        _ => Event::Unlocked { by: "ana".into() },
    }
}

/// Whoever waits behind a lock learns of its end once, and from nothing else; and a lock goes only in a way that has a
/// name.
fn locks_hold(before: &Environment, event: &Event, after: &Environment, effects: &[Effect]) {
    let news = effects.iter().filter_map(|effect| match effect {
        Effect::Tell(news) => Some(&news.person),
        _ => None,
    });
    let told: Vec<_> = news.clone().collect();
    let mut unique = told.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), told.len(), "told twice: {told:?}");
    match event {
        Event::Unlocked { .. } | Event::LockRanOut { .. } => {
            let lock = before.lock.as_ref().expect("it was locked");
            assert_eq!(after.lock, None);
            assert!(before.behind(&lock.owner).all(|waiting| told.contains(&&waiting.requester)));
            assert!(!told.contains(&&lock.owner), "the owner did not wait behind it");
            if let Event::LockRanOut { at } = event {
                assert_eq!(before.lock(*at), None, "it held");
            }
        }
        Event::HandedOver { lock, by } => {
            assert_eq!(after.lock.as_ref(), Some(lock));
            assert!(told.first() == Some(&&lock.owner) || lock.owner == *by, "{told:?}");
            assert!(!told.contains(&by), "they know");
            assert!(before.lock(lock.at).is_some_and(|held| held.owner != lock.owner));
        }
        Event::Locked(_) | Event::Reminded { .. } => assert!(told.is_empty(), "{told:?}"),
        _ => assert_eq!((after.lock.as_ref(), told.len()), (before.lock.as_ref(), 0)),
    }
}

/// What is judged or told must be so that no release waits for something that has passed.
fn holds(before: &Environment, event: &Event, after: &Environment, effects: &[Effect]) {
    let names = queue(after);
    assert!(names.len() <= QUEUE_LIMIT);
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "one release twice in the queue");
    assert!(!after.queue.iter().any(|w| Some(&w.release) == after.running.as_ref()), "runs and waits");
    if let Event::Started { release, .. } = event {
        assert_eq!((before.running.as_ref(), after.running.as_ref()), (None, Some(release)), "two would run");
        assert_eq!(before.queue.first().map(|w| &w.release), Some(release), "out of turn");
    } else {
        assert!(after.running == before.running || matches!(event, Event::Ended { .. }));
    }
    let first_rollback_late = after.queue.iter().skip_while(|w| w.kind == PlanKind::Rollback);
    assert!(first_rollback_late.clone().all(|w| w.kind == PlanKind::Deploy), "a rollback behind a deployment");
    for effect in effects {
        let Effect::Supersede { release: old, by, .. } = effect else { continue };
        assert!(!names.contains(&old.as_str()) && names.contains(&by.as_str()), "{old} by {by}");
        assert_ne!(before.running.as_ref(), Some(old));
        assert!(old < by, "{old} is not older than {by}");
        assert!(!release(old.as_str().parse().unwrap()).kind.eq(&PlanKind::Rollback));
    }
    // Left the queue: started, ended, or told that it is superseded.
    for gone in before.queue.iter().filter(|w| !names.contains(&w.release.as_str())) {
        let told = effects.iter().any(|e| matches!(e, Effect::Supersede { release, .. } if *release == gone.release));
        let by_event = match event {
            Event::Started { release, .. } | Event::Ended { release, .. } => *release == gone.release,
            _ => false,
        };
        assert!(told || by_event, "{} vanished", gone.release);
    }
    // Whoever has become able to start is judged.
    let may_start = |environment: &Environment| {
        let first = environment.queue.first().filter(|_| environment.running.is_none())?;
        Some(first.release.clone())
    };
    let newcomer = match event {
        Event::Enqueued(waiting) => Some(waiting.release.clone()),
        _ => None,
    };
    if let Some(first) = may_start(after).filter(|first| may_start(before).as_ref() != Some(first)) {
        assert!(
            newcomer == Some(first.clone()) || effects.contains(&Effect::Judge { release: first.clone() }),
            "{first}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_keeps_the_promises(draws in events()) {
        let mut now = environment();
        for (moment, (kind, number)) in (100_i64..).zip(draws) {
            let event = event(kind, number, &now, moment);
            let Ok((next, effects)) = step(&now, &event) else { continue };
            holds(&now, &event, &next, &effects);
            locks_hold(&now, &event, &next, &effects);
            now = serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap();
            assert_eq!(now, next);
        }
    }

    /// When nobody new comes, everybody gets their turn, in order.
    #[test]
    fn nobody_starves(draws in events()) {
        let mut now = environment();
        for (moment, (kind, number)) in (100_i64..).zip(draws) {
            if let Ok((next, _)) = step(&now, &event(kind, number, &now, moment)) {
                now = next;
            }
        }
        let mut moment = 10_000;
        if let Some(running) = now.running.clone() {
            now = step(&now, &ended(running.as_str(), moment)).unwrap().0;
        }
        let expected: Vec<_> = queue(&now).into_iter().map(str::to_owned).collect();
        let mut turns = Vec::new();
        while let Some(first) = now.queue.first().map(|w| w.release.to_string()) {
            moment += 1;
            let running = step(&now, &started(&first, "ana", moment)).unwrap().0;
            let (next, effects) = step(&running, &ended(&first, moment)).unwrap();
            let judged: Vec<_> = next.queue.iter().map(|w| judge(w.release.as_str())).collect();
            assert_eq!(effects, judged);
            turns.push(first);
            now = next;
        }
        assert_eq!(turns, expected);
    }
}
