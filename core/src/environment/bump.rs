//! A release that is put before others which wait. Nobody is kept waiting by that for ever: how often one release is
//! passed has a limit, and what runs is never touched.

use super::{Effect, Environment, Illegal, Waiting, judge_waiting};
use crate::ids::{PersonId, ReleaseId};
use crate::plan::PlanKind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many releases may be put before one that waits.
pub const PASSED_LIMIT: u32 = 3;

/// Somebody has put a release before others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bumped {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

impl Environment {
    /// Which releases one would pass if it were put first now, in order. Rollbacks are passed by rollbacks alone: whoever
    /// goes back has something that is broken. So is what waits for its turn in a group that has begun.
    ///
    /// # Errors
    /// When it cannot be put first.
    pub fn would_pass(&self, release: &ReleaseId) -> Result<Vec<&ReleaseId>, Illegal> {
        let at = self.queue.iter().position(|waiting| waiting.release == *release);
        let Some(at) = at else { return Err(Illegal::NotQueued(release.clone())) };
        let goes_back = self.queue[at].kind == PlanKind::Rollback;
        let holds = |waiting: &Waiting| {
            !goes_back && (waiting.kind == PlanKind::Rollback || self.reserved.as_ref() == Some(&waiting.release))
        };
        // Whoever is before one that may not be passed is not passed either.
        let from = self.queue[..at].iter().rposition(holds).map_or(0, |last| last + 1);
        let passed = &self.queue[from..at];
        if passed.is_empty() {
            return Err(Illegal::First(release.clone()));
        }
        match passed.iter().find(|waiting| waiting.passed >= PASSED_LIMIT) {
            Some(often) => Err(Illegal::PassedOften(often.release.clone())),
            None => Ok(passed.iter().map(|waiting| &waiting.release).collect()),
        }
    }
}

pub(super) fn bump(next: &mut Environment, release: &ReleaseId, by: &Bumped) -> Result<Vec<Effect>, Illegal> {
    let passed: Vec<_> = next.would_pass(release)?.into_iter().cloned().collect();
    let (mut first, rest): (Vec<_>, Vec<_>) = next.queue.drain(..).partition(|waiting| waiting.release == *release);
    next.queue = rest;
    let place = next.queue.iter().position(|waiting| passed.contains(&waiting.release)).unwrap_or(0);
    for waiting in next.queue.iter_mut().filter(|waiting| passed.contains(&waiting.release)) {
        waiting.passed += 1;
    }
    for waiting in &mut first {
        waiting.bumped = Some(by.clone());
    }
    next.queue.splice(place..place, first);
    Ok(judge_waiting(next))
}
