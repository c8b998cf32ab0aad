//! As much of a statement's text as has to be understood when nobody knows whether it ran.

use slipway_core::migration::{Migration, Statement};

/// A statement that builds or drops an index beside the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Concurrent {
    /// It builds one.
    Create {
        /// Its name, as the catalog has it.
        index: String,
        /// The table, as SQL has it.
        table: String,
    },
    /// It drops one, named as SQL has it.
    Drop(String),
}

/// A word or sign of a statement's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A word without quotes, in lower case.
    Word(String),
    /// A quoted name, without its quotes.
    Quoted(String),
    Sign(char),
}

/// How many words and signs of a statement are looked at.
const TOKENS_LIMIT: usize = 16;

/// The statement, if it is one of these and names its index.
pub(in super::super) fn concurrent(statement: &str) -> Option<Concurrent> {
    let tokens = beginning(statement);
    let mut rest = tokens.as_slice();
    if skip(&mut rest, &["drop", "index", "concurrently"]) {
        skip(&mut rest, &["if", "exists"]);
        return Some(Concurrent::Drop(name(&mut rest)?.1));
    }
    let create = skip(&mut rest, &["create", "index", "concurrently"])
        || skip(&mut rest, &["create", "unique", "index", "concurrently"]);
    if !create {
        return None;
    }
    skip(&mut rest, &["if", "not", "exists"]);
    if skip(&mut rest, &["on"]) {
        return None;
    }
    let (index, _) = name(&mut rest)?;
    if !skip(&mut rest, &["on"]) {
        return None;
    }
    skip(&mut rest, &["only"]);
    Some(Concurrent::Create { index, table: name(&mut rest)?.1 })
}

/// Takes these words if they come next.
fn skip(rest: &mut &[Token], words: &[&str]) -> bool {
    let fits = rest.len() >= words.len()
        && rest.iter().zip(words).all(|(token, word)| matches!(token, Token::Word(found) if found == word));
    if fits {
        *rest = &rest[words.len()..];
    }
    fits
}

/// A name with or without a schema: its last part as the catalog has it, and the whole as SQL has it.
fn name(rest: &mut &[Token]) -> Option<(String, String)> {
    let mut parts: Vec<String> = Vec::new();
    loop {
        let (Token::Word(part) | Token::Quoted(part)) = rest.first()? else { return None };
        parts.push(part.clone());
        *rest = &rest[1..];
        if rest.first() != Some(&Token::Sign('.')) {
            break;
        }
        *rest = &rest[1..];
    }
    let quoted: Vec<_> = parts.iter().map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
    Some((parts.pop()?, quoted.join(".")))
}

/// The first words and signs, without comments.
fn beginning(statement: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = statement;
    while tokens.len() < TOKENS_LIMIT {
        rest = without_comments(rest);
        let Some(first) = rest.chars().next() else { break };
        if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_ascii_lowercase()));
            rest = &rest[end..];
        } else if first == '"' {
            let Some((name, end)) = quoted(&rest[1..]) else { break };
            tokens.push(Token::Quoted(name));
            rest = &rest[1 + end..];
        } else {
            tokens.push(Token::Sign(first));
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The name up to the closing quote, and where the text after that begins.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            name.push(c);
        } else if chars.next_if(|(_, next)| *next == '"').is_some() {
            name.push('"');
        } else {
            return Some((name, at + 1));
        }
    }
    None
}

/// The text after white space and comments; block comments may be nested.
fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        if let Some(line) = rest.strip_prefix("--") {
            rest = line.find('\n').map_or("", |end| line[end..].trim_start());
        } else if let Some(block) = rest.strip_prefix("/*") {
            let (mut depth, mut inside) = (1, block);
            while depth > 0 {
                let (open, close) = (inside.find("/*"), inside.find("*/"));
                match (open, close) {
                    (Some(open), Some(close)) if open < close => (depth, inside) = (depth + 1, &inside[open + 2..]),
                    (_, Some(close)) => (depth, inside) = (depth - 1, &inside[close + 2..]),
                    (_, None) => return "",
                }
            }
            rest = inside.trim_start();
        } else {
            return rest;
        }
    }
}

/// The words of a statement, those in comments and strings too.
pub(in super::super) fn words(statement: &str) -> impl Iterator<Item = &str> {
    statement.split(|c: char| !is_word(c)).filter(|word| !word.is_empty())
}

fn first_word(statement: &str) -> Option<String> {
    match beginning(statement).into_iter().next() {
        Some(Token::Word(word)) => Some(word),
        _ => None,
    }
}

/// Whether it begins (`true`) or ends a transaction and does nothing else. How far a file is is written down in its own
/// transaction, so what was written tells whether it ended.
pub(super) fn begins_transaction(statement: &str) -> Option<bool> {
    if !is_one(statement) {
        return None;
    }
    match first_word(statement)?.as_str() {
        "begin" | "start" => Some(true),
        "commit" | "end" => Some(false),
        _ => None,
    }
}

/// Whether it is certainly one statement: some tools send whole files at once.
fn is_one(statement: &str) -> bool {
    !statement.trim().trim_end_matches(';').contains(';')
}

/// Whether it has happened as a whole or not at all when it fails.
pub(super) fn is_all_or_nothing(statement: &str) -> bool {
    is_one(statement) && !matches!(first_word(statement).as_deref(), Some("call" | "do"))
}

/// Whether one of them may begin or end a transaction. A word in a comment counts: better once too often.
pub(super) fn controls_transactions(statements: &[Statement]) -> bool {
    const WORDS: [&str; 7] = ["begin", "start", "commit", "end", "rollback", "abort", "savepoint"];
    let controls = |text: &str| words(text).any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)));
    statements.iter().any(|statement| controls(&statement.text))
}

/// Whether it only says how later statements are to be understood, so that it has to be run again before them.
pub(super) fn sets_up_session(statement: &str) -> bool {
    is_one(statement) && matches!(first_word(statement).as_deref(), Some("set" | "reset" | "pragma"))
}

/// Whether the migration may change who it is.
pub(super) fn changes_role(migration: &Migration) -> bool {
    let has =
        |text: &str| words(text).any(|w| w.eq_ignore_ascii_case("role") || w.eq_ignore_ascii_case("authorization"));
    migration.up.iter().chain(&migration.down).any(|statement| has(&statement.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(index: &str, table: &str) -> Option<Concurrent> {
        Some(Concurrent::Create { index: index.into(), table: table.into() })
    }

    #[test]
    fn names_are_found_as_the_catalog_has_them() {
        assert_eq!(concurrent("create INDEX Concurrently Likes_Id ON likes (id)"), create("likes_id", "\"likes\""));
        assert_eq!(
            concurrent(
                "-- why\n/* a /* b */ */ CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"A \"\"b\" ON ONLY app.\"T\" (x)"
            ),
            create("A \"b", "\"app\".\"T\"")
        );
        assert_eq!(
            concurrent("DROP INDEX CONCURRENTLY IF EXISTS app.x;"),
            Some(Concurrent::Drop("\"app\".\"x\"".into()))
        );
        for other in
            ["CREATE INDEX CONCURRENTLY ON likes (id)", "CREATE INDEX a ON b (c)", "REINDEX INDEX CONCURRENTLY a", ""]
        {
            assert_eq!(concurrent(other), None, "{other}");
        }
    }

    #[test]
    fn only_what_does_nothing_else_is_told_apart() {
        assert_eq!(begins_transaction("BEGIN;"), Some(true));
        assert_eq!(begins_transaction("-- x\ncommit ;"), Some(false));
        assert_eq!(begins_transaction("BEGIN; CREATE TABLE a (id int); COMMIT;"), None);
        assert_eq!(begins_transaction("ROLLBACK"), None);
        assert!(sets_up_session("SET search_path = app;") && !sets_up_session("UPDATE a SET b = 1"));
        assert!(!sets_up_session("SET search_path = app; DELETE FROM a"));
    }
}
