//! Which commit is meant.

use super::{Done, Job, Trouble};
use slipway_core::release::{Event, Failure, RequestKind};
use slipway_deploy::github::Resolution;

pub(super) async fn resolve(job: &Job<'_>) -> Result<Done, Trouble> {
    let pinned = match &job.release.request.kind {
        RequestKind::Rollback { commit, .. } => Some(commit.clone()),
        RequestKind::Retry { commit, .. } => commit.clone(),
        RequestKind::Deploy => None,
    };
    if let Some(commit) = pinned {
        return Ok(Done::Event(Event::Resolved { commit, branch: None }));
    }
    let repository = &job.service()?.repository;
    let reference = job.release.request.reference.as_deref();
    match job.executor.outside.github.resolve(repository, reference).await? {
        Resolution::Resolved(found) => Ok(Done::Event(Event::Resolved { commit: found.commit, branch: found.branch })),
        Resolution::Unresolved(unresolved) => {
            let typed = reference.unwrap_or("its default branch");
            let mut failure = Failure::new(format!("{repository} has no branch, tag or commit \"{typed}\"."));
            if !unresolved.near.is_empty() {
                failure = failure.detail(format!("Did you mean: {}?", unresolved.near.join(", ")));
            }
            if !unresolved.newest_tags.is_empty() {
                failure = failure.detail(format!("Newest tags: {}.", unresolved.newest_tags.join(", ")));
            }
            let failure = failure.detail("Nothing was started.").final_for_request();
            Err(Trouble::Final(Box::new(failure)))
        }
    }
}
