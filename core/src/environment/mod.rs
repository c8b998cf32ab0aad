//! The environment: its lock, its queue and the one running release, as a pure state machine.

use crate::ids::{CommitSha, EnvironmentKey, ImageDigest, PersonId, ReleaseId};
use crate::plan::PlanKind;
use crate::policy::{Clears, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

mod bump;
mod by_hand;
mod lock;
mod tag;
#[cfg(test)]
mod tests;

pub use bump::{Bumped, PASSED_LIMIT};
pub use by_hand::{ByHand, Look, TargetRuns};
pub use lock::{Due, Lock, LockEnd, LockNews, REMIND_BEFORE_S, REMIND_EVERY_S};
pub use tag::{FollowedTag, TagNames, tagged_by_slipway};

/// How many releases may wait for one environment.
pub const QUEUE_LIMIT: usize = 50;

/// How many earlier images an environment remembers. What is older has not soaked and is not known to be good.
pub const STAYS_LIMIT: usize = 50;

/// The reason's id where Slipway itself would replace what somebody deployed past it.
pub(crate) const PAST_SLIPWAY: &str = "past-slipway";

/// An environment at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Which one.
    pub key: EnvironmentKey,
    /// Somebody's hold on it.
    pub lock: Option<Lock>,
    /// The planned releases that have not started, in the order in which they may.
    pub queue: Vec<Waiting>,
    /// The one that runs.
    pub running: Option<ReleaseId>,
    /// What Slipway last brought there.
    pub live: Option<Live>,
    /// What ran there before that, newest first.
    #[serde(default)]
    pub stays: Vec<Stay>,
    /// When a run last ended here, however it ended. What was gathered before that describes an environment
    /// that is no more: other commit, other migrations.
    #[serde(default)]
    pub changed_at: Option<Timestamp>,
    /// What serves now in place of what Slipway last brought, where somebody went past it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
    /// The one that waits whose group has begun elsewhere: nothing takes its place, so that no group stops halfway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<ReleaseId>,
    /// The tag that others read, as it was seen last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<FollowedTag>,
}

/// A planned release that has not started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which.
    pub release: ReleaseId,
    /// Who asked.
    pub requester: PersonId,
    /// Deploy or rollback.
    pub kind: PlanKind,
    /// What it would bring.
    pub commit: CommitSha,
    /// Every commit that its plan contains, to tell which older requests it covers.
    pub contains: BTreeSet<CommitSha>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Who put it before others, if anybody did.
    #[serde(default)]
    pub bumped: Option<Bumped>,
    /// How many releases were put before it.
    #[serde(default)]
    pub passed: u32,
    /// Its plan leaves what runs untouched: it stands in the queue for the others of its group and is in nobody's way.
    #[serde(default)]
    pub brings_nothing: bool,
}

/// What runs, as far as Slipway brought it there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The release that did.
    pub release: ReleaseId,
    /// The commit.
    pub commit: CommitSha,
    /// The image.
    pub image: ImageDigest,
    /// Who asked for it.
    pub by: PersonId,
    /// Since when.
    pub since: Timestamp,
    /// Whether the service itself was found healthy after it.
    pub verified: bool,
}

/// An image that ran here for a while, and was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// What ran.
    #[serde(flatten)]
    pub live: Live,
    /// Until when.
    pub until: Timestamp,
}

/// Something that happens to an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A release has a plan and waits. Coming again with another plan it keeps its place.
    Enqueued(Waiting),
    /// A release starts its run.
    Started {
        /// Which.
        release: ReleaseId,
        /// Who asked for it: the owner of a lock passes it.
        requester: PersonId,
        /// When.
        at: Timestamp,
    },
    /// A release has ended, whether it ran or not.
    Ended {
        /// Which.
        release: ReleaseId,
        /// What runs now, when the release changed that. Only the running release can.
        live: Option<Live>,
        /// When.
        at: Timestamp,
    },
    /// Somebody takes hold of it, or holds it otherwise than before.
    Locked(Lock),
    /// The hold becomes another's.
    HandedOver {
        /// As it is then.
        lock: Lock,
        /// Who hands it over.
        by: PersonId,
    },
    /// The hold ends.
    Unlocked {
        /// Who ends it.
        by: PersonId,
    },
    /// The hold's time was over.
    LockRanOut {
        /// When that was noticed.
        at: Timestamp,
    },
    /// The owner of the hold was reminded of it.
    Reminded {
        /// When.
        at: Timestamp,
    },
    /// What its targets run was looked at.
    Looked {
        /// What was seen.
        look: Look,
        /// The images that runs of Slipway's have told a target since what is live came, whatever became of them.
        ours: BTreeSet<ImageDigest>,
    },
    /// Somebody puts a release before the others that wait.
    Bumped {
        /// Which.
        release: ReleaseId,
        /// Who, and when.
        by: Bumped,
    },
    /// The group of a release that waits has begun elsewhere.
    Reserved {
        /// Which waits.
        release: ReleaseId,
    },
    /// The tag that others read was looked at.
    TagSeen {
        /// What it names.
        names: TagNames,
        /// The images that releases of the service may have moved it to.
        ours: BTreeSet<ImageDigest>,
        /// The moment before the look.
        at: Timestamp,
    },
    /// A release has moved it.
    TagMoved {
        /// What it names since.
        names: TagNames,
        /// The moment after that.
        at: Timestamp,
    },
}

impl Event {
    /// Who has done something to the hold.
    #[must_use]
    pub fn by(&self) -> Option<&PersonId> {
        match self {
            Self::HandedOver { by, .. } | Self::Unlocked { by } => Some(by),
            _ => None,
        }
    }
}

/// What follows for releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This one is covered by a newer request.
    Supersede {
        /// The older one.
        release: ReleaseId,
        /// The newer one.
        by: ReleaseId,
        /// Who asked for the newer one.
        requester: PersonId,
    },
    /// The gate should look at this one again.
    Judge {
        /// Which.
        release: ReleaseId,
    },
    /// Somebody is told of the end of a lock, alone.
    Tell(Box<LockNews>),
}

/// Why an event cannot happen to an environment as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Illegal {
    /// Two releases would run at once.
    #[error("release {0} is running here")]
    Busy(ReleaseId),
    /// It is not this release's turn.
    #[error("it is not this release's turn")]
    NotItsTurn,
    /// Somebody else holds it.
    #[error("it is locked by {0}")]
    Locked(PersonId),
    /// There is no lock.
    #[error("it is not locked")]
    NotLocked,
    /// They hold it already.
    #[error("{0} holds it already")]
    Owned(PersonId),
    /// The lock holds, and nobody is to be reminded of it now.
    #[error("nothing is due")]
    NotDue,
    /// Too many wait.
    #[error("{QUEUE_LIMIT} releases wait here already")]
    QueueFull,
    /// It does not wait here.
    #[error("release {} does not wait in the queue", .0.short())]
    NotQueued(ReleaseId),
    /// There is nobody before it whom it could pass.
    #[error("release {} is first of those that it could pass", .0.short())]
    First(ReleaseId),
    /// Others would wait for ever.
    #[error("release {} was passed {PASSED_LIMIT} times already, and is not passed again", .0.short())]
    PassedOften(ReleaseId),
}

impl Environment {
    /// An environment that nothing has happened to.
    #[must_use]
    pub fn new(key: EnvironmentKey) -> Self {
        let (queue, stays) = (Vec::new(), Vec::new());
        Self {
            key,
            lock: None,
            queue,
            running: None,
            live: None,
            stays,
            changed_at: None,
            by_hand: None,
            reserved: None,
            tag: None,
        }
    }

    /// What keeps a release from starting here, whatever policy says.
    #[must_use]
    pub fn blockers(&self, release: &ReleaseId, requester: &PersonId, now: Timestamp) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if let Some(lock) = self.lock(now).filter(|lock| lock.owner != *requester) {
            let why = format!("Locked by {}: {}", lock.owner, lock.reason);
            reasons.push(Reason::new("locked", why, Clears::Unlock { owner: lock.owner.clone(), until: lock.until }));
        }
        if let Some(by_hand) = self.by_hand.as_ref().filter(|_| requester.is_slipway()) {
            let why = format!("{} was deployed past Slipway, and only somebody replaces that.", by_hand.runs.name());
            reasons.push(Reason::new(PAST_SLIPWAY, why, Clears::Nothing));
        }
        let first = self.ahead_of(release);
        let in_the_way = self.running.clone().or_else(|| first.map(|first| first.release.clone()));
        if let Some(other) = in_the_way.filter(|other| other != release) {
            let first = first.and_then(|first| first.bumped.as_ref());
            let why = match (&self.running, first) {
                (Some(_), _) => "is running here".to_owned(),
                (None, Some(bumped)) => format!("was put first by {}", bumped.by),
                (None, None) => "was asked for before".to_owned(),
            };
            let why = format!("Release {} {why}.", other.short());
            reasons.push(Reason::new("busy", why, Clears::Release { id: other }));
        }
        reasons
    }

    /// The first one in the queue that brings something, unless the release itself comes before it.
    fn ahead_of(&self, release: &ReleaseId) -> Option<&Waiting> {
        self.queue.iter().take_while(|waiting| waiting.release != *release).find(|waiting| !waiting.brings_nothing)
    }

    /// Where the release waits, if nothing that waits before it brings anything.
    fn first_at(&self, release: &ReleaseId) -> Option<usize> {
        let at = self.queue.iter().position(|waiting| waiting.release == *release)?;
        self.ahead_of(release).is_none().then_some(at)
    }

    /// The first one that brings something.
    fn first(&self) -> Option<&Waiting> {
        self.queue.iter().find(|waiting| !waiting.brings_nothing)
    }
}

/// The next state and what follows for releases.
///
/// # Errors
/// When the event cannot happen to the environment as it is.
pub fn step(environment: &Environment, event: &Event) -> Result<(Environment, Vec<Effect>), Illegal> {
    let mut next = environment.clone();
    let effects = match event {
        Event::Enqueued(waiting) => enqueue(&mut next, waiting)?,
        Event::Started { release, requester, at } => {
            start(&mut next, release, requester, *at)?;
            vec![]
        }
        Event::Ended { release, live, at } => ended(&mut next, release, live.as_ref(), *at),
        Event::Locked(lock) => lock::take(&mut next, lock)?,
        Event::HandedOver { lock, by } => lock::hand_over(&mut next, lock, by)?,
        Event::Unlocked { .. } => lock::unlock(&mut next)?,
        Event::LockRanOut { at } => lock::run_out(&mut next, *at)?,
        Event::Reminded { at } => lock::remind(&mut next, *at)?,
        Event::Looked { look, ours } => by_hand::looked(&mut next, look, ours),
        Event::Bumped { release, by } => bump::bump(&mut next, release, by)?,
        Event::Reserved { release } => {
            if next.queue.iter().any(|waiting| waiting.release == *release) {
                next.reserved = Some(release.clone());
            }
            vec![]
        }
        Event::TagSeen { names, ours, at } => {
            tag::seen(&mut next, names, ours, *at);
            vec![]
        }
        Event::TagMoved { names, at } => {
            next.tag = Some(FollowedTag::left(names.clone(), *at));
            vec![]
        }
    };
    Ok((next, effects))
}

/// Everybody who waits: the first may start, and the others' cards name what is in the way.
fn judge_waiting(environment: &Environment) -> Vec<Effect> {
    environment.queue.iter().map(|waiting| Effect::Judge { release: waiting.release.clone() }).collect()
}

fn ended(next: &mut Environment, release: &ReleaseId, live: Option<&Live>, at: Timestamp) -> Vec<Effect> {
    let ran = next.running.as_ref() == Some(release);
    let was_first = next.first_at(release).is_some();
    next.queue.retain(|waiting| waiting.release != *release);
    next.reserved.take_if(|reserved| reserved == release);
    if ran {
        next.running = None;
        next.changed_at = Some(at);
        if let Some(live) = live {
            // What was brought past Slipway is gone, and what Slipway had brought before that went then.
            let until = next.by_hand.take().map_or(at, |by_hand| by_hand.noticed_at);
            if let Some(before) = next.live.replace(live.clone()) {
                next.stayed(before, until);
            }
        }
    }
    if ran || was_first { judge_waiting(next) } else { vec![] }
}

/// Whether `newer` was asked for later and would bring everything that `older` would. What brings nothing says nothing of
/// what the others of its group bring.
fn covers(newer: &Waiting, older: &Waiting) -> bool {
    older.kind == PlanKind::Deploy
        && newer.kind == PlanKind::Deploy
        && !older.brings_nothing
        && !newer.brings_nothing
        && newer.contains.contains(&older.commit)
        && (older.asked_at, &older.release) < (newer.asked_at, &newer.release)
}

/// A rollback goes before deployments; a newer request takes the place of those that it contains.
fn enqueue(next: &mut Environment, waiting: &Waiting) -> Result<Vec<Effect>, Illegal> {
    if next.running.as_ref() == Some(&waiting.release) {
        return Ok(vec![]);
    }
    if let Some(known) = next.queue.iter_mut().find(|known| known.release == waiting.release) {
        let (bumped, passed) = (known.bumped.take(), known.passed);
        let is_in_the_way_as_before = known.brings_nothing == waiting.brings_nothing;
        *known = Waiting { bumped, passed, ..waiting.clone() };
        return Ok(if is_in_the_way_as_before { vec![] } else { judge_waiting(next) });
    }
    let supersede = |older: &Waiting, newer: &Waiting| Effect::Supersede {
        release: older.release.clone(),
        by: newer.release.clone(),
        requester: newer.requester.clone(),
    };
    // The newer request may have been planned faster than this one.
    if let Some(newer) = next.queue.iter().find(|queued| covers(queued, waiting)) {
        return Ok(vec![supersede(waiting, newer)]);
    }
    let first_before = next.first().map(|first| first.release.clone());
    let reserved = next.reserved.clone();
    let gives_way = |queued: &Waiting| covers(waiting, queued) && reserved.as_ref() != Some(&queued.release);
    let (covered, kept): (Vec<_>, Vec<_>) = next.queue.drain(..).partition(gives_way);
    next.queue = kept;
    if next.queue.len() >= QUEUE_LIMIT {
        return Err(Illegal::QueueFull);
    }
    let place = match waiting.kind {
        PlanKind::Rollback => next.queue.iter().take_while(|w| w.kind == PlanKind::Rollback).count(),
        PlanKind::Deploy | PlanKind::MigrateUp | PlanKind::MigrateDown | PlanKind::Config => next.queue.len(),
    };
    next.queue.insert(place, waiting.clone());
    let mut effects: Vec<_> = covered.iter().map(|older| supersede(older, waiting)).collect();
    // Whoever waited behind a superseded one may be first now, and nothing else would tell them.
    let moved_up = next.first().filter(|f| f.release != waiting.release && Some(&f.release) != first_before.as_ref());
    effects.extend(moved_up.map(|first| Effect::Judge { release: first.release.clone() }));
    Ok(effects)
}

fn start(next: &mut Environment, release: &ReleaseId, requester: &PersonId, at: Timestamp) -> Result<(), Illegal> {
    if let Some(running) = &next.running {
        return Err(Illegal::Busy(running.clone()));
    }
    if let Some(lock) = next.lock(at).filter(|lock| lock.owner != *requester) {
        return Err(Illegal::Locked(lock.owner.clone()));
    }
    let Some(place) = next.first_at(release) else { return Err(Illegal::NotItsTurn) };
    next.queue.remove(place);
    next.reserved.take_if(|reserved| reserved == release);
    next.running = Some(release.clone());
    Ok(())
}
