//! What would change: commits, image, migrations.

use super::super::super::{Block, Line};
use super::super::by_hand;
use super::super::tag;
use super::super::words::{self, DOT};
use super::{back, configuration, cut_over, field, migrating, migrations, paths, taken_out};
use crate::facts::{CiState, Facts};
use crate::plan::{Commit, Plan, PlanKind};
use crate::release::Release;
use crate::workflow::WorkflowFinding;
use jiff::Timestamp;

/// How many commits a card lists.
pub(in super::super) const COMMITS_SHOWN_LIMIT: usize = 10;

/// How many findings in workflows a card lists.
const WORKFLOW_WARNINGS_LIMIT: usize = 3;

/// How a message speaks of moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum When {
    /// It is redrawn often enough for "12 min ago" to stay true.
    Redrawn(Timestamp),
    /// It stands for hours: moments are shown as such.
    Standing,
    /// It is about what is over: what ran before runs no more.
    Past,
}

/// What ships, the image, the migrations.
pub(super) fn fields(release: &Release, when: When) -> Vec<Block> {
    let Some(plan) = &release.plan else { return Vec::new() };
    if plan.kind.only_migrates() {
        return migrating::fields(plan);
    }
    if plan.kind == PlanKind::Config {
        return configuration::fields(release, plan, when);
    }
    let label = match (plan.kind, when) {
        (PlanKind::Rollback, When::Past) => "Went back",
        (PlanKind::Rollback, _) => "Goes back",
        (_, _) if super::targets::all_dry(plan) => "Would ship",
        (_, When::Past) => "What shipped",
        (_, _) => "What ships",
    };
    let mut blocks = Vec::new();
    blocks.extend(field(label, ships(plan, when, COMMITS_SHOWN_LIMIT)));
    let promotes = cut_over::promotes(plan).filter(|_| release.promotion.is_none() && when != When::Past);
    let lines = [image(release, plan, when)].into_iter().chain(tag::in_plan(plan)).chain(promotes);
    blocks.extend(field("Image", lines.collect()));
    if plan.kind == PlanKind::Rollback {
        blocks.extend(back::between(plan));
    } else {
        blocks.extend(field("Migrations", migrations::lines(plan)));
    }
    let unchecked = configuration::unchecked(plan);
    blocks.extend(field("Configuration", configuration::lines(plan).into_iter().chain(unchecked).collect()));
    blocks
}

/// How far apart base and commit are, what of it is known not to concern the service, then the commits.
pub(in super::super) fn ships(plan: &Plan, when: When, limit: usize) -> Vec<Line> {
    let shown = plan.commits.iter().take(limit).map(commit_line);
    let lines = words::with_rest(shown.collect(), total(plan));
    [distance(plan, when)].into_iter().chain(paths::note(plan)).chain(lines).collect()
}

fn total(plan: &Plan) -> usize {
    plan.commits.len().max(usize::try_from(plan.commits_total).unwrap_or(usize::MAX))
}

fn distance(plan: &Plan, when: When) -> Line {
    let n = words::count(total(plan), "commit");
    let Some(base) = &plan.base else {
        let line = Line::plain("what runs now is not known");
        return if total(plan) > 0 { Line::plain(n).text("; ").join(line) } else { line };
    };
    let line = match (plan.kind, *base == plan.commit) {
        (_, true) if plan.stays_untouched() => paths::stays(plan).unwrap_or_default(),
        (_, true) => words::commit(Line::plain("no new commit: "), base).text(" runs already"),
        (_, false) if plan.kind.only_migrates() => words::commit(Line::default(), base).text(" keeps running"),
        (PlanKind::Deploy | PlanKind::MigrateUp | PlanKind::MigrateDown | PlanKind::Config, false) => {
            let line = words::commit(Line::plain(n).text(" since "), base);
            taken_out::briefly(plan, when).into_iter().fold(line, |line, out| line.text(", ").text(out))
        }
        (PlanKind::Rollback, false) => {
            // The time is that of what runs now, and stands behind it.
            let line = running(words::commit(Line::plain("from "), base), plan, when);
            let line = words::commit(line.text(" to "), &plan.commit);
            let line = if total(plan) > 0 { line.text(", takes back ").text(n) } else { line };
            return by_hand::base(line, plan);
        }
    };
    running(by_hand::base(line, plan), plan, when)
}

/// Behind what runs now: since when.
fn running(line: Line, plan: &Plan, when: When) -> Line {
    match (plan.base_since, when) {
        (Some(since), When::Redrawn(now)) => {
            line.text(format!(" (running for {})", words::rough(words::seconds(since, now))))
        }
        (Some(since), When::Standing) => line.text(" (running since ").time(since).text(")"),
        (Some(_), When::Past) | (None, _) => line,
    }
}

fn commit_line(commit: &Commit) -> Line {
    let line = words::commit(Line::default(), &commit.sha).text("  ").untrusted(commit.title.as_str());
    words::author(line.text(DOT), commit)
}

pub(super) fn image(release: &Release, plan: &Plan, when: When) -> Line {
    let image = &plan.image;
    let name = image.repository.rsplit('/').next().unwrap_or(&image.repository);
    let mut line = Line::default().code(format!("{name}@{}", image.digest.short()));
    match (image.pushed_at, when) {
        (Some(at), When::Redrawn(now)) => {
            line = line.text(format!("  pushed {} ago", words::rough(words::seconds(at, now))));
        }
        (Some(at), When::Standing | When::Past) => line = line.text("  pushed ").time(at),
        (None, _) => {}
    }
    if let Some(run) = release.build_run {
        line = line.text(format!("  built by run {run}"));
    }
    match release.facts.as_ref().and_then(cut_over::scan) {
        Some(scan) => line.text("  ").join(scan),
        None => line,
    }
}

/// What a person who decides must not miss.
pub(super) fn warnings(release: &Release) -> Vec<Block> {
    let ci = release.facts.as_ref().and_then(ci_warning);
    let migrations = release.plan.as_ref().map(migrations::warnings).unwrap_or_default();
    let bypasses = release.facts.as_ref().map(cut_over::bypasses).unwrap_or_default();
    let dry = release.plan.as_ref().and_then(super::targets::dry);
    let workflow = release.plan.as_ref().map(workflow_warnings).unwrap_or_default();
    let out = release.plan.as_ref().and_then(|plan| taken_out::warning(plan, When::Standing));
    ci.into_iter().chain(out).chain(migrations).chain(bypasses).chain(workflow).chain(dry).map(Block::Warning).collect()
}

/// The same from the start on, for whoever reads it while it runs and afterwards. What CI says is a step by then, and that a
/// target runs nothing is said where it matters.
pub(super) fn kept_warnings(release: &Release) -> Vec<Block> {
    let when = if release.phase.is_end() { When::Past } else { When::Standing };
    // What did not come to serve has taken nothing out.
    let took = |plan: &&Plan| release.brought_live().is_some() && !super::targets::all_dry(plan);
    let out = release.plan.as_ref().filter(|plan| when != When::Past || took(plan));
    let out = out.and_then(|plan| taken_out::warning(plan, when));
    let migrations = release.plan.as_ref().map(migrations::warnings).unwrap_or_default();
    let bypasses = release.facts.as_ref().map(cut_over::bypasses).unwrap_or_default();
    let workflow = release.plan.as_ref().map(workflow_warnings).unwrap_or_default();
    out.into_iter().chain(migrations).chain(bypasses).chain(workflow).map(Block::Warning).collect()
}

/// What the commit's workflows can never do, each with its place.
fn workflow_warnings(plan: &Plan) -> Vec<Line> {
    let warning = |found: &WorkflowFinding| {
        Line::default().untrusted(format!("{}:{}", found.file, found.line)).text("  ").untrusted(found.what.clone())
    };
    let mut lines: Vec<_> = plan.workflow.iter().take(WORKFLOW_WARNINGS_LIMIT).map(warning).collect();
    let more = plan.workflow.len().saturating_sub(WORKFLOW_WARNINGS_LIMIT);
    if more > 0 {
        lines.push(Line::plain(format!("{more} more in the workflows of this commit")));
    }
    lines
}

fn ci_warning(facts: &Facts) -> Option<Line> {
    let ci = &facts.ci.value;
    let line = match ci.state {
        CiState::Green => return None,
        CiState::Pending => Line::plain("CI has not finished"),
        CiState::Red => Line::plain("CI is red"),
        CiState::Missing if !ci.missing.is_empty() => {
            let (noun, verb) = if ci.missing.len() == 1 { ("check", "has") } else { ("checks", "have") };
            let line = words::untrusted_list(Line::plain(format!("CI: required {noun} ")), &ci.missing, ", ");
            return Some(line.text(format!(" {verb} not run")));
        }
        CiState::Missing => return Some(Line::plain("CI: nothing says that this commit was ever tested")),
    };
    let line = line.text(format!(": {} of {} passed", ci.passed, ci.total));
    if ci.failing.is_empty() {
        return Some(line);
    }
    Some(words::untrusted_list(line.text(", failing: "), &ci.failing, ", "))
}
