//! Who Slipway is at GitHub, whether the build's workflow is there, and what the workflows do past the gate.

use super::{Row, bypass_row, doubtful, within_limit};
use crate::bypasses::{in_targets, in_workflows};
use crate::outside::Outside;
use crate::probe::ProbeResult;
use crate::setup::ServiceSetup;
use slipway_deploy::github::{Access, Resolution};
use slipway_deploy::target::Observed;

/// How many ways around the gate are listed.
const BYPASSES_SHOWN_LIMIT: usize = 20;

pub(super) async fn look(outside: &Outside, service: &ServiceSetup, targets: Vec<Observed>) -> Vec<Row> {
    let repository = &service.repository;
    let name = format!("GitHub {repository}");
    let access = match within_limit(outside.github.check_access(repository)).await {
        Ok(access) => access,
        Err(failed) => return vec![(name, failed)],
    };
    let mut rows = vec![(name, credentials(&access))];
    rows.extend(workflows(outside, service, &access, &targets).await);
    rows
}

fn credentials(access: &Access) -> ProbeResult {
    let Access { who, default_branch, missing, .. } = access;
    let says = format!("{who} can read it, default branch {default_branch}");
    if missing.is_empty() {
        return ProbeResult::ok(says);
    }
    doubtful(format!("{says}; missing: {}", missing.join("; ")), "give the token or the App what is missing")
}

/// At the head of the default branch: what runs next.
async fn workflows(outside: &Outside, service: &ServiceSetup, access: &Access, targets: &[Observed]) -> Vec<Row> {
    let (repository, branch) = (&service.repository, &access.default_branch);
    let name = format!("workflow {}", service.workflow);
    let head = match within_limit(outside.github.resolve(repository, Some(&format!("refs/heads/{branch}")))).await {
        Ok(Resolution::Resolved(resolved)) => resolved.commit,
        Ok(Resolution::Unresolved(_)) => {
            return vec![(name, ProbeResult::fail(format!("{branch} has no commit"), "push one"))];
        }
        Err(failed) => return vec![(name, failed)],
    };
    let files = match within_limit(outside.github.workflows_at(repository, &head)).await {
        Ok(files) => files,
        Err(failed) => return vec![(name, failed)],
    };
    let wanted = format!(".github/workflows/{}", service.workflow);
    let is_there = files.iter().any(|file| file.path == wanted);
    let answer = if is_there {
        ProbeResult::ok(format!("is on {branch}"))
    } else {
        let says = format!("{branch} has no {wanted}");
        ProbeResult::fail(says, "write the name of the file that builds the image (workflow in the service's section)")
    };
    let found = in_workflows(files, &in_targets(targets).1);
    let shown = found.iter().take(BYPASSES_SHOWN_LIMIT).map(bypass_row);
    [(name, answer)].into_iter().chain(shown).collect()
}
