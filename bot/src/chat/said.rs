//! What the chats say by themselves, in the same words everywhere.

use slipway_core::message::{Block, Line, Message, Span};

/// To whoever asked in a place where the card cannot be posted.
pub(super) fn no_card_here(why: &str) -> Message {
    let line = Line::plain("What you asked for goes on, and its card cannot be shown here.");
    let status = Line::plain("See ").code("/release status").text(".");
    Message::answer(line, [Line::plain(why), status])
}

/// The way from news for one person to the card.
pub(super) fn open_the_card(url: String) -> Block {
    Block::Line(Line(vec![Span::Link { url, text: "Open the card".to_owned() }]))
}
