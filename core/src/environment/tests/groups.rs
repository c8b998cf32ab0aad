//! Several environments at once: releases alone and in groups, rollbacks, marks of what is bad, failures. Whatever people
//! do and however runs end, nobody waits for ever and nothing runs that should not.

use super::*;
use crate::release::{Failure, Origin, Outcome, Phase, Release, Request, RequestKind};
use crate::together::{Alongside, Together};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The services, in the order in which they are deployed together.
const SERVICES: [&str; 3] = ["api", "web", "jobs"];

/// What happens, by numbers that choose where and whom.
#[derive(Clone, Copy, Debug)]
enum Move {
    Deploy(u8, u8),
    Together(u8),
    Rollback(u8),
    Bump(u8, u8),
    Cancel(u8, u8),
    Mark(u8, u8),
    Starts(u8),
    Ends(u8, bool),
    Lock(u8),
    Unlock(u8),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let (place, choice) = (0..3_u8, any::<u8>());
    let one = prop_oneof![
        4 => (place.clone(), choice).prop_map(|(place, choice)| Move::Deploy(place, choice)),
        3 => choice.prop_map(Move::Together),
        1 => place.clone().prop_map(Move::Rollback),
        2 => (place.clone(), choice).prop_map(|(place, choice)| Move::Bump(place, choice)),
        1 => (place.clone(), choice).prop_map(|(place, choice)| Move::Cancel(place, choice)),
        1 => (place.clone(), choice).prop_map(|(place, choice)| Move::Mark(place, choice)),
        5 => place.clone().prop_map(Move::Starts),
        4 => (place.clone(), any::<bool>()).prop_map(|(place, well)| Move::Ends(place, well)),
        1 => place.clone().prop_map(Move::Lock),
        1 => place.prop_map(Move::Unlock),
    ];
    proptest::collection::vec(one, 0..120)
}

/// The environments of all services, and every release there was.
struct Team {
    environments: Vec<Environment>,
    releases: BTreeMap<ReleaseId, Release>,
    commits: BTreeMap<ReleaseId, u8>,
    /// Commits that somebody has marked.
    bad: BTreeSet<u8>,
    /// In the order in which they started.
    started: Vec<ReleaseId>,
    /// Stopped by another of their group, which they have not been told yet.
    left_out: Vec<ReleaseId>,
    moment: i64,
    number: u8,
}

impl Team {
    fn new() -> Self {
        let environments = SERVICES.map(|service| {
            Environment::new(EnvironmentKey { service: service.into(), environment: "production".into() })
        });
        let (environments, releases, commits) = (environments.into(), BTreeMap::new(), BTreeMap::new());
        let (bad, started, left_out) = (BTreeSet::new(), vec![], vec![]);
        Self { environments, releases, commits, bad, started, left_out, moment: 100, number: 0 }
    }

    fn place_of(&self, id: &ReleaseId) -> usize {
        let service = self.releases[id].request.key.service.as_str();
        SERVICES.iter().position(|known| *known == service).unwrap()
    }

    fn happens(&mut self, place: usize, event: &Event) -> bool {
        let Ok((next, effects)) = step(&self.environments[place], event) else { return false };
        self.environments[place] = next;
        for effect in effects {
            if let Effect::Supersede { release, by, .. } = effect {
                self.has_ended(&release, Outcome::Superseded { by });
            }
        }
        true
    }

    /// What does not end well stops the others of its group, in a moment.
    fn has_ended(&mut self, id: &ReleaseId, outcome: Outcome) {
        let place = self.place_of(id);
        let release = self.releases.get_mut(id).unwrap();
        assert_eq!(release.outcome, None, "{id} ends twice");
        let well = outcome == Outcome::Live;
        (release.phase, release.outcome) = (Phase::Superseded, Some(outcome));
        let together = release.request.together.clone().filter(|_| !well);
        self.left_out.extend(together.iter().flat_map(|together| together.others(id)).cloned());
        self.happens(place, &ended(id.as_str(), self.moment));
    }

    /// Those that one of their group has stopped end, unless they have begun.
    fn leave_out(&mut self) {
        while let Some(id) = self.left_out.pop() {
            let has_begun = self.started.contains(&id);
            if self.releases.get(&id).is_some_and(|release| release.outcome.is_none()) && !has_begun {
                self.cancels(&id);
            }
        }
    }

    fn new_release(&mut self, place: usize, commit: u8, together: Option<Together>, id: &ReleaseId) {
        let request = Request {
            key: self.environments[place].key.clone(),
            kind: RequestKind::Deploy,
            reference: None,
            requester: "ana".into(),
            reason: None,
            dry_run: false,
            origin: Origin { channel: "terminal:releases".into() },
            at: at(self.moment),
            expires_at: at(self.moment + 60),
            together,
        };
        self.releases.insert(id.clone(), Release::new(id.clone(), request));
        self.commits.insert(id.clone(), commit);
    }

    fn next_id(&mut self) -> ReleaseId {
        self.number += 1;
        format!("{:03}", self.number).as_str().into()
    }

    fn comes(&mut self, place: usize, id: &ReleaseId, kind: PlanKind, choice: u8) {
        let commit = self.commits[id];
        // Some are on the line of history of those before, and cover them.
        let older: Vec<u8> = if choice.is_multiple_of(3) { (1..commit).collect() } else { vec![] };
        let waiting = Waiting { kind, ..deploy(id.as_str(), commit, &older, self.moment) };
        assert!(self.happens(place, &enqueued(waiting)), "there is room");
    }

    fn chosen(&self, place: u8, choice: u8) -> Option<ReleaseId> {
        let queue = &self.environments[usize::from(place)].queue;
        queue.get(usize::from(choice) % queue.len().max(1)).map(|waiting| waiting.release.clone())
    }

    /// Whether nothing but the environment is in the way of a release.
    fn may_run(&self, id: &ReleaseId) -> bool {
        let release = &self.releases[id];
        let members: Vec<_> = release.request.together.iter().flat_map(|together| &together.all).collect();
        let members: Vec<_> = members.into_iter().filter_map(|id| self.releases.get(id)).cloned().collect();
        Alongside::of_follower(release, &members).held.is_empty() && !self.bad.contains(&self.commits[id])
    }

    /// Whoever is first starts, if it may: and nobody else ever could.
    fn starts(&mut self, place: usize) -> bool {
        let environment = self.environments[place].clone();
        for behind in environment.queue.iter().skip(1) {
            let early = step(&environment, &started(behind.release.as_str(), "ana", self.moment));
            assert!(early.is_err(), "{} out of turn", behind.release);
        }
        let Some(first) = environment.queue.first().map(|waiting| waiting.release.clone()) else { return false };
        let start = started(first.as_str(), "ana", self.moment);
        if let Some(running) = &environment.running {
            assert_eq!(step(&environment, &start), Err(Illegal::Busy(running.clone())), "two would run");
            return false;
        }
        if !self.may_run(&first) || !self.happens(place, &start) {
            return false;
        }
        assert_eq!(self.releases[&first].outcome, None, "{first} has ended, or a newer one has taken its place");
        assert!(!self.started.contains(&first), "{first} runs twice");
        self.started.push(first);
        true
    }

    fn ends(&mut self, place: usize, well: bool) -> bool {
        let Some(running) = self.environments[place].running.clone() else { return false };
        let (commit, moment) = (self.commits[&running], self.moment);
        if well {
            let live = Some(live(running.as_str(), commit, moment));
            assert!(self.happens(place, &Event::Ended { release: running.clone(), live, at: at(moment) }));
            self.has_ended(&running, Outcome::Live);
        } else {
            let failure = Failure::new("it did not work");
            self.has_ended(&running, Outcome::Failed { step: None, failure });
        }
        assert_eq!(self.environments[place].running, None);
        true
    }

    fn cancels(&mut self, id: &ReleaseId) {
        self.has_ended(id, Outcome::Cancelled { by: "ana".into(), details: vec![] });
    }

    fn play(&mut self, one: Move) {
        self.moment += 1;
        // Nothing is told before something else may start.
        if !matches!(one, Move::Starts(_) | Move::Ends(..)) {
            self.leave_out();
        }
        // Not more than every queue has room for.
        let full = self.number >= 40;
        match one {
            Move::Deploy(place, choice) if !full => {
                let id = self.next_id();
                self.new_release(place.into(), self.number, None, &id);
                self.comes(place.into(), &id, PlanKind::Deploy, choice);
            }
            Move::Rollback(place) if !full => {
                let id = self.next_id();
                self.new_release(place.into(), self.number, None, &id);
                self.comes(place.into(), &id, PlanKind::Rollback, 1);
            }
            Move::Together(choice) if !full => {
                let ids = SERVICES.map(|_| self.next_id());
                let together = Together { all: ids.to_vec() };
                for (place, id) in ids.iter().enumerate() {
                    self.new_release(place, self.number, Some(together.clone()), id);
                }
                // Their plans come in any order.
                for turn in 0..ids.len() {
                    let place = (turn + usize::from(choice)) % ids.len();
                    if self.releases[&ids[place]].outcome.is_none() {
                        self.comes(place, &ids[place], PlanKind::Deploy, choice);
                    }
                }
            }
            Move::Deploy(..) | Move::Rollback(_) | Move::Together(_) => {}
            Move::Bump(place, choice) => {
                if let Some(id) = self.chosen(place, choice) {
                    let by = Bumped { by: "bob".into(), at: at(self.moment) };
                    self.happens(place.into(), &Event::Bumped { release: id, by });
                }
            }
            Move::Cancel(place, choice) => {
                if let Some(id) = self.chosen(place, choice) {
                    self.cancels(&id);
                }
            }
            Move::Mark(place, choice) => {
                if let Some(id) = self.chosen(place, choice) {
                    self.bad.insert(self.commits[&id]);
                }
            }
            Move::Starts(place) => {
                self.starts(place.into());
            }
            Move::Ends(place, well) => {
                self.ends(place.into(), well);
            }
            Move::Lock(place) => {
                self.happens(place.into(), &Event::Locked(lock("bob", self.moment, None)));
            }
            Move::Unlock(place) => {
                self.happens(place.into(), &Event::Unlocked { by: "ana".into() });
            }
        }
    }

    /// Nobody new comes, locks end, and what is known to be bad is given up when its time is over.
    fn comes_to_rest(&mut self) {
        for place in 0..SERVICES.len() {
            self.happens(place, &Event::Unlocked { by: "ana".into() });
        }
        loop {
            self.moment += 1;
            self.leave_out();
            if self.environments.iter().all(|environment| environment.queue.is_empty()) {
                break;
            }
            let ended: Vec<_> = (0..SERVICES.len()).map(|place| self.ends(place, true)).collect();
            let began: Vec<_> = (0..SERVICES.len()).map(|place| self.starts(place)).collect();
            if began.contains(&true) || ended.contains(&true) {
                continue;
            }
            let first = self.environments.iter().filter_map(|environment| environment.queue.first());
            let given_up = first.map(|w| w.release.clone()).find(|id| self.bad.contains(&self.commits[id]));
            let queues: Vec<_> = self.environments.iter().map(queue).collect();
            self.cancels(&given_up.unwrap_or_else(|| panic!("they wait for each other for ever: {queues:?}")));
        }
        for place in 0..SERVICES.len() {
            self.ends(place, true);
        }
        self.leave_out();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each release runs once, or has ended otherwise: none is left waiting, none that was superseded, cancelled or is known
    /// to be bad has run, and of a group each has run after those before it.
    #[test]
    fn groups_and_queues_leave_nobody_waiting(moves in moves()) {
        let mut team = Team::new();
        for one in moves {
            team.play(one);
        }
        team.comes_to_rest();
        for (id, release) in &team.releases {
            let ran = team.started.contains(id);
            match &release.outcome {
                None => prop_assert!(false, "{} waits for ever", id),
                Some(Outcome::Live | Outcome::Failed { .. }) => prop_assert!(ran, "{} has not run", id),
                Some(_) => prop_assert!(!ran, "{} has run", id),
            }
            let place = |id: &ReleaseId| team.started.iter().position(|started| started == id);
            for before in release.request.together.iter().filter(|_| ran).flat_map(|together| together.before(id)) {
                prop_assert!(place(before) < place(id) && place(before).is_some(), "{} ran before {}", id, before);
                prop_assert!(team.releases[before].outcome == Some(Outcome::Live), "{} went on after {}", id, before);
            }
        }
    }
}
