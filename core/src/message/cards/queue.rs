//! What waits for which environment, and for what.

use super::super::{Block, Line, Message};
use super::QueueIntents;
use super::history::outcome;
use super::status::locked;
use super::words::{self, DOT};
use crate::environment::{Environment, Waiting};
use crate::ids::ReleaseId;
use crate::plan::PlanKind;
use crate::release::{Outcome, Release};
use jiff::Timestamp;

/// How many waiting releases one environment lists.
const WAITING_SHOWN_LIMIT: usize = 10;
/// How many environments one answer shows.
const ENVIRONMENTS_SHOWN_LIMIT: usize = 25;

/// How many superseded releases one environment lists.
const SUPERSEDED_SHOWN_LIMIT: usize = 3;

/// The queues with what is known around them.
#[derive(Clone, Copy, Debug)]
pub struct QueueView<'a> {
    /// The environments.
    pub environments: &'a [Environment],
    /// The releases that run or wait there, and those that were superseded there lately, in any order.
    pub releases: &'a [Release],
    /// The deployments that are to be asked for later.
    pub intents: QueueIntents<'a>,
}

/// Who waits for what, in which order, and what would clear it.
#[must_use]
pub fn queue(view: &QueueView<'_>, now: Timestamp) -> Message {
    let QueueView { environments, releases, intents } = *view;
    let waiting: usize = environments.iter().map(|e| e.queue.len()).sum();
    let running = environments.iter().filter(|e| e.running.is_some()).count();
    let headline = match (waiting, running) {
        (0, 0) if intents.0.is_empty() => Line::plain("Nothing runs and nothing waits."),
        (0, 0) => Line::plain("nothing runs, nothing waits"),
        (0, r) => Line::plain(format!("{r} running{DOT}nothing waits")),
        (w, r) => Line::plain(format!("{w} waiting{DOT}{r} running")),
    };
    let headline = match intents.0.len() {
        0 => headline,
        n => headline.text(format!("{DOT}{n} for later")),
    };
    let mut message = Message::answer(headline, []);
    let all = environments.iter().map(|environment| (environment, lines(environment, releases, intents, now)));
    for (environment, lines) in all.filter(|(_, lines)| !lines.is_empty()).take(ENVIRONMENTS_SHOWN_LIMIT) {
        message.body.push(Block::Field { label: environment.key.to_string(), lines });
    }
    message
}

fn lines(environment: &Environment, releases: &[Release], intents: QueueIntents<'_>, now: Timestamp) -> Vec<Line> {
    let find = |id: &ReleaseId| releases.iter().find(|r| r.id == *id);
    let mut lines: Vec<_> = environment.lock(now).map(|lock| locked(lock, now)).into_iter().collect();
    if let Some(id) = &environment.running {
        let line = Line::default().code(id.short()).text("  ");
        lines.push(match find(id) {
            Some(release) => who(line.join(outcome(release)), release),
            None => line.text("◐ running"),
        });
    }
    let shown = environment.queue.iter().take(WAITING_SHOWN_LIMIT).enumerate();
    let shown = shown.map(|(i, waiting)| line(i + 1, waiting, find(&waiting.release), now));
    lines.extend(words::with_rest(shown.collect(), environment.queue.len()));
    lines.extend(intents.lines(environment, WAITING_SHOWN_LIMIT));
    let theirs = releases.iter().filter(|release| release.request.key == environment.key);
    lines.extend(theirs.filter_map(|release| superseded(release, now)).take(SUPERSEDED_SHOWN_LIMIT));
    lines
}

/// `superseded: 01JD7Q4N  ana, 4c1f9e2 · by release 01JD7Q5M, which contains it · 4 min ago`.
fn superseded(release: &Release, now: Timestamp) -> Option<Line> {
    let Some(Outcome::Superseded { by }) = &release.outcome else { return None };
    let line = Line::plain("superseded: ").code(release.id.short()).text("  ").person(&release.request.requester);
    let line = match &release.commit {
        Some(commit) => words::commit(line.text(", "), commit),
        None => line,
    };
    let line = words::release(line.text(DOT).text("by "), by).text(", which contains it");
    let ago = release.ended_at.map(|at| format!("{DOT}{} ago", words::rough(words::seconds(at, now))));
    Some(line.text(ago.unwrap_or_default()))
}

fn who(line: Line, release: &Release) -> Line {
    let line = line.text(DOT).person(&release.request.requester);
    match &release.commit {
        Some(commit) => words::commit(line.text(", "), commit),
        None => line,
    }
}

/// `1. 01JD7Q4N  ana, 4c1f9e2 · for 12 min · locked by …`.
fn line(place: usize, waiting: &Waiting, release: Option<&Release>, now: Timestamp) -> Line {
    let line = Line::plain(format!("{place}. ")).code(waiting.release.short()).text("  ");
    let line = words::commit(line.person(&waiting.requester).text(", "), &waiting.commit);
    let line = match waiting.kind {
        PlanKind::Deploy => line,
        PlanKind::Rollback => line.text(", rollback"),
        PlanKind::MigrateUp | PlanKind::MigrateDown => line.text(", migrations only"),
        PlanKind::Config => line.text(", configuration only"),
    };
    let line = match &waiting.bumped {
        Some(bumped) => line.text(", put first by ").person(&bumped.by),
        None => line,
    };
    let line = line.text(format!("{DOT}for {}", words::rough(words::seconds(waiting.asked_at, now))));
    let reason = release.and_then(|r| r.verdict.as_ref()).and_then(|v| v.reasons().first());
    match reason {
        Some(reason) => {
            let line = line.text(DOT).untrusted(words::phrase(&reason.why)).text(DOT);
            line.join(words::clears(reason, Some(now)))
        }
        None => line,
    }
}
