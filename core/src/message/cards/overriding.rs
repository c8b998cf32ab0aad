//! Breaking the glass, told to everybody.

use super::super::{Block, Line, Mark, Message};
use super::words::{self, DOT};
use crate::ids::ServiceName;
use crate::policy::{Override, Reason};
use crate::release::Release;

/// What every channel of the service reads when somebody sets rules aside. `before` are the reasons that stood in
/// the way, of which the override sets some aside.
#[must_use]
pub fn overridden(release: &Release, waiver: &Override, before: &[Reason]) -> Message {
    let headline =
        Line::plain("▲ ").mention(&waiver.by).text(format!(" overrode the policies for {}", subject(release)));
    let headline = headline.text(DOT).text("incident ").untrusted(waiver.incident.as_str());
    let (aside, standing): (Vec<&Reason>, Vec<&Reason>) = before.iter().partition(|reason| reason.overridable);
    let mut body = vec![field("Reason", vec![Line::default().untrusted(waiver.reason.as_str())])];
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

/// What it is for: of a group all whose plans are in the lead's.
fn subject(release: &Release) -> String {
    let key = &release.request.key;
    let with = release.plan.as_ref().filter(|_| release.leads().is_some()).map_or(&[][..], |plan| &plan.with);
    let services: Vec<_> = [&key.service].into_iter().chain(with.iter().map(|with| &with.service)).collect();
    let services: Vec<_> = services.into_iter().map(ServiceName::as_str).collect();
    format!("{} → {}", services.join(", "), key.environment)
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
