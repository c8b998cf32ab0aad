//! Breaking the glass, told to everybody.

use super::super::{Block, Line, Mark, Message};
use super::first;
use super::words::{self, DOT};
use crate::policy::{Override, Reason};
use crate::release::Release;

/// What every channel of the services reads when somebody sets rules aside, for a release and those of its group `with` it.
/// `before` are the reasons that stood in the way, of which the override sets some aside.
#[must_use]
pub fn overridden(release: &Release, with: &[Release], waiver: &Override, before: &[Reason]) -> Message {
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
            "No rule stood in the way that it sets aside. It was not needed, and is written down all the same.",
        )));
    } else {
        body.push(field("Set aside", aside.into_iter().map(named).collect()));
    }
    if !standing.is_empty() {
        body.push(field("Still needed", standing.into_iter().map(named).collect()));
    }
    let line = words::release(Line::default(), &release.id).text(DOT).text("plan ").code(waiver.digest.short());
    body.push(Block::Line(line.text(DOT).text("asked by ").person(&release.request.requester)));
    Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() }
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
