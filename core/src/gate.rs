//! The one gate that every start of a run passes.
//!
//! [`judge`] is called in the transaction that would start the run, with votes, lock, queue and clock read
//! there. A [`Verdict`] that says [`Course::Start`] can come from nowhere else (but from the history of stored
//! events, which are replayed, never acted on).

use crate::environment::Environment;
use crate::membership::{SourceState, Trouble};
use crate::plan::PlanDigest;
use crate::policy::{Asking, Case, Clears, Decision, MEMBERS, PolicyChange, PolicySet, Reason, own_change};
use crate::release::{Phase, Release};
use crate::together::{self, Alongside};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How long to wait before the gate looks again when what it needs could not be gathered.
const GATHER_AGAIN_S: i64 = 30;

/// The reason's id when what the gate needs could not be gathered again.
pub(crate) const FACTS: &str = "facts";

/// How often the gate looks again when policy waits for a time that nobody could compute. Multiples of it since
/// 1970, so that the answer stays the same in between.
const LOOK_AGAIN_S: i64 = 15 * 60;

/// Everything the gate looks at.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The release.
    pub release: &'a Release,
    /// Its plan, votes, facts and people, for the policy.
    pub case: Case<'a>,
    /// The environment as the transaction has it.
    pub environment: &'a Environment,
    /// The policy in force.
    pub policies: &'a PolicySet,
    /// The changes of the policies that nobody may profit from who made them, oldest first.
    pub changes: &'a [PolicyChange],
    /// The sources of the teams that `case.people` are in.
    pub sources: &'a [SourceState],
    /// How old facts and memberships may be, in seconds.
    pub fact_age_max_s: i64,
    /// The others of its group.
    pub alongside: &'a Alongside,
}

/// What is to be done with the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// The request is forbidden.
    Deny,
    /// The commit runs already and nothing is pending.
    NothingToDo,
    /// It was a dry run, and is over.
    DryRun,
    /// Wait for what the reasons name.
    Wait,
    /// It could start, but plan and facts are too old: gather them again.
    Refresh,
    /// Start.
    Start,
}

/// What the gate said, when, about which plan, under which policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    course: Course,
    reasons: Vec<Reason>,
    digest: PlanDigest,
    policy_hash: String,
    at: Timestamp,
    again_at: Option<Timestamp>,
}

impl Verdict {
    /// What is to be done.
    #[must_use]
    pub fn course(&self) -> Course {
        self.course
    }

    /// Why it may not start, each reason with what would clear it. Empty when it may.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The plan it is about.
    #[must_use]
    pub fn digest(&self) -> &PlanDigest {
        &self.digest
    }

    /// The hash of the policy set that was asked.
    #[must_use]
    pub fn policy_hash(&self) -> &str {
        &self.policy_hash
    }

    /// When it was asked.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// When the answer may differ by itself.
    #[must_use]
    pub fn again_at(&self) -> Option<Timestamp> {
        self.again_at
    }

    /// Whether it says the same as another, whenever that was.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let Self { course, reasons, digest, policy_hash, at: _, again_at } = self;
        *course == other.course
            && *reasons == other.reasons
            && *digest == other.digest
            && *policy_hash == other.policy_hash
            && *again_at == other.again_at
    }
}

/// Judges a planned release.
#[must_use]
pub fn judge(question: &Question<'_>) -> Verdict {
    let Question { release, case, environment, policies, changes, sources, fact_age_max_s, alongside } = question;
    let now = case.now;
    let members = Members::of(sources, now, *fact_age_max_s);
    let verdict = |course, reasons: Vec<Reason>, again_at| Verdict {
        course,
        reasons,
        digest: case.plan.digest(),
        policy_hash: policies.hash().to_owned(),
        at: now,
        again_at,
    };
    if let Decision::Deny { reasons } = may_ask(case, policies, changes) {
        // Whoever was in a team that cannot be looked up now is not known to have left it.
        return match members {
            _ if case.requester.is_none() || sources.iter().all(|source| source.counts) => {
                verdict(Course::Deny, reasons, None)
            }
            Members::Unreadable { why, again_at } => verdict(Course::Wait, why, Some(again_at)),
            Members::Known | Members::Stale => verdict(Course::Refresh, vec![], None),
        };
    }
    // A run has ended since, or is about to: the plan starts from what is there no more, however young its facts.
    let outdated = environment.changed_at.is_some_and(|changed| case.facts.ci.at < changed);
    let others_run = environment.running.as_ref().is_some_and(|running| *running != release.id);
    // What somebody has deployed past Slipway may be just this: it is brought once more, through the gate.
    // So is a tag that others read: releases move it once they are live.
    let past_slipway = environment.by_hand.is_some() || case.plan.moves_a_tag_back();
    let is_there = case.plan.is_empty() && (!past_slipway || case.plan.stays_untouched());
    let idle = is_there && !outdated && !others_run;
    if idle && case.plan.with.is_empty() && !alongside.outdated {
        return verdict(Course::NothingToDo, vec![], None);
    }
    let mut reasons = Vec::new();
    // A lead that changes nothing itself still stands for those that are deployed with it.
    if !idle {
        reasons.extend(environment.blockers(&release.id, &release.request.requester, now));
        reasons.extend(policies.may_execute(case).reasons().iter().cloned());
        reasons.extend(own_change::against_running(case, changes));
    }
    let mut reasons = alongside.beside(reasons);
    if release.request.dry_run {
        return verdict(Course::DryRun, reasons, None);
    }
    // It was tried a moment ago and could not be done: that is a no, until the next try.
    if let Some(problem) = &release.gather_problem {
        let next_try = after(problem.at, GATHER_AGAIN_S);
        if next_try > now {
            reasons.push(cannot_gather(&problem.failure.what));
            let at = first_moment(&reasons, now).map_or(next_try, |at| at.min(next_try));
            return verdict(Course::Wait, reasons, Some(at));
        }
    }
    // True also when nothing at all is in the way.
    let fresh_facts_could_do = reasons.iter().all(|r| matches!(r.clears, Clears::Facts));
    // Not only when it could start: nobody should be asked to approve a plan that is known to be wrong.
    let plan_is_wrong = (outdated && !others_run) || alongside.outdated;
    let too_old = case.facts.age_s(now) > *fact_age_max_s || matches!(members, Members::Stale);
    if let Members::Unreadable { why, again_at } = members
        && fresh_facts_could_do
        && !plan_is_wrong
    {
        reasons.extend(why);
        let at = first_moment(&reasons, now).map_or(again_at, |at| at.min(again_at));
        return verdict(Course::Wait, reasons, Some(at));
    }
    if !plan_is_wrong && sources.iter().all(|source| source.counts) {
        let hopeless = refused_when_planned(release, case.past.known_bad, &reasons);
        if !hopeless.is_empty() {
            return verdict(Course::Deny, hopeless, None);
        }
    }
    if plan_is_wrong || (fresh_facts_could_do && too_old) {
        return verdict(Course::Refresh, reasons, None);
    }
    if reasons.is_empty() && !alongside.held.is_empty() {
        return verdict(Course::Wait, alongside.held.clone(), None);
    }
    if reasons.is_empty() {
        return verdict(if idle { Course::NothingToDo } else { Course::Start }, reasons, None);
    }
    reasons.extend(alongside.held.iter().cloned());
    let mut again_at = first_moment(&reasons, now);
    if fresh_facts_could_do {
        again_at = Some(after(case.facts.ci.at, fact_age_max_s.saturating_add(1)));
    }
    verdict(Course::Wait, reasons, again_at)
}

/// That somebody has marked as known to be bad what has only just been planned: neither votes nor time clear that, so nobody is
/// asked to approve it, and it does not stand in the queue. One that waits already goes on waiting, as people have been asked
/// about it. Of a group the lead is refused, and with it all. Of other rules it is not known that nothing clears them: they
/// may want votes and an override together, or a plan that is made again once another run has ended.
fn refused_when_planned(release: &Release, known_bad: bool, reasons: &[Reason]) -> Vec<Reason> {
    let is_new = matches!(release.phase, Phase::Planning { .. }) && release.follows().is_none();
    let for_good = |reason: &&Reason| {
        let is_marked = known_bad || together::is_of_another(reason);
        reason.is_known_bad() && is_marked && reason.clears == Clears::Nothing && !reason.overridable
    };
    reasons.iter().filter(|_| is_new).filter(for_good).cloned().collect()
}

fn may_ask(case: &Case<'_>, policies: &PolicySet, changes: &[PolicyChange]) -> Decision {
    let Some(person) = case.requester else {
        return Decision::Deny {
            reasons: vec![Reason::new(
                "unknown-requester",
                "Whoever asked for this is no longer known to Slipway.",
                Clears::Nothing,
            )],
        };
    };
    policies.may_ask_despite(
        &Asking { person, service: &case.plan.service, environment: &case.plan.environment, kind: case.plan.kind },
        changes,
    )
}

/// How well it is known who is in the teams whose members are kept elsewhere.
enum Members {
    /// Well enough to start.
    Known,
    /// They have to be looked at again.
    Stale,
    /// That was tried a moment ago and could not be done: a no, until the next try.
    Unreadable { why: Vec<Reason>, again_at: Timestamp },
}

impl Members {
    fn of(sources: &[SourceState], now: Timestamp, age_max_s: i64) -> Self {
        let stale: Vec<_> = sources.iter().filter(|source| source.is_stale(now, age_max_s)).collect();
        let in_trouble = |source: &&SourceState| source.trouble.clone().filter(|trouble| trouble.again_at > now);
        let troubles: Vec<_> = stale.iter().filter_map(|source| Some((source, in_trouble(source)?))).collect();
        match troubles.iter().map(|(_, trouble)| trouble.again_at).min() {
            _ if stale.is_empty() => Self::Known,
            None => Self::Stale,
            Some(again_at) => {
                let why = troubles.iter().map(|(source, trouble)| cannot_see_members(source, trouble)).collect();
                Self::Unreadable { why, again_at }
            }
        }
    }
}

fn cannot_see_members(source: &SourceState, trouble: &Trouble) -> Reason {
    let SourceState { team, source, .. } = source;
    let since = trouble.since.strftime("%Y-%m-%d %H:%M UTC");
    let why = format!("Who is in {team} cannot be read from {source} since {since}: {}", trouble.what);
    Reason::new(MEMBERS, why, Clears::Facts)
}

fn cannot_gather(what: &str) -> Reason {
    Reason::new(FACTS, format!("What runs now could not be read again: {what}"), Clears::Facts)
}

fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// The first moment after `now` at which one of the reasons ends by itself, or may.
fn first_moment(reasons: &[Reason], now: Timestamp) -> Option<Timestamp> {
    let look_again = || {
        let next = (now.as_second().div_euclid(LOOK_AGAIN_S) + 1) * LOOK_AGAIN_S;
        Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
    };
    let moment = |reason: &Reason| match &reason.clears {
        Clears::Time { at } => Some(at.filter(|at| *at > now).unwrap_or_else(look_again)),
        Clears::Unlock { until, .. } => until.filter(|until| *until > now),
        Clears::Votes { .. }
        | Clears::Withdrawal { .. }
        | Clears::Facts
        | Clears::Soak { .. }
        | Clears::Release { .. }
        | Clears::Nothing => None,
    };
    reasons.iter().filter_map(moment).min()
}
