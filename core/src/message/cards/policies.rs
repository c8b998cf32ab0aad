//! Other policies are in force, told to everybody.

use super::super::{Block, Line, Mark, Message};
use super::first;
use super::words::DOT;
use crate::ids::PersonId;
use crate::policy::Differences;

/// How many rules are named of each kind.
const RULES_SHOWN_LIMIT: usize = 20;
/// How much of a policy set's hash is shown, in hex digits.
const HASH_SHOWN_CHARS: usize = 12;

/// Where a change of the policies comes from.
#[derive(Clone, Copy, Debug)]
pub struct PolicyOrigin<'a> {
    /// Who changed them, as far as that is known.
    pub by: &'a [PersonId],
    /// Others who did: logins of nobody whom Slipway knows. Untrusted text.
    pub by_others: &'a [String],
    /// Where they are kept. Untrusted text.
    pub source: &'a str,
    /// The commit that they were read at.
    pub revision: Option<&'a str>,
}

/// What every channel reads when other policies come into force.
#[must_use]
pub fn policies_changed(differences: &Differences, origin: &PolicyOrigin<'_>, before: &str, after: &str) -> Message {
    let mut headline = Line::plain("▲ The policies changed");
    if !origin.by.is_empty() || !origin.by_others.is_empty() {
        headline = headline.text(DOT).text("by ");
        for (n, person) in origin.by.iter().enumerate() {
            headline = if n == 0 { headline } else { headline.text(", ") }.person(person);
        }
        for (n, other) in origin.by_others.iter().enumerate() {
            headline = if n == 0 && origin.by.is_empty() { headline } else { headline.text(", ") };
            headline = headline.untrusted(other.as_str()).text(" (known to nobody here)");
        }
    }
    let Differences { removed, added, changed } = differences;
    let kinds = [("Removed", removed), ("Added", added), ("Changed", changed)];
    let mut body: Vec<_> = kinds.into_iter().filter(|(_, rules)| !rules.is_empty()).map(named).collect();
    if body.is_empty() {
        body.push(Block::Line(Line::plain(match before == after {
            true => "The rules are the same; they are kept elsewhere now.",
            false => "The rules are the same; the names that they may speak of are others.",
        })));
    }
    let mut from = Line::default().untrusted(origin.source);
    if let Some(revision) = origin.revision {
        from = from.text(" at ").code(short(revision, 7));
    }
    from = from.text(DOT).text("hash ").code(short(after, HASH_SHOWN_CHARS));
    body.push(Block::Line(from.text(", before ").code(short(before, HASH_SHOWN_CHARS))));
    body.push(Block::Line(Line::plain("Everything that waits is judged again, by these.")));
    first::fitted_about(Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() })
}

fn named((label, rules): (&str, &Vec<String>)) -> Block {
    let mut line = Line::default();
    for (n, rule) in rules.iter().take(RULES_SHOWN_LIMIT).enumerate() {
        line = if n == 0 { line } else { line.text(", ") }.code(rule.as_str());
    }
    if let more @ 1.. = rules.len().saturating_sub(RULES_SHOWN_LIMIT) {
        line = line.text(format!(" and {more} more"));
    }
    Block::Field { label: label.to_owned(), lines: vec![line] }
}

fn short(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}
