//! What leads around the gate, looked for while a plan is made.

use super::{Job, Trouble};
use crate::bypasses::{in_targets, in_workflows};
use jiff::Timestamp;
use slipway_core::facts::{Facts, Observed};
use slipway_core::plan::PlanKind;
use slipway_core::workflow::Bypass;
use slipway_deploy::target::Observed as ObservedTarget;

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
