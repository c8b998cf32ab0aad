//! Promotion: what an environment runs is suggested for the one that comes after it, or begins there by itself.
//!
//! Everything here is decided from what one transaction sees. Whether the gate would let it go on is asked before, about
//! exactly the commit and image that run; what is begun passes the gate again like any other release.

use crate::environment::{Environment, Live};
use crate::gate::{Course, Verdict};
use crate::ids::{CommitSha, PersonId, ReleaseId};
use crate::plan::PlanKind;
use crate::policy::Clears;
use crate::release::{KnownBad, Outcome, Release, RequestKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod hindrance;
#[cfg(test)]
mod tests;

pub use hindrance::{Hindrance, Way};

/// What is known of one commit on its way from one environment to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// The commit.
    pub commit: CommitSha,
    /// The release that brought it to the environment before.
    pub brought_by: ReleaseId,
    /// How it stands.
    pub standing: Standing,
    /// Since when it stands so.
    pub at: Timestamp,
}

/// How a commit stands that was suggested, or that began by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// It is suggested, with buttons.
    Suggested,
    /// Somebody has marked it as known to be bad.
    Held {
        /// Who.
        by: PersonId,
    },
    /// The environment before runs something else by now.
    Left {
        /// What.
        live: CommitSha,
        /// Whether that came after it; otherwise the environment went back.
        newer: bool,
    },
    /// Somebody has asked for it.
    Taken {
        /// The release.
        release: ReleaseId,
        /// Who.
        by: PersonId,
    },
    /// Somebody does not want it now.
    Declined {
        /// Who.
        by: PersonId,
    },
    /// It began by itself.
    Begun {
        /// The release.
        release: ReleaseId,
    },
    /// It began by itself and did not stay: it does not begin again.
    Stopped {
        /// The release.
        release: ReleaseId,
        /// What became of it.
        how: Stop,
    },
    /// It began by itself, and something newer has taken its place since.
    Over {
        /// The release.
        release: ReleaseId,
    },
    /// It was suggested, and something is in its way for now: it is suggested again when that is over.
    Closed {
        /// What.
        why: Hindrance,
    },
}

/// What became of a release that began by itself and does not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It failed, or policy refused it.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// It waited for too long.
    Expired,
    /// It was live, and something earlier runs again.
    RolledBack,
}

impl Standing {
    /// Its name in records.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::Held { .. } => "held",
            Self::Left { .. } => "left",
            Self::Taken { .. } => "taken",
            Self::Declined { .. } => "declined",
            Self::Begun { .. } => "begun",
            Self::Stopped { .. } => "stopped",
            Self::Over { .. } => "over",
            Self::Closed { .. } => "closed",
        }
    }

    /// The release that it has led to.
    #[must_use]
    pub fn led_to(&self) -> Option<&ReleaseId> {
        match self {
            Self::Taken { release, .. }
            | Self::Begun { release }
            | Self::Over { release }
            | Self::Stopped { release, .. } => Some(release),
            Self::Suggested | Self::Held { .. } | Self::Left { .. } | Self::Declined { .. } | Self::Closed { .. } => {
                None
            }
        }
    }

    /// Whether something may become of it without its commit running in the environment before.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::Suggested | Self::Begun { .. } | Self::Closed { .. } => true,
            Self::Held { .. }
            | Self::Left { .. }
            | Self::Taken { .. }
            | Self::Declined { .. }
            | Self::Stopped { .. }
            | Self::Over { .. } => false,
        }
    }

    /// Whether the commit is neither suggested nor begun again, whatever else happens.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Taken { .. }
            | Self::Declined { .. }
            | Self::Begun { .. }
            | Self::Stopped { .. }
            | Self::Over { .. } => true,
            Self::Suggested | Self::Held { .. } | Self::Left { .. } | Self::Closed { .. } => false,
        }
    }
}

/// What the gate says of a commit that nobody has asked for yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing is in its way but approvals that can be given.
    Ready,
    /// Time alone is in its way, until this moment.
    From(Timestamp),
    /// Something else is.
    Closed,
}

impl Outlook {
    /// What a verdict means for a release that nobody has asked for.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Self {
        if matches!(verdict.course(), Course::Deny | Course::NothingToDo | Course::DryRun) {
            return Self::Closed;
        }
        let mut from = None;
        for reason in verdict.reasons() {
            match &reason.clears {
                Clears::Votes { .. } => {}
                Clears::Time { at: Some(at) } => from = from.max(Some(*at)),
                Clears::Time { at: None }
                | Clears::Withdrawal { .. }
                | Clears::Facts
                | Clears::Soak { .. }
                | Clears::Unlock { .. }
                | Clears::Release { .. }
                | Clears::Nothing => return Self::Closed,
            }
        }
        from.map_or(Self::Ready, Self::From)
    }
}

/// How what runs before is related to what runs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lineage {
    /// It contains what runs here, or nothing is known to run here.
    Newer,
    /// Nobody knows: what runs here has never been in the environment before.
    Unknown,
    /// It ran here already, or is contained in what runs here.
    Older,
}

impl Lineage {
    /// Of what runs in the environment before. `brought`: releases that brought something there, newest first.
    /// `running`: the release that brought what runs here.
    #[must_use]
    pub fn of(before: &Environment, here: &Environment, brought: &[Release], running: Option<&Release>) -> Self {
        let (Some(commit), Some(live)) = (before.live.as_ref().map(|live| &live.commit), &here.live) else {
            return Self::Newer;
        };
        let ships = |release: &Release, sha: &CommitSha| {
            let plan = release.plan.as_ref().filter(|plan| plan.kind == PlanKind::Deploy);
            plan.is_some_and(|plan| plan.commits.iter().any(|commit| commit.sha == *sha))
        };
        let ran_here = live.commit == *commit || here.stays.iter().any(|stay| stay.live.commit == *commit);
        if ran_here || running.is_some_and(|running| ships(running, commit)) {
            return Self::Older;
        }
        // Where the environment before went back, what runs here may have come there later.
        let first_came = |sha: &CommitSha| before.stays.iter().rposition(|stay| stay.live.commit == *sha);
        match (first_came(commit), first_came(&live.commit)) {
            (Some(it), Some(other)) if it > other => return Self::Older,
            (_, Some(_)) => return Self::Newer,
            (_, None) => {}
        }
        // The release that first brought it, and those before.
        let until_then = brought.iter().rposition(|release| release.commit.as_ref() == Some(commit)).unwrap_or(0);
        let contains = brought.iter().skip(until_then).any(|release| {
            let plan = release.plan.as_ref().filter(|plan| plan.kind == PlanKind::Deploy);
            plan.and_then(|plan| plan.base.as_ref()) == Some(&live.commit) || ships(release, &live.commit)
        });
        if contains { Self::Newer } else { Self::Unknown }
    }
}

/// The newest release among these that somebody asked for to bring a commit. What only planned, found nothing to do or was
/// refused is none.
#[must_use]
pub fn asked_for<'a>(commit: &CommitSha, newest_first: &'a [Release]) -> Option<&'a Release> {
    newest_first.iter().find(|release| {
        let request = &release.request;
        let meant = release.commit.as_ref() == Some(commit) || request.reference.as_deref() == Some(commit.as_str());
        let is_one = matches!(request.kind, RequestKind::Deploy | RequestKind::Retry { .. }) && !request.dry_run;
        let came_to_nothing = matches!(release.outcome, Some(Outcome::DryRun | Outcome::NothingToDo | Outcome::Denied));
        meant && is_one && !came_to_nothing
    })
}

/// A promotion with what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The promotion.
    pub promotion: &'a Promotion,
    /// The mark on its commit.
    pub mark: Option<&'a KnownBad>,
    /// The release that somebody asked for to bring its commit.
    pub asked: Option<&'a Release>,
    /// The release that began by itself.
    pub begun: Option<&'a Release>,
}

/// What the environment before runs, as something that could go on.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The mark on its commit.
    pub mark: Option<&'a KnownBad>,
    /// The release that somebody asked for to bring it on.
    pub asked: Option<&'a Release>,
    /// How it is related to what runs in the next environment.
    pub lineage: Lineage,
    /// What the gate says when Slipway itself asks; closed where it may not.
    pub by_itself: Outlook,
    /// What it says when somebody asks who may.
    pub by_somebody: Outlook,
    /// The same for a suggestion that was made: what is in its way.
    pub way: &'a Way,
}

/// All that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The environment before.
    pub before: &'a Environment,
    /// The one that it could go on to.
    pub here: &'a Environment,
    /// The promotions that are open, and that of what the environment before runs.
    pub known: &'a [Known<'a>],
    /// What the environment before runs; `None` where nothing of Slipway's does, or where it cannot go on anyway.
    pub candidate: Option<Candidate<'a>>,
    /// Whether the configuration wants suggestions.
    pub suggests: bool,
    /// Whether it wants releases that begin by themselves.
    pub automatic: bool,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Suggest what the environment before runs.
    Suggest,
    /// Begin it.
    Begin,
    /// A promotion stands otherwise: it is suggested again, too, with what there is to say of it now.
    Change {
        /// Of which commit.
        commit: CommitSha,
        /// How.
        standing: Standing,
    },
}

/// The next thing to be done for one environment; `None`: nothing.
#[must_use]
pub fn decide(seen: &Seen<'_>) -> Option<Act> {
    let change = |known: &Known<'_>| {
        let standing = changed(known, seen)?;
        Some(Act::Change { commit: known.promotion.commit.clone(), standing })
    };
    seen.known.iter().find_map(change).or_else(|| goes_on(seen))
}

/// What has become of a promotion meanwhile.
fn changed(known: &Known<'_>, seen: &Seen<'_>) -> Option<Standing> {
    let Promotion { commit, standing, .. } = known.promotion;
    match standing {
        Standing::Begun { release } => {
            return ended(release, known.begun?, seen.here);
        }
        Standing::Suggested | Standing::Held { .. } | Standing::Closed { .. } => {}
        Standing::Left { .. }
        | Standing::Taken { .. }
        | Standing::Declined { .. }
        | Standing::Stopped { .. }
        | Standing::Over { .. } => return None,
    }
    if let Some(asked) = known.asked {
        return Some(Standing::Taken { release: asked.id.clone(), by: asked.request.requester.clone() });
    }
    // It came there otherwise, as by going back to it.
    if let Some(live) = seen.here.live.as_ref().filter(|live| live.commit == *commit) {
        return Some(Standing::Taken { release: live.release.clone(), by: live.by.clone() });
    }
    let is_held = matches!(standing, Standing::Held { .. });
    if let Some(mark) = known.mark {
        return (!is_held).then(|| Standing::Held { by: mark.by.clone() });
    }
    let live = seen.before.live.as_ref()?;
    if live.commit == *commit {
        return otherwise(standing, way(live, seen));
    }
    if is_held {
        return None;
    }
    let newer = !seen.before.stays.iter().skip_while(|stay| stay.live.commit != *commit).any(|stay| {
        // It ran before the suggested one did.
        stay.live.commit == live.commit
    });
    Some(Standing::Left { live: live.commit.clone(), newer })
}

/// How a suggestion stands otherwise, by whether its commit could go on. It is said again only where it reads otherwise.
fn otherwise(standing: &Standing, way: Way) -> Option<Standing> {
    match (way, standing) {
        (Way::Closed(why), Standing::Closed { why: before }) if why == *before => None,
        (Way::Closed(why), _) => Some(Standing::Closed { why }),
        (Way::Open, Standing::Closed { .. } | Standing::Held { .. }) => Some(Standing::Suggested),
        (Way::Open | Way::Unknown, _) => None,
    }
}

/// Whether what runs before, and was suggested, could go on.
fn way(live: &Live, seen: &Seen<'_>) -> Way {
    if !seen.suggests {
        return Way::Closed(Hindrance::Off);
    }
    if let Some(place) = [seen.here, seen.before].into_iter().find(|place| place.by_hand.is_some()) {
        return Way::Closed(Hindrance::PastSlipway { environment: place.key.environment.clone() });
    }
    if !live.verified {
        return Way::Closed(Hindrance::Unverified);
    }
    match (seen.candidate.as_ref(), &seen.here.live) {
        (None, _) => Way::Unknown,
        (Some(Candidate { lineage: Lineage::Older, .. }), Some(here)) => {
            Way::Closed(Hindrance::Newer { live: here.commit.clone() })
        }
        (Some(candidate), _) => candidate.way.clone(),
    }
}

/// How a release stands that began by itself; `None` while it is under way or live.
fn ended(id: &ReleaseId, begun: &Release, here: &Environment) -> Option<Standing> {
    let how = match begun.outcome.as_ref()? {
        Outcome::Failed { .. } | Outcome::RolledBack { .. } | Outcome::Denied => Some(Stop::Failed),
        Outcome::Cancelled { .. } => Some(Stop::Cancelled),
        Outcome::Expired => Some(Stop::Expired),
        Outcome::Live => {
            let commit = begun.commit.as_ref()?;
            let live = here.live.as_ref().filter(|live| live.commit != *commit)?;
            // What ran before it came runs again.
            let earlier = here.stays.iter().skip_while(|stay| stay.live.commit != *commit);
            earlier.skip(1).any(|stay| stay.live.commit == live.commit).then_some(Stop::RolledBack)
        }
        Outcome::Superseded { .. } | Outcome::NothingToDo | Outcome::DryRun | Outcome::Migrated => None,
    };
    let release = id.clone();
    Some(how.map_or(Standing::Over { release: release.clone() }, |how| Standing::Stopped { release, how }))
}

/// Whether what the environment before runs goes on now.
fn goes_on(seen: &Seen<'_>) -> Option<Act> {
    let candidate = seen.candidate.as_ref()?;
    let live = seen.before.live.as_ref()?;
    // What replaces it would have to soak anew, and a suggestion would be out of date as soon as it is read.
    let is_replaced = seen.before.running.is_some();
    // Nor is anything said of what Slipway had brought where something else serves by somebody's hand.
    if seen.before.by_hand.is_some() || seen.here.by_hand.is_some() {
        return None;
    }
    let is_bad = candidate.mark.is_some() || candidate.lineage == Lineage::Older;
    if !live.verified || is_replaced || is_bad || candidate.asked.is_some() {
        return None;
    }
    let standing = seen.known.iter().find(|known| known.promotion.commit == live.commit);
    let standing = standing.map(|known| &known.promotion.standing);
    if standing.is_some_and(Standing::is_settled) {
        return None;
    }
    // What runs here may be something that was never merged: nobody's hotfix is replaced without somebody.
    if seen.automatic && candidate.lineage == Lineage::Newer {
        match candidate.by_itself {
            Outlook::Ready => return Some(Act::Begin),
            Outlook::From(_) => return None,
            Outlook::Closed => {}
        }
    }
    // Of what was suggested is decided above.
    let suggested = matches!(standing, Some(Standing::Suggested | Standing::Closed { .. }));
    (seen.suggests && !suggested && candidate.by_somebody == Outlook::Ready).then_some(Act::Suggest)
}
