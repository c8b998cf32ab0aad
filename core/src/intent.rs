//! A deployment that is to be asked for later: at a time, when CI is green, or when the environment is unlocked. Until
//! then it is nothing but a wish: no plan, no vote, no place in the queue. What it meets then is decided then.

mod moment;
#[cfg(test)]
mod tests;

pub use moment::{AHEAD_LIMIT_DAYS, Note, Settled, Unsettled, said, said_briefly, settle};

use crate::ids::{CommitSha, EnvironmentKey, IntentId, PersonId, ReleaseId, TeamName};
use crate::membership::SourceState;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How late a deployment is still asked for whose time passed while nobody looked, in seconds. Later than that nobody
/// expects it any more.
pub const LATE_LIMIT_S: i64 = 15 * 60;
/// What the keys of their messages begin with; the id comes next.
pub const MESSAGE_KEY_PREFIX: &str = "intent/";
/// How many may wait for one environment.
pub const PER_ENVIRONMENT_LIMIT: usize = 10;
/// How many one person may have waiting.
pub const PER_PERSON_LIMIT: usize = 10;

/// A deployment that is to be asked for later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Which.
    pub id: IntentId,
    /// Where to.
    pub key: EnvironmentKey,
    /// What was typed: branch, tag or commit; `None` is the default branch. Untrusted text, looked up then.
    pub reference: Option<String>,
    /// Who asked, and in whose name it is asked for then.
    pub requester: PersonId,
    /// Why. Untrusted text.
    pub reason: Option<String>,
    /// Where it was typed, as in the configuration.
    pub channel: String,
    /// What it waits for.
    pub condition: Condition,
    /// When it was typed.
    pub asked_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
    /// What has become of it.
    pub state: State,
    /// Why it has not been asked for although its moment has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// Its moment has come, and nobody can tell whether whoever typed it may still ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The teams of which it is not known who is in them.
    pub teams: BTreeSet<TeamName>,
    /// Why not, a sentence for each place where their members are kept. Partly untrusted.
    pub why: Vec<String>,
    /// Since when.
    pub since: Timestamp,
}

impl Held {
    /// By those of the sources whose members are not known; `None` where all are.
    #[must_use]
    pub fn by(sources: &[SourceState], since: Timestamp) -> Option<Self> {
        let unknown: Vec<_> = sources.iter().filter(|source| !source.counts).collect();
        let why = unknown.iter().map(|state| match &state.trouble {
            Some(trouble) => format!("{} cannot be read: {}", state.source, trouble.what),
            None => format!("{} is being read.", state.source),
        });
        let teams = unknown.iter().map(|state| state.team.clone()).collect();
        (!unknown.is_empty()).then(|| Self { teams, why: why.collect(), since })
    }

    /// `developers and release`.
    #[must_use]
    pub fn team_names(&self) -> String {
        let names: Vec<_> = self.teams.iter().map(TeamName::as_str).collect();
        names.join(" and ")
    }

    fn over(&self) -> String {
        format!("Until its time was over it was not known who is in {}.", self.team_names())
    }
}

/// What one waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
pub enum Condition {
    /// Green CI of what the reference means at that moment.
    Green,
    /// The end of the environment's lock.
    Unlocked,
    /// A moment.
    At {
        /// Which.
        at: Timestamp,
        /// The time zone in which it was said, an IANA name.
        timezone: String,
    },
}

/// What has become of one. Everything but waiting is an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Its moment has not come.
    Waiting,
    /// It was asked for.
    Begun {
        /// As this release.
        release: ReleaseId,
        /// When.
        at: Timestamp,
    },
    /// Somebody does not want it any more.
    Cancelled {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
    /// Its moment did not come, or was missed.
    Expired {
        /// Why, a sentence.
        why: String,
        /// When that was noticed.
        at: Timestamp,
    },
    /// Its moment came, and it was not to be asked for.
    Refused {
        /// Why. Partly untrusted.
        why: String,
        /// When.
        at: Timestamp,
    },
}

/// What is known of the outside when one is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whether somebody holds the environment's lock.
    pub locked: bool,
    /// The commit that its reference means, if its CI was found green just now.
    pub green: Option<CommitSha>,
}

/// What follows for one that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// It is asked for now: of this commit, or of what its reference means.
    Begin(Option<CommitSha>),
    /// It is given up, for this reason.
    Expire(String),
}

impl Intent {
    /// Whether it waits.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.state == State::Waiting
    }

    /// When it is to be looked at next, whatever happens before; `None` when it has ended.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        let at = match &self.condition {
            Condition::At { at, .. } => *at,
            // What is green is told by the next look at its CI.
            Condition::Unlocked => self.held.as_ref().map_or(self.expires_at, |held| held.since),
            Condition::Green => self.expires_at,
        };
        self.waits().then_some(at)
    }

    /// What follows at a moment. Of a clock that was turned back nothing does.
    #[must_use]
    pub fn due(&self, seen: &Seen, now: Timestamp) -> Due {
        if !self.waits() {
            return Due::Nothing;
        }
        match &self.condition {
            Condition::At { at, .. } if now < *at => Due::Nothing,
            Condition::At { .. } if now > self.expires_at => Due::Expire(match &self.held {
                Some(held) => held.over(),
                None => "Its time passed while Slipway was not running.".to_owned(),
            }),
            Condition::At { .. } => Due::Begin(None),
            Condition::Green if now >= self.expires_at => Due::Expire(self.never("was not green")),
            Condition::Unlocked if now >= self.expires_at => Due::Expire(self.never("was not unlocked")),
            Condition::Green => seen.green.clone().map_or(Due::Nothing, |commit| Due::Begin(Some(commit))),
            Condition::Unlocked if seen.locked => Due::Nothing,
            Condition::Unlocked => Due::Begin(None),
        }
    }

    /// `It was not green within 24 h.`
    fn never(&self, what: &str) -> String {
        if let Some(held) = &self.held {
            return held.over();
        }
        let hours = self.expires_at.duration_since(self.asked_at).as_secs() / 60;
        match (hours / 60, hours % 60) {
            (0, minutes) => format!("It {what} within {minutes} min."),
            (hours, 0) => format!("It {what} within {hours} h."),
            (hours, minutes) => format!("It {what} within {hours} h {minutes} min."),
        }
    }
}

/// Until when a moment that was missed is made up for.
#[must_use]
pub fn made_up_for_until(at: Timestamp) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(LATE_LIMIT_S)).unwrap_or(Timestamp::MAX)
}
