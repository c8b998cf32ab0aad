//! Which files of a repository concern a service that shares it with others.
//!
//! Patterns are those of the `paths` of a GitHub workflow, as far as most people use them: `*` is any part of a name, `**`
//! any way down, and `!` takes out again what an earlier pattern took in.

use crate::ids::CommitSha;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

#[cfg(test)]
mod tests;

/// Most patterns of one service.
pub const PATTERNS_LIMIT: usize = 50;
/// The longest pattern.
pub const PATTERN_LIMIT_CHARS: usize = 200;
/// How many patterns are named to people.
const PATTERNS_NAMED_LIMIT: usize = 3;
/// What GitHub reads otherwise than most people, or not at all: refused rather than guessed.
const NOT_SUPPORTED: [char; 7] = ['?', '+', '[', ']', '{', '}', '\\'];

/// One pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As it is written, without `!`.
    text: String,
    /// Whether it takes files out again.
    takes_out: bool,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        // The expression is made of the text.
        self.text == other.text && self.takes_out == other.takes_out
    }
}

impl Eq for Pattern {}

/// Why a text is no pattern, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPattern {
    /// What is wrong with it: `begins with /`.
    pub what: &'static str,
    /// What to do about it.
    pub mend: String,
}

impl Pattern {
    /// Reads one.
    ///
    /// # Errors
    /// When it could match no file of a repository, or means something that is not supported.
    pub fn parse(written: &str) -> Result<Self, BadPattern> {
        let text = written.strip_prefix('!').unwrap_or(written);
        let bad = |what, mend: String| Err(BadPattern { what, mend });
        let like = |text: &str| format!("write {text:?}");
        if text.is_empty() {
            return bad("is empty", like("web/**"));
        }
        if text.chars().count() > PATTERN_LIMIT_CHARS {
            return bad("is too long", format!("keep it within {PATTERN_LIMIT_CHARS} characters"));
        }
        if text.chars().any(char::is_control) || text.trim() != text {
            return bad("has characters that no path has", like("web/**"));
        }
        if text.contains(NOT_SUPPORTED) {
            let mend = "write * for any part of a name and ** for any way down; ? + [ ] { } \\ are not supported";
            return bad("has a character that is not supported here", mend.to_owned());
        }
        let inner = text.trim_start_matches("./").trim_matches('/');
        if text.starts_with('/') || text.starts_with("./") || text.ends_with('/') {
            let mend = if inner.is_empty() { "**".to_owned() } else { within(text, inner) };
            return bad("is no path from the root of the repository to a file", like(&mend));
        }
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return bad("is no path from the root of the repository to a file", like("web/**"));
        }
        if text.contains("***") {
            return bad("has more than two stars in a row", "write ** for any way down".to_owned());
        }
        let regex =
            Regex::new(&expression(text)).map_err(|_| BadPattern { what: "is too big", mend: like("web/**") })?;
        Ok(Self { text: text.to_owned(), takes_out: text.len() < written.len(), regex })
    }

    /// Whether it only takes out.
    #[must_use]
    pub fn takes_out(&self) -> bool {
        self.takes_out
    }
}

/// What was probably meant with a slash too many at one of the ends.
fn within(text: &str, inner: &str) -> String {
    if text.ends_with('/') { format!("{inner}/**") } else { inner.to_owned() }
}

/// The regular expression of a pattern.
fn expression(text: &str) -> String {
    let mut expression = String::from("(?s)^");
    let (mut rest, mut begins_part) = (text, true);
    while let Some(next) = rest.chars().next() {
        // A way down may be none at all: **/x is x, too.
        let (taken, piece) = match rest {
            _ if begins_part && rest.starts_with("**/") => (3, "(?:.*/)?".to_owned()),
            _ if rest.starts_with("**") => (2, ".*".to_owned()),
            _ if next == '*' => (1, "[^/]*".to_owned()),
            _ => (next.len_utf8(), regex::escape(next.encode_utf8(&mut [0; 4]))),
        };
        expression.push_str(&piece);
        begins_part = rest[..taken].ends_with('/');
        rest = &rest[taken..];
    }
    expression.push('$');
    expression
}

/// The paths of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    patterns: Vec<Pattern>,
    /// The folder of its migrations: what is in there concerns it in any case.
    migrations: Option<String>,
}

impl Paths {
    /// Of patterns in the order in which they are written; `None` without any that takes something in. `migrations` is a
    /// folder such as `db/migrations`.
    #[must_use]
    pub fn new(patterns: Vec<Pattern>, migrations: Option<&str>) -> Option<Self> {
        let takes_in = patterns.iter().any(|pattern| !pattern.takes_out);
        let migrations = migrations.map(|dir| dir.trim_end_matches('/').to_owned());
        takes_in.then_some(Self { patterns, migrations })
    }

    /// Whether a file concerns the service: the last pattern that matches it decides.
    #[must_use]
    pub fn concern(&self, file: &str) -> bool {
        let below = |dir: &String| file.strip_prefix(dir.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let last = self.patterns.iter().rev().find(|pattern| pattern.regex.is_match(file));
        last.is_some_and(|pattern| !pattern.takes_out) || self.migrations.as_ref().is_some_and(below)
    }

    /// `web/** or shared/**`, and what of it is left out.
    #[must_use]
    pub fn words(&self) -> String {
        let some = |takes_out: bool, last: &str| {
            let of_it = self.patterns.iter().filter(|pattern| pattern.takes_out == takes_out);
            listed(&of_it.map(|pattern| pattern.text.as_str()).collect::<Vec<_>>(), last)
        };
        let (takes_in, out) = (some(false, "or"), some(true, "and"));
        if out.is_empty() { takes_in } else { format!("{takes_in} but for {out}") }
    }

    /// What a comparison says, where it is not that the service is concerned.
    #[must_use]
    pub fn seen(&self, since: &CommitSha, changed: &Changed) -> Option<PathsSeen> {
        let unknown = match changed {
            Changed::Files(files) if files.iter().any(|file| self.concern(file)) => return None,
            Changed::Files(_) => None,
            Changed::Unknown(why) => Some(why.clone()),
        };
        Some(PathsSeen { paths: self.words(), since: since.clone(), unknown })
    }
}

fn listed(texts: &[&str], last: &str) -> String {
    let more = texts.len().saturating_sub(PATTERNS_NAMED_LIMIT);
    let named = &texts[..texts.len() - more];
    let mut words = String::new();
    for (i, text) in named.iter().enumerate() {
        let before = match i {
            0 => String::new(),
            _ if i + 1 == named.len() && more == 0 => format!(" {last} "),
            _ => ", ".to_owned(),
        };
        let _ = write!(words, "{before}{text}");
    }
    if more > 0 { format!("{words} {last} {more} more") } else { words }
}

/// The files that differ between two commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// All of them, by their paths; of one that was moved both.
    Files(Vec<String>),
    /// They are not known, and why: `over 300 files changed`.
    Unknown(String),
}

/// What is known of a service's paths where it is not known that something in them differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathsSeen {
    /// Its patterns, for people. Untrusted text.
    pub paths: String,
    /// The commit that was compared with: what ran.
    pub since: CommitSha,
    /// Why it is not known; `None`: nothing differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

impl PathsSeen {
    /// Whether it is known that nothing differs.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.unknown.is_none()
    }
}
