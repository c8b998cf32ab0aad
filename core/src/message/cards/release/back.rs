//! What going back is about: the migrations between, a rollback that nobody asked for, what is known to be bad.

use super::super::super::{Block, Line};
use super::super::words::{self, DOT};
use super::migrations::{self, MIGRATIONS_SHOWN_LIMIT};
use super::{commit, field};
use crate::migration::{Danger, DownTrial, Rehearsal};
use crate::plan::{Plan, PlannedMigration};
use crate::release::{AutomaticRollback, Failure, KnownBad, Outcome, Release, Step};

/// What a rollback does about the migrations that the older version does not know.
pub(super) fn between(plan: &Plan) -> Vec<Block> {
    if !plan.taken_back.is_empty() {
        let shown = plan.taken_back.iter().take(MIGRATIONS_SHOWN_LIMIT).map(one);
        let mut lines = words::with_rest(shown.collect(), plan.taken_back.len());
        lines.push(Line::plain("once the older version is live and verified, the newest first"));
        lines.extend(plan.between.files.as_ref().map(|files| words::commit(Line::plain("with the files of "), files)));
        lines.extend(plan.rehearsal.as_ref().and_then(rehearsed));
        return field("Taken back", lines).into_iter().collect();
    }
    let between = &plan.between;
    let mut lines = Vec::new();
    if let Some(why) = &between.unknown {
        lines.push(
            Line::plain("which of them the older version does not know could not be told: ").untrusted(why.as_str()),
        );
    }
    if !plan.unknown_applied.is_empty() {
        let n = words::count(plan.unknown_applied.len(), "migration");
        lines.push(Line::plain(format!("{n} applied here that no commit at hand has a file of")));
    }
    if between.migrations.is_empty() {
        if lines.is_empty() {
            lines.push(Line::plain("none stand between"));
        }
        return field("Migrations", lines).into_iter().collect();
    }
    let shown = between.migrations.iter().take(MIGRATIONS_SHOWN_LIMIT).map(one);
    let mut all = words::with_rest(shown.collect(), between.migrations.len());
    all.extend(lines);
    all.push(Line::plain("the older version does not know them; they stay applied without ").code("--migrations"));
    field("Stay applied", all).into_iter().chain(no_way_back(plan).map(Block::Warning)).collect()
}

/// `20251104120000_likes  creates likes, its way back drops data`.
pub(in super::super) fn one(migration: &PlannedMigration) -> Line {
    let mut line = Line::default().code(words::stem(migration)).text("  ");
    if !migration.summary.is_empty() {
        line = line.untrusted(migration.summary.as_str()).text(", ");
    }
    line.text(match migration.reversible {
        false => "no way back",
        true if migration.dangers.iter().any(Danger::is_destructive) => "its way back drops data",
        true => "reversible",
    })
}

fn no_way_back(plan: &Plan) -> Option<Line> {
    let stuck: Vec<_> = plan.between.migrations.iter().filter(|migration| !migration.reversible).collect();
    let line = migrations::named(Line::plain("Cannot be taken back: "), &stuck);
    let them = if stuck.len() == 1 { " has" } else { " have" };
    (!stuck.is_empty()).then(|| line.text(them).text(" no down migration, whatever is rolled back."))
}

fn rehearsed(rehearsal: &Rehearsal) -> Option<Line> {
    match rehearsal {
        Rehearsal::Done { trials } if trials.iter().any(|trial| matches!(trial.down, DownTrial::Leaves { .. })) => {
            Some(Line::plain("rehearsed on an empty copy: the way back works, and leaves another schema behind"))
        }
        Rehearsal::Done { .. } => Some(Line::plain("rehearsed on an empty copy: down, up and down again")),
        Rehearsal::Not { .. } => None,
    }
}

/// `marked as known to be bad by bob at 15:02: loses sessions`.
pub(in super::super) fn known_bad(mark: &KnownBad) -> Line {
    let line = Line::plain("marked as known to be bad by ").person(&mark.by).text(" at ").time(mark.at);
    match &mark.reason {
        Some(reason) => line.text(": ").untrusted(reason.as_str()),
        None => line,
    }
}

/// What came of the setting that a failed verification is rolled back.
pub(super) fn automatic(rollback: &AutomaticRollback) -> Line {
    match rollback {
        AutomaticRollback::Asked { release, commit } => {
            let line = Line::plain("Rollback asked for by Slipway, if the rules let it: ");
            words::commit(words::release(line, release).text(" goes back to "), commit).text(".")
        }
        AutomaticRollback::Not { why } => Line::plain("Not rolled back by itself: ").untrusted(why.as_str()),
    }
}

/// The first line of a rollback whose older version is live although something after that failed.
pub(super) fn live_all_the_same(release: &Release) -> Line {
    commit(release).text(" is live again").text(DOT).text("the migrations between were not all taken back")
}

/// What to do about the version that a rollback has left.
pub(super) fn mark_what_was_left(release: &Release) -> Option<Line> {
    let from = release.went_from()?;
    let line = Line::plain("If the version that it replaces is bad, say so, and nothing brings it back: ");
    Some(line.code(format!("/release bad {} \"why\"", from.short())))
}

/// Where a rollback is under way already, it is the way out.
pub(super) fn way_out(release: &Release, failure: &Failure) -> Option<Line> {
    let is_verify = matches!(release.outcome, Some(Outcome::Failed { step: Some(Step::Verify), .. }));
    match &release.automatic {
        Some(AutomaticRollback::Asked { release: back, .. }) if is_verify && !failure.request_is_wrong => {
            let line = Line::plain("Next: ").code(format!("/release why {}", back.short()));
            Some(line.text(" tells how the rollback stands"))
        }
        _ => None,
    }
}
