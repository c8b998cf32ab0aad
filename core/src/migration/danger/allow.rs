//! What a file allows itself, in comments that are reviewed with it.

use super::DangerKind;
use crate::command::nearest;
use crate::migration::lint::squawk_rules;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a danger is allowed is cut after this many characters.
const REASON_LIMIT_CHARS: usize = 120;
/// Begins a comment that allows something.
const ALLOW: &str = "slipway:allow";
/// How it is written.
const EXAMPLE: &str = "-- slipway:allow drop-column nobody has read it since May";
/// How much of an unknown name is shown.
const NAME_LIMIT_CHARS: usize = 60;
/// How many comments of a file that allow nothing are named.
const IGNORED_LIMIT: usize = 20;
/// Rules that are neither squawk's nor a kind of danger.
const OTHER_RULES: [&str; 5] = [
    "ban-alter-generated-expression",
    "ban-concurrent-index-creation-in-transaction",
    "ban-disable-trigger",
    "needs-no-transaction",
    "syntax-error",
];

/// A comment that was meant to allow something and allows nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredComment {
    /// Its line in the file, from 1.
    pub line: usize,
    /// What is wrong with it, to stand before a full stop. Has words of the file: untrusted text.
    pub message: String,
}

/// What one line says.
enum Said<'a> {
    /// Nothing of the kind.
    Nothing,
    Allows(&'a str, &'a str),
    /// It allows nothing.
    Ignored(String),
}

/// What the comments of a file allow, by the name of a rule or kind, each with the reason. One without a reason allows
/// nothing.
pub(in crate::migration) fn allowed(source: &str) -> BTreeMap<String, String> {
    let allow = |line| match said(line) {
        Said::Allows(name, reason) => {
            Some((name.to_ascii_lowercase(), reason.chars().take(REASON_LIMIT_CHARS).collect()))
        }
        Said::Nothing | Said::Ignored(_) => None,
    };
    source.lines().filter_map(allow).collect()
}

/// The comments that allow nothing, because of how they are written or since there is no such rule.
pub(in crate::migration) fn ignored(source: &str) -> Vec<IgnoredComment> {
    let wrong = |line| match said(line) {
        Said::Nothing => None,
        Said::Allows(name, _) => unknown(name),
        Said::Ignored(message) => Some(message),
    };
    let lines = source.lines().enumerate();
    lines
        .filter_map(|(at, line)| Some(IgnoredComment { line: at + 1, message: wrong(line)? }))
        .take(IGNORED_LIMIT)
        .collect()
}

fn said(line: &str) -> Said<'_> {
    let Some((before, after)) = line.split_once(ALLOW) else { return Said::Nothing };
    if before.trim().strip_prefix("--").is_none_or(|between| !between.trim().is_empty()) {
        // The word may stand in any text; a comment it is only behind its sign.
        let is_comment = before.contains("--") || before.contains("/*");
        return if is_comment {
            Said::Ignored(format!("{ALLOW} has to begin a line of its own: {EXAMPLE}"))
        } else {
            Said::Nothing
        };
    }
    let words = after.trim();
    if words.is_empty() || !after.starts_with(char::is_whitespace) {
        return Said::Ignored(format!("{ALLOW} needs a rule and a reason: {EXAMPLE}"));
    }
    match words.split_once(char::is_whitespace) {
        Some((name, reason)) => Said::Allows(name, reason.trim()),
        None => Said::Ignored(unknown(words).unwrap_or_else(|| {
            format!("{ALLOW} {words} needs a reason, which is shown to whoever decides: {ALLOW} {words} why it is fine")
        })),
    }
}

/// What is wrong with a name that no rule or kind has.
fn unknown(name: &str) -> Option<String> {
    let kinds = DangerKind::ALL.into_iter().map(DangerKind::name);
    let squawk = squawk_rules();
    let mut known: Vec<&str> = kinds.chain(OTHER_RULES).collect();
    known.extend(squawk.iter().map(String::as_str));
    if known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return None;
    }
    let shown: String = name.chars().take(NAME_LIMIT_CHARS).collect();
    let way_out = match nearest(name, known) {
        Some(meant) => format!("Did you mean {meant}?"),
        None => "The findings name the rules".to_owned(),
    };
    Some(format!("there is no rule \"{shown}\", so this allows nothing. {way_out}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_allows_nothing_is_named_with_its_line_and_the_way_out() {
        let source = "-- slipway:allow drop-column\n-- slipway:allow nonsense because I say so\n\
                      -- slipway:allow drop-colum nobody reads it\n-- slipway:allow\n-- slipway:allow: drop-table x\n\
                      ALTER TABLE a DROP COLUMN x; -- slipway:allow drop-column x\n/* slipway:allow drop-column x */\n\
                      SELECT 'slipway:allow';\n-- slipway:allow Drop-Column nobody reads it\n\
                      -- slipway:allow ban-drop-column nobody reads it\n-- slipway:allow drop-colum\n";
        let told: Vec<_> = ignored(source).iter().map(|said| format!("{}: {}", said.line, said.message)).collect();
        expect_test::expect![[r#"
            1: slipway:allow drop-column needs a reason, which is shown to whoever decides: slipway:allow drop-column why it is fine
            2: there is no rule "nonsense", so this allows nothing. The findings name the rules
            3: there is no rule "drop-colum", so this allows nothing. Did you mean drop-column?
            4: slipway:allow needs a rule and a reason: -- slipway:allow drop-column nobody has read it since May
            5: slipway:allow needs a rule and a reason: -- slipway:allow drop-column nobody has read it since May
            6: slipway:allow has to begin a line of its own: -- slipway:allow drop-column nobody has read it since May
            7: slipway:allow has to begin a line of its own: -- slipway:allow drop-column nobody has read it since May
            11: there is no rule "drop-colum", so this allows nothing. Did you mean drop-column?"#]]
        .assert_eq(&told.join("\n"));
        assert_eq!(ignored(&"-- slipway:allow\n".repeat(IGNORED_LIMIT + 1)).len(), IGNORED_LIMIT);
    }

    #[test]
    fn every_rule_of_the_documentation_may_be_allowed() {
        let text = include_str!("../../../../docs/migrations.md");
        let rules = text.split("### The rules").nth(1).unwrap().split("| rule |").nth(1).unwrap();
        let rows = rules.lines().filter(|line| line.starts_with("| `"));
        let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
        let names: Vec<_> = names.collect();
        assert!(names.len() > 20, "{names:?}");
        assert_eq!(names.iter().filter_map(|name| unknown(name)).collect::<Vec<_>>(), Vec::<String>::new());
    }
}
