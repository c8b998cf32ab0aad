//! Forms: what a person fills in, before any chat's own shape of them.

use super::Line;

/// A form that a person fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Which form it is.
    pub callback: String,
    /// Its title; at most 24 characters are shown everywhere.
    pub title: String,
    /// What the button says that sends it, at most 24 characters. Not every chat can show it.
    pub submit: String,
    /// Words above the inputs.
    pub intro: Option<Line>,
    /// What comes back with the form unseen, where the chat can do that: at most 3,000 characters.
    pub private: String,
    /// What to fill in. Every chat has room for five.
    pub inputs: Vec<Input>,
}

/// One thing to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name among the inputs.
    pub id: String,
    /// What is read above it.
    pub label: String,
    /// What is read under it.
    pub hint: Option<String>,
    /// What it takes.
    pub kind: InputKind,
    /// Whether it may stay empty.
    pub optional: bool,
}

/// What an input takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// Text.
    Text {
        /// Whether it may have several lines.
        multiline: bool,
        /// The most characters, 1 to 3,000.
        max: u16,
        /// What stands there at first.
        initial: String,
    },
    /// One of several. A chat whose forms have no choices shows a text with the value that is chosen at first.
    Choice {
        /// Value and what is read, at most 100. A choice without a value, or with one of more than 150 characters,
        /// is left out.
        options: Vec<(String, String)>,
        /// The value that is chosen at first.
        initial: Option<String>,
    },
}
