//! Several services deployed together: one order, one card, one approval.
//!
//! There is no further entity. The first release of the group, the *lead*, is an ordinary release whose plan holds the
//! digests of the others' plans; votes on it count for a follower's plan for as long as exactly that one is in it.

use crate::gate::{Course, Verdict};
use crate::ids::{CommitSha, PersonId, ReleaseId, ServiceName};
use crate::plan::PlanDigest;
use crate::policy::{Clears, Override, Reason, Stance, Vote};
use crate::release::{Outcome, Phase, PlanningStage, Release};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How many services can be deployed together.
pub const TOGETHER_LIMIT: usize = 10;

/// How much longer a follower may wait than the lead for approval: those before it run in that time.
pub const FOLLOWERS_WAIT_S: i64 = 6 * 3_600;

/// The reason's id when a release waits for another of its group.
pub(crate) const TOGETHER: &str = "together";

/// Between a follower's service and the rule that holds it. No rule's name has it.
const OF_SERVICE: char = '/';

/// The releases that were asked for together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// All of them, in the order in which they run; the first is the lead.
    pub all: Vec<ReleaseId>,
}

impl Together {
    /// The one whose card is the group's.
    #[must_use]
    pub fn lead(&self) -> Option<&ReleaseId> {
        self.all.first()
    }

    /// Those that run before one of them.
    pub fn before<'a>(&'a self, id: &'a ReleaseId) -> impl Iterator<Item = &'a ReleaseId> {
        self.all.iter().take_while(move |other| *other != id)
    }

    /// All but one of them.
    pub fn others<'a>(&'a self, id: &'a ReleaseId) -> impl Iterator<Item = &'a ReleaseId> {
        self.all.iter().filter(move |other| *other != id)
    }
}

/// A follower in the plan of its lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWith {
    /// The follower.
    pub release: ReleaseId,
    /// Its service.
    pub service: ServiceName,
    /// Its commit. For display: it is in the digest of its plan.
    pub commit: CommitSha,
    /// Its plan. A vote on the lead's plan is one on this.
    pub digest: PlanDigest,
    /// How many commits it ships. For display.
    pub commits: u32,
    /// How many migrations it runs. For display.
    pub migrations: u32,
}

impl PlannedWith {
    /// A planned release as its lead's plan holds it; `None` without a plan.
    #[must_use]
    pub fn of(release: &Release) -> Option<Self> {
        let plan = release.plan.as_ref()?;
        Some(Self {
            release: release.id.clone(),
            service: plan.service.clone(),
            commit: plan.commit.clone(),
            digest: plan.digest(),
            commits: plan.commits_total,
            migrations: u32::try_from(plan.changing().count()).unwrap_or(u32::MAX),
        })
    }

    /// What a vote is about.
    pub(crate) fn essence(&self) -> (&ServiceName, &PlanDigest) {
        (&self.service, &self.digest)
    }

    /// `web 4c1f9e2, plan 5b3e91`.
    pub(crate) fn words(&self) -> String {
        format!("{} {}, plan {}", self.service, self.commit.short(), self.digest.short())
    }
}

impl Release {
    /// The group, if this one leads it.
    #[must_use]
    pub fn leads(&self) -> Option<&Together> {
        self.request.together.as_ref().filter(|together| together.lead() == Some(&self.id))
    }

    /// The lead of its group, if this is not it.
    #[must_use]
    pub fn follows(&self) -> Option<&ReleaseId> {
        self.request.together.as_ref()?.lead().filter(|lead| **lead != self.id)
    }

    /// Whether it has ended in such a way that those after it in its group go on.
    #[must_use]
    pub fn ended_well(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Live | Outcome::Migrated | Outcome::DryRun | Outcome::NothingToDo))
    }

    /// Whether it is the one of its group that stopped the others.
    #[must_use]
    pub fn stopped_its_group(&self) -> bool {
        self.phase.is_end() && !self.ended_well() && self.left_out.is_none()
    }

    /// Whether somebody's objection stands on it that holds those after it in its group, though it runs or has ended itself.
    #[must_use]
    pub fn objection_outlasts_it(&self, person: &PersonId) -> bool {
        let waits = !self.phase.is_end() && !matches!(self.phase, Phase::Running { .. });
        let objects = |vote: &Vote| vote.person == *person && vote.stance == Stance::Veto;
        self.leads().is_some() && !waits && self.votes.iter().any(objects)
    }

    /// Whether its plan, as it stands, contains exactly the plan that another release of its group has.
    fn contains(&self, follower: &Release) -> bool {
        let Some(digest) = follower.digest() else { return false };
        let with = self.plan.as_ref().map_or(&[][..], |plan| &plan.with);
        with.iter().any(|with| with.release == follower.id && with.digest == digest)
    }
}

/// All services in the order in which they are deployed together: after those that they name, else by name. What is in
/// a circle comes last; the configuration is refused then.
pub fn ordered<'a>(
    services: impl IntoIterator<Item = &'a ServiceName>,
    after: impl Fn(&ServiceName) -> &'a [ServiceName],
) -> Vec<&'a ServiceName> {
    let mut left: Vec<_> = services.into_iter().collect();
    left.sort();
    let mut ordered: Vec<&ServiceName> = Vec::new();
    while !left.is_empty() {
        let free = |service: &&ServiceName| after(service).iter().all(|before| !left.contains(&before));
        let next = left.iter().position(free).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

/// The votes, and the override, that count for a follower: its own, and those on its lead if the lead's plan contains
/// exactly the follower's. A veto stands against all of them, whatever their plans. What was said before a mark of the
/// follower was taken away is no approval of it, also where the lead could not be asked about again. Policy is asked about
/// each all the same.
#[must_use]
pub fn counted(follower: &Release, lead: &Release) -> (Vec<Vote>, Option<Override>) {
    let (mut votes, mut waiver) = (follower.votes.clone(), follower.waiver.clone());
    let Some(digest) = follower.digest() else { return (votes, waiver) };
    let contains = lead.contains(follower);
    let of_lead = lead.digest();
    // Only what is for the plan that the lead has now.
    let stands = |on: &PlanDigest, at| {
        contains && of_lead.as_ref() == Some(on) && follower.unmarked_at().is_none_or(|since| at > since)
    };
    for vote in &lead.votes {
        // Whoever objects to all of it objects, whatever they said of a part before.
        let objects = vote.stance == Stance::Veto;
        if objects || (stands(&vote.digest, vote.at) && votes.iter().all(|own| own.person != vote.person)) {
            votes.retain(|own| !objects || own.person != vote.person);
            votes.push(Vote { digest: digest.clone(), ..vote.clone() });
        }
    }
    if waiver.is_none() {
        let for_both = lead.waiver.as_ref().filter(|waiver| stands(&waiver.digest, waiver.at));
        waiver = for_both.map(|waiver| Override { digest, ..waiver.clone() });
    }
    (votes, waiver)
}

/// What the gate has to know of the others of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alongside {
    /// Of a lead: what is in the way of its followers.
    pub reasons: Vec<Reason>,
    /// Of a follower: the one before it, which has not ended well yet. It keeps no plan from being made again.
    pub held: Vec<Reason>,
    /// Of a lead: its plan holds another plan of a follower than that follower has.
    pub outdated: bool,
}

impl Alongside {
    /// Of a follower. The members may be in any order; one that is not there holds it.
    #[must_use]
    pub fn of_follower(follower: &Release, members: &[Release]) -> Self {
        let Some(together) = &follower.request.together else { return Self::default() };
        let well = |id: &&ReleaseId| members.iter().any(|member| member.id == **id && member.ended_well());
        let Some(first) = together.before(&follower.id).find(|id| !well(id)) else { return Self::default() };
        let service = members.iter().find(|member| member.id == *first);
        let service = service.map_or("another service".to_owned(), |member| member.request.key.service.to_string());
        let why = format!("{service} comes first.");
        Self { held: vec![Reason::new(TOGETHER, why, Clears::Release { id: first.clone() })], ..Self::default() }
    }

    /// Of a lead: each follower, in order, with what the gate says of it but for its turn; `None` without a plan.
    #[must_use]
    pub fn of_lead(lead: &Release, followers: &[(Release, Option<Verdict>)]) -> Self {
        let mut all = Self::default();
        for (follower, verdict) in followers {
            let service = &follower.request.key.service;
            let is_read = || Reason::new(TOGETHER, format!("{service}: what would ship is being read."), Clears::Facts);
            match (&follower.outcome, verdict) {
                (Some(Outcome::DryRun), _) => {
                    let reasons = follower.verdict.as_ref().map_or(&[][..], Verdict::reasons);
                    all.add(service, reasons);
                    all.outdated |= !lead.contains(follower);
                }
                (Some(Outcome::NothingToDo), _) => all.outdated |= lead.contains(follower),
                (Some(_), _) => {
                    let why = format!("{}.", how_it_ended(follower).trim_end_matches('.'));
                    all.reasons.push(Reason::new(TOGETHER, why, Clears::Nothing));
                }
                (None, Some(verdict)) if !follower.gathering => {
                    if verdict.course() == Course::Refresh {
                        all.reasons.push(is_read());
                    }
                    all.add(service, verdict.reasons());
                    all.outdated |= !lead.contains(follower);
                }
                (None, _) => all.reasons.push(is_read()),
            }
        }
        all
    }

    /// Adds what is in the way of one of the others, named by its service.
    pub fn add(&mut self, service: &ServiceName, reasons: &[Reason]) {
        let named = |reason: &Reason| Reason {
            id: format!("{service}{OF_SERVICE}{}", reason.id),
            why: format!("{service}: {}", reason.why),
            ..reason.clone()
        };
        self.reasons.extend(reasons.iter().map(named));
    }

    /// The reasons of a release with those of the others, but for what ends together with one that is there already:
    /// one approval, or the end of one freeze, may be for all of them.
    #[must_use]
    pub fn beside(&self, own: Vec<Reason>) -> Vec<Reason> {
        let mut all = own;
        for reason in &self.reasons {
            let is_known = |known: &Reason| rule(known) == rule(reason) && known.clears == reason.clears;
            let is_about_one = matches!(reason.clears, Clears::Nothing | Clears::Facts | Clears::Soak { .. });
            if is_about_one || !all.iter().any(is_known) {
                all.push(reason.clone());
            }
        }
        all
    }
}

/// The rule that a reason is of, whichever service it is about.
pub(crate) fn rule(reason: &Reason) -> &str {
    reason.id.rsplit_once(OF_SERVICE).map_or(reason.id.as_str(), |(_, rule)| rule)
}

/// Whether a reason is another release's of the group, and none of the policy's about this one.
pub(crate) fn is_of_another(reason: &Reason) -> bool {
    reason.id == TOGETHER || reason.id.contains(OF_SERVICE)
}

/// How a release that stopped its group ended, in a few words. May quote the outside: untrusted.
#[must_use]
pub fn how_it_ended(release: &Release) -> String {
    let service = &release.request.key.service;
    match &release.outcome {
        Some(Outcome::Failed { failure, .. }) if release.started_at.is_none() => {
            format!("{service}: {}", failure.what.trim_end_matches('.'))
        }
        Some(Outcome::Failed { step: Some(step), .. }) => format!("{service} failed in {}", step.name()),
        Some(Outcome::Failed { step: None, .. }) => format!("{service} failed"),
        Some(Outcome::RolledBack { .. }) => format!("AWS rolled {service} back"),
        Some(Outcome::Denied) => format!("{service} was refused"),
        Some(Outcome::Cancelled { by, .. }) => format!("{service} was cancelled by {by}"),
        Some(Outcome::Expired) => format!("{service} expired"),
        Some(Outcome::Superseded { by }) => format!("{service} was superseded by release {}", by.short()),
        Some(Outcome::Live | Outcome::Migrated) => format!("{service} is live"),
        Some(Outcome::DryRun | Outcome::NothingToDo) | None => format!("{service}: nothing to do"),
    }
}

/// The release of a group that the first line of its card is about: what runs, else what went wrong, else what planning
/// waits for, else the lead or whose turn it is. The members are in their order.
#[must_use]
pub fn current(members: &[Release]) -> Option<&Release> {
    let runs = members.iter().find(|member| matches!(member.phase, Phase::Running { .. }));
    let stopped = || members.iter().find(|member| member.stopped_its_group());
    let is_planned = |member: &&Release| match member.phase {
        Phase::Planning { stage } => {
            // The lead comes to its plan when all others have one.
            let waits = member.leads().is_some() && stage == PlanningStage::Gathering;
            !waits && stage != PlanningStage::Judging
        }
        _ => false,
    };
    let planning = || members.iter().find(is_planned);
    let waiting = || members.iter().find(|member| !member.phase.is_end());
    runs.or_else(stopped).or_else(planning).or_else(waiting).or_else(|| members.first())
}
