//! What other policies would have made of the past: the recorded releases, judged again from the audit log.
//!
//! A record holds what a decision needs beside plan, facts and votes (`standing`). From the records a release is put
//! together again by the same transitions that made it (`tale`), and at each moment at which it was judged the other
//! policies are asked (`compare`). Locks, queues and whatever else is not for policies to say stay as they were.

mod compare;
mod standing;
mod tale;

pub use standing::RecordedStanding;

use crate::audit::Record;
use crate::ids::{EnvironmentKey, PersonId, ReleaseId};
use crate::policy::{PolicySet, Reason, Stance, Vocabulary};
use crate::release::Outcome;
use jiff::Timestamp;
use serde::Serialize;

/// Other policies, and which part of the past to judge by them.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The policies.
    pub policies: &'a PolicySet,
    /// The names that they know.
    pub vocabulary: &'a Vocabulary,
    /// Only what was asked for since then.
    pub since: Option<Timestamp>,
}

/// What would have been otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The hash of the policies.
    pub policy_hash: String,
    /// How many releases were judged again.
    pub releases: usize,
    /// How many refused requests were.
    pub refused_requests: usize,
    /// Those that differ, in the order in which they were asked for.
    pub differing: Vec<Differing>,
    /// Those that cannot be judged again.
    pub left_out: Vec<LeftOut>,
}

/// A release, or a request that led to none, that would have gone otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// The release; `None` for a refused request.
    pub release: Option<ReleaseId>,
    /// Where to.
    pub key: EnvironmentKey,
    /// Who asked.
    pub requester: PersonId,
    /// When.
    pub asked_at: Timestamp,
    /// When it started, if it did.
    pub started_at: Option<Timestamp>,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// What differs, in the order of time.
    pub differences: Vec<Difference>,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub enum Difference {
    /// It was asked for, and could not have been.
    RequestRefused {
        /// Why.
        reasons: Vec<Reason>,
    },
    /// It could not be asked for, and could have been.
    RequestAllowed,
    /// It was denied when it was judged, and would have waited.
    NotDenied,
    /// It started, and would not have.
    Stopped {
        /// When it started.
        at: Timestamp,
        /// Why not.
        reasons: Vec<Reason>,
    },
    /// It started, and would have later.
    StartedLater {
        /// When it started.
        at: Timestamp,
        /// When it could have.
        then: Timestamp,
        /// Why not before.
        reasons: Vec<Reason>,
    },
    /// It would have started before it did, or although it never did.
    Started {
        /// When.
        then: Timestamp,
    },
    /// A vote was refused, and would have counted.
    VoteCounts {
        /// Whose.
        person: PersonId,
        /// Which way.
        stance: Stance,
        /// When.
        at: Timestamp,
    },
}

/// A release that cannot be judged again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Which; `None` for a refused request.
    pub release: Option<ReleaseId>,
    /// When it was asked for, as far as that is known.
    pub asked_at: Timestamp,
    /// Why.
    pub lack: Lack,
}

/// Why something cannot be judged again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "lack", rename_all = "snake_case")]
pub enum Lack {
    /// It is from before the audit log held the teams, the past and the time zone.
    NotEnoughRecorded,
    /// The policies do not know its environment.
    UnknownEnvironment {
        /// Which.
        key: EnvironmentKey,
    },
    /// Its records do not follow from each other.
    Unreadable {
        /// What is wrong. May quote the record: untrusted.
        error: String,
    },
}

/// Judges the past again. The chain of the records must have been verified: what was changed proves nothing.
#[must_use]
pub fn replay(records: &[Record], question: &Question<'_>) -> Replayed {
    let past = tale::read(records);
    let mut replayed = Replayed { policy_hash: question.policies.hash().to_owned(), ..Replayed::default() };
    let is_asked_about = |at: Timestamp| question.since.is_none_or(|since| at >= since);
    for tale in past.tales.iter().filter(|tale| is_asked_about(tale.asked_at)) {
        match compare::release(question, tale) {
            Ok(found) => {
                replayed.releases += 1;
                replayed.differing.extend(found);
            }
            Err(lack) => {
                let release = Some(tale.id.clone());
                replayed.left_out.push(LeftOut { release, asked_at: tale.asked_at, lack });
            }
        }
    }
    for refused in past.refused.iter().filter(|refused| is_asked_about(refused.at)) {
        match compare::request(question, refused) {
            Ok(found) => {
                replayed.refused_requests += 1;
                replayed.differing.extend(found);
            }
            Err(lack) => replayed.left_out.push(LeftOut { release: None, asked_at: refused.at, lack }),
        }
    }
    replayed.differing.sort_by_key(|differing| differing.asked_at);
    replayed
}
