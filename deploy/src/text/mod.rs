//! Text that cannot break out of its place, in sizes that are known: what the chats' renderers have in common.

pub(crate) mod address;
pub(crate) mod code;
pub(crate) mod lines;
pub(crate) mod marks;
pub(crate) mod table;
pub(crate) mod verbs;

#[cfg(test)]
pub(crate) mod anything;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;

pub(crate) use slipway_core::message::hidden::clean;
use unicode_width::UnicodeWidthChar as _;

/// Stands where something is missing.
pub(crate) const MORE: &str = "…";

/// Clean text of at most `limit` columns and as many characters, with `…` where something is missing.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    cut(clean(text), limit)
}

/// As [`shortened`], without spaces around it and `instead` where nothing is left.
pub(crate) fn label(text: &str, limit: usize, instead: &str) -> String {
    match shortened(text.trim(), limit).trim() {
        "" => instead.to_owned(),
        some => some.to_owned(),
    }
}

/// Whether nothing of it would be seen.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// The characters as they are where they fit; else cut before a character that stands alone, with `…` at the end.
pub(crate) fn cut(chars: impl Iterator<Item = char>, limit: usize) -> String {
    let (mut out, mut used) = (String::new(), 0);
    let (mut kept, mut before) = (0, Before::default());
    for c in chars {
        if before.lets_begin(c) && used < limit {
            kept = out.len();
        }
        used += size(c);
        if used > limit {
            out.truncate(kept);
            out.truncate(out.trim_end().len());
            out.push_str(MORE);
            return out;
        }
        out.push(c);
    }
    out
}

/// The room that a character takes: its columns, and one for a mark too, so that a limit bounds characters as well.
fn size(c: char) -> usize {
    c.width().unwrap_or(0).max(1)
}

/// What stands before the next character.
#[derive(Default)]
struct Before {
    /// How many regional indicators; two make one flag.
    flags: usize,
}

impl Before {
    /// Whether the character begins something that is read by itself, rather than belonging to the one before it.
    fn lets_begin(&mut self, c: char) -> bool {
        let is_flag = matches!(c, '\u{1F1E6}'..='\u{1F1FF}');
        let is_second = is_flag && self.flags % 2 == 1;
        self.flags = if is_flag { self.flags + 1 } else { 0 };
        let is_skin_tone = matches!(c, '\u{1F3FB}'..='\u{1F3FF}');
        !(is_second || is_skin_tone || c.width() == Some(0))
    }
}

/// Preformatted text, made for the room that there is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Preformatted {
    /// There is nothing to show.
    Nothing,
    /// What fits.
    Text(String),
    /// Nothing of it fits.
    TooLong,
}
