//! What a deployment has come to: whether what was approved runs, and else why not, as far as AWS tells.

use super::{Done, Job, Trouble};
use crate::flow::image_of;
use jiff::{Timestamp, tz::TimeZone};
use slipway_core::plan::PlannedTarget;
use slipway_core::release::{Event, Failure, Step};
use slipway_deploy::target::{OperationSeen, OperationState, OperationStatus, Target, Trail};
use std::time::Duration;

/// How long the last events and log lines may take to read, in milliseconds. A failure is told without them then.
const TRAIL_LIMIT_MS: u64 = 20_000;
/// How many of the last events are shown.
const EVENTS_SHOWN_LIMIT: usize = 5;
/// How many of the last log lines are shown; with the events as many as a card has room for.
const LINES_SHOWN_LIMIT: usize = 7;
/// How many things that could not be read are named.
const MISSING_SHOWN_LIMIT: usize = 3;

/// The operation ended well: what runs now is read back, and compared with what was approved.
pub(super) async fn arrived(
    job: &Job<'_>,
    target: &dyn Target,
    planned: &PlannedTarget,
    operation: &str,
) -> Result<Done, Trouble> {
    let approved = &job.plan()?.image;
    let seen = target.observe(&planned.id).await?;
    let newer = seen.newest_operation.filter(|newest| newest.id != operation);
    if seen.image_identifier == approved.pinned() {
        let mut detail = format!("operation {} succeeded", short(operation));
        if let Some(newer) = newer {
            detail = format!("{detail}; then came another: {}", named(&newer));
        }
        return Ok(job.succeeded(Step::Deploy, detail));
    }
    let on_its_way = newer.as_ref().is_some_and(|newer| !newer.status.ended());
    let verb = if on_its_way { "is bringing" } else { "runs" };
    let runs = running(job, &seen.image_identifier).await;
    let what = format!("AWS {verb} {runs}, approved was {}: somebody deployed in the middle.", approved.digest.short());
    let failure = Failure::new(what).detail(format!("{} is told to run {}.", planned.name, seen.image_identifier));
    let failure = match newer {
        Some(newer) => failure.detail(format!("Not of this release: {}.", named(&newer))),
        None => failure,
    };
    Ok(job.failed(Step::Deploy, failure.next(format!("look at {}", target.console())).next("/release retry")))
}

/// The digest of what runs, by the registry where only a tag is known.
async fn running(job: &Job<'_>, image: &str) -> String {
    match image_of(&job.executor.outside.ecr, image).await {
        Ok(Some(found)) if found.tag.is_empty() => found.digest.short(),
        Ok(Some(found)) => format!("{} (the tag {})", found.digest.short(), found.tag),
        // The tag says less, but it is true.
        Ok(None) | Err(_) => match image.rsplit_once(':').filter(|_| !image.contains('@')) {
            Some((_, tag)) => format!("the tag {tag}"),
            None => image.to_owned(),
        },
    }
}

/// The operation ended badly: in AWS's own words, with the last that the service said.
pub(super) async fn failed(
    job: &Job<'_>,
    target: &dyn Target,
    planned: &PlannedTarget,
    operation: &str,
    state: &OperationState,
) -> Done {
    let mut failure = Failure::new(state.status.in_words(&state.word));
    if let Some(reason) = &state.reason {
        failure = failure.detail(reason.clone());
    }
    // ECS stops a deployment for a newer one.
    let stopped = state.status == OperationStatus::Failed;
    let others = if stopped { others_since(target, planned, operation).await } else { None };
    if let Some(other) = others {
        failure = failure.detail(format!("Not of this release, and begun after it: {}.", named(&other)));
    }
    let limit = Duration::from_millis(TRAIL_LIMIT_MS);
    let trail = tokio::time::timeout(limit, target.trail(&planned.id, state.started_at)).await;
    failure = with_trail(failure, trail.ok());
    let failure = failure.next(format!("look at {}", target.console())).next("/release retry");
    let rolled_back = state.status == OperationStatus::RollbackSucceeded;
    Done::Event(Event::StepFailed { step: Step::Deploy, failure, rolled_back, at: job.now() })
}

async fn others_since(target: &dyn Target, planned: &PlannedTarget, operation: &str) -> Option<OperationSeen> {
    target.find_since(&planned.id, Some(operation)).await.ok()?.into_iter().next()
}

fn with_trail(mut failure: Failure, trail: Option<Trail>) -> Failure {
    let Some(trail) = trail else {
        let limit_s = TRAIL_LIMIT_MS / 1_000;
        return failure.detail(format!("Its events and log could not be read within {limit_s} s."));
    };
    for missing in trail.missing.iter().take(MISSING_SHOWN_LIMIT) {
        failure = failure.detail(missing.clone());
    }
    let events = last(&trail.events, EVENTS_SHOWN_LIMIT).map(|line| format!("event {line}"));
    let lines = last(&trail.log, LINES_SHOWN_LIMIT).map(|line| format!("log   {line}"));
    let tail: Vec<_> = events.chain(lines).collect();
    failure.log_tail = (!tail.is_empty()).then(|| tail.join("\n"));
    failure
}

fn last(lines: &[String], limit: usize) -> impl Iterator<Item = &String> {
    lines.iter().skip(lines.len().saturating_sub(limit))
}

/// An operation for people: what it is called, its id, when it began.
pub(crate) fn named(operation: &OperationSeen) -> String {
    let began = operation.started_at.map_or(String::new(), |at| format!(", began {}", time_of_day(at)));
    format!("{} {}{began}", operation.kind.name(), short(&operation.id))
}

fn time_of_day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M UTC").to_string()
}

pub(super) fn short(operation: &str) -> String {
    const SHOWN_CHARS: usize = 8;
    match operation.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &operation[..end]),
        None => operation.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_deploy::target::OperationKind;

    #[test]
    fn an_operation_is_named_with_its_beginning() {
        let mut operation = OperationSeen {
            id: "7d0c3b1e-99".to_owned(),
            kind: OperationKind::StartDeployment,
            status: OperationStatus::InProgress,
            started_at: Timestamp::from_second(1_700_000_000).ok(),
            ended_at: None,
        };
        assert_eq!(named(&operation), "START_DEPLOYMENT 7d0c3b1e…, began 22:13 UTC");
        operation.started_at = None;
        assert_eq!(named(&operation), "START_DEPLOYMENT 7d0c3b1e…");
    }

    #[test]
    fn the_last_events_and_lines_are_kept_and_what_is_missing_is_said() {
        let lines = |of: &str| (1..=30).map(|n| format!("{of} {n}")).collect();
        let trail = Trail { events: lines("stopped"), log: lines("panic"), missing: vec!["No log group.".to_owned()] };
        let failure = with_trail(Failure::new("x"), Some(trail));
        let tail = failure.log_tail.unwrap();
        assert_eq!(tail.lines().count(), EVENTS_SHOWN_LIMIT + LINES_SHOWN_LIMIT);
        assert!(tail.starts_with("event stopped 26\n") && tail.ends_with("log   panic 30"), "{tail}");
        assert_eq!(failure.details, ["No log group."]);
        assert_eq!(with_trail(Failure::new("x"), Some(Trail::default())), Failure::new("x"));
        let slow = with_trail(Failure::new("x"), None);
        assert_eq!(slow.details, ["Its events and log could not be read within 20 s."]);
    }
}
