//! Messages on standard output.

use super::paint::Paint;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use slipway_core::message::Message;
use slipway_core::message::terminal::{TerminalOptions, render};
use std::io::Write as _;

/// How wide a line is.
const WIDTH_COLUMNS: usize = 100;

/// Shows a message with the times of a time zone. Whoever reads it may go away (`… | head`), which is no failure.
pub(super) fn show(message: &Message, timezone: &TimeZone, now: Timestamp) {
    let color = Paint::for_stdout() == Paint::Ansi;
    let options = TerminalOptions { time_zone: timezone.clone(), ..TerminalOptions::new(WIDTH_COLUMNS, color, now) };
    say(&(render(message, &options).join("\n") + "\n"));
}

/// Shows one JSON document.
pub(super) fn show_json(document: &serde_json::Value) {
    say(&format!("{document:#}\n"));
}

/// Writes text as it is. Whoever reads it may go away, which is no failure.
pub(super) fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
