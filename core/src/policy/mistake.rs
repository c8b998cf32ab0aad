//! What is wrong with a policy folder, and where.

use miette::Diagnostic;
use std::fmt;

/// One mistake in a policy folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyMistake {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong: one sentence.
    pub message: String,
    /// What to do about it: one sentence.
    pub mend: String,
}

impl fmt::Display for PolicyMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, mend } = self;
        write!(f, "{file}:{line}:{column}: {message} {mend}")
    }
}

impl PolicyMistake {
    /// A mistake at a byte offset of the file's text.
    pub(crate) fn at(file: &str, text: &str, offset: usize, message: String, mend: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message,
            mend,
        }
    }

    /// What Cedar reports, at the place that it reports or else at `otherwise`.
    pub(super) fn cedar(
        file: &str,
        text: &str,
        otherwise: usize,
        error: &(impl Diagnostic + ?Sized),
        mend: &str,
    ) -> Self {
        let mut message = error.to_string();
        // Cedar prefixes its findings with the policy's name, which the position says better.
        if let Some(rest) = message.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, ")) {
            message = rest.1.to_owned();
        }
        let mend = error.help().map_or_else(|| mend.to_owned(), |help| sentence(&help.to_string()));
        Self::at(file, text, offset_of(error).unwrap_or(otherwise), sentence(&message), mend)
    }
}

/// Where Cedar points to, as a byte offset.
pub(super) fn offset_of(error: &(impl Diagnostic + ?Sized)) -> Option<usize> {
    error.labels()?.next().map(|label| label.offset())
}

/// Cedar starts in lower case and ends without a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_lines_and_characters_from_one() {
        let place = |offset| {
            let mistake = PolicyMistake::at("f", "é x\n\nab", offset, String::new(), String::new());
            (mistake.line, mistake.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(3), (1, 3), "é is two bytes and one character");
        assert_eq!(place(5), (2, 1));
        assert_eq!(place(7), (3, 2));
        assert_eq!(place(99), (3, 3), "past the end is the end");
    }
}
