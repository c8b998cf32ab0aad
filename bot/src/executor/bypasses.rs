//! What leads around the gate, looked for while a plan is made.

use super::{Job, Trouble};
use jiff::Timestamp;
use slipway_core::facts::{Facts, Observed};
use slipway_core::plan::PlanKind;
use slipway_core::workflow::{Bypass, bypasses, of_targets};
use slipway_deploy::github::WorkflowFile;
use slipway_deploy::target::Observed as ObservedTarget;
use std::collections::BTreeSet;

/// In the targets, and in the workflows of the commit. Those of a commit that is gone back to, or whose migrations are
/// taken back, ran long ago and run no more.
pub(super) async fn look(
    job: &Job<'_>,
    kind: PlanKind,
    targets: &[ObservedTarget],
    at: Timestamp,
) -> Result<Observed<Vec<Bypass>>, Trouble> {
    let (mut found, followed) = in_targets(targets);
    if matches!(kind, PlanKind::Deploy | PlanKind::MigrateUp) {
        let files = job.executor.outside.github.workflows_at(&job.service()?.repository, job.commit()?).await?;
        found.extend(in_workflows(files, &followed));
    }
    found.truncate(Facts::BYPASSES_LIMIT);
    Ok(Observed { value: found, at })
}

/// Targets that deploy by themselves, and the tags that they follow.
pub(crate) fn in_targets(targets: &[ObservedTarget]) -> (Vec<Bypass>, BTreeSet<String>) {
    of_targets(targets.iter().map(|target| {
        (target.service_name.as_str(), target.image_identifier.as_str(), target.auto_deployments)
    }))
}

/// The ways around the gate in workflow files.
pub(crate) fn in_workflows(files: Vec<WorkflowFile>, followed: &BTreeSet<String>) -> Vec<Bypass> {
    let of_file = |file: WorkflowFile| match file.text {
        Ok(text) => bypasses(&file.path, &text, followed),
        Err(why) => vec![Bypass::unread(file.path, why)],
    };
    files.into_iter().flat_map(of_file).collect()
}
