//! Lines in Discord's markup.

use super::escape::{escaped, fitted, is_code, length};
use crate::text::address::web_address;
use crate::text::lines::{DATE_LIMIT_S, PLAIN_LIMIT_CHARS, SPANS_LIMIT, UNTRUSTED_LIMIT_CHARS, name, utc};
use crate::text::{MORE, is_blank, shortened};
use jiff::Timestamp;
use slipway_core::ids::PersonId;
use slipway_core::message::{Line, Span};
use std::collections::BTreeMap;

/// The longest id of a Discord user.
const USER_LIMIT_CHARS: usize = 20;
/// What is kept of a line's room for its end: what closes bold text, and `…`.
const END_CHARS: usize = BOLD.len() + 1;
/// In less room than this a piece is not begun.
const PIECE_MIN_CHARS: usize = 8;
/// Opens and closes bold text.
const BOLD: &str = "**";
/// What a time is read well after as `in 4 hours` or `2 days ago`; after other words, such as "at", it is a date.
const RELATIVE_AFTER: [&str; 4] = ["expires ", "pushed ", "seen ", "ask again "];
/// Signs that an address may have and that Discord could take for markup.
const ADDRESS_ESCAPES: [(char, &str); 5] = [('(', "%28"), (')', "%29"), ('*', "%2A"), ('\\', "%5C"), ('`', "%60")];

/// Discord's ids of people.
pub(super) type People = BTreeMap<PersonId, String>;

/// How a line's own words look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Bold,
}

/// Text in Discord's markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    /// The ids of those whom it mentions.
    pub(super) mentioned: Vec<String>,
}

impl From<String> for Written {
    fn from(text: String) -> Self {
        Self { text, mentioned: Vec::new() }
    }
}

/// One piece of a line.
pub(super) struct Piece {
    kind: Kind,
    look: Look,
}

enum Kind {
    /// To be escaped.
    Text(String),
    Code(String),
    /// As it is.
    Markup(String),
    /// A user's id.
    Mention(String),
}

/// Clean words as a piece.
pub(super) fn text(words: &str, look: Look) -> Piece {
    Piece { kind: Kind::Text(words.to_owned()), look }
}

/// Adds a piece, to the one before it where both look alike.
pub(super) fn push(out: &mut Vec<Piece>, next: Piece) {
    let same = out.last_mut().filter(|last| last.look == next.look).map(|last| &mut last.kind);
    match (same, &next.kind) {
        (_, Kind::Text(next)) if next.is_empty() => {}
        (Some(Kind::Text(last)), Kind::Text(next)) | (Some(Kind::Code(last)), Kind::Code(next)) => last.push_str(next),
        _ => out.push(next),
    }
}

/// A line's pieces; none when nothing of it would be seen.
pub(super) fn pieces(line: &Line, look: Look, people: &People) -> Vec<Piece> {
    let mut out = Vec::new();
    for span in line.0.iter().take(SPANS_LIMIT) {
        let next = piece(span, look, people, &out);
        push(&mut out, next);
    }
    if line.0.len() > SPANS_LIMIT {
        push(&mut out, text(MORE, look));
    }
    if out.iter().all(is_unseen) { Vec::new() } else { out }
}

fn is_unseen(piece: &Piece) -> bool {
    matches!(&piece.kind, Kind::Text(words) if is_blank(words))
}

fn piece(span: &Span, look: Look, people: &People, before: &[Piece]) -> Piece {
    match span {
        Span::Plain(words) => text(&shortened(words, PLAIN_LIMIT_CHARS), look),
        Span::Untrusted(words) => text(&shortened(words, UNTRUSTED_LIMIT_CHARS), look),
        Span::Strong(words) => text(&shortened(words, UNTRUSTED_LIMIT_CHARS), Look::Bold),
        Span::Code(words) => code(&shortened(words, UNTRUSTED_LIMIT_CHARS), look),
        Span::Person(person) => text(&name(person), look),
        Span::Mention(person) => match people.get(person).filter(|id| is_user(id)) {
            Some(id) => Piece { kind: Kind::Mention(id.clone()), look },
            None => text(&format!("@{}", name(person)), look),
        },
        Span::Time(at) => time(*at, look, before),
        Span::Link { url, text: words } => link(url, words, look),
    }
}

fn is_user(id: &str) -> bool {
    (1..=USER_LIMIT_CHARS).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

fn code(words: &str, look: Look) -> Piece {
    // A frame around nothing would be drawn as two stray signs.
    if is_blank(words) || !is_code(words) {
        return text(words, look);
    }
    Piece { kind: Kind::Code(words.to_owned()), look }
}

fn time(at: Timestamp, look: Look, before: &[Piece]) -> Piece {
    let second = at.as_second();
    if !(0..=DATE_LIMIT_S).contains(&second) {
        return text(&utc(at), look);
    }
    let is_relative = match before.last().map(|piece| &piece.kind) {
        Some(Kind::Text(words)) => RELATIVE_AFTER.iter().any(|end| words.ends_with(end)),
        _ => false,
    };
    let style = if is_relative { 'R' } else { 'f' };
    Piece { kind: Kind::Markup(format!("<t:{second}:{style}>")), look }
}

fn link(url: &str, words: &str, look: Look) -> Piece {
    let words = shortened(if is_blank(words) { url } else { words }, UNTRUSTED_LIMIT_CHARS);
    let Some(address) = web_address(url).filter(|_| !is_blank(&words)) else { return text(&words, look) };
    // In a link's text and address brackets would end it, and escapes do not help everywhere.
    let address = ADDRESS_ESCAPES.iter().fold(address, |address, (sign, escape)| address.replace(*sign, escape));
    let markup = if words == url {
        format!("<{address}>")
    } else if words.contains("://") {
        // Discord makes no link of a text that looks like another.
        return text(&words, look);
    } else {
        format!("[{}](<{address}>)", escaped(&words.replace('[', "(").replace(']', ")"), false))
    };
    Piece { kind: Kind::Markup(markup), look }
}

/// The pieces as markup of at most `limit` characters; `…` stands where something is missing.
pub(super) fn write(pieces: Vec<Piece>, limit: usize) -> Written {
    let mut written = Written::default();
    let mut bold = false;
    let room = limit.saturating_sub(END_CHARS);
    for Piece { kind, look } in pieces {
        let turns = bold != (look == Look::Bold) && !is_unseen_text(&kind);
        let turn = if turns { BOLD } else { "" };
        let begins_line = is_blank(&written.text) && turn.is_empty();
        let left = room.saturating_sub(length(&written.text));
        let next = markup(&kind, begins_line);
        if turn.len() + length(&next) <= left {
            written.text = turned(written.text, turns, bold) + &next;
            written.mentioned.extend(mention(kind));
            bold ^= turns;
            continue;
        }
        match &kind {
            Kind::Text(words) if left > PIECE_MIN_CHARS => {
                let cut = fitted(words, left - turn.len(), |words| escaped(words, begins_line));
                written.text = turned(written.text, turns, bold) + &cut;
                bold ^= turns;
            }
            _ => written.text.push_str(MORE),
        }
        break;
    }
    written.text = turned(written.text, bold, bold);
    written
}

/// The text with the sign where bold begins or ends: spaces before that stay outside.
fn turned(mut text: String, turns: bool, bold: bool) -> String {
    let end = if bold { text.trim_end().len() } else { text.len() };
    if turns {
        text.insert_str(end, BOLD);
    }
    text
}

/// Spaces look the same in bold, and bold text of nothing else would show its signs.
fn is_unseen_text(kind: &Kind) -> bool {
    matches!(kind, Kind::Text(words) if is_blank(words))
}

fn markup(kind: &Kind, begins_line: bool) -> String {
    match kind {
        Kind::Text(words) => escaped(words, begins_line),
        Kind::Code(words) => format!("`{words}`"),
        Kind::Markup(markup) => markup.clone(),
        Kind::Mention(id) => format!("<@{id}>"),
    }
}

fn mention(kind: Kind) -> Option<String> {
    match kind {
        Kind::Mention(id) => Some(id),
        Kind::Text(_) | Kind::Code(_) | Kind::Markup(_) => None,
    }
}
