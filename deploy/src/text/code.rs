//! The end of a log.

use super::{Preformatted, clean, cut, is_blank};

/// How many lines of preformatted text are shown; the last ones.
const CODE_LIMIT_LINES: usize = 20;
/// How much of one such line is shown.
const CODE_LINE_LIMIT_CHARS: usize = 160;
/// How much of such a text is shown.
const CODE_LIMIT_CHARS: usize = 2_000;

/// The last lines, as many as fit.
pub(crate) fn tail(words: &str, fits: impl Fn(&str) -> bool) -> Preformatted {
    let line = |line: &str| cut(clean(line.trim_end()), CODE_LINE_LIMIT_CHARS);
    let mut lines: Vec<_> = words.trim_end().lines().rev().take(CODE_LIMIT_LINES).map(line).collect();
    lines.reverse();
    let is_too_long = |lines: &[String]| {
        let text = lines.join("\n");
        text.chars().count() > CODE_LIMIT_CHARS || !fits(&text)
    };
    while !lines.is_empty() && is_too_long(&lines) {
        lines.remove(0);
    }
    let text = lines.join("\n");
    match (is_blank(&text), lines.is_empty() && !is_blank(words)) {
        (false, _) => Preformatted::Text(text),
        (true, false) => Preformatted::Nothing,
        (true, true) => Preformatted::TooLong,
    }
}
