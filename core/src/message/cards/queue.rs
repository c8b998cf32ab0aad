//! What waits for which environment, and for what.

use super::super::{Block, Line, Message};
use super::history::outcome;
use super::status::locked;
use super::words::{self, DOT};
use crate::environment::{Environment, Waiting};
use crate::ids::ReleaseId;
use crate::plan::PlanKind;
use crate::release::Release;
use jiff::Timestamp;

/// How many waiting releases one environment lists.
const WAITING_SHOWN_LIMIT: usize = 10;
/// How many environments one answer shows.
const ENVIRONMENTS_SHOWN_LIMIT: usize = 25;

/// The queues of `environments`; `releases` are those that run or wait there, in any order.
#[must_use]
pub fn queue(environments: &[Environment], releases: &[Release], now: Timestamp) -> Message {
    let waiting: usize = environments.iter().map(|e| e.queue.len()).sum();
    let running = environments.iter().filter(|e| e.running.is_some()).count();
    let headline = match (waiting, running) {
        (0, 0) => Line::plain("Nothing runs and nothing waits."),
        (0, r) => Line::plain(format!("{r} running{DOT}nothing waits")),
        (w, r) => Line::plain(format!("{w} waiting{DOT}{r} running")),
    };
    let mut message = Message::answer(headline, []);
    let busy = environments.iter().filter(|e| e.running.is_some() || !e.queue.is_empty() || e.lock(now).is_some());
    for environment in busy.take(ENVIRONMENTS_SHOWN_LIMIT) {
        let lines = lines(environment, releases, now);
        message.body.push(Block::Field { label: environment.key.to_string(), lines });
    }
    message
}

fn lines(environment: &Environment, releases: &[Release], now: Timestamp) -> Vec<Line> {
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
    lines
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
    let line = line.text(format!("{DOT}for {}", words::rough(words::seconds(waiting.asked_at, now))));
    let reason = release.and_then(|r| r.verdict.as_ref()).and_then(|v| v.reasons().first());
    match reason {
        Some(reason) => line.text(DOT).untrusted(reason.why.as_str()).text(DOT).join(words::clears(reason, Some(now))),
        None => line,
    }
}
