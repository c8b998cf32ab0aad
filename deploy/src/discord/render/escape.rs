//! Text that Discord shows as it is written.
//!
//! A backslash before a sign takes its meaning away. Every sign is escaped that could begin a mention, a command, a
//! time, an emoji, a link or a format, wherever it stands, so that it does not matter what stands beside it.

use crate::text::{cut, label};

/// How many units of length one column of text takes at most: an escaped sign, or a character beyond UTF-16's plane.
const COLUMN_UNITS: usize = 2;

/// How long Discord may think a text is. It says "characters" and not which: UTF-16 units are never fewer.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Clean text in its shape, cut so that the whole is no longer than the limit.
pub(super) fn fitted(text: &str, limit: usize, shape: impl Fn(&str) -> String) -> String {
    let mut columns = limit;
    loop {
        let shaped = shape(&cut(text.chars(), columns));
        let over = length(&shaped).saturating_sub(limit);
        if over == 0 || columns <= 1 {
            return shaped;
        }
        // A column is never more units, so this is never too much.
        columns -= over.div_ceil(COLUMN_UNITS).min(columns - 1);
    }
}

/// Text for a place that Discord reads no markup in, never empty.
pub(super) fn literal(text: &str, limit: usize, instead: &str) -> String {
    let shape = |text: &str| label(text, limit, instead);
    fitted(&shape(text), limit, shape)
}

/// Text with its signs escaped. Some have a meaning at the beginning of a line only.
pub(super) fn escaped(text: &str, begins_line: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut place = if begins_line { Place::Beginning } else { Place::Within };
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let is_sign = match c {
            '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '@' | '[' | ']' => true,
            // A heading, small print, a list.
            '#' | '-' | '+' => place == Place::Beginning,
            '.' | ')' => place == Place::Number,
            ':' => rest.starts_with("//") || is_emoji(rest),
            // An invitation is drawn as one without any scheme.
            '/' => out.ends_with(".gg"),
            _ => false,
        };
        if is_sign {
            out.push('\\');
        }
        out.push(c);
        place = place.after(c);
    }
    out
}

/// Where in a line a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// After nothing but spaces.
    Beginning,
    /// After nothing but a number.
    Number,
    Within,
}

impl Place {
    fn after(self, c: char) -> Self {
        match self {
            Self::Beginning if c.is_whitespace() => Self::Beginning,
            Self::Beginning | Self::Number if c.is_ascii_digit() => Self::Number,
            _ => Self::Within,
        }
    }
}

/// Whether it goes on like an emoji's name with the colon that ends it.
fn is_emoji(rest: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '+' | '-');
    let after = rest.trim_start_matches(is_name);
    after.len() < rest.len() && after.starts_with(':')
}

/// Whether the text stays in its frame as code, where nothing can be escaped, whatever is around it.
pub(super) fn is_code(text: &str) -> bool {
    let opens = |rest: &str| rest.starts_with(['@', '#', '/', ':', '!', '&']) || rest.starts_with("t:");
    let is_reference = text.split('<').skip(1).any(opens);
    let calls = ["@everyone", "@here"].iter().any(|all| text.contains(all));
    // Two stars would end bold text around the frame.
    !is_reference && !calls && !text.contains(['`', '*'])
}

/// Preformatted text. A backtick becomes a sign that looks like one, and what would refer to somebody is taken apart:
/// nothing can be escaped in there.
pub(super) fn preformatted(text: &str) -> String {
    let text = text.replace('`', "\u{2cb}").replace("<@", "< @");
    format!("```\n{text}\n```")
}
