//! Why not.

use super::super::{Line, Message};
use super::words;
use crate::policy::Reason;
use jiff::Timestamp;

/// How many things that are fine one answer names.
const FINE_SHOWN_LIMIT: usize = 10;

/// Every reason against `subject` ("Deploying goals 4c1f9e2 to production now"), numbered, each with who or what
/// clears it, then what is fine. `subject` and `fine` may hold words of the outside.
#[must_use]
pub fn why(subject: &str, reasons: &[Reason], fine: &[String], now: Timestamp) -> Message {
    let subject = Line::default().untrusted(subject);
    let (headline, lead) = match reasons.len() {
        0 => (Line::plain("Nothing is in the way: ").join(subject).text(" would be allowed."), "Fine: "),
        n => {
            let n = words::count(n, "reason");
            (subject.text(format!(" would be refused for {n}:")), "Everything else is fine: ")
        }
    };
    let mut lines = words::reasons(reasons, true, Some(now));
    if !fine.is_empty() {
        let shown = fine.iter().take(FINE_SHOWN_LIMIT);
        lines.push(words::untrusted_list(Line::plain(lead), shown, ", ").text("."));
    }
    Message::answer(headline, lines)
}
