//! Breaking the glass, told to everybody.

use super::super::{Block, Line, Mark, Message};
use super::first;
use super::words::{self, DOT};
use crate::environment::Lock;
use crate::ids::EnvironmentKey;
use crate::policy::{Override, Reason};
use crate::release::Release;

/// What every channel of the services reads when somebody sets rules aside, for a release and those of its group `with` it.
/// `before` are the reasons that stood in the way, of which the override sets some aside. `lock`: another's, which no
/// override passes.
#[must_use]
pub fn overridden(
    release: &Release,
    with: &[Release],
    waiver: &Override,
    before: &[Reason],
    lock: Option<&Lock>,
) -> Message {
    let all = || [release].into_iter().chain(with).map(|release| release.request.key.service.as_str());
    let subject = words::services_in(all(), &release.request.key.environment);
    let lead = Line::plain("▲ ").mention(&waiver.by).text(format!(" overrode the policies for {subject}"));
    let incident = Line::default().untrusted(waiver.incident.as_str());
    let whole = Line::plain(DOT).text("incident ").join(incident.clone());
    let (headline, rest) = first::or_short(&lead, whole, Line::default());
    let (aside, standing): (Vec<&Reason>, Vec<&Reason>) = before.iter().partition(|reason| reason.overridable);
    let mut body = Vec::new();
    if !with.is_empty() {
        body.push(field("Services", vec![Line::plain(all().collect::<Vec<_>>().join(", "))]));
    }
    body.extend(rest.map(|_| field("Incident", vec![incident])));
    body.push(field("Reason", vec![Line::default().untrusted(waiver.reason.as_str())]));
    if aside.is_empty() {
        body.push(Block::Line(Line::plain(
            "No rule stood in the way that it sets aside. It is written down all the same.",
        )));
    } else {
        body.push(field("Set aside", aside.into_iter().map(named).collect()));
    }
    let key = &release.request.key;
    let still: Vec<_> = standing.into_iter().map(named).chain(lock.map(|lock| locked(key, lock))).collect();
    if !still.is_empty() {
        body.push(field("Still needed", still));
    }
    let line = words::release(Line::default(), &release.id).text(DOT).text("plan ").code(waiver.digest.short());
    body.push(Block::Line(line.text(DOT).text("asked by ").person(&release.request.requester)));
    Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() }
}

/// What whoever sets rules aside reads. `aside`: how many.
#[must_use]
pub fn override_taken(key: &EnvironmentKey, aside: usize, lock: Option<&Lock>) -> Message {
    let line = Line::plain(match aside {
        0 => "Your override is written down and announced. No rule stood in the way that it sets aside.".to_owned(),
        1 => "Your override sets 1 rule aside. It is written down and announced.".to_owned(),
        n => format!("Your override sets {n} rules aside. It is written down and announced."),
    });
    Message::answer(line, lock.map(|lock| Line::plain("It still waits: ").join(locked(key, lock))))
}

/// No override passes a lock.
fn locked(key: &EnvironmentKey, lock: &Lock) -> Line {
    let line = Line::default().code("lock").text("  ").person(&lock.owner).text(" holds ").text(key.to_string());
    line.text(", and no override passes a lock. To end it: ").code(words::unlock(key))
}

fn field(label: &str, lines: Vec<Line>) -> Block {
    Block::Field { label: label.to_owned(), lines }
}

fn named(reason: &Reason) -> Line {
    Line::default().code(reason.id.as_str()).text("  ").untrusted(reason.why.as_str())
}

/// `overridden by bob for incident INC-42: login is down`.
pub(super) fn line(waiver: &Override) -> Line {
    let line = Line::plain("▲ overridden by ").person(&waiver.by).text(" for incident ");
    line.untrusted(waiver.incident.as_str()).text(": ").untrusted(waiver.reason.as_str())
}
