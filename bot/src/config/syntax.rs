//! Mistakes in the TOML itself. The parser goes on after each as well as it can, so that the rest of the file is
//! checked too; what it could only guess at is not complained about.

use super::finding::{Finding, Severity};
use super::leak::{self, looks_secret, shown};
use super::position::Lines;
use super::section::Recovered;
use std::collections::BTreeSet;

/// After these the parser has lost nothing but the one value.
const LOCAL: &[&str] = &[
    "string values must be quoted",
    "invalid boolean",
    "invalid float",
    "invalid integer",
    "invalid date",
    "invalid time",
    "invalid basic string",
    "invalid literal string",
    "missing escaped value",
    "unexpected leading zero",
    "duplicate key",
    "extra `=`",
];

/// The first mistake of each line, and what of the rest of the file may be trusted. None: no mistakes.
pub(super) fn findings(errors: &[toml::de::Error], lines: &Lines<'_>) -> (Vec<Finding>, Option<Recovered>) {
    if errors.is_empty() {
        return (Vec::new(), None);
    }
    let mut found: Vec<(usize, Finding, bool)> = errors.iter().map(|error| finding(error, lines)).collect();
    found.sort_by_key(|(at, _, _)| *at);
    let mut recovered = Recovered { broken_lines: BTreeSet::new(), trusted_before_line: usize::MAX };
    let mut findings = Vec::new();
    for (_, finding, local) in found {
        // What follows a mistake from which the parser could not recover is its consequence.
        if finding.line > recovered.trusted_before_line || !recovered.broken_lines.insert(finding.line) {
            continue;
        }
        if !local {
            recovered.trusted_before_line = recovered.trusted_before_line.min(finding.line);
        }
        findings.push(finding);
    }
    (findings, Some(recovered))
}

fn finding(error: &toml::de::Error, lines: &Lines<'_>) -> (usize, Finding, bool) {
    let span = error.span().unwrap_or(0..0);
    let (line, column) = lines.position(span.start);
    let text = lines.slice(span.clone());
    let (message, mend) = explain(error.message(), text, lines.line(line));
    let local = LOCAL.iter().any(|local| error.message().starts_with(local));
    let finding = Finding { severity: Severity::Error, line, column, key_path: String::new(), message, mend };
    (span.start, finding, local || is_local_line(error.message()))
}

/// One broken line that is complete in itself.
fn is_local_line(message: &str) -> bool {
    message.starts_with("key with no value")
        || message.starts_with("unexpected key or value")
        || message.starts_with("invalid unquoted key")
}

fn explain(message: &str, text: &str, line: &str) -> (String, String) {
    let is = |start: &str| message.starts_with(start);
    let header = line.trim_start().starts_with('[');
    let (message, mend) = if is("string values must be quoted") && text.is_empty() {
        ("there is no value after the =", "write the value, or remove the line".to_owned())
    } else if is("string values must be quoted") {
        let bare = text.trim_matches(['“', '”', '‘', '’', '`']);
        let key = line.split('=').next().unwrap_or_default();
        let mend = match looks_secret(bare) {
            Some(leak) => leak.mend,
            // Half of an address with a password may no longer look like one.
            None if leak::speaks_of_secret(key) || bare.contains("://") => "put it in quotes".to_owned(),
            None => format!("write {}", shown(bare)),
        };
        ("a text must be in straight quotes", mend)
    } else if is("invalid boolean") {
        ("this is no value", "write true or false, or put a text in quotes".to_owned())
    } else if is("invalid float") || is("invalid integer") || is("invalid date") || is("invalid time") {
        ("this is no number or date", "put a text in quotes".to_owned())
    } else if is("unexpected leading zero") {
        ("a number must not begin with 0", "remove the zero, or put a text in quotes".to_owned())
    } else if is("invalid basic string") || is("invalid literal string") {
        ("this text is not closed, or has a control character in it", "end it with the quote it began with".to_owned())
    } else if is("invalid multi-line") {
        ("this text is not closed", "end it with the three quotes it began with".to_owned())
    } else if is("missing escaped value") {
        ("\\ begins an escape, and this is none", "write \\\\ for a backslash".to_owned())
    } else if is("duplicate key") {
        let what = if header { "this section is there already" } else { "this key is there already" };
        (what, "keep one of the two".to_owned())
    } else if (is("key with no value") || is("invalid unquoted key")) && line.contains(':') && !line.contains('=') {
        ("a key is followed by =", "write = instead of :".to_owned())
    } else if is("key with no value") {
        ("a key without a value", "write key = value, or begin the line with # to make it a comment".to_owned())
    } else if is("unclosed table") {
        ("the section's header is not closed", "end it with ]".to_owned())
    } else if is("unclosed array") || is("missing comma between array") || is("unexpected `=` in array") {
        (
            "a list is not closed, or a comma is missing in it",
            "end it with ] before this place, with commas between its values".to_owned(),
        )
    } else if is("unclosed inline table") || is("missing comma between key-value") {
        (
            "a { … } is not closed, or a comma is missing in it",
            "end it with } before this place, with commas between its keys".to_owned(),
        )
    } else if is("unexpected key or value") {
        ("there is something after the end", "remove it, or put it on a line of its own".to_owned())
    } else if is("extra `=`") {
        ("there is one = too many", "remove it".to_owned())
    } else {
        return (format!("this is not TOML: {message}"), "compare with docs/slipway.example.toml".to_owned());
    };
    (message.to_owned(), mend)
}
