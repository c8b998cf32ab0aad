//! The chat-neutral message: what a channel shows, before any chat's own markup.
//!
//! Text that people outside Slipway wrote (branch names, commit titles, reasons) travels as
//! [`Span::Untrusted`], so that each chat's renderer escapes it for that chat.

use crate::ids::PersonId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod cards;
pub mod form;
pub mod hidden;
pub mod terminal;

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// How things stand, as a mark before the first line.
    pub mark: Mark,
    /// The first line: whoever reads only this knows where the release stands.
    pub headline: Line,
    /// How far a run has come.
    pub progress: Option<Progress>,
    /// The lines under the headline.
    pub body: Vec<Block>,
    /// Buttons.
    pub actions: Vec<Action>,
}

/// The state mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// No mark: an answer, a list.
    None,
    /// Waits: `○`.
    Waiting,
    /// Runs: `◐`.
    Running,
    /// Done: `●`.
    Live,
    /// Failed, denied: `✖`.
    Failed,
    /// Ended without running: `–`.
    Ended,
}

/// A share of the whole, in thousandths, with what goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// 0 to 1000.
    pub permille: u16,
    /// What goes on now.
    pub label: Line,
}

/// A part of the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// One line.
    Line(Line),
    /// An empty line.
    Gap,
    /// A label with lines beside it.
    Field {
        /// `What ships`, `Image`, …
        label: String,
        /// At least one.
        lines: Vec<Line>,
    },
    /// Something that a reader must not miss, marked `▲`.
    Warning(Line),
    /// Preformatted text, such as the tail of a log. Untrusted.
    Code(String),
    /// Columns, aligned by the renderer.
    Table {
        /// Column titles.
        head: Vec<String>,
        /// Cells.
        rows: Vec<Vec<Line>>,
    },
}

/// A line of text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line(pub Vec<Span>);

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Slipway's own words.
    Plain(String),
    /// Somebody else's words: escaped, control characters removed, shortened by the renderer.
    Untrusted(String),
    /// Set apart.
    Strong(String),
    /// An id, a command, a file name. Escaped like untrusted text.
    Code(String),
    /// A person by name, without notifying them.
    Person(PersonId),
    /// A person on purpose: the chat notifies them.
    Mention(PersonId),
    /// A moment, shown in each reader's own time where the chat can.
    Time(Timestamp),
    /// A link.
    Link {
        /// Where to.
        url: String,
        /// What is read.
        text: String,
    },
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What it does.
    pub verb: Verb,
    /// What it says.
    pub label: String,
}

/// What a button does to the release whose message carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Vote for.
    Approve,
    /// Vote against.
    Veto,
    /// Stop it.
    Cancel,
    /// Ask again for the same.
    Retry,
    /// Explain.
    Why,
    /// Show all of it.
    Details,
    /// Hold its environment: needs a reason.
    Lock,
    /// Let go of its environment.
    Unlock,
    /// Ask again for the same, with the failed jobs of its run once more.
    Rerun,
    /// Ask for the same commit in the environment that comes next.
    Promote,
    /// Suggest it no more.
    NotNow,
    /// Let releases begin by themselves again.
    Resume,
}

impl Line {
    /// A line of Slipway's own words.
    pub fn plain(text: impl Into<String>) -> Self {
        Self(vec![Span::Plain(text.into())])
    }

    /// Adds Slipway's own words.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Plain(text.into()));
        self
    }

    /// Adds somebody else's words.
    #[must_use]
    pub fn untrusted(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Untrusted(text.into()));
        self
    }

    /// Adds an id, command or file name.
    #[must_use]
    pub fn code(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Code(text.into()));
        self
    }

    /// Adds words set apart.
    #[must_use]
    pub fn strong(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Strong(text.into()));
        self
    }

    /// Adds a person's name.
    #[must_use]
    pub fn person(mut self, person: &PersonId) -> Self {
        self.0.push(Span::Person(person.clone()));
        self
    }

    /// Adds a person who is to be notified.
    #[must_use]
    pub fn mention(mut self, person: &PersonId) -> Self {
        self.0.push(Span::Mention(person.clone()));
        self
    }

    /// Adds a moment.
    #[must_use]
    pub fn time(mut self, at: Timestamp) -> Self {
        self.0.push(Span::Time(at));
        self
    }

    /// Adds another line's spans.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Message {
    /// A short answer without mark or buttons: the first line, then the rest.
    #[must_use]
    pub fn answer(headline: Line, rest: impl IntoIterator<Item = Line>) -> Self {
        Self {
            mark: Mark::None,
            headline,
            progress: None,
            body: rest.into_iter().map(Block::Line).collect(),
            actions: Vec::new(),
        }
    }
}
