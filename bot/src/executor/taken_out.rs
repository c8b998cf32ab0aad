//! What runs now and would run no more, because a deployment brings a commit of another branch.

use super::{Job, Trouble};
use slipway_core::ids::CommitSha;
use slipway_core::plan::TakesOut;
use slipway_deploy::github::Comparison;

/// The commits of `base` that `commit` does not have, by GitHub's word.
pub(super) async fn look(job: &Job<'_>, base: &CommitSha, commit: &CommitSha) -> Result<TakesOut, Trouble> {
    let repository = &job.service()?.repository;
    let Comparison { mut commits, total, .. } = job.executor.outside.github.compare(repository, commit, base).await?;
    commits.truncate(TakesOut::LISTED_LIMIT);
    Ok(TakesOut { commits: super::gather::known_commits(job, commits), total })
}
