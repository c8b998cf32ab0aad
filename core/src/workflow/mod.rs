//! What a service's workflow files say they do and never can, and what they would do past the gate: read line by line, without a YAML parser. What is written
//! in a way that is not understood here gives no finding.

mod bypass;
mod conditions;
mod correlation;
mod triggers;

pub use bypass::{Bypass, BypassKind, bypasses, local_actions, of_targets, tag_of_image};
pub use correlation::{INPUT, correlates};

use serde::{Deserialize, Serialize};

/// How many findings are kept of one commit.
pub const FINDINGS_LIMIT: usize = 20;
/// How many lines of one file are read.
const LINES_LIMIT: usize = 5_000;

/// A workflow file at a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkflowFile<'a> {
    /// Its path in the repository: `.github/workflows/build.yaml`.
    pub path: &'a str,
    /// What it says. Untrusted text.
    pub text: &'a str,
}

/// What Slipway relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The path of the workflow that builds the image.
    pub builds: &'a str,
    /// The repository's default branch.
    pub branch: &'a str,
}

/// Something that a workflow can never do as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkflowFinding {
    /// The file's path in the repository. Untrusted text.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong, and what would be right. May quote the file: untrusted text.
    pub what: String,
}

/// Everything that is found in these files, by file and line, at most [`FINDINGS_LIMIT`].
#[must_use]
pub fn findings(files: &[WorkflowFile<'_>], expected: &Expected<'_>) -> Vec<WorkflowFinding> {
    let mut all: Vec<_> = files.iter().flat_map(|file| conditions::findings(file)).collect();
    all.extend(
        files.iter().filter(|file| file.path == expected.builds).filter_map(|file| triggers::finding(file, expected)),
    );
    all.sort();
    all.dedup();
    all.truncate(FINDINGS_LIMIT);
    all
}

/// The lines of a file with their numbers, without comments and blank ones.
fn lines<'a>(file: &WorkflowFile<'a>) -> impl Iterator<Item = (u32, &'a str)> {
    let code = file.text.lines().take(LINES_LIMIT).map(without_comment);
    (1_u32..).zip(code).filter(|(_, line)| !line.trim().is_empty())
}

/// A `#` begins a comment at the start and after a blank, outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return line.get(..at).unwrap_or(line),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        before = c;
    }
    line
}

#[cfg(test)]
mod tests;
