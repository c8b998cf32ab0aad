//! Releases that only migrate: what is applied or taken back, and that nothing is deployed.

use super::super::super::{Block, Line, Mark, Message, Verb};
use super::super::ReleaseView;
use super::super::words::{self, DOT};
use super::migrations::{self, MIGRATIONS_SHOWN_LIMIT};
use super::{actions, approved, field, keeps_serving, message, plan, run};
use crate::ids::EnvironmentName;
use crate::plan::{FilesFrom, Plan, PlanKind, PlannedMigration};
use crate::release::{MigrateWay, Release, StepState};

/// `2 migrations applied`, `1 migration taken back`.
pub(in super::super) fn migrated(release: &Release) -> String {
    let count = release.plan.as_ref().map_or(0, |plan| plan.changing().count());
    let what = if is_down(release) { "taken back" } else { "applied" };
    format!("{} {what}", words::count(count, "migration"))
}

fn is_down(release: &Release) -> bool {
    release.request.kind.plan_kind() == PlanKind::MigrateDown
}

pub(super) fn ended(view: &ReleaseView<'_>) -> Message {
    let release = view.release;
    let mut stands = Line::plain(migrated(release));
    if let (Some(start), Some(end)) = (release.started_at, release.ended_at) {
        stands = stands.text(DOT).text(words::exact(words::seconds(start, end)));
    }
    let mut message = message(view, Mark::Live, stands);
    message.body.extend(approved(release));
    message.body.extend(plan::kept_warnings(release));
    message.body.push(Block::Line(Line::plain("Nothing was deployed: ").join(keeps_serving(release)).text(".")));
    message.body.push(Block::Gap);
    message.body.extend(release.plan.as_ref().map(fields).unwrap_or_default());
    message.body.push(Block::Line(run::steps(release)));
    message.actions = actions([Verb::Details]);
    message
}

/// What goes on while the step runs.
pub(super) fn doing(plan: &Plan) -> String {
    let count = words::count(plan.changing().count(), "migration");
    if is_back(plan) { format!("taking {count} back") } else { format!("applying {count}") }
}

fn is_back(plan: &Plan) -> bool {
    plan.kind == PlanKind::MigrateDown || !plan.taken_back.is_empty()
}

/// Why there is nothing to do.
pub(super) fn nothing(release: &Release) -> &'static str {
    if is_down(release) { "none of them is applied any more" } else { "no migration is pending" }
}

/// The command that asks for the same.
pub(super) fn command(environment: &EnvironmentName, way: &MigrateWay) -> String {
    match way {
        MigrateWay::Up { goes_on: false } => format!("/migrate {environment} up"),
        MigrateWay::Up { goes_on: true } => format!("/migrate {environment} up --continue"),
        MigrateWay::Down { count, .. } => format!("/migrate {environment} down {count}"),
    }
}

/// The migrations, and whose files they are.
pub(super) fn fields(plan: &Plan) -> Vec<Block> {
    let mut blocks = Vec::new();
    if plan.kind == PlanKind::MigrateDown {
        let shown = plan.taken_back.iter().take(MIGRATIONS_SHOWN_LIMIT).map(back);
        let mut lines = words::with_rest(shown.collect(), plan.taken_back.len());
        lines.extend(migrations::allowed_dangers(plan));
        blocks.extend(field("Taken back", lines));
    } else {
        blocks.extend(field("Migrations", migrations::lines(plan)));
    }
    blocks.extend(field("Files", vec![files(plan)]));
    if plan.goes_on {
        let line = "Goes on with the file that an earlier run left half done, after the statements that are done.";
        blocks.push(Block::Warning(Line::plain(line)));
    }
    blocks
}

/// `20251104120000_likes  undoes: creates likes`.
fn back(migration: &PlannedMigration) -> Line {
    let mut line = Line::default().code(words::stem(migration));
    if !migration.summary.is_empty() {
        line = line.text("  undoes: ").untrusted(migration.summary.as_str());
    }
    if migration.transactional { line } else { line.text(", outside a transaction") }
}

fn files(plan: &Plan) -> Line {
    let line = words::commit(Line::plain("of "), &plan.commit);
    match &plan.files_from {
        Some(FilesFrom::Release { id }) => words::release(line.text(", with which "), id).text(" applied them"),
        Some(FilesFrom::Running) => line.text(", which runs; no release of Slipway's applied them"),
        Some(FilesFrom::DefaultBranch) => {
            line.text(", the newest of the default branch; it is not known which commit applied them or runs")
        }
        None => line,
    }
}

/// What a run that took back and did not get to its end leaves in the database.
pub(super) fn taken_back(plan: &Plan, state: StepState) -> Option<Line> {
    match state {
        StepState::Succeeded => {
            let mut line = Line::plain("Taken back: ");
            for (i, migration) in plan.taken_back.iter().take(MIGRATIONS_SHOWN_LIMIT).enumerate() {
                line = if i > 0 { line.text(", ") } else { line }.code(words::stem(migration));
            }
            Some(line)
        }
        StepState::Pending | StepState::Running | StepState::Failed | StepState::Skipped => None,
    }
}
