//! Why not.

use super::super::{Line, Message};
use super::words;
use crate::environment::Environment;
use crate::facts::{CiState, Facts};
use crate::ids::{PersonId, ReleaseId};
use crate::policy::{Clears, Past, Reason};
use jiff::Timestamp;

/// What nobody knows of a deployment before it is planned.
pub const MIGRATIONS_UNSEEN: &str = "what the migrations ask for, which is only known once it is planned";

/// The same where migrations are known and judged, of what most likely ships.
pub const MIGRATIONS_UNSURE: &str =
    "whether more migrations are pending than were judged here, which is only known once it is planned";

/// What nobody knows where nothing has been planned at all.
const UNPLANNED_UNSEEN: &str = "commit, CI, image and migrations, which are only known once it is planned";

/// How many things that are fine one answer names.
const FINE_SHOWN_LIMIT: usize = 10;

/// Every reason against `subject` ("Deploying goals 4c1f9e2 to production now"), numbered, each with who or what
/// clears it, then what is fine, and what was not looked at (`unseen`). `subject` and `fine` may hold words of the outside.
#[must_use]
pub fn why(subject: &str, reasons: &[Reason], fine: &[String], unseen: Option<&str>, now: Timestamp) -> Message {
    let subject = Line::default().untrusted(subject);
    let (headline, lead) = match (reasons.len(), unseen) {
        (0, None) => (Line::plain("Nothing is in the way: ").join(subject).text(" would be allowed."), "Fine: "),
        (0, Some(_)) => {
            (Line::plain("Nothing known is in the way: ").join(subject).text(" would be allowed."), "Fine: ")
        }
        (n, _) => {
            let n = words::count(n, "reason");
            let lead = if unseen.is_some() { "Looked at and fine: " } else { "Everything else is fine: " };
            (subject.text(format!(" would be refused for {n}:")), lead)
        }
    };
    let mut lines = words::reasons(reasons, true, Some(now));
    if !fine.is_empty() {
        let shown = fine.iter().take(FINE_SHOWN_LIMIT);
        lines.push(words::untrusted_list(Line::plain(lead), shown, ", ").text("."));
    }
    lines.extend(unseen.map(|what| Line::plain(format!("Not looked at: {what}."))));
    Message::answer(headline, lines)
}

/// The same before anything is planned: the reasons that hold whatever ships, and that the rest is not known. `subject` is
/// where it would go; `dry_run` is the command that tells all of it.
#[must_use]
pub fn why_unplanned(subject: &str, reasons: &[Reason], fine: &[String], dry_run: &str, now: Timestamp) -> Message {
    let subject = Line::default().untrusted(subject);
    let headline = match reasons.len() {
        0 => subject.text(": nothing known is in the way; the rest is known once it is planned."),
        n => subject.text(format!(" would be refused for {}, whatever ships:", words::count(n, "reason"))),
    };
    let mut lines = words::reasons(reasons, true, Some(now));
    if !fine.is_empty() {
        let shown = fine.iter().take(FINE_SHOWN_LIMIT);
        lines.push(words::untrusted_list(Line::plain("Looked at and fine: "), shown, ", ").text("."));
    }
    lines.push(Line::plain(format!("Not looked at: {UNPLANNED_UNSEEN}.")));
    lines.push(Line::plain("For the whole answer: ").code(dry_run));
    Message::answer(headline, lines)
}

/// What is not in the way of a planned release, each in a few words: `CI green 3 of 3`, `not locked`.
#[must_use]
pub fn fine(
    facts: &Facts,
    environment: &Environment,
    release: &ReleaseId,
    requester: &PersonId,
    now: Timestamp,
) -> Vec<String> {
    let mut fine = Vec::new();
    let ci = &facts.ci.value;
    if ci.state == CiState::Green {
        fine.push(format!("CI green {} of {}", ci.passed, ci.total));
    }
    match environment.lock(now) {
        None => fine.push("not locked".to_owned()),
        Some(lock) if lock.owner == *requester => fine.push("locked by who asks".to_owned()),
        Some(_) => {}
    }
    let waits_for = environment.blockers(release, requester, now);
    if !waits_for.iter().any(|reason| matches!(reason.clears, Clears::Release { .. })) {
        fine.push("no other release before it".to_owned());
    }
    fine
}

/// How an image did in the environment before, in a few words: `on staging for 12 min`.
#[must_use]
pub fn soaked(past: &Past, now: Timestamp) -> Option<String> {
    let soak = past.soak.as_ref()?;
    let environment = &soak.environment;
    let served = words::rough(u64::try_from(soak.seconds(now)).unwrap_or(0));
    Some(match (soak.since, soak.served_s) {
        (Some(_), _) => format!("on {environment} for {served}"),
        (None, 0) => format!("not yet on {environment}"),
        (None, _) => format!("was on {environment} for {served}"),
    })
}
