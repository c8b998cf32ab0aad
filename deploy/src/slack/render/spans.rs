//! Lines as Slack's text elements: literal text, so that nothing in it can mention anybody or format.

use crate::text::address::web_address;
use crate::text::lines::{DATE_LIMIT_S, PLAIN_LIMIT_CHARS, SPANS_LIMIT, UNTRUSTED_LIMIT_CHARS, name, utc};
use crate::text::{MORE, is_blank, shortened};
use jiff::Timestamp;
use serde::Serialize;
use slack_morphism::prelude::*;
use slipway_core::ids::PersonId;
use slipway_core::message::{Line, Span};
use std::collections::BTreeMap;

/// One piece of a line.
pub(super) type Inline = SlackRichTextInlineElement;

/// The longest id of a Slack user.
const USER_LIMIT_CHARS: usize = 40;
/// What one line may take as JSON. The largest piece is less: a long address with a text.
const LINE_LIMIT_CHARS: usize = 2_500;
/// A time for everybody's own zone; `17:40 today` reads well after "expires" and after "at".
const DATE_FORMAT: &str = "{time} {date_short_pretty}";
/// Slack's ids of people.
pub(super) type People = BTreeMap<PersonId, String>;

/// How a line's own words look; ids and links keep their looks too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Bold,
    Italic,
}

/// Characters of the JSON, with the comma that may follow it.
pub(super) fn json_chars(value: &impl Serialize) -> usize {
    // Slack's types have string keys only: they always become JSON. What would not must not be thought small.
    serde_json::to_string(value).map_or(usize::MAX / 2, |json| json.chars().count() + 1)
}

/// A line's elements; none when nothing of it would be seen.
pub(super) fn inlines(line: &Line, look: Look, people: &People) -> Vec<Inline> {
    let mut out = Vec::new();
    let mut left = LINE_LIMIT_CHARS;
    for span in line.0.iter().take(SPANS_LIMIT) {
        let Some(next) = inline(span, look, people) else { continue };
        let Some(rest) = left.checked_sub(json_chars(&next)) else {
            push(&mut out, text(MORE, look));
            break;
        };
        left = rest;
        push(&mut out, next);
    }
    if out.iter().all(is_unseen) { Vec::new() } else { out }
}

fn is_unseen(inline: &Inline) -> bool {
    matches!(inline, Inline::Text(text) if is_blank(&text.text))
}

/// Adds a piece, to the one before it where both look alike.
pub(super) fn push(out: &mut Vec<Inline>, next: Inline) {
    match (out.last_mut(), next) {
        (_, Inline::Text(next)) if next.text.is_empty() => {}
        (Some(Inline::Text(last)), Inline::Text(next)) if last.style == next.style => last.text.push_str(&next.text),
        (_, next) => out.push(next),
    }
}

/// The characters that are read.
pub(super) fn text_chars(inlines: &[Inline]) -> usize {
    let chars = |inline: &Inline| match inline {
        Inline::Text(text) => text.text.chars().count(),
        Inline::Link(link) => link.text.as_ref().map_or(0, |text| text.chars().count()),
        _ => USER_LIMIT_CHARS,
    };
    inlines.iter().map(chars).sum()
}

fn inline(span: &Span, look: Look, people: &People) -> Option<Inline> {
    let element = match span {
        Span::Plain(words) => text(&shortened(words, PLAIN_LIMIT_CHARS), look),
        Span::Untrusted(words) => text(&shortened(words, UNTRUSTED_LIMIT_CHARS), look),
        Span::Strong(words) => text(&shortened(words, UNTRUSTED_LIMIT_CHARS), Look::Bold),
        Span::Code(words) => code(&shortened(words, UNTRUSTED_LIMIT_CHARS), look),
        Span::Person(person) => text(&name(person), look),
        Span::Mention(person) => match people.get(person).filter(|id| is_user(id)) {
            Some(id) => SlackRichTextUser::new(SlackUserId(id.clone())).into(),
            None => text(&format!("@{}", name(person)), look),
        },
        Span::Time(at) => time(*at, look),
        Span::Link { url, text: words } => link(url, words, look),
    };
    match element {
        Inline::Text(text) if text.text.is_empty() => None,
        element => Some(element),
    }
}

fn is_user(id: &str) -> bool {
    id.len() <= USER_LIMIT_CHARS
        && id.starts_with(['U', 'W'])
        && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

pub(super) fn text(words: &str, look: Look) -> Inline {
    SlackRichTextText::new(words.to_owned()).opt_style(style(look)).into()
}

fn style(look: Look) -> Option<SlackRichTextStyle> {
    match look {
        Look::Plain => None,
        Look::Bold => Some(SlackRichTextStyle::new().with_bold(true)),
        Look::Italic => Some(SlackRichTextStyle::new().with_italic(true)),
    }
}

fn code(words: &str, look: Look) -> Inline {
    // A frame around nothing would be drawn as a stray box.
    if is_blank(words) {
        return text(words, look);
    }
    SlackRichTextText::new(words.to_owned()).opt_style(style(look)).code().into()
}

fn time(at: Timestamp, look: Look) -> Inline {
    let second = at.as_second();
    match Timestamp::from_second(second) {
        Ok(at) if (0..=DATE_LIMIT_S).contains(&second) => {
            let date = SlackRichTextDate::new(SlackDateTime(at), DATE_FORMAT.to_owned());
            date.with_fallback(utc(at)).opt_style(style(look)).into()
        }
        _ => text(&utc(at), look),
    }
}

fn link(url: &str, words: &str, look: Look) -> Inline {
    let words = shortened(if is_blank(words) { url } else { words }, UNTRUSTED_LIMIT_CHARS);
    match web_address(url) {
        Some(url) if !is_blank(&words) => {
            SlackRichTextLink::new(SlackRelaxedUrl(url)).with_text(words).opt_style(style(look)).into()
        }
        _ => text(&words, look),
    }
}
