//! What is wrong with a typed line, for whoever typed it.

use crate::message::{Line, Message};

/// What sort of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MistakeKind {
    /// The line is wrong; another one is right.
    Typed,
    /// The line is right, and this version cannot do it yet.
    NotYet,
}

/// A mistake in a typed line. Nothing was started because of it, and its message says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    kind: MistakeKind,
    headline: Line,
    rest: Vec<Line>,
}

impl Mistake {
    pub(super) fn new(what: Line) -> Self {
        Self { kind: MistakeKind::Typed, headline: what.text(" Nothing was started."), rest: Vec::new() }
    }

    /// Something of a later version, with what can be done instead.
    pub(super) fn not_yet(what: Line, instead: Line) -> Self {
        let what = what.text(" is not in this version yet.");
        Self { kind: MistakeKind::NotYet, ..Self::new(what).hint(Line::plain("Instead: ").join(instead)) }
    }

    /// Adds a line under it.
    pub(super) fn hint(mut self, line: Line) -> Self {
        self.rest.push(line);
        self
    }

    /// What sort it is.
    #[must_use]
    pub fn kind(&self) -> MistakeKind {
        self.kind
    }

    /// The answer to whoever typed it.
    #[must_use]
    pub fn message(&self) -> Message {
        Message::answer(self.headline.clone(), self.rest.clone())
    }
}
