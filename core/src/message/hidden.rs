//! Characters that do not show, or that reorder what does, and text without them.

use unicode_width::UnicodeWidthChar as _;

/// How many marks may stand on one letter; more would run over the lines above and below.
pub const MARKS_LIMIT: usize = 3;

/// Characters that make text read in another order than it is written: the bidirectional marks, embeddings,
/// overrides and isolates of Unicode's UAX 9.
#[must_use]
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters that take no room of their own and can hide a difference between two names: zero-width ones,
/// fillers, variation selectors, tags. Combining marks are none of these, they show.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    is_bidi_control(c)
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200D}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// A text without anything that could end the line, move the cursor, reorder it, hide in it or run over other lines.
pub fn clean(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut marks = 0;
    text.chars().filter_map(move |c| {
        let c = match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
            c if is_invisible(c) => return None,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        (marks <= MARKS_LIMIT).then_some(c)
    })
}
