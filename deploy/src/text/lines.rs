//! Lines as plain text, and how much of them is shown.

use super::shortened;
use jiff::Timestamp;
use slipway_core::ids::PersonId;
use slipway_core::message::{Line, Span};

/// How much of one piece of somebody else's text is shown.
pub(crate) const UNTRUSTED_LIMIT_CHARS: usize = 160;
/// How much of one piece of Slipway's own words is shown.
pub(crate) const PLAIN_LIMIT_CHARS: usize = 600;
/// How much of a person's name is shown.
const PERSON_LIMIT_CHARS: usize = 80;
/// How many pieces of a line are looked at.
pub(crate) const SPANS_LIMIT: usize = 200;
/// The last second that is shown as a date: the end of the year 9999.
pub(crate) const DATE_LIMIT_S: i64 = 253_402_300_799;

/// A line as the plain text of a notification or a table's cell.
pub(crate) fn plain(line: &Line, time: fn(Timestamp) -> String) -> String {
    let span = |span: &Span| match span {
        Span::Plain(words) => shortened(words, PLAIN_LIMIT_CHARS),
        Span::Untrusted(words) | Span::Strong(words) | Span::Code(words) => shortened(words, UNTRUSTED_LIMIT_CHARS),
        Span::Link { text, url } => shortened(if text.is_empty() { url } else { text }, UNTRUSTED_LIMIT_CHARS),
        Span::Person(person) => name(person),
        Span::Mention(person) => format!("@{}", name(person)),
        Span::Time(at) => time(*at),
    };
    let mut out = String::new();
    for part in line.0.iter().take(SPANS_LIMIT) {
        // Whoever shows it shows less.
        if out.chars().count() > PLAIN_LIMIT_CHARS {
            break;
        }
        out.push_str(&span(part));
    }
    out
}

/// `2025-11-04 15:00 UTC`.
pub(crate) fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

pub(crate) fn name(person: &PersonId) -> String {
    shortened(person.as_str(), PERSON_LIMIT_CHARS)
}

/// Whether the first line of a field sums up those below it ("3 commits since 9a77d01"): it is of another kind.
pub(crate) fn sums_up(first: &Line, second: &Line) -> bool {
    let is_item = |line: &Line| matches!(line.0.first(), Some(Span::Code(_)));
    !is_item(first) && is_item(second)
}
