//! Bringing the image to a target: one operation per target and release, and its own word for the outcome.

use super::{Done, Job, Trouble, aftermath};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_core::plan::PlannedTarget;
use slipway_core::release::{Event, Failure, Step};
use slipway_deploy::target::{OperationStatus, StartError, Started, Target};

/// How often an operation is looked at.
const POLL_MS: i64 = 5_000;
/// How long the run waits for somebody else's operation to end.
const BUSY_LIMIT_S: i64 = 30 * 60;
/// How long an operation may take before the run gives up following it.
const FOLLOW_LIMIT_S: i64 = 60 * 60;

/// How long an operation that was begun may take to show in the list of operations.
const LAG_LIMIT_S: i64 = 60;

/// How often a start whose outcome stayed unknown is made. Without a bound, a server that never answers and never
/// shows an operation would be told again for ever.
const STARTS_LIMIT: u32 = 3;

/// Recorded before the target is told anything.
#[derive(Serialize, Deserialize)]
struct DeployIntent {
    /// When.
    at: Timestamp,
    /// The newest operation before ours.
    before: Option<String>,
    /// What it is told to run.
    image: String,
    /// How often it has been told before, without anything to show for it.
    #[serde(default)]
    starts_before: u32,
    /// What was said the last time, where the outcome is not known.
    #[serde(default)]
    said: Option<String>,
}

pub(super) async fn start(job: &Job<'_>, index: usize) -> Result<Done, Trouble> {
    let plan = job.plan()?;
    let planned = plan.targets.get(index).ok_or_else(|| Trouble::lasting(&"The plan has no such target."))?;
    let target = job.executor.outside.target(&planned.kind)?;
    let image = plan.image.pinned();
    let started = |operation| Done::Event(Event::DeployStarted { target: index, operation });
    let earlier = job.intent::<DeployIntent>()?;
    if let Some(intent) = &earlier {
        // We may have acted before: our operation is the one that came after what we had seen.
        let since = target.find_since(&planned.id, intent.before.as_deref()).await?;
        if let Some(ours) = since.into_iter().rev().find(|operation| operation.kind.deploys()) {
            return Ok(started(ours.id));
        }
        // It may have been begun and not show yet: acting again now could deploy twice.
        if job.now().as_second() - intent.at.as_second() < job.executor.setup.pace.lag_limit_s(LAG_LIMIT_S) {
            let detail = format!("{}: looking whether the deployment was begun", planned.name);
            let news = job.progress(Step::Deploy, detail, None);
            return Ok(Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news });
        }
    }
    let starts_before = earlier.as_ref().map_or(0, |intent| intent.starts_before + 1);
    if starts_before >= STARTS_LIMIT {
        let what = format!("{} was told {STARTS_LIMIT} times to deploy and shows no operation.", planned.name);
        let said = earlier.and_then(|intent| intent.said);
        let failure = said.into_iter().fold(Failure::new(what), Failure::detail);
        let failure = failure.detail("It may be deploying all the same: look at its operations.");
        return Ok(job.failed(Step::Deploy, failure));
    }
    let seen = target.observe(&planned.id).await?;
    if seen.settings != planned.settings {
        let what = format!("The settings of {} were changed since the plan was made.", planned.name);
        return Ok(job.failed(Step::Deploy, Failure::new(what).next("/release retry makes a new plan")));
    }
    if let Some(failure) = super::by_hand::in_the_middle(job, planned, &seen).await? {
        return Ok(job.failed(Step::Deploy, failure));
    }
    if let Some(failure) = super::configured::changed_since(job, plan).await? {
        return Ok(job.failed(Step::Deploy, failure));
    }
    // What was seen before the first try stays the mark: an operation that shows up late must not become it.
    let newest = seen.newest_operation.map(|operation| operation.id);
    let before = earlier.map_or(newest, |intent| intent.before);
    let intent = DeployIntent { at: job.now(), before, image: image.clone(), starts_before, said: None };
    job.intend(&serde_json::json!(intent)).await?;
    match target.start(&planned.id, &image).await {
        // AWS took it and names what was there before: nothing reads the settings anew, and nothing new is followed.
        Ok(begun) if intent.before.as_ref() == Some(&begun.operation_id) => Ok(began_nothing(job, planned, &begun)),
        Ok(begun) => Ok(started(begun.operation_id)),
        Err(StartError::Busy) if waited_s(job) < BUSY_LIMIT_S => {
            // Refused, so this try has begun nothing, and the operation in the way must not be taken for its own.
            // An earlier try whose outcome is unknown may have begun it: the next look tells.
            job.restore_intent().await?;
            let other = in_the_way(target.as_ref(), &planned.id).await;
            let detail = format!("{}: waiting for another operation to end{other}", planned.name);
            let news = job.progress(Step::Deploy, detail, None);
            Ok(Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news })
        }
        Err(StartError::Busy) => {
            let other = in_the_way(target.as_ref(), &planned.id).await;
            let what =
                format!("Another operation on {} did not end within {} minutes", planned.name, BUSY_LIMIT_S / 60);
            let failure = Failure::new(format!("{what}{other}.")).detail("The old version keeps running.");
            Ok(job.failed(Step::Deploy, failure.next("/release retry when it has ended")))
        }
        Err(refused @ StartError::Refused(_)) => {
            let failure = Failure::new(refused.to_string()).detail("The old version keeps running.");
            Ok(job.failed(Step::Deploy, failure))
        }
        Err(nothing_begun @ (StartError::Throttled | StartError::Unreachable(_))) => {
            job.restore_intent().await?;
            Err(Trouble::Passing(nothing_begun.to_string()))
        }
        // It may have happened: the intent stays, and the next try looks first.
        Err(StartError::Unknown(what)) => {
            let passing = format!("{what} AWS may be deploying all the same: look at the service's operations.");
            job.note(&serde_json::json!(DeployIntent { said: Some(what), ..intent })).await?;
            Err(Trouble::Passing(passing))
        }
    }
}

/// The update was taken, and no deployment follows from it.
fn began_nothing(job: &Job<'_>, planned: &PlannedTarget, begun: &Started) -> Done {
    let what = format!("AWS began no new deployment on {}.", planned.name);
    let failure = Failure::new(what)
        .detail(format!(
            "It took the update and answered with the operation before it, {}: to AWS nothing has changed.",
            aftermath::short(&begun.operation_id)
        ))
        .detail("What runs keeps running, with the settings that it has read.");
    job.failed(Step::Deploy, failure.next("force a new deployment in the AWS console"))
}

fn waited_s(job: &Job<'_>) -> i64 {
    (job.now().as_millisecond() - job.row.created_at_ms) / 1000
}

pub(super) async fn follow(job: &Job<'_>, index: usize, operation: &str) -> Result<Done, Trouble> {
    let plan = job.plan()?;
    let planned = plan.targets.get(index).ok_or_else(|| Trouble::lasting(&"The plan has no such target."))?;
    let target = job.executor.outside.target(&planned.kind)?;
    let state = target.operation(&planned.id, operation).await?;
    let again = |words: &str| {
        let news = job.progress(Step::Deploy, words.to_owned(), None);
        Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news }
    };
    if !state.status.ended() && waited_s(job) > FOLLOW_LIMIT_S {
        let what = format!("Operation {operation} did not end within {} minutes.", FOLLOW_LIMIT_S / 60);
        return Ok(job.failed(Step::Deploy, Failure::new(what).detail(format!("Look at {}.", target.console()))));
    }
    Ok(match state.status {
        OperationStatus::Pending => again("update is waiting to begin"),
        OperationStatus::InProgress => again("update in progress"),
        OperationStatus::RollbackInProgress => again("the update failed, AWS is rolling it back"),
        OperationStatus::Succeeded => aftermath::arrived(job, target.as_ref(), planned, operation).await?,
        OperationStatus::RollbackSucceeded | OperationStatus::RollbackFailed | OperationStatus::Failed => {
            aftermath::failed(job, target.as_ref(), planned, operation, &state).await
        }
    })
}

/// The operation that is in the way, by name; empty when it cannot be seen.
async fn in_the_way(target: &dyn Target, id: &str) -> String {
    let newest = target.observe(id).await.ok().and_then(|seen| seen.newest_operation);
    newest
        .filter(|newest| !newest.status.ended())
        .map_or(String::new(), |newest| format!(": {}", aftermath::named(&newest)))
}
