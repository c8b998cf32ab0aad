//! What is wrong with a typed line, for whoever typed it.

use crate::message::{Line, Message};

/// A mistake in a typed line. Nothing was started because of it, and its message says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    headline: Line,
    rest: Vec<Line>,
}

impl Mistake {
    pub(super) fn new(what: Line) -> Self {
        Self { headline: what.text(" Nothing was started."), rest: Vec::new() }
    }

    /// Adds a line under it.
    pub(super) fn hint(mut self, line: Line) -> Self {
        self.rest.push(line);
        self
    }

    /// The answer to whoever typed it.
    #[must_use]
    pub fn message(&self) -> Message {
        Message::answer(self.headline.clone(), self.rest.clone())
    }
}
