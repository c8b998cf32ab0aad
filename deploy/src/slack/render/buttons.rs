//! Buttons.

use crate::text::{label, verbs};
use slack_morphism::prelude::*;
use slipway_core::intent::MESSAGE_KEY_PREFIX;
use slipway_core::message::cards::action;
use slipway_core::message::{Action, Verb};

/// The longest text on a button.
const TEXT_LIMIT_CHARS: usize = 75;
/// The longest key that a button carries. Slack takes 2,000 characters, which would leave a message no other room.
const KEY_LIMIT_BYTES: usize = 255;

/// What Slack calls a button that does this.
#[must_use]
pub fn action_id(verb: Verb) -> &'static str {
    verbs::name(verb)
}

/// The buttons, each verb once; none where the key cannot say which message they belong to.
pub(super) fn block(actions: &[Action], key: &str) -> Option<SlackBlock> {
    if key.is_empty() || key.len() > KEY_LIMIT_BYTES || key.contains(char::is_control) {
        return None;
    }
    let mut verbs = Vec::new();
    let mut elements = Vec::new();
    for Action { verb, label } in actions {
        if !verbs.contains(verb) {
            verbs.push(*verb);
            elements.push(SlackActionBlockElement::Button(button(*verb, label, key)));
        }
    }
    (!elements.is_empty()).then(|| SlackActionsBlock::new(elements).into())
}

fn button(verb: Verb, words: &str, key: &str) -> SlackBlockButtonElement {
    let style = match verb {
        Verb::Approve | Verb::Promote => Some(SlackBlockButtonStyle::Primary),
        // Cancel stands beside it: two red ones would be mistaken for each other.
        Verb::Veto => Some(SlackBlockButtonStyle::Danger),
        Verb::Cancel
        | Verb::Retry
        | Verb::Why
        | Verb::Details
        | Verb::Lock
        | Verb::Unlock
        | Verb::Rerun
        | Verb::NotNow
        | Verb::Resume => None,
    };
    SlackBlockButtonElement::new(literal(label(words, TEXT_LIMIT_CHARS, &action(verb).label)))
        .with_action_id(action_id(verb).into())
        .with_value(key.to_owned())
        .opt_style(style)
        .opt_confirm(confirm(verb, key))
}

/// What cannot be taken back is asked about.
fn confirm(verb: Verb, key: &str) -> Option<SlackBlockConfirmItem> {
    let words = |text: &str| literal(text.to_owned());
    let (what, text) = if key.starts_with(MESSAGE_KEY_PREFIX) {
        ("Cancel this deployment?", "It has not begun.")
    } else {
        ("Cancel this release?", "What it has done by then stays. Asking again makes a new release.")
    };
    let text = SlackBlockPlainText::new(text.to_owned()).with_emoji(false);
    let cancel = || SlackBlockConfirmItem::new(words(what), text.into(), words("Cancel it"), words("Go on"));
    (verb == Verb::Cancel).then(cancel)
}

/// Text in which `:x:` stays what it is.
pub(super) fn literal(text: String) -> SlackBlockPlainTextOnly {
    SlackBlockPlainText::new(text).with_emoji(false).into()
}
