//! What a command shows: lines for people, or nothing where a document is asked for.

use crate::cli::paint::Paint;
use crate::cli::screen;
use std::io::Write as _;
use std::time::Duration;

/// Below this, times are shown in milliseconds.
const MILLISECONDS_BELOW_MS: u128 = 1_000;
/// Below this, in seconds with a decimal.
const SECONDS_BELOW_S: u64 = 60;

/// Where lines go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    /// Whether one document is printed at the end instead.
    pub(super) json: bool,
    pub(super) paint: Paint,
}

impl Out {
    pub(super) fn new(json: bool) -> Self {
        Self { json, paint: Paint::for_stdout() }
    }

    /// Shows a line. Control characters that came in with a name or a message do nothing to the terminal.
    pub(super) fn line(self, text: &str) {
        if !self.json {
            screen::say(&format!("{text}\n"));
        }
    }
}

/// Says something beside what the command gives, on standard error.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Untrusted text without what would move the cursor or change colours.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// `3 migrations`.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `12 ms`, `3.4 s`, `2m 05s`.
pub(super) fn duration(time: Duration) -> String {
    match time.as_secs() {
        _ if time.as_millis() < MILLISECONDS_BELOW_MS => format!("{} ms", time.as_millis()),
        s if s < SECONDS_BELOW_S => format!("{:.1} s", time.as_secs_f64()),
        s => format!("{}m {:02}s", s / 60, s % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let shown = [7, 999, 1_000, 59_940, 60_000, 125_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(shown, ["7 ms", "999 ms", "1.0 s", "59.9 s", "1m 00s", "2m 05s"]);
    }

    #[test]
    fn nothing_in_a_name_reaches_the_terminal_but_its_letters() {
        assert_eq!(clean("1_\u{1b}[2Jä\r.sql\nx"), "1_\u{fffd}[2Jä\u{fffd}.sql\nx");
    }
}
