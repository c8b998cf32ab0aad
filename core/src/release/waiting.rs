//! A planned release before it runs: judged, voted on, planned again.

use super::state::{GatherProblem, Outcome, Phase, PlanningStage, Release, Step, StepState, Voided};
use super::step::{Illegal, Next, end, failed, illegal};
use super::{Effect, Event, Failure};
use crate::gate::{Course, Verdict};
use crate::ids::PersonId;
use crate::plan::{Plan, PlanDigest};
use crate::policy::{Clears, Reason, Stance, Vote};
use jiff::Timestamp;

/// How often plan and facts are gathered again before the release is given up. At the default age of facts
/// that is far more often than approvals come.
const GATHER_LIMIT: u32 = 500;

pub(super) fn step(mut next: Release, event: &Event) -> Result<Next, Illegal> {
    match event {
        Event::Judged { verdict } if next.wants_judgement() => judged(next, verdict),
        Event::Voted { vote } if votes_count(&next) => {
            if next.digest().as_ref() != Some(&vote.digest) {
                return Err(Illegal { why: Some("the plan has changed since"), ..illegal(&next, event) });
            }
            next.votes.retain(|v| v.person != vote.person);
            next.votes.push(vote.clone());
            Ok((next, vec![]))
        }
        Event::Withdrawn { person } if votes_count(&next) => {
            let before = next.votes.len();
            next.votes.retain(|v| v.person != *person);
            if next.votes.len() == before {
                return Err(Illegal { why: Some("there is no vote to withdraw"), ..illegal(&next, event) });
            }
            Ok((next, vec![]))
        }
        Event::Overridden { waiver } if votes_count(&next) => {
            if next.digest().as_ref() != Some(&waiver.digest) {
                return Err(Illegal { why: Some("the plan has changed since"), ..illegal(&next, event) });
            }
            next.waiver = Some(waiver.clone());
            Ok((next, vec![]))
        }
        Event::VotesVoid { by, at } if next.is_waiting() => votes_void(next, event, by, *at),
        Event::Planned { plan, facts } if next.gathering => {
            next.gathering = false;
            next.gather_problem = None;
            next.facts = Some(facts.clone());
            Ok(planned_again(next, plan))
        }
        // What cannot be gathered means no: it goes on waiting, says so, and tries again later.
        Event::PlanningFailed { step, failure, at } if next.gathering => {
            next.gathering = false;
            if failure.request_is_wrong {
                return Ok(failed(next, *step, failure.clone(), *at));
            }
            next.gather_problem = Some(GatherProblem { failure: failure.clone(), at: *at });
            Ok((next, vec![]))
        }
        _ => Err(illegal(&next, event)),
    }
}

/// Votes are for people who have seen a card with a plan on it.
fn votes_count(release: &Release) -> bool {
    matches!(release.phase, Phase::AwaitingApproval | Phase::Queued)
}

fn judged(mut next: Release, verdict: &Verdict) -> Result<Next, Illegal> {
    if next.digest().as_ref() != Some(verdict.digest()) {
        return Err(Illegal {
            phase: next.phase.name(),
            event: "judged",
            why: Some("the verdict is about another plan"),
        });
    }
    let at = verdict.at();
    let before = next.verdict.replace(verdict.clone());
    match verdict.course() {
        Course::Deny => Ok(end(next, Phase::Denied, Outcome::Denied, at)),
        Course::NothingToDo => Ok(end(next, Phase::Cancelled, Outcome::NothingToDo, at)),
        Course::DryRun => Ok(end(next, Phase::Cancelled, Outcome::DryRun, at)),
        Course::Refresh if next.gathered >= GATHER_LIMIT => {
            let failure = Failure::new("The plan had to be made again too often while waiting.")
                .next("ask again with /deploy when it can run soon");
            Ok(failed(next, None, failure, at))
        }
        // The phase stays: a first plan that was too old at once is still planning, and nobody has been asked yet.
        Course::Refresh => {
            next.gathering = true;
            next.gathered += 1;
            Ok((next, vec![Effect::Gather]))
        }
        Course::Wait => {
            // Whoever could approve is asked once that could help.
            let first = matches!(next.phase, Phase::Planning { .. })
                || (next.phase == Phase::Queued && before.is_some_and(|before| in_vain(before.reasons())));
            let asks = waits_for_votes(verdict.reasons())
                && (next.phase == Phase::AwaitingApproval || !in_vain(verdict.reasons()));
            next.phase = if asks { Phase::AwaitingApproval } else { Phase::Queued };
            let mut effects = Vec::new();
            if let Some(at) = verdict.again_at() {
                effects.push(Effect::JudgeAt { at });
            }
            // Whoever approves is asked about the lead of a group, once for all of it.
            if first && asks && next.follows().is_none() {
                effects.extend(tell_approvers(&next, verdict));
            }
            Ok((next, effects))
        }
        Course::Start => Ok(start(next, at)),
    }
}

/// Whether a vote would change nothing as things are, whoever gave it.
fn in_vain(reasons: &[Reason]) -> bool {
    reasons.iter().any(Reason::needs_mending)
}

fn waits_for_votes(reasons: &[Reason]) -> bool {
    reasons.iter().any(|r| matches!(r.clears, Clears::Votes { .. } | Clears::Withdrawal { .. }))
}

fn tell_approvers(release: &Release, verdict: &Verdict) -> Option<Effect> {
    let mut people: Vec<_> = verdict
        .reasons()
        .iter()
        .filter_map(|r| match &r.clears {
            Clears::Votes { missing } => Some(missing),
            _ => None,
        })
        .flatten()
        .flat_map(|slot| slot.who.iter().cloned())
        .collect();
    people.sort();
    people.dedup();
    let what = format!("{} waits for your approval.", release.request.key);
    (!people.is_empty()).then_some(Effect::Tell { people, what })
}

fn start(mut next: Release, at: Timestamp) -> Next {
    next.phase = Phase::Running { step: Step::Ci };
    next.started_at = Some(at);
    next.gather_problem = None;
    let record = next.steps.get_mut(Step::Ci);
    record.state = StepState::Running;
    record.started_at = Some(at);
    (next, vec![Effect::ObserveCi])
}

/// An approval is for one digest, and so is an override. When the plan changes they are void, unless the new plan only
/// does less. A veto is against the release: it stands on every plan until it is withdrawn.
fn planned_again(mut next: Release, plan: &Plan) -> Next {
    let Some(old) = next.plan.replace(plan.clone()) else { return (next, vec![]) };
    let (old_digest, new_digest) = (old.digest(), plan.digest());
    if old_digest == new_digest {
        return (next, vec![]);
    }
    let takes_more_out = takes_more_out(&next, &old, plan);
    if plan.shrinks(&old) {
        for vote in &mut next.votes {
            vote.digest = new_digest.clone();
        }
        if let Some(waiver) = &mut next.waiver {
            waiver.digest = new_digest;
        }
        return (next, vec![]);
    }
    let (approvals, vetoes): (Vec<_>, Vec<_>) = next.votes.drain(..).partition(|vote| vote.stance == Stance::Approve);
    next.votes = vetoes;
    let voters: Vec<_> = approvals.into_iter().map(|Vote { person, .. }| person).collect();
    let override_by = next.waiver.take().map(|waiver| waiver.by);
    let what = format!("The plan of {} changed, your vote is void.", next.request.key);
    let tell = (!voters.is_empty()).then(|| Effect::Tell { people: voters.clone(), what });
    let at = next.voided.and_then(|voided| voided.at);
    next.voided = Some(Voided { digest: old_digest, voters, override_by, changes: plan.changes_from(&old), at });
    (next, tell.into_iter().chain(takes_more_out).collect())
}

/// Whoever asked was shown another plan: that it would take out what has begun to run since, nobody has read yet.
fn takes_more_out(release: &Release, old: &Plan, plan: &Plan) -> Option<Effect> {
    let count = plan.takes_out.count();
    if count <= old.takes_out.count() || release.request.requester.is_slipway() {
        return None;
    }
    let out = if count == 1 { "1 commit out that runs".to_owned() } else { format!("{count} commits out that run") };
    let what = format!("What runs changed while {} waited: it takes {out} there now.", release.request.key);
    Some(Effect::Tell { people: vec![release.request.requester.clone()], what })
}

/// Nobody who has approved is asked to trust a mark that came and went: they look again. So do those whose approval is still
/// on its way here, also when there was none yet.
fn votes_void(mut next: Release, event: &Event, by: &PersonId, at: Option<Timestamp>) -> Result<Next, Illegal> {
    let Some(digest) = next.digest() else { return Err(illegal(&next, event)) };
    let (approvals, vetoes): (Vec<_>, Vec<_>) = next.votes.drain(..).partition(|vote| vote.stance == Stance::Approve);
    next.votes = vetoes;
    let voters: Vec<_> = approvals.into_iter().map(|Vote { person, .. }| person).collect();
    let override_by = next.waiver.take().map(|waiver| waiver.by);
    if voters.is_empty() && override_by.is_none() {
        if at.is_none() {
            return Err(Illegal { why: Some("there is no vote on it"), ..illegal(&next, event) });
        }
        // Whose votes were void before is still said.
        let none = Voided { digest, voters, override_by, changes: vec![], at };
        next.voided = Some(next.voided.take().map_or(none, |voided| Voided { at, ..voided }));
        return Ok((next, vec![]));
    }
    let what = format!("{by} took away a mark of known bad, and your vote on {} is void.", next.request.key);
    let tell = (!voters.is_empty()).then(|| Effect::Tell { people: voters.clone(), what });
    next.voided = Some(Voided { digest, voters, override_by, changes: vec![], at });
    Ok((next, tell.into_iter().collect()))
}

impl Release {
    /// What its card asks about, and buttons carry: the plan, and after a mark of known bad was taken away the same plan once
    /// more. `None` without a plan.
    #[must_use]
    pub fn asked_about(&self) -> Option<PlanDigest> {
        let digest = self.digest()?;
        Some(self.unmarked_at().map_or_else(|| digest.clone(), |since| digest.asked_again(since)))
    }

    /// When a mark of known bad that held it, or one of its group, was last taken away.
    #[must_use]
    pub fn unmarked_at(&self) -> Option<Timestamp> {
        self.voided.as_ref()?.at
    }

    /// Whether somebody has approved it or set rules aside for it.
    #[must_use]
    pub fn is_approved_by_any(&self) -> bool {
        self.waiver.is_some() || self.votes.iter().any(|vote| vote.stance == Stance::Approve)
    }

    /// Whether somebody may still want to vote on it: it is planned or waits.
    #[must_use]
    pub fn may_be_voted_on(&self) -> bool {
        !self.phase.is_end() && !matches!(self.phase, Phase::Running { .. })
    }

    /// Whether it is between its first plan and its run.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(
            self.phase,
            Phase::AwaitingApproval | Phase::Queued | Phase::Planning { stage: PlanningStage::Judging }
        )
    }

    /// Whether the gate has to look at it: a plan is there and nothing runs yet.
    #[must_use]
    pub fn wants_judgement(&self) -> bool {
        let waits = matches!(
            self.phase,
            Phase::Planning { stage: PlanningStage::Judging } | Phase::AwaitingApproval | Phase::Queued
        );
        waits && !self.gathering
    }
}
