//! The text of a message, written within Discord's limits: what does not fit is refused, not cut.

use super::escape::length;
use super::spans::Written;

/// The longest text above an embed, and of a message without one.
pub(super) const CONTENT_LIMIT_CHARS: usize = 2_000;
/// The longest text of an embed before its fields.
const DESCRIPTION_LIMIT_CHARS: usize = 4_096;
/// The longest text of a field.
const VALUE_LIMIT_CHARS: usize = 1_024;
/// How many fields an embed has.
const FIELDS_LIMIT: usize = 25;
/// What all texts of an embed may take together.
const EMBED_LIMIT_CHARS: usize = 6_000;
/// The longest line where there is room for it.
pub(super) const LINE_LIMIT_CHARS: usize = 1_900;
/// The longest line that fits into a field, with what stands before it.
pub(super) const SHORT_LINE_LIMIT_CHARS: usize = 1_000;
/// The name of a field that goes on after another without a name: Discord asks for one.
pub(super) const NAMELESS_FIELD: &str = "\u{200b}";

/// What is written so far and the room that is left.
pub(super) struct Page {
    /// The text before the fields, then each field.
    parts: Vec<Part>,
    /// The name of the field that the next line begins.
    next: Option<String>,
    /// Whether an empty line comes before the next one.
    gap: bool,
    mentioned: Vec<String>,
    sizes: Sizes,
}

/// A text, and its name where it is a field.
#[derive(Default)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) text: String,
}

/// How much is written.
#[derive(Clone, Copy)]
struct Sizes {
    is_embed: bool,
    parts: usize,
    /// The length of the last part.
    last: usize,
    /// What all parts may still take.
    left: usize,
}

impl Sizes {
    fn new(is_embed: bool, left: usize) -> Self {
        Self { is_embed, parts: 1, last: 0, left }
    }

    /// What the last part may take.
    fn limit(self) -> usize {
        match (self.is_embed, self.parts) {
            (false, _) => CONTENT_LIMIT_CHARS,
            (true, 1) => DESCRIPTION_LIMIT_CHARS,
            (true, _) => VALUE_LIMIT_CHARS,
        }
    }

    /// What a line in the last part may take.
    fn room(self) -> usize {
        let gap = usize::from(self.last > 0);
        (self.limit() - self.last).min(self.left).saturating_sub(gap)
    }

    fn line(self, length: usize) -> Option<Self> {
        let taken = length + usize::from(self.last > 0);
        (length <= self.room()).then(|| Self { last: self.last + taken, left: self.left - taken, ..self })
    }

    fn field(self, name: usize) -> Option<Self> {
        let can_begin = self.is_embed && self.parts <= FIELDS_LIMIT && name <= self.left;
        can_begin.then(|| Self { parts: self.parts + 1, last: 0, left: self.left - name, ..self })
    }
}

impl Page {
    /// An empty page for text without an embed. It is given up where something does not fit.
    pub(super) fn content() -> Self {
        Self::new(Sizes::new(false, CONTENT_LIMIT_CHARS))
    }

    /// An empty page for an embed in which so much is kept for its end.
    pub(super) fn embed(kept: usize) -> Self {
        Self::new(Sizes::new(true, EMBED_LIMIT_CHARS - kept))
    }

    fn new(sizes: Sizes) -> Self {
        Self { parts: vec![Part::default()], next: None, gap: false, mentioned: Vec::new(), sizes }
    }

    /// How long a line may be.
    pub(super) fn line_limit(&self) -> usize {
        let has_room = self.next.is_none() && self.sizes.room() > LINE_LIMIT_CHARS;
        if has_room || !self.sizes.is_embed { LINE_LIMIT_CHARS } else { SHORT_LINE_LIMIT_CHARS }
    }

    /// How long a text of several lines may be that is shortened to fit. Without an embed it is shown whole or not.
    pub(super) fn room(&self) -> usize {
        let begun = self.sizes.field(length(NAMELESS_FIELD)).map_or(0, Sizes::room);
        match (self.sizes.is_embed, &self.next) {
            (false, _) => usize::MAX,
            (true, Some(name)) => self.sizes.field(length(name)).map_or(0, Sizes::room),
            // One for an empty line before it.
            (true, None) => self.sizes.room().saturating_sub(1).max(begun),
        }
    }

    /// Room between what is written and what follows.
    pub(super) fn apart(&mut self) {
        if self.parts.len() > 1 {
            self.next.get_or_insert_with(|| NAMELESS_FIELD.to_owned());
        } else {
            self.gap = self.sizes.last > 0;
        }
    }

    /// The next line begins a field of this name, which is not empty.
    pub(super) fn field(&mut self, name: String) {
        self.next = Some(name);
    }

    /// Whether lines of these lengths would be written.
    pub(super) fn fits(&self, lengths: &[usize]) -> bool {
        let mut sizes = self.sizes;
        let mut next = self.next.as_deref();
        lengths.iter().all(|length| {
            let name = next.take();
            after(sizes, name, *length).map(|(now, _)| sizes = now).is_some()
        })
    }

    /// Whether the line was written. One without text needs no room.
    pub(super) fn line(&mut self, line: Written) -> bool {
        let Written { mut text, mentioned } = line;
        if text.is_empty() {
            return true;
        }
        let next = self.next.as_deref();
        if self.gap && next.is_none() {
            text.insert(0, '\n');
        }
        let Some((sizes, is_field)) = after(self.sizes, next, length(&text)) else { return false };
        self.sizes = sizes;
        self.gap = false;
        self.mentioned.extend(mentioned);
        match (is_field, self.parts.last_mut()) {
            (false, Some(part)) if part.text.is_empty() => part.text = text,
            (false, Some(part)) => {
                part.text.push('\n');
                part.text.push_str(&text);
            }
            _ => {
                let name = self.next.take().unwrap_or_else(|| NAMELESS_FIELD.to_owned());
                self.parts.push(Part { name, text: text.trim_start_matches('\n').to_owned() });
            }
        }
        true
    }

    /// The text before the fields, the fields, and the ids of those who are mentioned.
    pub(super) fn finish(self) -> (String, Vec<Part>, Vec<String>) {
        let mut parts = self.parts.into_iter();
        let before = parts.next().unwrap_or_default().text;
        (before, parts.collect(), self.mentioned)
    }
}

/// The sizes with one more line, and whether it begins a field: because it has to, or because the last part is full.
fn after(sizes: Sizes, next: Option<&str>, length: usize) -> Option<(Sizes, bool)> {
    match next {
        Some(name) => Some((sizes.field(self::length(name))?.line(length)?, true)),
        None => {
            let stays = sizes.line(length).map(|sizes| (sizes, false));
            stays.or_else(|| Some((sizes.field(self::length(NAMELESS_FIELD))?.line(length)?, true)))
        }
    }
}
