//! Which commit is meant.

use super::migrate::whose_files;
use super::{Done, Job, Trouble};
use slipway_core::release::{Event, Failure, MigrateWay, RequestKind};
use slipway_deploy::github::Resolution;

pub(super) async fn resolve(job: &Job<'_>) -> Result<Done, Trouble> {
    let pinned = match &job.release.request.kind {
        RequestKind::Rollback { commit, .. } | RequestKind::Config { commit, .. } => Some(commit.clone()),
        RequestKind::Retry { commit, .. } | RequestKind::Migrate { commit, .. } => commit.clone(),
        RequestKind::Deploy | RequestKind::Ship { .. } => None,
    };
    if let Some(commit) = pinned {
        return Ok(Done::Event(Event::Resolved { commit, branch: None }));
    }
    if let RequestKind::Migrate { way: MigrateWay::Down { .. }, .. } = &job.release.request.kind {
        return files_that_take_back(job).await;
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
            if let RequestKind::Deploy = &job.release.request.kind {
                let environment = &job.release.request.key.environment;
                failure = failure.next(match unresolved.near.first() {
                    Some(name) => format!("/deploy {environment} {name}"),
                    None => format!("/deploy {environment}, which takes the newest of the default branch"),
                });
            }
            if !unresolved.newest_tags.is_empty() {
                failure = failure.detail(format!("Newest tags: {}.", unresolved.newest_tags.join(", ")));
            }
            let failure = failure.detail("Nothing was started.").final_for_request();
            Err(Trouble::Final(Box::new(failure)))
        }
    }
}

/// What is taken back is taken back with the files that applied it.
async fn files_that_take_back(job: &Job<'_>) -> Result<Done, Trouble> {
    let key = &job.release.request.key;
    match whose_files(job.executor, key).await? {
        Some(whose) => Ok(Done::Event(Event::Resolved { commit: whose.commit, branch: None })),
        None => {
            let what = format!("It is not known which commit's files take the migrations of {key} back.");
            let failure = Failure::new(what).detail("Nothing was started.").final_for_request();
            Err(Trouble::Final(Box::new(failure)))
        }
    }
}
