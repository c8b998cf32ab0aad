//! How a release ends when nothing went wrong: live, refused, stopped, given up.

use super::super::super::{Block, Line, Mark, Message, Verb};
use super::super::ReleaseView;
use super::super::ways_out;
use super::super::words::{self, DOT};
use super::plan::{self, When};
use super::{
    actions, applied, approved, back, because, commit, configuration, cut_over, field, keeps_serving, message,
    migrating, paths, reasons, run, shipping, taken_out, targets,
};
use crate::gate::Course;
use crate::ids::{EnvironmentKey, PersonId, ReleaseId};
use crate::plan::PlanKind;
use crate::policy::Reason;
use crate::release::{Release, RequestKind, Step};
use shipping::nothing_started;

/// How many lines a card shows of what a step that was broken off leaves behind.
const DETAILS_SHOWN_LIMIT: usize = 8;

pub(super) fn live(view: &ReleaseView<'_>) -> Message {
    let release = view.release;
    let again = release.request.kind.plan_kind() == PlanKind::Rollback;
    let dry = release.plan.as_ref().is_some_and(targets::all_dry);
    let mut stands = match (dry, again) {
        (true, _) => Line::plain(format!("dry run target: nothing was deployed{DOT}"))
            .join(commit(release))
            .text(" went through"),
        (false, true) => commit(release).text(" is live again"),
        (false, false) => commit(release).text(" is live"),
    };
    if release.target_count() > 1 {
        stands = stands.text(format!(" on {} targets", release.target_count()));
    }
    if let Some(out) = release.plan.as_ref().filter(|_| !dry).and_then(|plan| taken_out::briefly(plan, When::Past)) {
        stands = stands.text(DOT).text(out);
    }
    let back = release.plan.as_ref().map_or(0, |plan| plan.taken_back.len());
    if back > 0 {
        stands = stands.text(format!("{DOT}{} taken back", words::count(back, "migration")));
    }
    if let (Some(start), Some(end)) = (release.started_at, release.ended_at) {
        stands = stands.text(DOT).text(words::exact(words::seconds(start, end)));
    }
    // After a rollback the commit has been everywhere before.
    let next = view.next.filter(|_| !again && !configuration::is_only(release) && super::mark(view).is_none());
    if let Some(next) = next {
        stands = stands.text(format!("{DOT}next: {next}"));
    }
    let mut message = message(view, Mark::Live, stands);
    message.body.extend(approved(release));
    message.body.extend(plan::kept_warnings(release));
    message.body.push(Block::Gap);
    message.body.extend(plan::fields(release, When::Past));
    message.body.extend(targets::states(release, Step::Verify));
    message.body.extend(release.plan.as_ref().filter(|_| !dry).and_then(targets::dry).map(Block::Line));
    if dry && release.plan.as_ref().is_some_and(|plan| plan.changing().next().is_some()) {
        message.body.push(Block::Line(Line::plain("Migrations were applied all the same.")));
    }
    message.body.push(Block::Line(run::steps(release)));
    message.body.extend(cut_over::promoted(release));
    if let (Some(next), Some(commit)) = (next, &release.commit) {
        let promote = format!("/deploy {next} {}", commit.short());
        message.body.push(Block::Line(Line::plain("Next: ").code(promote)));
    }
    if again {
        message.body.extend(back::mark_what_was_left(release).map(Block::Line));
    }
    message.actions = actions([Verb::Details, Verb::Lock]);
    if next.is_some() && !dry {
        message.actions.insert(0, super::action(Verb::Promote));
    }
    message
}

pub(super) fn denied(view: &ReleaseView<'_>) -> Message {
    let stands = match reasons(view.release) {
        [] => Line::plain("refused"),
        [only] => because(view, "refused", only),
        several => Line::plain(format!("refused for {} reasons", several.len())),
    };
    let mut message = message(view, Mark::Failed, stands);
    message.body.extend(words::reasons(reasons(view.release), true, None).into_iter().map(Block::Line));
    message.body.extend(is_refused_for_mark(view).then(|| way_out_of_mark(view)).flatten().map(Block::Line));
    // What was not started is said already where something was merged before.
    if view.release.merge().is_none() {
        message.body.push(Block::Line(Line::plain("Nothing was started.")));
    }
    message.actions = actions([Verb::Why]);
    message
}

/// Whether it was refused because somebody had marked its commit, and not marked after it was refused for something else.
pub(super) fn is_refused_for_mark(view: &ReleaseView<'_>) -> bool {
    view.marked.is_some() && reasons(view.release).iter().any(Reason::is_known_bad)
}

/// What is refused for a mark is asked for again once that is gone: it has ended, and nothing goes on by itself.
fn way_out_of_mark(view: &ReleaseView<'_>) -> Option<Line> {
    let mark = view.marked?.id.short();
    let line = Line::default().code(format!("/release bad {mark} --undo")).text(" takes that back; then ask again: ");
    let EnvironmentKey { service: _, environment } = &view.release.request.key;
    let command = match (&view.release.request.kind, &view.release.commit) {
        (RequestKind::Deploy | RequestKind::Retry { .. }, Some(commit)) if view.release.request.together.is_none() => {
            format!("/deploy {environment} {}", commit.short())
        }
        _ => command_again(view),
    };
    Some(line.code(command))
}

pub(super) fn cancelled(view: &ReleaseView<'_>, by: &PersonId, details: &[String]) -> Message {
    let release = view.release;
    if let (Some(_), [why, ..]) = (&release.left_out, details) {
        return message(view, Mark::Ended, Line::default().untrusted(why.as_str()));
    }
    let stands = Line::plain("cancelled by ").person(by).text(DOT);
    if release.started_at.is_none() {
        return message(view, Mark::Ended, stands.text(nothing_started(release)));
    }
    let mut message = message(view, Mark::Ended, stands.join(keeps_serving(release)));
    let lines = details.iter().take(DETAILS_SHOWN_LIMIT).map(|line| Line::default().untrusted(line.as_str()));
    message.body.extend(words::with_rest(lines.collect(), details.len()).into_iter().map(Block::Line));
    message.body.extend(applied(release).map(Block::Line));
    message.body.extend(plan::kept_warnings(release));
    message.body.push(Block::Line(run::steps(release)));
    message.actions = actions([Verb::Details]);
    message
}

pub(super) fn expired(view: &ReleaseView<'_>) -> Message {
    let missing = words::missing(reasons(view.release));
    let stands = match missing.is_empty() {
        true => Line::plain("expired"),
        false => {
            let slots = words::slots_or(&missing);
            Line::plain(format!("expired without approval: {slots}"))
        }
    };
    let mut message = message(view, Mark::Ended, stands.text(DOT).text(nothing_started(view.release)));
    message.body.extend(field("Was waiting for", words::reasons(reasons(view.release), false, None)));
    message.body.push(Block::Line(ask_again(view)));
    message.actions = actions([Verb::Why]);
    message
}

fn ask_again(view: &ReleaseView<'_>) -> Line {
    Line::plain("To ask again: ").code(command_again(view))
}

fn command_again(view: &ReleaseView<'_>) -> String {
    let environment = &view.release.request.key.environment;
    match &view.release.request.kind {
        RequestKind::Deploy if view.release.request.together.is_some() => {
            super::together::for_all(view.release, environment)
        }
        RequestKind::Deploy | RequestKind::Retry { .. } => format!("/deploy {environment}"),
        RequestKind::Rollback { .. } => format!("/rollback {environment}"),
        RequestKind::Migrate { way, .. } => migrating::command(environment, way),
        RequestKind::Config { .. } => configuration::command(environment),
        // Once it is merged, there is nothing left to ship.
        RequestKind::Ship { pull, .. } => match &view.release.commit {
            None => shipping::command(environment, *pull),
            Some(commit) => format!("/deploy {environment} {}", commit.short()),
        },
    }
}

pub(super) fn superseded(view: &ReleaseView<'_>, by: &ReleaseId) -> Message {
    let stands = words::release(Line::plain("superseded by "), by).text(DOT).text(nothing_started(view.release));
    let mut message = message(view, Mark::Ended, stands);
    let line = Line::plain("The newer request contains ").join(commit(view.release)).text(".");
    message.body.push(Block::Line(line));
    message
}

pub(super) fn dry_run(view: &ReleaseView<'_>) -> Message {
    let release = view.release;
    if let (None, Some(shipped)) = (&release.plan, &release.ships) {
        return shipping::dry_run(view, shipped);
    }
    let free = reasons(release).is_empty() && release.verdict.as_ref().is_some_and(|v| v.course() == Course::DryRun);
    let found = if free { "it could start now" } else { "it would have to wait" };
    // An image that is not there is built even then: without it nothing can be said of it.
    let started = if release.build_run.is_some() { "only CI was started".to_owned() } else { nothing_started(release) };
    let mut message = message(view, Mark::Ended, Line::plain(format!("dry run: {found}{DOT}{started}")));
    message.body.extend(plan::warnings(release));
    message.body.extend(plan::fields(release, When::Standing));
    message.body.extend(field("Would wait for", words::reasons(reasons(release), false, None)));
    message.actions = actions([Verb::Details]);
    message
}

pub(super) fn nothing_to_do(view: &ReleaseView<'_>) -> Message {
    if view.release.request.kind.plan_kind().only_migrates() {
        return message(view, Mark::Ended, Line::plain("nothing to do: ").text(migrating::nothing(view.release)));
    }
    if configuration::is_only(view.release) {
        return configuration::nothing(view);
    }
    let untouched = paths::had_nothing_to_do(view.release);
    let by_name = untouched.is_some().then(|| all_the_same(view));
    let why = untouched.unwrap_or_else(|| commit(view.release).text(" runs already"));
    let mut message = message(view, Mark::Ended, Line::plain("nothing to do: ").join(why));
    if view.release.request.kind.plan_kind() != PlanKind::Rollback {
        message.body.push(Block::Line(Line::plain("No migration is pending.")));
    }
    let changed = view.release.plan.as_ref().map(configuration::lines).unwrap_or_default();
    if !changed.is_empty() {
        message.body.extend(field("Configuration", changed));
        let command = configuration::command(&view.release.request.key.environment);
        message.body.push(Block::Line(Line::plain("To deploy that alone: ").code(command)));
    }
    message.body.extend(once_more(view.release).map(Block::Line));
    message.body.extend(by_name.map(Block::Line));
    message
}

/// Whoever tries again what runs already may want it started anew. Where its settings are known to be as they were, there is
/// nothing to start; where they are others, that is said already.
fn once_more(release: &Release) -> Option<Line> {
    Some(Line::plain("To start it once more and verify it: ").code(ways_out::starts_once_more(release)?))
}

/// Who names a service gets it.
fn all_the_same(view: &ReleaseView<'_>) -> Line {
    let EnvironmentKey { service, environment } = &view.release.request.key;
    Line::plain("To deploy it all the same: ").code(format!("/deploy {environment} --service {service}"))
}
