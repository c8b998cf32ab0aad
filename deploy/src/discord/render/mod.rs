//! Messages and forms as Discord shows them.
//!
//! The first line is the message's own text, because that is what a notification shows; the rest is an embed beside
//! the colour of how things stand. A short answer needs no embed. Whoever is mentioned is notified by the message's own
//! text only, so an embed notifies nobody.
//!
//! Everything is bounded by construction. What does not fit is left out at the end, and the message says so.

mod body;
mod buttons;
mod escape;
mod form;
mod page;
mod spans;

#[cfg(test)]
mod tests;

pub use buttons::{Pressed, custom_id, pressed};
pub use form::{form_of, modal};

use super::rendered::{Rendered, marker};
use crate::text::lines::{plain, utc};
use crate::text::marks::{cells, mark_text};
use page::{LINE_LIMIT_CHARS, Page};
use serde::Serialize;
use serde_json::Value;
use serenity::builder::{CreateEmbed, CreateEmbedFooter};
use serenity::model::Colour;
use slipway_core::ids::PersonId;
use slipway_core::message::{Block, Line, Mark, Message, Progress, Verb};
use spans::{Look, People, Piece, Written, pieces, push, text, write};
use std::collections::BTreeMap;

/// The longest first line that is set as a title where it has no mark.
const TITLE_LIMIT_CHARS: usize = 100;
/// What a message without words says.
const NAMELESS: &str = "Slipway";
/// What the line that says that something is missing takes, at most.
const NOTE_CHARS: usize = 60;
/// How many people one message notifies.
const NOTIFIED_LIMIT: usize = 100;

/// Amber.
const WAITING: Colour = Colour::from_rgb(0xF0, 0xB2, 0x32);
/// Blue.
const RUNNING: Colour = Colour::from_rgb(0x34, 0x98, 0xDB);
/// Green.
const LIVE: Colour = Colour::from_rgb(0x23, 0xA5, 0x5A);
/// Red.
const FAILED: Colour = Colour::from_rgb(0xDA, 0x37, 0x3C);
/// Grey.
const ENDED: Colour = Colour::from_rgb(0x80, 0x84, 0x8E);

/// The message. `people` are the Discord user ids of those who have one; `key` is what each button carries: a message's
/// key, or that, `#`, and the digest of the plan that it shows. A button whose name would be too long is left out.
/// `marker_key` is what the message is found by again.
#[must_use]
pub fn render(message: &Message, people: &BTreeMap<PersonId, String>, key: &str, marker_key: &str) -> Rendered {
    // Exhaustive on purpose: a new part must be shown.
    let Message { mark, headline, progress, body, actions } = message;
    let components = buttons::rows(actions, key);
    let first = first_line(*mark, headline, people);
    if *mark == Mark::None
        && progress.is_none()
        && let Some((content, mentioned)) = answer(first.clone(), body, people)
    {
        return Rendered { content, embeds: Vec::new(), components, notified: once(mentioned) };
    }
    let has_details = !components.is_empty() && actions.iter().any(|action| action.verb == Verb::Details);
    let embed = embed(progress.as_ref(), body, people, has_details);
    let embeds = embed.map(|embed| json(&dressed(embed, *mark, marker_key))).into_iter().collect();
    Rendered { content: first.text, embeds, components, notified: once(first.mentioned) }
}

/// All of it as one text, if that fits.
fn answer(first: Written, body: &[Block], people: &People) -> Option<(String, Vec<String>)> {
    let mut page = Page::content();
    let is_whole = page.line(first) && body::write_all(&mut page, body, people);
    let (content, _, mentioned) = page.finish();
    is_whole.then_some((content, mentioned))
}

/// What stands under the first line.
fn embed(progress: Option<&Progress>, body: &[Block], people: &People, has_details: bool) -> Option<CreateEmbed> {
    let mut page = Page::embed(NOTE_CHARS);
    let is_whole = page.line(progress.map(|progress| bar(progress, people)).unwrap_or_default())
        && body::write_all(&mut page, body, people);
    let (before, fields, _) = page.finish();
    if is_whole && before.is_empty() && fields.is_empty() {
        return None;
    }
    let mut embed = CreateEmbed::new();
    if !before.is_empty() {
        embed = embed.description(before);
    }
    for field in fields {
        embed = embed.field(field.name, field.text, false);
    }
    if !is_whole {
        let words = if has_details { "Shortened here: Details shows the rest." } else { "Shortened here." };
        embed = embed.footer(CreateEmbedFooter::new(words));
    }
    Some(embed)
}

/// The embed in its colour and with its mark.
fn dressed(embed: CreateEmbed, mark: Mark, marker_key: &str) -> CreateEmbed {
    let embed = if marker_key.is_empty() { embed } else { embed.url(marker(marker_key)) };
    match mark {
        Mark::None => embed,
        Mark::Waiting => embed.colour(WAITING),
        Mark::Running => embed.colour(RUNNING),
        Mark::Live => embed.colour(LIVE),
        Mark::Failed => embed.colour(FAILED),
        Mark::Ended => embed.colour(ENDED),
    }
}

fn first_line(mark: Mark, headline: &Line, people: &People) -> Written {
    // A whole sentence in bold is hard to read.
    let is_title = mark != Mark::None || plain(headline, utc).chars().count() <= TITLE_LIMIT_CHARS;
    let mut words = pieces(headline, if is_title { Look::Bold } else { Look::Plain }, people);
    if words.is_empty() {
        words.push(text(NAMELESS, Look::Bold));
    }
    write(joined(text(mark_text(mark), Look::Bold), words), LINE_LIMIT_CHARS)
}

/// The bar, and what goes on beside it.
fn bar(progress: &Progress, people: &People) -> Written {
    let cells = text(&format!("{}  ", cells(progress.permille)), Look::Plain);
    write(joined(cells, pieces(&progress.label, Look::Plain, people)), LINE_LIMIT_CHARS)
}

fn joined(first: Piece, rest: Vec<Piece>) -> Vec<Piece> {
    let mut out = Vec::new();
    push(&mut out, first);
    rest.into_iter().for_each(|piece| push(&mut out, piece));
    out
}

/// Each id once.
fn once(ids: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for id in ids {
        if !out.contains(&id) && out.len() < NOTIFIED_LIMIT {
            out.push(id);
        }
    }
    out
}

/// What a builder has made.
fn json(made: &impl Serialize) -> Value {
    // serenity's builders have string keys only: they always become JSON.
    serde_json::to_value(made).unwrap_or_default()
}
