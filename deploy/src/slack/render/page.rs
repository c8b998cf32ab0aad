//! The rich text of a message, written within a budget: what does not fit is refused, not cut.

use super::spans::{Inline, Look, json_chars, push, text, text_chars};
use slack_morphism::prelude::*;

/// The longest text of one section, item or quote.
pub(super) const SECTION_LIMIT_CHARS: usize = 3_000;
/// What a block, section, list, item or quote takes as JSON around its content, at most.
pub(super) const WRAPPER_CHARS: usize = 60;
/// What a line end takes as JSON when it is an element of its own.
const LINE_END_CHARS: usize = 34;

/// The blocks written so far and the room that is left.
pub(super) struct Page {
    done: Vec<SlackBlock>,
    /// The block that is written now.
    block: Vec<SlackRichTextElement>,
    /// The section at its end.
    section: Vec<Inline>,
    left: usize,
    blocks_limit: usize,
}

impl Page {
    /// An empty page with room for so many characters of JSON and so many blocks, at least one.
    pub(super) fn new(room: usize, blocks_limit: usize) -> Self {
        Self { done: Vec::new(), block: Vec::new(), section: Vec::new(), left: room, blocks_limit }
    }

    /// How many characters of JSON are left for what begins a new element.
    pub(super) fn room(&self) -> usize {
        // At most a block and an element begin with it.
        self.left.saturating_sub(2 * WRAPPER_CHARS)
    }

    /// Adds room that was kept for the end.
    pub(super) fn release(&mut self, chars: usize) {
        self.left += chars;
    }

    /// A new block, which stands apart, when there may be one more.
    pub(super) fn apart(&mut self) {
        self.end_section();
        if !self.block.is_empty() && self.done.len() + 1 < self.blocks_limit {
            self.end_block();
        }
    }

    /// Whether the line was written. One without elements needs no room.
    pub(super) fn line(&mut self, line: Vec<Inline>) -> bool {
        if line.is_empty() {
            return true;
        }
        if text_chars(&self.section) + 1 + text_chars(&line) > SECTION_LIMIT_CHARS {
            self.end_section();
        }
        let wrapper = if self.section.is_empty() { WRAPPER_CHARS } else { LINE_END_CHARS };
        if !self.take(wrapper + line.iter().map(json_chars).sum::<usize>()) {
            return false;
        }
        if !self.section.is_empty() {
            push(&mut self.section, text("\n", Look::Plain));
        }
        line.into_iter().for_each(|inline| push(&mut self.section, inline));
        true
    }

    /// Whether the warning was written; those in a row stand in one quote.
    pub(super) fn quote(&mut self, line: Vec<Inline>) -> bool {
        if line.is_empty() {
            return true;
        }
        if !self.take(WRAPPER_CHARS + LINE_END_CHARS + line.iter().map(json_chars).sum::<usize>()) {
            return false;
        }
        self.end_section();
        match self.block.last_mut() {
            Some(SlackRichTextElement::Quote(quote))
                if text_chars(&quote.elements) + 1 + text_chars(&line) <= SECTION_LIMIT_CHARS =>
            {
                push(&mut quote.elements, text("\n", Look::Plain));
                line.into_iter().for_each(|inline| push(&mut quote.elements, inline));
            }
            _ => self.block.push(SlackRichTextQuote::new(line).into()),
        }
        true
    }

    /// Whether the list was written. `items` has none that is empty.
    pub(super) fn list(&mut self, items: Vec<Vec<Inline>>) -> bool {
        if items.is_empty() {
            return true;
        }
        if !self.take(list_chars(&items)) {
            return false;
        }
        self.end_section();
        let items = items.into_iter().map(|item| SlackRichTextSection::new(item).into()).collect();
        self.block.push(SlackRichTextList::new(SlackRichTextListStyle::Bullet, items).into());
        true
    }

    /// Whether the text was written as it is; it is bounded by whoever gives it.
    pub(super) fn preformatted(&mut self, words: &str) -> bool {
        let element: SlackRichTextElement = SlackRichTextPreformatted::new(vec![text(words, Look::Plain)]).into();
        if !self.take(json_chars(&element)) {
            return false;
        }
        self.end_section();
        self.block.push(element);
        true
    }

    /// The blocks.
    pub(super) fn finish(mut self) -> Vec<SlackBlock> {
        self.end_section();
        self.end_block();
        self.done
    }

    fn take(&mut self, chars: usize) -> bool {
        let begins_block = self.block.is_empty() && self.section.is_empty();
        let chars = chars.saturating_add(if begins_block { WRAPPER_CHARS } else { 0 });
        let fits = chars <= self.left;
        self.left -= if fits { chars } else { 0 };
        fits
    }

    fn end_section(&mut self) {
        if !self.section.is_empty() {
            let section = SlackRichTextSection::new(std::mem::take(&mut self.section));
            self.block.push(section.into());
        }
    }

    fn end_block(&mut self) {
        if !self.block.is_empty() {
            let block = SlackRichTextBlock::new(std::mem::take(&mut self.block));
            self.done.push(block.into());
        }
    }
}

/// What a list takes as JSON.
fn list_chars(items: &[Vec<Inline>]) -> usize {
    WRAPPER_CHARS + items.iter().map(|item| item_chars(item)).sum::<usize>()
}

/// What an item of a list takes as JSON.
pub(super) fn item_chars(item: &[Inline]) -> usize {
    WRAPPER_CHARS + item.iter().map(json_chars).sum::<usize>()
}
