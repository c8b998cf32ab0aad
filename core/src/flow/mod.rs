//! Continuous delivery of one environment: which commit of a branch begins by itself, and what holds that up. A pure state
//! machine: what was seen of the branch, the moment and what is under way come in as values.

mod choice;
mod sight;
#[cfg(test)]
mod tests;

pub use choice::{Choice, PASSED_NAMED_LIMIT, Passed};
pub use sight::{COMMITS_LIMIT, Seen, Sight, Standing};

use crate::facts::CiState;
use crate::ids::{CommitSha, EnvironmentKey, PersonId, ReleaseId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many releases that began by themselves are remembered, to begin none of their commits twice.
pub const BEGUN_LIMIT: usize = 20;
/// The longest that changes which go on and on put a beginning off, as a multiple of the time that one settles in.
const SETTLE_AT_MOST_TIMES: i64 = 6;
/// How long one that began by itself has waited before a newer commit takes its place, in seconds: not every merge makes
/// a card.
pub const REPLACE_AFTER_S: i64 = 60;
/// When what holds it up is looked at again where nobody can say when it ends, in seconds.
const LOOK_AGAIN_S: i64 = 60;

/// Continuous delivery of one environment at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Which environment.
    pub key: EnvironmentKey,
    /// What was seen of the branch last.
    pub seen: Option<Sight>,
    /// What would begin next, until it has settled.
    pub ripe: Option<Ripe>,
    /// What began by itself, the newest last.
    pub begun: Vec<Begun>,
    /// Why nothing begins by itself.
    pub pause: Option<Pause>,
    /// How many pauses there were: the newest has this number.
    pub pauses: u64,
    /// Since when the newest commit that CI has an opinion of is red.
    pub red_since: Option<Timestamp>,
    /// When it has to be looked at again, unless something happens before.
    pub due_at: Option<Timestamp>,
}

/// A commit that may begin once it has been the same for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ripe {
    /// The commit.
    pub commit: CommitSha,
    /// Since when it is this one.
    pub since: Timestamp,
    /// Since when there is one at all.
    pub first: Timestamp,
}

/// A release that began by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Which.
    pub release: ReleaseId,
    /// Its commit.
    pub commit: CommitSha,
}

/// A time in which nothing begins by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Counted from 1, for the one message about it.
    pub number: u64,
    /// Why.
    pub why: Why,
    /// Since when.
    pub since: Timestamp,
}

/// Why nothing begins by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// Somebody holds the environment.
    Locked {
        /// Who.
        owner: PersonId,
        /// Why. Untrusted text.
        reason: String,
        /// Until when; `None` is until unlocked.
        until: Option<Timestamp>,
    },
    /// Policy forbids it for a time.
    Frozen {
        /// In policy's words.
        what: String,
        /// Until when, where that can be told.
        until: Option<Timestamp>,
    },
    /// Policy does not let Slipway release here.
    Refused {
        /// In policy's words.
        what: String,
        /// A rule forbids it; otherwise none permits it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forbidden: bool,
    },
    /// One that began by itself did not become live.
    Ended {
        /// Which.
        release: ReleaseId,
        /// Its commit.
        commit: CommitSha,
        /// How it ended.
        how: How,
    },
    /// The environment was brought back to an older version.
    WentBack {
        /// By this release.
        release: ReleaseId,
        /// Who asked for it.
        by: PersonId,
    },
    /// What runs there is not on the branch.
    Diverged {
        /// What runs.
        live: CommitSha,
        /// The branch. Untrusted text.
        branch: String,
        /// Its newest commit.
        head: CommitSha,
    },
    /// Somebody has deployed past Slipway: what they did is not replaced without anybody.
    PastSlipway {
        /// What runs since. Untrusted text.
        runs: String,
    },
    /// There is no such branch.
    Gone {
        /// The branch. Untrusted text.
        branch: String,
    },
}

impl Why {
    /// The release that it is because of.
    #[must_use]
    pub fn because_of(&self) -> Option<&ReleaseId> {
        match self {
            Self::Ended { release, .. } | Self::WentBack { release, .. } => Some(release),
            Self::Locked { .. }
            | Self::Frozen { .. }
            | Self::Refused { .. }
            | Self::Diverged { .. }
            | Self::PastSlipway { .. }
            | Self::Gone { .. } => None,
        }
    }

    /// Whether it stays until a person does something about it.
    #[must_use]
    pub fn needs_somebody(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::WentBack { .. })
    }
}

/// How a release ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum How {
    /// What it brought is live.
    Live,
    /// There was nothing to do, or it was only looked.
    Nothing,
    /// A newer one took its place.
    Superseded,
    /// It failed.
    Failed,
    /// The platform put the old version back.
    RolledBack,
    /// Policy said no.
    Denied,
    /// Nobody approved it in time.
    Expired,
    /// Somebody stopped it.
    Cancelled {
        /// Who.
        by: PersonId,
    },
}

/// The end of a release to the environment, whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub release: ReleaseId,
    /// Who asked for it.
    pub by: PersonId,
    /// Whether it went back to an older version.
    pub rollback: bool,
    /// Whether it brought a commit that somebody asked for.
    pub deploy: bool,
    /// Its commit, once it was known.
    pub commit: Option<CommitSha>,
    /// How it ended.
    pub how: How,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The branch was looked at.
    Seen(Sight),
    /// Time has passed, or the environment is not as it was.
    Looked,
    /// A release to the environment has ended.
    Ended(Ended),
    /// Somebody says that it goes on.
    Resumed {
        /// Who.
        by: PersonId,
    },
}

/// How a pause ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumption {
    /// What held it up is over.
    Over,
    /// Somebody said so.
    Said {
        /// Who.
        by: PersonId,
    },
    /// A release that somebody asked for has succeeded.
    Succeeded {
        /// Which.
        release: ReleaseId,
        /// Who asked for it.
        by: PersonId,
    },
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A release of this commit begins.
    Begin(Choice),
    /// Nothing begins from now on.
    Paused(Pause),
    /// The same pause has another reason by now.
    PausedFor(Pause),
    /// The pause is over.
    Resumed(Pause, Resumption),
    /// What began before the one that has become live is replaced by it.
    Passed {
        /// Those that began before it, whatever has become of them.
        older: Vec<ReleaseId>,
        /// What is live.
        by: ReleaseId,
    },
}

/// What is under way in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// Which release.
    pub release: ReleaseId,
    /// Whether its run has begun.
    pub runs: bool,
    /// When it was asked for.
    pub since: Timestamp,
}

/// Everything around the flow at the moment of an event.
#[derive(Clone, Debug)]
pub struct Around<'a> {
    /// The moment.
    pub now: Timestamp,
    /// For how long a change has to be the newest before it begins, in milliseconds.
    pub settle_ms: i64,
    /// The branch that is followed.
    pub branch: &'a str,
    /// How many commits one release brings at most.
    pub cap: Option<usize>,
    /// What is live.
    pub live: Option<&'a CommitSha>,
    /// What is under way and has not ended, a person's first.
    pub under_way: Option<&'a UnderWay>,
    /// What would hold a release up that began now.
    pub hold: Option<&'a Why>,
    /// Commits that are known to be bad.
    pub bad: &'a BTreeSet<CommitSha>,
}

impl Flow {
    /// A flow of which nothing is known yet.
    #[must_use]
    pub fn new(key: EnvironmentKey) -> Self {
        let (begun, pauses) = (Vec::new(), 0);
        Self { key, seen: None, ripe: None, begun, pause: None, pauses, red_since: None, due_at: None }
    }

    /// What was seen, where that still fits what is live.
    #[must_use]
    pub fn sight(&self, branch: &str, live: Option<&CommitSha>) -> Option<&Sight> {
        self.seen.as_ref().filter(|seen| seen.branch == branch && seen.base.as_ref() == live)
    }

    /// A release of a commit has begun.
    pub fn began(&mut self, release: ReleaseId, commit: CommitSha) {
        self.begun.push(Begun { release, commit });
        let surplus = self.begun.len().saturating_sub(BEGUN_LIMIT);
        self.begun.drain(..surplus);
        self.ripe = None;
    }

    fn is_own(&self, release: &ReleaseId) -> bool {
        self.begun.iter().any(|begun| begun.release == *release)
    }

    fn commit_of(&self, release: &ReleaseId) -> Option<&CommitSha> {
        self.begun.iter().find(|begun| begun.release == *release).map(|begun| &begun.commit)
    }

    /// Whether a newer one has begun since.
    fn is_passed(&self, release: &ReleaseId) -> bool {
        self.begun.last().is_some_and(|newest| newest.release != *release)
    }

    /// Those that began before one, if there are any.
    fn passed_by(&self, release: &ReleaseId) -> Option<Effect> {
        let before = self.begun.iter().take_while(|begun| begun.release != *release);
        let older: Vec<_> = before.map(|begun| begun.release.clone()).collect();
        (!older.is_empty()).then(|| Effect::Passed { older, by: release.clone() })
    }

    /// Whether it is known that what is live contains a commit of the branch and is newer. What was seen may be of the moment
    /// before that became live.
    fn is_behind(&self, commit: &CommitSha, around: &Around<'_>) -> bool {
        let Some(live) = around.live.filter(|live| *live != commit) else { return false };
        let Some(seen) = self.seen.as_ref().filter(|seen| seen.branch == around.branch) else { return false };
        let newer = if seen.base.as_ref() == Some(live) {
            let all_seen = usize::try_from(seen.total).is_ok_and(|total| total <= seen.commits.len());
            match seen.standing {
                Standing::Ahead if all_seen => seen.commits.len(),
                Standing::Behind => return true,
                Standing::Ahead | Standing::Diverged | Standing::Unknown => return false,
            }
        } else {
            let Some(at) = seen.commits.iter().position(|seen| seen.sha == *live) else { return false };
            at
        };
        !seen.commits[..newer].iter().any(|seen| seen.sha == *commit)
    }

    fn pauses_for(&mut self, why: Why, now: Timestamp) -> Effect {
        if let Some(pause) = &mut self.pause {
            pause.why = why;
            return Effect::PausedFor(pause.clone());
        }
        self.pauses += 1;
        let pause = Pause { number: self.pauses, why, since: now };
        self.pause = Some(pause.clone());
        Effect::Paused(pause)
    }

    fn resumes(&mut self, how: Resumption) -> Option<Effect> {
        self.pause.take().map(|pause| Effect::Resumed(pause, how))
    }
}

/// The next state and what follows.
#[must_use]
pub fn step(flow: &Flow, event: &Event, around: &Around<'_>) -> (Flow, Vec<Effect>) {
    let mut next = flow.clone();
    let mut effects: Vec<Effect> = match event {
        Event::Seen(sight) => {
            sees(&mut next, sight, around.now);
            vec![]
        }
        Event::Looked => vec![],
        Event::Ended(ended) => has_ended(&mut next, ended, around).into_iter().collect(),
        Event::Resumed { by } => said_to_resume(&mut next, by).into_iter().collect(),
    };
    next.due_at = None;
    effects.extend(goes_on(&mut next, around));
    (next, effects)
}

fn sees(next: &mut Flow, sight: &Sight, now: Timestamp) {
    match sight.is_red() {
        Some(true) => next.red_since = next.red_since.or(Some(now)),
        Some(false) => next.red_since = None,
        None => {}
    }
    next.seen = Some(sight.clone());
}

fn has_ended(next: &mut Flow, ended: &Ended, around: &Around<'_>) -> Option<Effect> {
    let now = around.now;
    let Ended { release, by, rollback, deploy, commit, how } = ended;
    if *how == How::Live && *rollback {
        let why = Why::WentBack { release: release.clone(), by: by.clone() };
        // Whatever failed before is the better reason.
        let known = next.pause.as_ref().is_some_and(|pause| pause.why.needs_somebody());
        return (!known).then(|| next.pauses_for(why, now));
    }
    if let Some(commit) = next.commit_of(release).cloned() {
        let is_passed = next.is_passed(release) || next.is_behind(&commit, around);
        return match how {
            How::Live => next.passed_by(release),
            How::Nothing | How::Superseded => None,
            // Of the newest it is told how it goes on; with this one it is over whatever becomes of it.
            _ if is_passed => None,
            How::Failed | How::RolledBack | How::Denied | How::Expired | How::Cancelled { .. } => {
                let why = Why::Ended { release: release.clone(), commit, how: how.clone() };
                Some(next.pauses_for(why, now))
            }
        };
    }
    // What did not work when somebody asked for it is not tried again at once.
    let is_next = |sha: &CommitSha| {
        let seen = next.seen.iter().flat_map(|sight| &sight.commits);
        seen.into_iter().any(|seen| seen.sha == *sha && seen.ci == Some(CiState::Green))
    };
    if let (true, How::Failed | How::RolledBack | How::Cancelled { .. }) = (*deploy, how)
        && let Some(commit) = commit.clone().filter(|sha| is_next(sha) && !next.is_behind(sha, around))
    {
        let known = next.pause.as_ref().is_some_and(|pause| pause.why.needs_somebody());
        let why = Why::Ended { release: release.clone(), commit, how: how.clone() };
        return (!known).then(|| next.pauses_for(why, now));
    }
    let by_somebody = *how == How::Live && *deploy && !by.is_slipway();
    if by_somebody && next.pause.as_ref().is_some_and(|pause| pause.why.needs_somebody()) {
        return next.resumes(Resumption::Succeeded { release: release.clone(), by: by.clone() });
    }
    None
}

/// What failed is tried again, because somebody says so. What was gone back from is not.
fn said_to_resume(next: &mut Flow, by: &PersonId) -> Option<Effect> {
    let pause = next.pause.as_ref().filter(|pause| pause.why.needs_somebody())?;
    if let Why::Ended { release, .. } = &pause.why {
        let release = release.clone();
        next.begun.retain(|begun| begun.release != release);
    }
    next.resumes(Resumption::Said { by: by.clone() })
}

/// Begins what is to begin, or says what holds it up.
fn goes_on(next: &mut Flow, around: &Around<'_>) -> Vec<Effect> {
    let now = around.now;
    // After a release the branch is looked at again before anything is decided.
    let Some(sight) = next.sight(around.branch, around.live).cloned() else {
        next.ripe = None;
        return vec![];
    };
    if next.pause.as_ref().is_some_and(|pause| pause.why.needs_somebody()) {
        next.ripe = None;
        return vec![];
    }
    let choice = choice::choose(&sight, around.cap, &next.begun, around.bad);
    let why = sight.why_not().or_else(|| {
        // A pause stays as long as what it is for, even when there is nothing to begin any more.
        let matters = choice.is_some() || next.pause.is_some();
        around.hold.filter(|_| matters).cloned()
    });
    if let Some(why) = why {
        next.ripe = None;
        next.due_at = look_again(&why, now);
        let known = next.pause.as_ref().is_some_and(|pause| pause.why == why);
        return if known { vec![] } else { vec![next.pauses_for(why, now)] };
    }
    let mut effects: Vec<_> = next.resumes(Resumption::Over).into_iter().collect();
    let Some(choice) = choice else {
        next.ripe = None;
        return effects;
    };
    let at = ripens(next, &choice.commit, around);
    match around.under_way {
        None => {}
        Some(under_way) if !under_way.runs && next.is_own(&under_way.release) => {
            let at = at.max(after_ms(under_way.since, REPLACE_AFTER_S * 1_000));
            return begins_at(next, effects, choice, at, now);
        }
        // Its end is told.
        Some(_) => return effects,
    }
    effects = begins_at(next, effects, choice, at, now);
    effects
}

fn begins_at(next: &mut Flow, mut effects: Vec<Effect>, choice: Choice, at: Timestamp, now: Timestamp) -> Vec<Effect> {
    if at <= now {
        effects.push(Effect::Begin(choice));
    } else {
        next.due_at = Some(at);
    }
    effects
}

/// When a commit has settled. What changes all the time begins at last too.
fn ripens(next: &mut Flow, commit: &CommitSha, around: &Around<'_>) -> Timestamp {
    let now = around.now;
    let ripe = match &next.ripe {
        Some(ripe) if ripe.commit == *commit => ripe.clone(),
        Some(Ripe { first, .. }) => Ripe { commit: commit.clone(), since: now, first: *first },
        None => Ripe { commit: commit.clone(), since: now, first: now },
    };
    let at_most = after_ms(ripe.first, around.settle_ms.saturating_mul(SETTLE_AT_MOST_TIMES));
    let at = after_ms(ripe.since, around.settle_ms).min(at_most);
    next.ripe = Some(ripe);
    at
}

fn look_again(why: &Why, now: Timestamp) -> Option<Timestamp> {
    let soon = after_ms(now, LOOK_AGAIN_S * 1_000);
    match why {
        Why::Locked { .. } | Why::Diverged { .. } | Why::Gone { .. } | Why::PastSlipway { .. } => None,
        Why::Frozen { until, .. } => Some(until.filter(|until| *until > now).unwrap_or(soon)),
        Why::Refused { .. } => Some(soon),
        Why::Ended { .. } | Why::WentBack { .. } => None,
    }
}

fn after_ms(at: Timestamp, ms: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX)
}
