//! The transition function.

use super::back::AutomaticRollback;
use super::running;
use super::shipping;
use super::state::{Failure, Outcome, Phase, PlanningStage, Promotion, Release, Step, StepState};
use super::waiting;
use super::{Effect, Event};
use crate::ids::{PersonId, ReleaseId};
use crate::plan::PlanKind;
use crate::policy::Stance;
use jiff::Timestamp;
use std::collections::BTreeSet;
use thiserror::Error;

/// An event that has no meaning in the state it met: late outcomes, votes on a release that runs, second clicks.
/// The state stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{event} means nothing to a release that is {phase}{}", why.map(|w| format!(": {w}")).unwrap_or_default())]
pub struct Illegal {
    /// The state's name.
    pub phase: &'static str,
    /// The event's name.
    pub event: &'static str,
    /// More, where a person should know.
    pub why: Option<&'static str>,
}

/// The next state and what must be done outside.
pub(super) type Next = (Release, Vec<Effect>);

/// What happens to `release` when `event` happens.
///
/// # Errors
/// When the event has no meaning in this state.
pub fn step(release: &Release, event: &Event) -> Result<Next, Illegal> {
    let next = release.clone();
    match (&release.phase, event) {
        // What can happen at any time before the end.
        (phase, Event::CancelRequested { by, begun, at }) if !phase.is_end() => cancel(next, by, *begun, *at),
        (_, Event::TimedOut { at }) if shipping::goes_on_beyond(&next, *at) => Err(illegal(release, event)),
        (phase, Event::TimedOut { at }) if is_unstarted(phase) => Ok(end(next, Phase::Expired, Outcome::Expired, *at)),
        (phase, Event::Superseded { by, requester, at }) if is_unstarted(phase) => {
            let told = superseded(&next, by, requester.as_ref());
            let (next, mut effects) = end(next, Phase::Superseded, Outcome::Superseded { by: by.clone() }, *at);
            effects.extend(told);
            Ok((next, effects))
        }
        (phase, Event::LeftOut { because_of, why, by, at }) if is_unstarted(phase) => {
            let left_out = Release { left_out: Some(because_of.clone()), ..next };
            let details = vec![format!("not started: {why}")];
            Ok(end(left_out, Phase::Cancelled, Outcome::Cancelled { by: by.clone(), details }, *at))
        }
        (_, Event::Withdrawn { person }) if next.objection_outlasts_it(person) => {
            let mut next = next;
            next.votes.retain(|vote| vote.person != *person);
            Ok((next, vec![]))
        }
        // What can happen after the end.
        (_, Event::MarkedBad { mark }) if next.can_be_marked() => {
            Ok((Release { known_bad: Some(mark.clone()), ..next }, vec![]))
        }
        (_, Event::MarkRemoved { .. }) if next.known_bad.is_some() => Ok((Release { known_bad: None, ..next }, vec![])),
        (Phase::Failed, Event::AutomaticRollback { rollback }) if next.automatic.is_none() => {
            Ok(rolled_back_by_itself(next, rollback))
        }
        (Phase::Planning { stage }, event) => planning(next, *stage, event),
        (Phase::AwaitingApproval | Phase::Queued, event) => waiting::step(next, event),
        (Phase::Running { step }, event) => running::step(next, *step, event),
        (Phase::Succeeded | Phase::Failed | Phase::Cancelled, Event::Promoted { tag, problem, .. })
            if is_awaited(release, tag) =>
        {
            let promotion = Promotion { tag: tag.clone(), problem: problem.clone() };
            Ok((Release { promotion: Some(promotion), ..next }, vec![]))
        }
        (
            Phase::Denied
            | Phase::Succeeded
            | Phase::Failed
            | Phase::RolledBack
            | Phase::Cancelled
            | Phase::Expired
            | Phase::Superseded,
            event,
        ) => Err(illegal(release, event)),
    }
}

/// Whether the plan moves this tag, and it is not known yet what became of that.
fn is_awaited(release: &Release, tag: &str) -> bool {
    let planned = release.plan.as_ref().and_then(|plan| plan.promote.as_deref());
    planned == Some(tag) && release.promotion.is_none() && release.brought_live() == Some(true)
}

fn is_unstarted(phase: &Phase) -> bool {
    matches!(phase, Phase::Planning { .. } | Phase::AwaitingApproval | Phase::Queued)
}

fn planning(mut next: Release, stage: PlanningStage, event: &Event) -> Result<Next, Illegal> {
    let to = |mut next: Release, stage, effects| {
        next.phase = Phase::Planning { stage };
        Ok((next, effects))
    };
    match (stage, event) {
        (PlanningStage::Resolving, Event::Requested) => {
            let expire = Effect::ExpireAt { at: next.request.expires_at };
            Ok((next, vec![Effect::Resolve, expire]))
        }
        (PlanningStage::Resolving, Event::Resolved { commit, branch }) => {
            next.commit = Some(commit.clone());
            next.branch.clone_from(branch);
            // What is taken back, gone back to, or runs already, was built once: nothing is built for it now. What is applied
            // should have passed its checks, as what is deployed.
            if matches!(next.request.kind.plan_kind(), PlanKind::MigrateDown | PlanKind::Config | PlanKind::Rollback) {
                return to(next, PlanningStage::Gathering, vec![Effect::Gather]);
            }
            to(next, PlanningStage::Building, vec![Effect::AwaitBuild])
        }
        (PlanningStage::Building, Event::BuildProgress { progress }) => {
            next.build = Some(progress.clone());
            Ok((next, vec![]))
        }
        (PlanningStage::Building, Event::BuildReady) => {
            next.build = None;
            let effects = [Some(Effect::Gather), next.leaves_build_tag()].into_iter().flatten().collect();
            to(next, PlanningStage::Gathering, effects)
        }
        (PlanningStage::Building, Event::BuildMissing { at }) => match next.build_run {
            None => to(next, PlanningStage::Dispatching, vec![Effect::Dispatch]),
            // One build per release: a build that leaves no image is a failure, not a reason for another.
            Some(run) => {
                let failure = Failure::new(format!("The build, run {run}, ended without an image of this commit."))
                    .next("look at the run's log");
                Ok(planning_failed(next, Some(Step::Image), &failure, *at))
            }
        },
        (PlanningStage::Dispatching, Event::Dispatched { run, temporary_tag }) => {
            next.build_run = Some(*run);
            next.temporary_tag.clone_from(temporary_tag);
            to(next, PlanningStage::Building, vec![Effect::AwaitBuild])
        }
        (PlanningStage::Gathering, Event::GatherHeld { why }) => {
            next.gather_held = Some(why.clone());
            Ok((next, vec![]))
        }
        (PlanningStage::Gathering, Event::Planned { plan, facts }) => {
            next.gather_held = None;
            next.plan = Some((**plan).clone());
            next.facts = Some(facts.clone());
            to(next, PlanningStage::Judging, vec![])
        }
        (PlanningStage::Judging, Event::Judged { .. }) => waiting::step(next, event),
        // The first plan was too old when it was judged and is made again.
        (PlanningStage::Judging, Event::Planned { .. } | Event::PlanningFailed { .. }) if next.gathering => {
            waiting::step(next, event)
        }
        (PlanningStage::Shipping | PlanningStage::Merging, event) => shipping::step(next, stage, event),
        (_, Event::PlanningFailed { step, failure, at }) => Ok(planning_failed(next, *step, failure, *at)),
        (_, event) => Err(illegal(&next, event)),
    }
}

pub(super) fn planning_failed(mut next: Release, step: Option<Step>, failure: &Failure, at: Timestamp) -> Next {
    next.gather_held = None;
    if let Some(step) = step {
        let record = next.steps.get_mut(step);
        record.state = StepState::Failed;
        record.ended_at = Some(at);
    }
    failed(next, step, failure.clone(), at)
}

/// Stops the release, at once or after the running step, or says why it is too late.
fn cancel(mut next: Release, by: &PersonId, begun: bool, at: Timestamp) -> Result<Next, Illegal> {
    let too_late =
        |next: &Release, why| Err(Illegal { phase: next.phase.name(), event: "cancel_requested", why: Some(why) });
    match next.phase {
        Phase::Planning { stage: PlanningStage::Merging } if begun => {
            too_late(&next, "the pull request is being merged; cancel it once that is known to have happened or not")
        }
        // An operation that is known has begun, whatever the caller could see.
        Phase::Running { step: Step::Deploy } if begun || next.operation.is_some() => {
            too_late(&next, "the target has begun the deployment; wait for its outcome, then roll back")
        }
        // Nothing but migrations is left that could be stopped.
        Phase::Running { step: Step::Verify } if next.migrates_last() && running::has_migrations(&next) => {
            if next.cancel_requested.is_some() {
                return too_late(&next, "it is being stopped already");
            }
            next.cancel_requested = Some(by.clone());
            Ok((next, vec![]))
        }
        Phase::Running { step: Step::Verify } => too_late(&next, "the new version is live already; roll back instead"),
        Phase::Running { step: Step::Deploy } if next.target > 0 => {
            too_late(&next, "some targets already run the new version; roll back instead")
        }
        Phase::Running { step: Step::Migrate } if begun || next.cancel_requested.is_some() => {
            if next.cancel_requested.is_some() {
                return too_late(&next, "it is being stopped already");
            }
            next.cancel_requested = Some(by.clone());
            Ok((next, vec![]))
        }
        Phase::Running { step } => {
            let record = next.steps.get_mut(step);
            record.state = StepState::Pending;
            record.started_at = None;
            Ok(end(next, Phase::Cancelled, Outcome::Cancelled { by: by.clone(), details: vec![] }, at))
        }
        _ => Ok(end(next, Phase::Cancelled, Outcome::Cancelled { by: by.clone(), details: vec![] }, at)),
    }
}

/// Whoever asked for it or has a vote on it learns that a newer request took its place, but for who made that.
fn superseded(release: &Release, by: &ReleaseId, requester: Option<&PersonId>) -> Option<Effect> {
    let voters = release.votes.iter().map(|vote| &vote.person).chain(release.waiver.iter().map(|waiver| &waiver.by));
    let concerned: BTreeSet<_> = voters.chain([&release.request.requester]).collect();
    let concerned = concerned.into_iter().filter(|person| !person.is_slipway());
    let people: Vec<_> = concerned.filter(|person| Some(*person) != requester).cloned().collect();
    let what = format!("{}: release {} contains this one and takes its place", release.request.key, by.short());
    let votes =
        if release.votes.is_empty() { "." } else { "; votes on this one are void, the new plan needs its own." };
    (!people.is_empty()).then(|| Effect::Tell { people, what: format!("{what}{votes}") })
}

/// The tag says what is live and well, also where the migrations after that have failed.
fn promotes(release: &Release) -> Option<Effect> {
    let tag = release.plan.as_ref()?.promote.clone()?;
    (release.brought_live() == Some(true)).then_some(Effect::Promote { tag })
}

/// Ends the release.
pub(super) fn end(mut next: Release, phase: Phase, outcome: Outcome, at: Timestamp) -> Next {
    let mut effects: Vec<_> = match phase {
        Phase::Succeeded => vec![Effect::Announce],
        _ => bad_news(&next, &phase, &outcome).into_iter().collect(),
    };
    effects.extend(next.leaves_build_tag());
    next.phase = phase;
    next.outcome = Some(outcome);
    next.ended_at = Some(at);
    next.gathering = false;
    effects.extend(promotes(&next));
    (next, effects)
}

/// Whoever asked for it or approved it learns that it came to nothing, once it was worth waiting for: a chat tells nobody
/// that a card has changed.
fn bad_news(release: &Release, phase: &Phase, outcome: &Outcome) -> Option<Effect> {
    let key = &release.request.key;
    let what = match (phase, outcome) {
        // A mistake in the request is answered at once.
        (_, Outcome::Failed { failure, .. }) if failure.request_is_wrong => return None,
        (Phase::Failed, _) if release.steps.get(Step::Verify).state == StepState::Succeeded => {
            format!("{key} went back, but its migrations were not all taken back.")
        }
        (Phase::Failed, Outcome::Failed { step: Some(step), .. }) => format!("{key} failed at {}.", step.name()),
        (Phase::Failed, _) => format!("{key} failed before it could start."),
        (Phase::RolledBack, _) => format!("AWS rolled {key} back. What ran before keeps serving."),
        (Phase::Expired, _) => format!("{key} expired before it could start."),
        _ => return None,
    };
    tell_concerned(release, what)
}

/// Whoever asked for it or approved it is told; where nobody asked, whoever wrote what it was to bring.
fn tell_concerned(release: &Release, what: String) -> Option<Effect> {
    let approved = release.votes.iter().filter(|vote| vote.stance == Stance::Approve).map(|vote| &vote.person);
    let requester = &release.request.requester;
    let commits = release.plan.iter().filter(|_| requester.is_slipway()).flat_map(|plan| &plan.commits);
    let concerned = commits.filter_map(|commit| commit.author.as_ref()).chain([requester]);
    let people: BTreeSet<_> = approved.chain(concerned).filter(|person| !person.is_slipway()).cloned().collect();
    (!people.is_empty()).then(|| Effect::Tell { people: people.into_iter().collect(), what })
}

fn rolled_back_by_itself(next: Release, rollback: &AutomaticRollback) -> Next {
    let key = &next.request.key;
    let what = match rollback {
        AutomaticRollback::Asked { release, commit } => {
            format!("{key} goes back to {} by itself, if policy lets it: release {}.", commit.short(), release.short())
        }
        AutomaticRollback::Not { why } => format!("{key} is not rolled back by itself: {why}"),
    };
    let tell = tell_concerned(&next, what);
    (Release { automatic: Some(rollback.clone()), ..next }, tell.into_iter().collect())
}

pub(super) fn failed(next: Release, step: Option<Step>, failure: Failure, at: Timestamp) -> Next {
    end(next, Phase::Failed, Outcome::Failed { step, failure }, at)
}

pub(super) fn illegal(release: &Release, event: &Event) -> Illegal {
    Illegal { phase: release.phase.name(), event: event.name(), why: None }
}
