//! The plans of those that a release leads.

use super::{Job, Trouble};
use slipway_core::release::Outcome;
use slipway_core::together::PlannedWith;

/// How far the others are.
pub(super) enum Together {
    /// Each has its plan, or nothing to do; of a release that leads nobody, none.
    Planned(Vec<PlannedWith>),
    /// One of them is still being planned. That ends: with a plan, or with the whole group.
    NotYet,
}

/// What a lead's plan holds of its followers.
pub(super) async fn planned_with(job: &Job<'_>) -> Result<Together, Trouble> {
    let Some(together) = job.release.leads() else { return Ok(Together::Planned(vec![])) };
    let mut planned = Vec::new();
    for id in together.others(&job.release.id) {
        let Some(follower) = job.executor.store.release(id).await?.map(|stored| stored.release) else { continue };
        if follower.outcome == Some(Outcome::NothingToDo) {
            continue;
        }
        match PlannedWith::of(&follower).filter(|_| !follower.gathering) {
            Some(with) => planned.push(with),
            // The group ends with it, and then nobody wants this plan any more.
            None => return Ok(Together::NotYet),
        }
    }
    Ok(Together::Planned(planned))
}
