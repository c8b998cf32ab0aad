//! The order of the queue: kept among equals, changed by whoever may, and never so that somebody waits for ever.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn bump(release: &str, by: &str, seconds: i64) -> Event {
    Event::Bumped { release: release.into(), by: Bumped { by: by.into(), at: at(seconds) } }
}

/// Deployments of lines of history of their own, so that none covers another.
fn apart(names: &[&str]) -> Environment {
    let mut now = environment();
    for (name, number) in names.iter().zip(1..) {
        let waiting = if name.starts_with('R') {
            rollback(name, number, number.into())
        } else {
            deploy(name, number, &[], number.into())
        };
        now = step(&now, &enqueued(waiting)).unwrap().0;
    }
    now
}

#[test]
fn a_release_is_put_before_those_that_wait_and_everybody_is_judged() {
    let now = apart(&["A", "B", "C"]);
    let (next, effects) = step(&now, &bump("C", "bob", 9)).unwrap();
    assert_eq!(queue(&next), ["C", "A", "B"]);
    assert_eq!(effects, ["C", "A", "B"].map(judge));
    assert_eq!(next.queue[0].bumped, Some(Bumped { by: "bob".into(), at: at(9) }));
    assert_eq!(next.queue.iter().map(|w| w.passed).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(next.blockers(&"A".into(), &"ana".into(), at(9))[0].why, "Release C was put first by bob.");
    // Planned again it keeps its place, and others do not forget that they were passed.
    let again = step(&next, &enqueued(deploy("C", 3, &[], 3))).unwrap().0;
    let again = step(&again, &enqueued(deploy("A", 1, &[], 1))).unwrap().0;
    assert_eq!(again, next);
}

#[test]
fn what_runs_is_not_touched_and_rollbacks_are_passed_by_rollbacks_alone() {
    let now = apart(&["A", "B", "R1", "R2"]);
    assert_eq!(queue(&now), ["R1", "R2", "A", "B"]);
    assert_eq!(queue(&step(&now, &bump("B", "bob", 9)).unwrap().0), ["R1", "R2", "B", "A"]);
    assert_eq!(queue(&step(&now, &bump("R2", "bob", 9)).unwrap().0), ["R2", "R1", "A", "B"]);
    assert_eq!(step(&now, &bump("A", "bob", 9)), Err(Illegal::First("A".into())));
    assert_eq!(step(&now, &bump("R1", "bob", 9)), Err(Illegal::First("R1".into())));
    assert_eq!(step(&now, &bump("X", "bob", 9)), Err(Illegal::NotQueued("X".into())));
    let runs = step(&now, &started("R1", "ana", 9)).unwrap().0;
    let bumped = step(&runs, &bump("B", "bob", 9)).unwrap().0;
    assert_eq!((bumped.running.as_ref().map(ReleaseId::as_str), queue(&bumped)), (Some("R1"), vec!["R2", "B", "A"]));
    assert_eq!(step(&runs, &bump("R1", "bob", 9)), Err(Illegal::NotQueued("R1".into())));
}

#[test]
fn nobody_is_passed_more_often_than_the_limit() {
    let mut now = apart(&["A", "B", "C"]);
    for (round, name) in ["B", "C", "A", "C"].iter().enumerate() {
        now = step(&now, &bump(name, "bob", i64::try_from(round).unwrap())).unwrap().0;
    }
    assert_eq!(queue(&now), ["C", "A", "B"]);
    assert_eq!(now.queue[1].passed, PASSED_LIMIT);
    assert_eq!(step(&now, &bump("B", "bob", 9)), Err(Illegal::PassedOften("A".into())));
    // It can pass others itself.
    assert_eq!(queue(&step(&now, &bump("A", "bob", 9)).unwrap().0), ["A", "C", "B"]);
}

/// What is done to the queue, by a number that chooses whom.
#[derive(Clone, Copy, Debug)]
enum Move {
    Deploy(u8),
    Rollback(u8),
    Bump(u8),
    Cancel(u8),
    Turn,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => any::<u8>().prop_map(Move::Deploy),
        1 => any::<u8>().prop_map(Move::Rollback),
        3 => any::<u8>().prop_map(Move::Bump),
        1 => any::<u8>().prop_map(Move::Cancel),
        3 => Just(Move::Turn),
    ];
    proptest::collection::vec(one, 0..120)
}

/// What was seen of one that waits.
#[derive(Debug, Default)]
struct Watched {
    /// How many were before it when it came, the running one with them.
    ahead: usize,
    /// How many rollbacks came while it waited.
    rollbacks: usize,
    /// How many others have started since.
    started: usize,
}

/// The queue under somebody who does what they like, within what the queue lets them.
struct Play {
    now: Environment,
    moment: i64,
    number: u8,
    waiting: BTreeMap<ReleaseId, Watched>,
    /// Started, cancelled or superseded.
    gone: BTreeSet<ReleaseId>,
}

impl Play {
    fn new() -> Self {
        Self { now: environment(), moment: 100, number: 0, waiting: BTreeMap::new(), gone: BTreeSet::new() }
    }

    fn happens(&mut self, event: &Event) -> bool {
        let Ok((next, effects)) = step(&self.now, event) else { return false };
        let order = |of: &Environment| -> Vec<ReleaseId> { of.queue.iter().map(|w| w.release.clone()).collect() };
        let (before, after) = (order(&self.now), order(&next));
        let moved = match event {
            Event::Bumped { release, .. } => Some(release),
            _ => None,
        };
        let kept = |of: &[ReleaseId], other: &[ReleaseId]| -> Vec<ReleaseId> {
            of.iter().filter(|id| other.contains(id) && Some(*id) != moved).cloned().collect()
        };
        assert_eq!(kept(&before, &after), kept(&after, &before), "the order of the others is kept");
        for effect in &effects {
            let Effect::Supersede { release, .. } = effect else { continue };
            assert!(!after.contains(release));
            self.waiting.remove(release);
            self.gone.insert(release.clone());
        }
        self.now = next;
        true
    }

    fn comes(&mut self, kind: PlanKind, choice: u8) {
        self.number = self.number.saturating_add(1);
        let name = format!("{:03}", self.number);
        // Some are on the line of history of the one before, and cover it.
        let older: Vec<u8> = if choice.is_multiple_of(3) { vec![self.number.saturating_sub(1)] } else { vec![] };
        let waiting = Waiting { kind, ..deploy(&name, self.number, &older, self.moment) };
        let id = waiting.release.clone();
        if !self.happens(&enqueued(waiting)) {
            return;
        }
        let Some(at) = self.now.queue.iter().position(|w| w.release == id) else { return };
        for watched in self.waiting.values_mut().filter(|_| kind == PlanKind::Rollback) {
            watched.rollbacks += 1;
        }
        let ahead = at + usize::from(self.now.running.is_some());
        self.waiting.insert(id, Watched { ahead, ..Watched::default() });
    }

    fn chosen(&self, choice: u8) -> Option<ReleaseId> {
        let queue = &self.now.queue;
        queue.get(usize::from(choice) % queue.len().max(1)).map(|waiting| waiting.release.clone())
    }

    /// What runs ends, and the first starts.
    fn turn(&mut self) {
        if let Some(running) = self.now.running.clone() {
            assert!(self.happens(&ended(running.as_str(), self.moment)));
        }
        let Some(first) = self.now.queue.first().map(|waiting| waiting.release.clone()) else { return };
        assert!(!self.gone.contains(&first), "{first} is superseded or was there before");
        for other in &self.now.queue[1..] {
            assert!(step(&self.now, &started(other.release.as_str(), "ana", self.moment)).is_err(), "out of turn");
        }
        assert!(self.happens(&started(first.as_str(), "ana", self.moment)));
        for other in &self.now.queue {
            let second = step(&self.now, &started(other.release.as_str(), "ana", self.moment));
            assert_eq!(second, Err(Illegal::Busy(first.clone())), "two would run");
        }
        let seen = self.waiting.remove(&first).expect("it waited");
        let limit = seen.ahead + seen.rollbacks + usize::try_from(PASSED_LIMIT).unwrap();
        assert!(seen.started <= limit, "{first} has waited for {} of at most {limit}: {seen:?}", seen.started);
        self.gone.insert(first);
        for watched in self.waiting.values_mut() {
            watched.started += 1;
        }
    }

    fn play(&mut self, one: Move) {
        self.moment += 1;
        match one {
            Move::Deploy(choice) => self.comes(PlanKind::Deploy, choice),
            Move::Rollback(choice) => self.comes(PlanKind::Rollback, choice),
            Move::Turn => self.turn(),
            Move::Bump(choice) => {
                if let Some(id) = self.chosen(choice) {
                    self.happens(&bump(id.as_str(), "bob", self.moment));
                }
            }
            Move::Cancel(choice) => {
                if let Some(id) = self.chosen(choice) {
                    assert!(self.happens(&ended(id.as_str(), self.moment)));
                    self.waiting.remove(&id);
                    self.gone.insert(id);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is put before it, each that waits has its turn after those that were there, the rollbacks, and as many others
    /// as the limit says; unless it is cancelled or superseded, and then it never runs.
    #[test]
    fn whoever_waits_has_their_turn(moves in moves()) {
        let mut play = Play::new();
        for one in moves {
            play.play(one);
        }
        while !play.now.queue.is_empty() {
            play.moment += 1;
            play.turn();
        }
        prop_assert!(play.waiting.is_empty(), "{:?} never had their turn", play.waiting);
    }
}
