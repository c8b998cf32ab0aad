//! Failures, told as they are: what happened, what still runs, what stays applied, the way out.

use super::super::super::{Block, Line, Mark, Message, Verb};
use super::super::ReleaseView;
use super::super::first;
use super::super::ways_out;
use super::super::words::{self, DOT};
use super::{actions, applied, back, commit, keeps_serving, message, plan, run, shipping, subject, targets, together};
use crate::release::{Failure, Release, Step};

/// How many lines of a failure a card shows.
const DETAILS_SHOWN_LIMIT: usize = 8;
/// How many ways out a card names.
const NEXT_SHOWN_LIMIT: usize = 4;
/// How many lines of a log's tail a card shows.
const LOG_LINES_LIMIT: usize = 12;
/// How many characters of a log's tail a card shows.
const LOG_CHARS_LIMIT: usize = 1_500;

pub(super) fn failed(view: &ReleaseView<'_>, step: Option<Step>, failure: &Failure) -> Message {
    let release = view.release;
    let mut message = message(view, Mark::Failed, stands(view, step));
    message.body.push(Block::Line(what(release, step, failure)));
    message.body.extend(details(&without_first_line(release, failure)));
    message.body.extend(still_true(release, step));
    message.body.extend(applied(release).map(Block::Line));
    if release.started_at.is_some() {
        message.body.extend(plan::kept_warnings(release));
        message.body.push(Block::Line(run::steps(release)));
    }
    message.body.push(Block::Line(way_out(release, step, failure)));
    let verbs = [Verb::Rerun, Verb::Retry, Verb::Details, Verb::Lock].into_iter().filter(|verb| match verb {
        Verb::Retry => !failure.request_is_wrong && !ways_out::runs_already(release, step),
        Verb::Rerun => release.failed_in_ci(),
        _ => release.plan.is_some(),
    });
    message.actions = actions(verbs);
    message
}

/// What the first line has said of it already is not said again.
fn without_first_line(release: &Release, failure: &Failure) -> Failure {
    let is_said = release.started_at.is_none() && shipping::nothing_started(release) == "nothing was started";
    let mut failure = failure.clone();
    failure.details.retain(|line| !(is_said && line == "Nothing was started."));
    failure
}

/// The first line: in which step, after how long, what serves.
fn stands(view: &ReleaseView<'_>, step: Option<Step>) -> Line {
    let release = view.release;
    let started = release.started_at.is_some();
    let untouched = || if started { keeps_serving(release) } else { Line::plain(shipping::nothing_started(release)) };
    let after = step.map_or(String::new(), |step| after(release, step));
    match step {
        None if release.plan.is_some() => Line::plain("given up while waiting").text(DOT).join(untouched()),
        None => Line::plain("planning failed").text(DOT).join(untouched()),
        Some(Step::Ci) => Line::plain("CI is not green for ").join(commit(release)).text(DOT).join(untouched()),
        Some(Step::Image) if !started => Line::plain("no image for ").join(commit(release)).text(DOT).join(untouched()),
        Some(Step::Image) => Line::plain("the image is not the planned one").text(DOT).join(untouched()),
        Some(Step::Migrate) if release.brought_live().is_some() => back::live_all_the_same(release),
        Some(Step::Migrate) => Line::plain(format!("migration failed{after}{DOT}")).join(untouched()),
        Some(Step::Deploy) if is_untouched(release) => {
            Line::plain(format!("the deployment did not start{DOT}")).join(untouched())
        }
        Some(Step::Deploy) => {
            let line = Line::plain("deployment of ").join(commit(release)).text(format!(" failed{after}"));
            line.text(nth_target(release, &format!("{DOT}target ")))
        }
        Some(Step::Verify) => {
            let live = |after: &str| {
                Line::plain(format!("verification failed{after}{DOT}"))
                    .join(commit(release))
                    .text(" is live, unverified")
            };
            // What serves is more than how long it was asked.
            let whole = live(&after);
            if first::fits(&subject(view, "").join(whole.clone())) { whole } else { live("") }
        }
    }
}

fn after(release: &Release, step: Step) -> String {
    let record = release.steps.get(step);
    match (record.started_at, record.ended_at) {
        (Some(start), Some(end)) => format!(" after {}", words::exact(words::seconds(start, end))),
        _ => String::new(),
    }
}

/// Whether no target has been asked for anything.
fn is_untouched(release: &Release) -> bool {
    release.operation.is_none() && release.target == 0
}

/// Which target, where there are several.
fn nth_target(release: &Release, lead: &str) -> String {
    match release.target_count() {
        0 | 1 => String::new(),
        n => format!("{lead}{} of {n}", release.target + 1),
    }
}

/// What happened, with the target's operation.
fn what(release: &Release, step: Option<Step>, failure: &Failure) -> Line {
    let line = Line::default().untrusted(failure.what.as_str());
    match (&release.operation, step) {
        (Some(id), Some(Step::Deploy)) => line.text(" (operation ").code(words::operation(id)).text(")"),
        _ => line,
    }
}

fn details(failure: &Failure) -> Vec<Block> {
    let lines = failure.details.iter().take(DETAILS_SHOWN_LIMIT).map(|line| Line::default().untrusted(line.as_str()));
    let lines = words::with_rest(lines.collect(), failure.details.len());
    let log = failure
        .log_tail
        .as_deref()
        .map(|log| words::tail(log, LOG_LINES_LIMIT, LOG_CHARS_LIMIT))
        .filter(|log| !log.trim().is_empty())
        .map(Block::Code);
    lines.into_iter().map(Block::Line).chain(log).collect()
}

/// What a reader must know besides the failure's own words.
fn still_true(release: &Release, step: Option<Step>) -> Vec<Block> {
    let mut blocks = Vec::new();
    match step {
        Some(Step::Deploy) => {
            blocks.extend(targets::what_runs(release, false).map(Block::Warning));
            if release.operation.is_some() {
                let line = "No rollback was reported: make sure which version serves.";
                blocks.push(Block::Line(Line::plain(line)));
            }
        }
        Some(Step::Verify) => {
            let line = commit(release).text(" takes the traffic; nothing was put back by itself.");
            blocks.push(Block::Line(release.automatic.as_ref().map_or(line, back::automatic)));
        }
        None | Some(Step::Ci | Step::Image | Step::Migrate) => {}
    }
    blocks
}

fn way_out(release: &Release, step: Option<Step>, failure: &Failure) -> Line {
    let next = Line::plain("Next: ");
    if let Some(line) = back::way_out(release, failure) {
        return line;
    }
    if !failure.next.is_empty() {
        let ways: Vec<_> =
            failure.next.iter().take(NEXT_SHOWN_LIMIT).map(|way| together::way_out(release, way)).collect();
        return words::untrusted_list(next, &ways, DOT);
    }
    match step {
        _ if failure.request_is_wrong => {
            next.text("put that right, then ask again; the same request would end the same way")
        }
        _ if ways_out::runs_already(release, step) => {
            let (command, which) = ways_out::another_commit(&release.request.key.environment);
            next.code(together::way_out(release, &command)).text(format!(" {which}"))
        }
        _ => next.join(retry(release)),
    }
}

fn retry(release: &Release) -> Line {
    Line::default().code(format!("/release retry {}", release.id.short()))
}

pub(super) fn rolled_back(view: &ReleaseView<'_>, failure: &Failure) -> Message {
    let release = view.release;
    let after = after(release, Step::Deploy);
    let thing = match nth_target(release, "target ") {
        one if one.is_empty() => "the deployment".to_owned(),
        target => target,
    };
    let stands = Line::plain(format!("{} rolled {thing} back{after}{DOT}", platform(release)));
    let stands = if release.target > 0 { stands.join(mixed(release)) } else { stands.join(keeps_serving(release)) };
    let mut message = message(view, Mark::Failed, stands);
    message.body.push(Block::Line(operation(release, failure)));
    message.body.extend(details(failure));
    let appearance = match kind(release) {
        Some("app-runner") => "The service shows RUNNING because the old version runs; the new one never took traffic.",
        Some("ecs-express") => {
            "The service shows ACTIVE because the old version runs; the new one was taken out again."
        }
        _ => "",
    };
    if !appearance.is_empty() {
        message.body.push(Block::Line(Line::plain(appearance)));
    }
    message.body.extend(targets::what_runs(release, true).map(Block::Warning));
    message.body.extend(applied(release).map(Block::Line));
    message.body.extend(plan::kept_warnings(release));
    message.body.push(Block::Line(run::steps(release)));
    message.body.push(Block::Line(way_out(release, Some(Step::Deploy), failure)));
    message.actions = actions([Verb::Retry, Verb::Details, Verb::Lock]);
    message
}

fn mixed(release: &Release) -> Line {
    Line::plain(format!("{} already on ", words::count(release.target, "target"))).join(commit(release))
}

fn kind(release: &Release) -> Option<&str> {
    Some(release.plan.as_ref()?.targets.get(release.target)?.kind.as_str())
}

fn is_app_runner(release: &Release) -> bool {
    kind(release) == Some("app-runner")
}

fn platform(release: &Release) -> &'static str {
    match kind(release) {
        Some("app-runner" | "ecs-express") => "AWS",
        _ => "The platform",
    }
}

/// The platform's own words with its operation and that operation's status.
fn operation(release: &Release, failure: &Failure) -> Line {
    let line = Line::default().untrusted(failure.what.as_str());
    // An App Runner operation after which the old version serves has this status and no other.
    let status = if is_app_runner(release) && !failure.what.contains(ROLLED_BACK) { Some(ROLLED_BACK) } else { None };
    match (&release.operation, status) {
        (Some(id), Some(status)) => {
            line.text(" (operation ").code(words::operation(id)).text(", ").code(status).text(")")
        }
        (Some(id), None) => line.text(" (operation ").code(words::operation(id)).text(")"),
        (None, Some(status)) => line.text(" (").code(status).text(")"),
        (None, None) => line,
    }
}

const ROLLED_BACK: &str = "ROLLBACK_SUCCEEDED";
