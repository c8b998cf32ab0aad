//! The run: ci and image are observed, migrations applied, every target deployed in turn, the service asked. A rollback
//! that takes migrations back does so at the very end.

use super::state::{Outcome, Phase, Release, Step, StepState};
use super::step::{Illegal, Next, end, failed, illegal};
use super::{Effect, Event};
use crate::plan::PlanKind;
use jiff::Timestamp;

pub(super) fn step(mut next: Release, running: Step, event: &Event) -> Result<Next, Illegal> {
    match event {
        Event::Progress { step, detail, permille } if *step == running => {
            let record = next.steps.get_mut(*step);
            record.detail = Some(detail.clone());
            record.permille = *permille;
            Ok((next, vec![]))
        }
        Event::DeployStarted { target, operation }
            if running == Step::Deploy && *target == next.target && next.operation.is_none() =>
        {
            next.operation = Some(operation.clone());
            let follow = Effect::Follow { target: *target, operation: operation.clone() };
            Ok((next, vec![follow]))
        }
        Event::StepSucceeded { step, detail, at } if *step == running => Ok(succeeded(next, *step, detail, *at)),
        Event::StepStopped { step, details, at } if *step == running => {
            let Some(by) = next.cancel_requested.clone() else { return Err(illegal(&next, event)) };
            close(&mut next, *step, StepState::Failed, None, *at);
            Ok(end(next, Phase::Cancelled, Outcome::Cancelled { by, details: details.clone() }, *at))
        }
        Event::StepFailed { step, failure, rolled_back, at } if *step == running => {
            close(&mut next, *step, StepState::Failed, None, *at);
            next.steps.get_mut(*step).detail = Some(failure.what.clone());
            // A migration's transaction that was rolled back is a plain failure: no version was put back.
            if *rolled_back && *step == Step::Deploy {
                let outcome = Outcome::RolledBack { failure: failure.clone() };
                return Ok(end(next, Phase::RolledBack, outcome, *at));
            }
            Ok(failed(next, Some(*step), failure.clone(), *at))
        }
        _ => Err(illegal(&next, event)),
    }
}

fn close(next: &mut Release, step: Step, state: StepState, detail: Option<&str>, at: Timestamp) {
    let record = next.steps.get_mut(step);
    record.state = state;
    record.permille = None;
    record.ended_at = Some(at);
    if let Some(detail) = detail {
        record.detail = Some(detail.to_owned());
    }
}

fn succeeded(mut next: Release, step: Step, detail: &str, at: Timestamp) -> Next {
    if step == Step::Deploy && next.target + 1 < next.target_count() {
        next.target += 1;
        next.operation = None;
        let record = next.steps.get_mut(step);
        record.detail = Some(detail.to_owned());
        record.permille = None;
        let effect = Effect::Deploy { target: next.target };
        return (next, vec![effect]);
    }
    close(&mut next, step, StepState::Succeeded, Some(detail), at);
    let mut following = next.step_after(step);
    // What is over already cannot be stopped any more.
    if let Some(by) = next.cancel_requested.clone()
        && !(next.migrates_last() && following.is_none())
    {
        let unbegun = "No migration was taken back.".to_owned();
        let details = if next.migrates_last() { vec![unbegun] } else { vec![] };
        return end(next, Phase::Cancelled, Outcome::Cancelled { by, details }, at);
    }
    let only_migrates = next.plan.as_ref().is_some_and(|plan| plan.kind.only_migrates());
    let only_config = next.plan.as_ref().is_some_and(|plan| plan.kind == PlanKind::Config);
    while let Some(unneeded) = following {
        let why = match unneeded {
            Step::Image | Step::Deploy | Step::Verify if only_migrates => "not part of this",
            Step::Image if only_config => "the one that runs",
            Step::Migrate if !has_migrations(&next) && next.migrates_last() => "none to take back",
            Step::Migrate if !has_migrations(&next) => "none pending",
            Step::Ci | Step::Image | Step::Migrate | Step::Deploy | Step::Verify => break,
        };
        close(&mut next, unneeded, StepState::Skipped, Some(why), at);
        following = next.step_after(unneeded);
    }
    let Some(following) = following else {
        let outcome = if only_migrates { Outcome::Migrated } else { Outcome::Live };
        return end(next, Phase::Succeeded, outcome, at);
    };
    next.phase = Phase::Running { step: following };
    let record = next.steps.get_mut(following);
    record.state = StepState::Running;
    record.started_at = Some(at);
    let effect = match following {
        Step::Ci => Effect::ObserveCi,
        Step::Image => Effect::ObserveImage,
        Step::Migrate => Effect::Migrate,
        Step::Deploy => Effect::Deploy { target: next.target },
        Step::Verify => Effect::Verify,
    };
    (next, vec![effect])
}

pub(super) fn has_migrations(release: &Release) -> bool {
    release.plan.as_ref().is_some_and(|plan| plan.changing().next().is_some())
}
