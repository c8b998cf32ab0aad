//! The end of the audit log, written down where whoever can change the log cannot.

use super::super::{Line, Message};
use super::words::{self, DOT};
use crate::audit::Anchor;
use jiff::civil::Date;

/// The anchor of a day, with how many records have come since the last one and since which day that is.
#[must_use]
pub fn audit_anchor(day: Date, anchor: &Anchor, since: Option<(Date, u64)>) -> Message {
    let count = |count: u64, what| words::count(usize::try_from(count).unwrap_or(usize::MAX), what);
    let headline = Line::plain(format!("Audit log on {day}")).text(DOT).text(count(anchor.count, "record"));
    let headline = match since {
        Some((last, new)) => headline.text(DOT).text(format!("{} since {last}", count(new, "new record"))),
        None => headline.text(DOT).text("the first anchor"),
    };
    let body = [
        Line::plain("Head ").code(anchor.head.as_str()),
        Line::plain("This message shows when the log is cut off or written anew. Whoever runs the bot checks it with"),
        Line::default().code(format!("slipway audit verify --anchor {anchor}")),
    ];
    Message::answer(headline, body)
}
