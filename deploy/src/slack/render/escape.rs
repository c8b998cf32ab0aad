//! Escapes for places that Slack reads as markup.

use crate::text::cut;

/// The longest escape: `&amp;`.
const ESCAPE_LENGTH: usize = 5;

/// Text for a place that Slack reads as markup, of at most `limit` characters with the escapes counted.
pub(super) fn escaped(text: &str, limit: usize) -> String {
    let mut columns = limit;
    loop {
        let short = cut(text.chars(), columns);
        let length: usize = short.chars().map(|c| escape(c).map_or(1, str::len)).sum();
        if length <= limit || columns <= 1 {
            let whole = |c| escape(c).map_or_else(|| c.to_string(), str::to_owned);
            return short.chars().map(whole).collect();
        }
        // An escape is at most five characters long, so this is never too much.
        columns -= (length - limit).div_ceil(ESCAPE_LENGTH).min(columns - 1);
    }
}

fn escape(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}
