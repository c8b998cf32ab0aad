//! What would change: commits, image, migrations.

use super::super::super::{Block, Line};
use super::super::words::{self, DOT};
use super::{field, migrating};
use crate::facts::{CiState, Facts};
use crate::migration::Danger;
use crate::plan::{Commit, Plan, PlanKind, PlannedMigration};
use crate::release::Release;
use jiff::Timestamp;

/// How many commits a card lists.
pub(in super::super) const COMMITS_SHOWN_LIMIT: usize = 10;
/// How many dangers one card names.
const DANGERS_SHOWN_LIMIT: usize = 5;
/// How many migrations a card lists.
pub(in super::super) const MIGRATIONS_SHOWN_LIMIT: usize = 8;
/// How many migrations without a way back one warning names.
const IRREVERSIBLE_SHOWN_LIMIT: usize = 3;

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
    let label = match (plan.kind, when) {
        (PlanKind::Rollback, When::Past) => "Went back",
        (PlanKind::Rollback, _) => "Goes back",
        (_, When::Past) => "What shipped",
        (_, _) => "What ships",
    };
    let mut blocks = Vec::new();
    blocks.extend(field(label, ships(plan, when, COMMITS_SHOWN_LIMIT)));
    blocks.extend(field("Image", vec![image(release, plan, when)]));
    blocks.extend(field("Migrations", migrations(plan)));
    blocks
}

/// How far apart base and commit are, then the commits.
pub(in super::super) fn ships(plan: &Plan, when: When, limit: usize) -> Vec<Line> {
    let shown = plan.commits.iter().take(limit).map(commit_line);
    let lines = words::with_rest(shown.collect(), total(plan));
    [distance(plan, when)].into_iter().chain(lines).collect()
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
        (_, true) => words::commit(Line::plain("no new commit: "), base).text(" runs already"),
        (_, false) if plan.kind.only_migrates() => words::commit(Line::default(), base).text(" keeps running"),
        (PlanKind::Deploy | PlanKind::MigrateUp | PlanKind::MigrateDown, false) => {
            words::commit(Line::plain(n).text(" since "), base)
        }
        (PlanKind::Rollback, false) => {
            let line = words::commit(words::commit(Line::plain("from "), base).text(" to "), &plan.commit);
            if total(plan) > 0 { line.text(", takes back ").text(n) } else { line }
        }
    };
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

fn image(release: &Release, plan: &Plan, when: When) -> Line {
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
    match release.build_run {
        Some(run) => line.text(format!("  built by run {run}")),
        None => line,
    }
}

pub(super) fn migrations(plan: &Plan) -> Vec<Line> {
    if plan.migrations.is_empty() {
        return vec![Line::plain("none pending")];
    }
    let shown = plan.migrations.iter().take(MIGRATIONS_SHOWN_LIMIT).map(migration);
    let mut lines = words::with_rest(shown.collect(), plan.migrations.len());
    lines.extend(allowed_dangers(plan));
    if !plan.unknown_applied.is_empty() {
        let n = words::count(plan.unknown_applied.len(), "migration");
        lines.push(Line::plain(format!("{n} applied here that this commit does not have")));
    }
    lines
}

/// `20251104120000_likes  creates likes, reversible`.
pub(in super::super) fn migration(migration: &PlannedMigration) -> Line {
    let mut line = Line::default().code(words::stem(migration)).text("  ");
    if !migration.summary.is_empty() {
        line = line.untrusted(migration.summary.as_str()).text(", ");
    }
    line = line.text(if migration.reversible { "reversible" } else { "no way back" });
    if !migration.transactional {
        line = line.text(", outside a transaction");
    }
    match &migration.not_run {
        Some(why) => line.text(DOT).text("not run: ").untrusted(why.as_str()),
        None => line,
    }
}

/// What files allow themselves, in comments that were reviewed with them.
pub(super) fn allowed_dangers(plan: &Plan) -> impl Iterator<Item = Line> {
    let allowed = plan.dangers().filter_map(|danger| Some((danger, danger.allowed.as_deref()?)));
    allowed
        .take(DANGERS_SHOWN_LIMIT)
        .map(|(danger, why)| Line::plain("allowed by its file: ").untrusted(danger.sentence()).text(DOT).untrusted(why))
}

/// The dangers of the migrations that will run, one a line.
fn dangers(plan: &Plan) -> Vec<Line> {
    let all = plan.changing().flat_map(|migration| migration.dangers.iter().map(move |danger| (migration, danger)));
    let mut worth = all.filter(|(_, danger)| danger.is_worth_a_warning());
    let say = |(migration, danger): (&PlannedMigration, &Danger)| {
        let line = Line::default().code(words::stem(migration)).text(" ").untrusted(danger.sentence());
        match danger.detail() {
            Some(detail) => line.text(": ").text(detail).text("."),
            None => line.text("."),
        }
    };
    let mut lines: Vec<_> = worth.by_ref().take(DANGERS_SHOWN_LIMIT).map(say).collect();
    match worth.count() {
        0 => {}
        more => lines.push(Line::plain(format!("{} more of what migrations may cost", more))),
    }
    lines
}

/// What a person who decides must not miss.
pub(super) fn warnings(release: &Release) -> Vec<Block> {
    let ci = release.facts.as_ref().and_then(ci_warning);
    let lost = release.plan.as_ref().and_then(irreversible);
    let costs = release.plan.as_ref().map(dangers).unwrap_or_default();
    ci.into_iter().chain(lost).chain(costs).map(Block::Warning).collect()
}

fn ci_warning(facts: &Facts) -> Option<Line> {
    let ci = &facts.ci.value;
    let line = match ci.state {
        CiState::Green => return None,
        CiState::Pending => Line::plain("CI has not finished"),
        CiState::Red => Line::plain("CI is red"),
        CiState::Missing => return Some(Line::plain("CI: nothing says that this commit was ever tested")),
    };
    let line = line.text(format!(": {} of {} passed", ci.passed, ci.total));
    if ci.failing.is_empty() {
        return Some(line);
    }
    Some(words::untrusted_list(line.text(", failing: "), &ci.failing, ", "))
}

fn irreversible(plan: &Plan) -> Option<Line> {
    let lost: Vec<_> = plan.migrations.iter().filter(|m| !m.reversible && m.not_run.is_none()).collect();
    if lost.is_empty() {
        return None;
    }
    let mut line = Line::plain("No way back: ");
    for (i, migration) in lost.iter().take(IRREVERSIBLE_SHOWN_LIMIT).enumerate() {
        line = if i > 0 { line.text(", ") } else { line }.code(words::stem(migration));
    }
    let more = lost.len().saturating_sub(IRREVERSIBLE_SHOWN_LIMIT);
    let line = if more > 0 { line.text(format!(" and {more} more")) } else { line };
    Some(line.text(if lost.len() == 1 { " has no down migration." } else { " have no down migration." }))
}
