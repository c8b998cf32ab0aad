//! What people began and the app answers: commands, presses, forms, the choices for a word.

use super::world::World;
use serde_json::Value;

/// How long an answer can be changed and more be said, in milliseconds.
pub(super) const TOKEN_LIFE_MS: i64 = 15 * 60 * 1_000;
/// How long the app has for its first answer, in milliseconds.
pub(super) const FIRST_ANSWER_MS: i64 = 3_000;

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ping,
    Command,
    Press,
    Choices,
    /// The number of the form that was sent.
    Form(u64),
}

impl Kind {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Ping => 1,
            Self::Command => 2,
            Self::Press => 3,
            Self::Choices => 4,
            Self::Form(_) => 5,
        }
    }
}

/// How far it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    /// The person waits.
    Waiting,
    /// The app answered; with the choices, when they were asked for.
    Answered(Vec<Value>),
    /// The app said nothing in time.
    Lost,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Interaction {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) kind: Kind,
    /// `release status`; empty when it is no command.
    pub(super) command: String,
    pub(super) user: String,
    pub(super) channel: String,
    pub(super) made_ms: i64,
    pub(super) state: State,
    /// The message whose button was pressed, or from which the form came.
    pub(super) source: Option<String>,
    /// The message that `@original` is.
    pub(super) original: Option<String>,
}

/// A form that somebody sees.
#[derive(Clone, Debug)]
pub(super) struct Modal {
    pub(super) number: u64,
    pub(super) user: String,
    pub(super) channel: String,
    /// The message whose button opened it.
    pub(super) source: Option<String>,
    /// As the app gave it.
    pub(super) shown: Value,
}

impl World {
    pub(super) fn interaction(&self, id: &str) -> Option<&Interaction> {
        self.interactions.iter().rev().find(|interaction| interaction.id == id)
    }

    pub(super) fn interaction_mut(&mut self, id: &str) -> Option<&mut Interaction> {
        self.interactions.iter_mut().rev().find(|interaction| interaction.id == id)
    }
}
