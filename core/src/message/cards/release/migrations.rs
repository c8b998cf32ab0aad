//! What migrations do and cost, for whoever decides and for whoever knows the database.

use super::super::super::Line;
use super::super::by_hand;
use super::super::words::{self, DOT};
use crate::migration::{Danger, DownTrial, IgnoredComment, Rehearsal, Touched};
use crate::plan::{Plan, PlannedMigration};

/// How many dangers one card names.
const DANGERS_SHOWN_LIMIT: usize = 5;
/// How many migrations a card lists.
pub(in super::super) const MIGRATIONS_SHOWN_LIMIT: usize = 8;
/// How many migrations one warning names.
const NAMED_LIMIT: usize = 3;
/// How many differences of a schema one warning names.
const DIFFERENCES_SHOWN_LIMIT: usize = 3;
/// How much of a database's message a warning shows.
const MESSAGE_LIMIT_CHARS: usize = 160;

/// The pending ones, and what became of their trial.
pub(in super::super) fn lines(plan: &Plan) -> Vec<Line> {
    let mut lines = Vec::new();
    if plan.migrations.is_empty() {
        lines.push(Line::plain("none pending"));
    } else {
        let shown = plan.migrations.iter().take(MIGRATIONS_SHOWN_LIMIT).map(migration);
        lines = words::with_rest(shown.collect(), plan.migrations.len());
        lines.extend(plan.rehearsal.as_ref().and_then(rehearsed));
        lines.extend(allowed_dangers(plan));
    }
    lines.extend(by_hand::migrations(plan));
    // Beside commits that are taken out it is said in the warning.
    lines.extend(super::taken_out::left_behind(plan).filter(|_| plan.takes_out.is_empty()));
    lines
}

/// `20251104120000_likes  creates likes, reversible`.
pub(in super::super) fn migration(migration: &PlannedMigration) -> Line {
    let mut line = Line::default().code(words::stem(migration)).text("  ");
    if !migration.summary.is_empty() {
        line = line.untrusted(migration.summary.as_str()).text(", ");
    }
    line = line.text(match (migration.reversible, migration.down_loses_data) {
        (false, _) => "no way back",
        (true, false) => "reversible",
        (true, true) => "reversible, but its way back drops data",
    });
    if !migration.transactional {
        line = line.text(", outside a transaction");
    }
    if migration.late {
        line = line.text(", older than what is applied, runs all the same");
    }
    match &migration.not_run {
        Some(why) => line.text(DOT).text("not run: ").untrusted(why.as_str()),
        None => line,
    }
}

/// Whether they were tried.
fn rehearsed(rehearsal: &Rehearsal) -> Option<Line> {
    Some(match rehearsal {
        Rehearsal::Not { why } if why.is_empty() => Line::plain("not rehearsed"),
        Rehearsal::Not { why } => Line::plain("not rehearsed: ").untrusted(why.as_str()),
        Rehearsal::Done { trials } if trials.is_empty() => return None,
        Rehearsal::Done { trials } if trials.iter().all(|trial| trial.down == DownTrial::None) => {
            Line::plain("rehearsed on an empty copy: up")
        }
        Rehearsal::Done { trials } if trials.iter().any(|trial| matches!(trial.down, DownTrial::Fails { .. })) => {
            Line::plain("rehearsed on an empty copy: up works, a way back does not")
        }
        Rehearsal::Done { trials } => {
            let mut lacking = trials.iter().filter(|trial| matches!(trial.down, DownTrial::None)).peekable();
            let mut untried = trials.iter().filter(|trial| matches!(trial.down, DownTrial::NotTried { .. })).peekable();
            Line::plain(match (lacking.peek(), untried.peek()) {
                // Why it was not tried is a warning of its own.
                (_, Some(_)) => "rehearsed on an empty copy: up, not every way back",
                (Some(_), None) => "rehearsed on an empty copy: up, down where there is a way back, and up again",
                (None, None) => "rehearsed on an empty copy: up, down and up again",
            })
        }
    })
}

/// What files allow themselves, in comments that were reviewed with them.
pub(super) fn allowed_dangers(plan: &Plan) -> impl Iterator<Item = Line> {
    let allowed = plan.dangers().filter_map(|danger| Some((danger, danger.allowed.as_deref()?)));
    allowed
        .take(DANGERS_SHOWN_LIMIT)
        .map(|(danger, why)| Line::plain("allowed by its file: ").untrusted(danger.sentence()).text(DOT).untrusted(why))
}

/// What somebody who decides must not miss.
pub(in super::super) fn warnings(plan: &Plan) -> Vec<Line> {
    let mut lines: Vec<_> = no_way_back(plan).into_iter().chain(data_is_lost(plan)).collect();
    let mut costs = plan.changing().flat_map(|migration| costs(plan, migration));
    lines.extend(costs.by_ref().take(DANGERS_SHOWN_LIMIT));
    match costs.count() {
        0 => {}
        more => lines.push(Line::plain(format!("{more} more of what migrations may cost"))),
    }
    lines.extend(plan.trials().filter_map(|(migration, trial)| way_back(migration, &trial.down)).take(NAMED_LIMIT));
    lines.extend(edited(plan));
    lines.extend(ignored(plan));
    lines.extend(plan.half_done.iter().map(|half| Line::default().untrusted(half.warning(plan.goes_on)).text(".")));
    lines
}

/// What one migration costs: as its trial showed, and as its statements say where no trial can know.
fn costs(plan: &Plan, migration: &PlannedMigration) -> Vec<Line> {
    let begin = || Line::default().code(words::stem(migration)).text(" ");
    let tried = plan.touched(migration).filter(|touched| touched.blocks()).map(|touched| {
        let said = migration.dangers.iter().find(|danger| danger.allowed.is_none() && touched.is_about(danger));
        let meanwhile = meanwhile(touched);
        match said {
            Some(danger) => {
                let line = begin().untrusted(danger.sentence()).text(": ").text(meanwhile).text(". ");
                line.untrusted(touched.lock_line()).text(". Safer: ").text(lower(danger.safer()))
            }
            None => begin().untrusted(touched.lock_line()).text(": ").text(meanwhile).text("."),
        }
    });
    let shown = |danger: &Danger| plan.touched(migration).any(|touched| touched.blocks() && touched.is_about(danger));
    let said = plan.counted(migration).filter(|danger| danger.is_worth_a_warning() && !shown(danger)).map(|danger| {
        let mut line = begin().untrusted(danger.sentence());
        match (danger.detail(), danger.lock_line()) {
            (Some(_), Some(lock)) => {
                let meanwhile = danger.meanwhile().unwrap_or_default();
                line = line.text(": ").text(meanwhile).text(". ").untrusted(lock);
            }
            (Some(detail), None) => line = line.text(": ").text(detail),
            (None, Some(lock)) => line = line.text(". ").untrusted(lock),
            (None, None) => {}
        }
        line.text(". Safer: ").text(lower(danger.safer()))
    });
    tried.chain(said).collect()
}

/// A sentence as it goes on after a colon.
fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn meanwhile(touched: &Touched) -> &'static str {
    match touched.lock.keeps_readers_out() {
        true => "nobody can use it meanwhile",
        false => "nobody can write to it meanwhile",
    }
}

/// How the way back failed, if it did.
fn way_back(migration: &PlannedMigration, down: &DownTrial) -> Option<Line> {
    let line = Line::default().code(words::stem(migration));
    match down {
        DownTrial::None | DownTrial::Restores => None,
        DownTrial::Leaves { differences } => {
            let shown: Vec<_> = differences.iter().take(DIFFERENCES_SHOWN_LIMIT).cloned().collect();
            let line = line.text(": its way back was rehearsed, and left another schema behind");
            let line = if shown.is_empty() { line } else { words::untrusted_list(line.text(": "), &shown, ", ") };
            let more = differences.len() - shown.len();
            Some(if more > 0 { line.text(format!(" and {more} more")) } else { line })
        }
        DownTrial::Fails { message } => {
            let message: String =
                message.lines().next().unwrap_or_default().chars().take(MESSAGE_LIMIT_CHARS).collect();
            Some(line.text(": its way back was rehearsed, and failed: ").untrusted(message))
        }
        DownTrial::NotTried { why } => Some(line.text(": its way back was not tried: ").untrusted(why.as_str())),
    }
}

fn edited(plan: &Plan) -> Option<Line> {
    let named: Vec<_> = plan.edited.iter().take(NAMED_LIMIT).cloned().collect();
    let line = words::untrusted_list(Line::plain("Edited after being applied: "), &named, ", ");
    let line = match plan.edited.len() - named.len() {
        0 => line,
        more => line.text(format!(" and {more} more")),
    };
    (!named.is_empty()).then(|| line.text(". The database has what they said before."))
}

/// Comments that were meant to allow something. What they do not allow is told as a danger beside them.
fn ignored(plan: &Plan) -> Vec<Line> {
    let all = plan.changing().flat_map(|migration| migration.ignored.iter().map(move |comment| (migration, comment)));
    let line = |(migration, comment): (&PlannedMigration, &IgnoredComment)| {
        let begin = Line::default().code(words::stem(migration)).text(format!(" line {}: ", comment.line));
        begin.untrusted(comment.message.as_str())
    };
    all.take(NAMED_LIMIT).map(line).collect()
}

/// The migrations that something is said of, as names.
pub(super) fn named(line: Line, migrations: &[&PlannedMigration]) -> Line {
    let mut line = line;
    for (i, migration) in migrations.iter().take(NAMED_LIMIT).enumerate() {
        line = if i > 0 { line.text(", ") } else { line }.code(words::stem(migration));
    }
    let more = migrations.len().saturating_sub(NAMED_LIMIT);
    if more > 0 { line.text(format!(" and {more} more")) } else { line }
}

fn no_way_back(plan: &Plan) -> Option<Line> {
    let lost: Vec<_> = plan.will_run().filter(|migration| !migration.reversible).collect();
    if lost.is_empty() {
        return None;
    }
    let line = named(Line::plain("No way back: "), &lost);
    Some(line.text(if lost.len() == 1 { " has no down migration." } else { " have no down migration." }))
}

fn data_is_lost(plan: &Plan) -> Option<Line> {
    let line = Line::plain("A rollback past this point cannot bring the data back: ");
    Some(named(line, &losing(plan)?).text("."))
}

/// The same once it has happened: `a rollback does not bring back the data of 20251028101500_users_bio`.
pub(in super::super) fn data_not_brought_back(plan: &Plan) -> Option<Line> {
    let line = Line::plain("a rollback does not bring back the data of ");
    Some(named(line, &losing(plan)?))
}

fn losing(plan: &Plan) -> Option<Vec<&PlannedMigration>> {
    let loses = |migration: &&PlannedMigration| migration.dangers.iter().any(Danger::is_destructive);
    let lost: Vec<_> = plan.will_run().filter(loses).collect();
    (!lost.is_empty()).then_some(lost)
}
