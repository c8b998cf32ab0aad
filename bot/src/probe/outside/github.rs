//! Who Slipway is at GitHub and what it may do there, which checks are required, whether the build's workflow is there, what
//! the workflows can never do as they are written, and what they do past the gate.

use super::{Row, bypass_row, doubtful, within_limit};
use crate::bypasses::{in_targets, in_workflows};
use crate::executor::workflows::of_files;
use crate::outside::Outside;
use crate::probe::ProbeResult;
use crate::setup::{ServiceSetup, Setup};
use slipway_core::ids::CommitSha;
use slipway_deploy::github::{Access, Required, Resolution, WORKFLOWS_DIR};
use slipway_deploy::target::Observed;

/// How many ways around the gate are listed.
const BYPASSES_SHOWN_LIMIT: usize = 20;

pub(super) async fn look(setup: &Setup, outside: &Outside, service: &ServiceSetup, targets: Vec<Observed>) -> Vec<Row> {
    let repository = &service.repository;
    let name = format!("GitHub {repository}");
    let access = match within_limit(outside.github.check_access(repository)).await {
        Ok(access) => access,
        Err(failed) => return vec![(name, failed)],
    };
    let mut rows = vec![(name, credentials(&access))];
    rows.extend(permissions(setup, outside, service, &access).await);
    match head(outside, service, &access).await {
        Ok(head) => {
            rows.extend(required_checks(outside, service, &head).await);
            rows.extend(workflows(outside, service, &access.default_branch, &head, &targets).await);
        }
        Err(row) => rows.push(row),
    }
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

/// What is known to be missing for what is switched on and holds nothing up.
async fn permissions(setup: &Setup, outside: &Outside, service: &ServiceSetup, access: &Access) -> Vec<Row> {
    let repo = &service.repository;
    let mut missing = Vec::new();
    if setup.deployments {
        let lacks = within_limit(outside.github.missing_to_show(repo)).await.unwrap_or_default();
        missing.push((lacks, "give it that permission, or set deployments = false in [github]"));
    }
    if service.lint_pull_requests {
        let lacks = within_limit(outside.github.missing_to_lint(repo)).await.unwrap_or_default();
        missing.push((lacks, "give it that permission, or take lint_pull_requests out of the service's section"));
    }
    let lacks = within_limit(outside.github.missing_to_merge(repo)).await.unwrap_or_default();
    missing.push((lacks, "give it that permission, or do without /release ship"));
    let row = |what: &String, mend: &str| {
        (format!("permissions for {repo}"), doubtful(format!("{} lacks {what}", access.who), mend))
    };
    missing.iter().flat_map(|(lacks, mend)| lacks.iter().map(|what| row(what, mend))).collect()
}

/// Of the default branch: what runs next.
async fn head(outside: &Outside, service: &ServiceSetup, access: &Access) -> Result<CommitSha, Row> {
    let (branch, name) = (&access.default_branch, format!("workflow {}", service.workflow));
    let reference = format!("refs/heads/{branch}");
    match within_limit(outside.github.resolve(&service.repository, Some(&reference))).await {
        Ok(Resolution::Resolved(resolved)) => Ok(resolved.commit),
        Ok(Resolution::Unresolved(_)) => Err((name, ProbeResult::fail(format!("{branch} has no commit"), "push one"))),
        Err(failed) => Err((name, failed)),
    }
}

/// Whether what protection requires can be told, where an environment goes by that.
async fn required_checks(outside: &Outside, service: &ServiceSetup, head: &CommitSha) -> Option<Row> {
    let repository = &service.repository;
    service.environments.iter().find(|environment| environment.checks == Required::Protection)?;
    let required = within_limit(outside.github.required_checks(repository, head, &Required::Protection)).await;
    required.err().map(|failed| (format!("required checks of {repository}"), failed))
}

async fn workflows(
    outside: &Outside,
    service: &ServiceSetup,
    branch: &str,
    head: &CommitSha,
    targets: &[Observed],
) -> Vec<Row> {
    let name = format!("workflow {}", service.workflow);
    let files = match within_limit(outside.github.workflows_at(&service.repository, head)).await {
        Ok(files) => files,
        Err(failed) => return vec![(name, failed)],
    };
    let wanted = format!("{WORKFLOWS_DIR}/{}", service.workflow);
    let is_there = files.iter().any(|file| file.path == wanted);
    let answer = if is_there {
        ProbeResult::ok(format!("is on {branch}"))
    } else {
        let says = format!("{branch} has no {wanted}");
        ProbeResult::fail(says, "write the name of the file that builds the image (workflow in the service's section)")
    };
    let never = of_files(&files, &service.workflow, branch).into_iter().map(|finding| {
        let place = format!("workflow {}:{}", finding.file, finding.line);
        (place, doubtful(finding.what, "mend the workflow: it can never do this as it is written"))
    });
    let never: Vec<Row> = never.collect();
    let found = in_workflows(files, &in_targets(targets).1);
    let shown = found.iter().take(BYPASSES_SHOWN_LIMIT).map(bypass_row);
    [(name, answer)].into_iter().chain(never).chain(shown).collect()
}
