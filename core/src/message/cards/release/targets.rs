//! Several targets, and such as run nothing: which is which, and what each of them runs.

use super::super::super::{Block, Line};
use super::super::words::{self, DOT};
use super::commit;
use crate::plan::{Plan, PlannedTarget};
use crate::release::{Release, Step};
use std::collections::BTreeSet;

/// What runs a target's image, for people.
pub(super) fn platform(target: &PlannedTarget) -> &'static str {
    match target.kind.as_str() {
        "app-runner" => "App Runner",
        "ecs-express" => "ECS Express",
        PlannedTarget::DRY => "Dry run target",
        _ => "Target",
    }
}

/// The AWS region in an ARN.
fn region(target: &PlannedTarget) -> Option<&str> {
    target.id.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

/// What tells a target from the others: its region where each has another one, else its name, numbered where that is not
/// enough. Untrusted text.
fn name(plan: &Plan, index: usize) -> String {
    let Some(target) = plan.targets.get(index) else { return String::new() };
    let all = plan.targets.len();
    let regions: BTreeSet<_> = plan.targets.iter().filter_map(region).collect();
    if let (Some(region), true) = (region(target), regions.len() == all) {
        return region.to_owned();
    }
    let names: BTreeSet<_> = plan.targets.iter().map(|target| target.name.as_str()).collect();
    if names.len() == all { target.name.clone() } else { format!("{} ({})", target.name, index + 1) }
}

/// Who is being told to run the image: `App Runner`, and which one where there are several.
pub(super) fn current(release: &Release) -> Line {
    let Some(plan) = &release.plan else { return Line::plain("Target") };
    let Some(target) = plan.targets.get(release.target) else { return Line::plain("Target") };
    let line = Line::plain(platform(target));
    if plan.targets.len() < 2 { line } else { line.text(" ").untrusted(name(plan, release.target)) }
}

/// `App Runner us-west-2: live · eu-central-1: update in progress`, where there are several.
pub(super) fn states(release: &Release, step: Step) -> Option<Block> {
    let plan = release.plan.as_ref().filter(|plan| plan.targets.len() > 1)?;
    let detail = release.steps.get(Step::Deploy).detail.as_deref().filter(|_| release.operation.is_some());
    let mut line = Line::default();
    let mut said = "";
    for (i, target) in plan.targets.iter().enumerate() {
        line = if i > 0 { line.text(DOT) } else { line };
        // The platform is said once for all that follow and have the same.
        let platform = platform(target);
        line = if platform == said { line } else { line.text(platform).text(" ") };
        said = platform;
        line = line.untrusted(name(plan, i)).text(": ");
        let done = if target.is_dry() { "gone through" } else { "live" };
        line = match step {
            Step::Verify => line.text(done),
            Step::Deploy if i < release.target => line.text(done),
            Step::Deploy if i == release.target => match detail {
                Some(detail) => line.untrusted(detail),
                None => line.text("starting"),
            },
            Step::Ci | Step::Image | Step::Migrate | Step::Deploy => line.text("waiting"),
        };
    }
    Some(Block::Field { label: "Targets".to_owned(), lines: vec![line] })
}

/// Where the run went wrong at one of several targets: `us-west-2 runs 4c1f9e2, eu-central-1 still 9a77d01`. `put_back`: AWS
/// brought the old version back there.
pub(super) fn what_runs(release: &Release, put_back: bool) -> Option<Line> {
    let plan = release.plan.as_ref().filter(|plan| plan.targets.len() > 1)?;
    if release.target == 0 && release.operation.is_none() {
        return None;
    }
    let mut line = Line::default();
    for (i, target) in plan.targets.iter().enumerate() {
        line = if i > 0 { line.text(", ") } else { line }.untrusted(name(plan, i));
        let runs = target.runs.as_ref().or(plan.base.as_ref().filter(|_| i == 0));
        let begun_here = i == release.target && release.operation.is_some();
        line = match runs {
            _ if i < release.target && target.is_dry() => line.text(" is a dry run target"),
            _ if i < release.target => line.text(" runs ").join(commit(release)),
            _ if begun_here && !put_back => line.text(" is not certain"),
            Some(sha) => words::commit(line.text(" still "), sha),
            None => line.text(" still what it ran"),
        };
    }
    Some(line.text("."))
}

/// Whether the release deploys to nothing but dry targets.
pub(in super::super) fn all_dry(plan: &Plan) -> bool {
    !plan.targets.is_empty() && plan.targets.iter().all(PlannedTarget::is_dry)
}

/// What somebody must not take for a deployment.
pub(in super::super) fn dry(plan: &Plan) -> Option<Line> {
    if all_dry(plan) {
        // Its databases are real: whoever reads that nothing happens must not think so of them.
        return Some(Line::plain(match plan.changing().count() {
            0 => "Dry run target: nothing is deployed.",
            _ => "Dry run target: nothing is deployed. Migrations are applied all the same.",
        }));
    }
    let dry: Vec<_> = plan.targets.iter().filter(|target| target.is_dry()).map(|target| &target.name).collect();
    if dry.is_empty() {
        return None;
    }
    Some(words::untrusted_list(Line::plain("Dry run target, nothing is deployed there: "), dry, ", "))
}
