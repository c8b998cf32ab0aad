//! A person's hold on an environment: how long it lasts, when its owner is reminded, and who is told when it ends.

use super::{Effect, Environment, Illegal, Waiting, judge_waiting};
use crate::ids::{PersonId, ReleaseId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long before its end the owner of a lock is reminded of it, in seconds. A lock that is no longer than this ends
/// without a reminder.
pub const REMIND_BEFORE_S: i64 = 10 * 60;
/// How often the owner of a lock without an end is reminded while others wait behind it, in seconds.
pub const REMIND_EVERY_S: i64 = 24 * 60 * 60;

/// A person's hold on an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Who holds it.
    pub owner: PersonId,
    /// Why. Untrusted text.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when; `None` is until unlocked.
    pub until: Option<Timestamp>,
    /// Where it was taken, and its owner is told of it. Empty for locks from before that was kept.
    #[serde(default)]
    pub channel: String,
    /// When its owner was last reminded of it.
    #[serde(default)]
    pub reminded_at: Option<Timestamp>,
}

impl Lock {
    fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    /// When its owner is to be reminded that it ends, if they are at all: once, and not of a short one.
    fn remind_at(&self, until: Timestamp) -> Option<Timestamp> {
        let at = later(until, -REMIND_BEFORE_S);
        (self.reminded_at.is_none() && at > self.at).then_some(at)
    }
}

/// What is due of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Its owner is to be reminded of it.
    Reminder,
    /// It has run out.
    RanOut,
}

/// How a lock ended for those who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockEnd {
    /// Somebody ended it.
    Unlocked,
    /// Its time was over.
    RanOut,
    /// It is another's now.
    HandedOver {
        /// As it is now.
        lock: Lock,
        /// Who handed it over.
        by: PersonId,
    },
}

/// What one person is told of the end of a lock, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockNews {
    /// Whom.
    pub person: PersonId,
    /// The lock as it was.
    pub before: Lock,
    /// How it ended.
    pub end: LockEnd,
    /// Their releases in the queue, with the place of each; 1 is the first.
    pub places: Vec<(usize, ReleaseId)>,
    /// How many wait in all.
    pub waiting: usize,
}

impl Environment {
    /// The lock, unless it has run out.
    #[must_use]
    pub fn lock(&self, now: Timestamp) -> Option<&Lock> {
        self.lock.as_ref().filter(|lock| lock.holds(now))
    }

    /// Who waits behind a lock of this owner, in order: everybody else.
    pub fn behind<'a>(&'a self, owner: &'a PersonId) -> impl Iterator<Item = &'a Waiting> {
        self.queue.iter().filter(move |waiting| waiting.requester != *owner)
    }

    /// When something is due of the lock next, unless something happens before.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        let lock = self.lock.as_ref()?;
        match lock.until {
            Some(until) => Some(lock.remind_at(until).unwrap_or(until)),
            None => {
                self.behind(&lock.owner).next()?;
                Some(later(lock.reminded_at.unwrap_or(lock.at), REMIND_EVERY_S))
            }
        }
    }

    /// What is due of the lock now. One that has run out is ended, and nobody is reminded of it any more.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Due> {
        self.due_at().filter(|at| *at <= now)?;
        Some(if self.lock(now).is_some() { Due::Reminder } else { Due::RanOut })
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Somebody takes hold of it. The owner's own lock is replaced: longer, shorter, with another reason.
pub(super) fn take(next: &mut Environment, lock: &Lock) -> Result<Vec<Effect>, Illegal> {
    if let Some(held) = next.lock(lock.at).filter(|held| held.owner != lock.owner) {
        return Err(Illegal::Locked(held.owner.clone()));
    }
    next.lock = Some(lock.clone());
    Ok(judge_waiting(next))
}

/// The lock becomes another's. They are told; those in the queue are told too when the new owner is one of them, because
/// that is whose turn it is now.
pub(super) fn hand_over(next: &mut Environment, lock: &Lock, by: &PersonId) -> Result<Vec<Effect>, Illegal> {
    let before = next.lock(lock.at).cloned().ok_or(Illegal::NotLocked)?;
    if before.owner == lock.owner {
        return Err(Illegal::Owned(before.owner));
    }
    next.lock = Some(lock.clone());
    let in_queue = next.queue.iter().any(|waiting| waiting.requester == lock.owner);
    let others = next.behind(&before.owner).map(|waiting| &waiting.requester).filter(|_| in_queue);
    // Whoever takes it for themselves knows.
    let owner = [&lock.owner].into_iter().filter(|owner| *owner != by);
    let people: Vec<_> = owner.chain(others.filter(|other| *other != by)).cloned().collect();
    Ok(with_news(next, people, &before, &LockEnd::HandedOver { lock: lock.clone(), by: by.clone() }))
}

pub(super) fn unlock(next: &mut Environment) -> Result<Vec<Effect>, Illegal> {
    let before = next.lock.take().ok_or(Illegal::NotLocked)?;
    Ok(open(next, &before, &LockEnd::Unlocked))
}

pub(super) fn run_out(next: &mut Environment, at: Timestamp) -> Result<Vec<Effect>, Illegal> {
    if next.due(at) != Some(Due::RanOut) {
        return Err(Illegal::NotDue);
    }
    let before = next.lock.take().ok_or(Illegal::NotLocked)?;
    Ok(open(next, &before, &LockEnd::RanOut))
}

pub(super) fn remind(next: &mut Environment, at: Timestamp) -> Result<Vec<Effect>, Illegal> {
    if next.due(at) != Some(Due::Reminder) {
        return Err(Illegal::NotDue);
    }
    let lock = next.lock.as_mut().ok_or(Illegal::NotLocked)?;
    lock.reminded_at = Some(at);
    Ok(vec![])
}

fn open(environment: &Environment, before: &Lock, end: &LockEnd) -> Vec<Effect> {
    let people = environment.behind(&before.owner).map(|waiting| waiting.requester.clone()).collect();
    with_news(environment, people, before, end)
}

/// Each of them learns of it once, however often they wait; and everybody who waits is judged.
fn with_news(environment: &Environment, people: Vec<PersonId>, before: &Lock, end: &LockEnd) -> Vec<Effect> {
    let mut effects: Vec<Effect> = Vec::new();
    let mut told: Vec<PersonId> = Vec::new();
    for person in people {
        if told.contains(&person) {
            continue;
        }
        told.push(person.clone());
        let queue = (1_usize..).zip(&environment.queue);
        let places = queue.filter(|(_, waiting)| waiting.requester == person);
        let places = places.map(|(place, waiting)| (place, waiting.release.clone())).collect();
        let (before, end, waiting) = (before.clone(), end.clone(), environment.queue.len());
        effects.push(Effect::Tell(Box::new(LockNews { person, before, end, places, waiting })));
    }
    effects.extend(judge_waiting(environment));
    effects
}
