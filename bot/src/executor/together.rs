//! The plans of those that a release leads.

use super::{Done, Job, Trouble};
use slipway_core::release::Outcome;
use slipway_core::together::PlannedWith;

/// Between two looks at whether the others of a group are planned.
const POLL_MS: i64 = 1_000;

/// What a lead's plan holds of its followers; of a release that leads nobody, nothing. Or another look later, while one of
/// them is still being planned: that ends with a plan, or with the whole group.
pub(super) async fn planned_with(job: &Job<'_>) -> Result<Result<Vec<PlannedWith>, Done>, Trouble> {
    let Some(together) = job.release.leads() else { return Ok(Ok(vec![])) };
    let mut planned = Vec::new();
    for id in together.others(&job.release.id) {
        let Some(follower) = job.executor.store.release(id).await?.map(|stored| stored.release) else { continue };
        if follower.outcome == Some(Outcome::NothingToDo) {
            continue;
        }
        match PlannedWith::of(&follower).filter(|_| !follower.gathering) {
            Some(with) => planned.push(with),
            None => return Ok(Err(Done::Again { after_ms: job.executor.setup.pace.poll_ms(POLL_MS), news: None })),
        }
    }
    Ok(Ok(planned))
}
