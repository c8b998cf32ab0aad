//! Ways around the gate, in what was seen of targets and workflow files. A plan and `slipway check` look for the same.

use slipway_core::workflow::{Bypass, bypasses, of_targets};
use slipway_deploy::github::WorkflowFile;
use slipway_deploy::target::Observed;
use std::collections::BTreeSet;

/// Targets that deploy by themselves, and the tags that they follow.
pub(crate) fn in_targets(targets: &[Observed]) -> (Vec<Bypass>, BTreeSet<String>) {
    of_targets(
        targets
            .iter()
            .map(|target| (target.service_name.as_str(), target.image_identifier.as_str(), target.auto_deployments)),
    )
}

/// The ways around the gate in workflow files.
pub(crate) fn in_workflows(files: Vec<WorkflowFile>, followed: &BTreeSet<String>) -> Vec<Bypass> {
    let of_file = |file: WorkflowFile| match file.text {
        Ok(text) => bypasses(&file.path, &text, followed),
        Err(why) => vec![Bypass::unread(file.path, why)],
    };
    files.into_iter().flat_map(of_file).collect()
}
