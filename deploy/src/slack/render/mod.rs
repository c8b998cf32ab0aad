//! A message as Slack's blocks.
//!
//! Text goes into `rich_text` blocks: it is literal there, so no name or title can mention anybody or format.
//! Everything is bounded by construction. Headline and buttons have their room first, then the parts of the body in
//! their order; what does not fit is left out at the end, and the message says so.

mod body;
mod buttons;
mod escape;
mod form;
mod page;
mod spans;

#[cfg(test)]
mod tests;

pub use buttons::action_id;
pub use form::modal;

use super::rendered::Rendered;
use crate::text::lines::{plain, utc};
use crate::text::marks::{cells, mark_text};
use escape::escaped;
use page::{Page, WRAPPER_CHARS};
use slack_morphism::prelude::*;
use slipway_core::ids::PersonId;
use slipway_core::message::{Line, Mark, Message, Progress, Verb};
use spans::{Inline, Look, People, inlines, json_chars, push};
use std::collections::BTreeMap;

/// What the blocks of one message may take as JSON. Slack refuses more at a length that it does not tell.
const BLOCKS_LIMIT_CHARS: usize = 9_000;
/// How many blocks of text one message has; Slack takes 50 blocks. Each adds room above it.
const TEXT_BLOCKS_LIMIT: usize = 8;
/// What notifications show at most, escapes counted.
const TEXT_LIMIT_CHARS: usize = 300;
/// What the line that says that something is missing takes as JSON, at most.
const NOTE_CHARS: usize = 3 * WRAPPER_CHARS + 100;
/// The longest first line that is set as a title where it has no mark.
const TITLE_LIMIT_CHARS: usize = 100;
/// What a message without words says.
const NAMELESS: &str = "Slipway";

/// How many blocks a home tab has.
const HOME_LIMIT_BLOCKS: usize = 100;
/// What the blocks of a home tab may take as JSON.
const HOME_LIMIT_CHARS: usize = 25_000;

/// The message. `people` are the Slack user ids of those who have one; `key` is what each button carries as its
/// value, at most 255 bytes: with an empty or longer one there are no buttons.
#[must_use]
pub fn render(message: &Message, people: &BTreeMap<PersonId, String>, key: &str) -> Rendered {
    Rendered { text: notification(message), blocks: blocks(message, people, key) }
}

/// Messages one after the other, each with its key, with lines between them: the home tab. Never empty.
#[must_use]
pub fn home_blocks(messages: &[(String, Message)], people: &BTreeMap<PersonId, String>) -> Vec<SlackBlock> {
    let mut out: Vec<SlackBlock> = Vec::new();
    let mut left = HOME_LIMIT_CHARS - NOTE_CHARS;
    for (number, (key, message)) in messages.iter().enumerate() {
        let divider: SlackBlock = SlackDividerBlock::new().into();
        let next = blocks(message, people, key);
        let chars = json_chars(&next) + json_chars(&divider);
        // One more divider and the note must fit too.
        if chars > left || out.len() + next.len() + 3 > HOME_LIMIT_BLOCKS {
            out.push(divider);
            out.extend(note(&format!("and {} more", messages.len() - number)));
            return out;
        }
        left -= chars;
        if number > 0 {
            out.push(divider);
        }
        out.extend(next);
    }
    if out.is_empty() { note("Nothing to show.") } else { out }
}

fn blocks(message: &Message, people: &People, key: &str) -> Vec<SlackBlock> {
    // Exhaustive on purpose: a new part must be shown.
    let Message { mark, headline, progress, body, actions } = message;
    let buttons = buttons::block(actions, key);
    let reserved = NOTE_CHARS + buttons.as_ref().map_or(0, json_chars);
    let mut page = Page::new(BLOCKS_LIMIT_CHARS.saturating_sub(reserved), TEXT_BLOCKS_LIMIT);
    let is_whole = page.line(first_line(*mark, headline, people))
        && page.line(progress.as_ref().map(|progress| bar(progress, people)).unwrap_or_default())
        && body::write(&mut page, body, people);
    page.release(NOTE_CHARS);
    if !is_whole {
        let has_details = buttons.is_some() && actions.iter().any(|action| action.verb == Verb::Details);
        let words = if has_details { "Shortened here: Details shows the rest." } else { "Shortened here." };
        page.line(vec![spans::text(words, Look::Italic)]);
    }
    let mut blocks = page.finish();
    blocks.extend(buttons);
    blocks
}

/// Some words of Slipway's own, as a block.
fn note(words: &str) -> Vec<SlackBlock> {
    let mut page = Page::new(NOTE_CHARS, 1);
    page.line(vec![spans::text(words, Look::Italic)]);
    page.finish()
}

fn first_line(mark: Mark, headline: &Line, people: &People) -> Vec<Inline> {
    let mut first = Vec::new();
    push(&mut first, spans::text(mark_text(mark), Look::Bold));
    // A whole sentence in bold is hard to read.
    let is_title = mark != Mark::None || plain(headline, utc).chars().count() <= TITLE_LIMIT_CHARS;
    let words = inlines(headline, if is_title { Look::Bold } else { Look::Plain }, people);
    if words.is_empty() {
        push(&mut first, spans::text(NAMELESS, Look::Bold));
    }
    words.into_iter().for_each(|inline| push(&mut first, inline));
    first
}

/// The bar, and what goes on beside it.
fn bar(progress: &Progress, people: &People) -> Vec<Inline> {
    let mut line = vec![spans::text(&format!("{}  ", cells(progress.permille)), Look::Plain)];
    inlines(&progress.label, Look::Plain, people).into_iter().for_each(|inline| push(&mut line, inline));
    line
}

/// What a notification shows: the first line.
fn notification(message: &Message) -> String {
    let words = plain(&message.headline, utc);
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = if words.is_empty() { NAMELESS } else { &words };
    escaped(&format!("{}{words}", mark_text(message.mark)), TEXT_LIMIT_CHARS)
}
