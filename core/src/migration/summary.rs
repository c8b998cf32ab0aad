//! What a migration does, in a few words, by a light look at how each statement begins.

use super::sql::{self, Token, tokens};

/// Up to this many different things are named; more are counted.
const NAMED_LIMIT: usize = 2;

/// A name is cut after this many characters.
const NAME_LIMIT_CHARS: usize = 40;

/// How many tokens of a statement are looked at.
const TOKENS_LIMIT: usize = 16;

/// Words between the kind of a thing and its name.
const FILLERS: [&str; 8] = ["if", "not", "exists", "only", "concurrently", "into", "from", "table"];

/// "creates table likes", "alters users, creates an index", "3 statements". It contains names from the file, so it
/// is untrusted text.
pub(crate) fn summary(blocks: &[String]) -> String {
    let statements: Vec<&str> = blocks.iter().flat_map(|block| sql::statements(block)).collect();
    let mut phrases: Vec<String> = Vec::new();
    for statement in &statements {
        let Some(phrase) = phrase(statement) else { return count(statements.len()) };
        if !phrases.contains(&phrase) {
            phrases.push(phrase);
        }
    }
    match phrases.len() {
        0 => "no statements".into(),
        n if n <= NAMED_LIMIT => phrases.join(", "),
        _ => count(statements.len()),
    }
}

fn count(statements: usize) -> String {
    match statements {
        1 => "1 statement".into(),
        n => format!("{n} statements"),
    }
}

fn phrase(statement: &str) -> Option<String> {
    let all: Vec<Token<'_>> = tokens(statement).take(TOKENS_LIMIT).collect();
    let word = |at: usize| match all.get(at) {
        Some(Token::Word(w)) => w.to_ascii_lowercase(),
        _ => String::new(),
    };
    let verb = word(0);
    let mut at = 1;
    match verb.as_str() {
        "create" | "alter" | "drop" => {
            while matches!(
                word(at).as_str(),
                "or" | "replace" | "unique" | "temp" | "temporary" | "unlogged" | "materialized"
            ) {
                at += 1;
            }
            let kind = word(at);
            let done = match verb.as_str() {
                "create" => "creates",
                "alter" => "alters",
                _ => "drops",
            };
            let name = name(&all, at + 1);
            match (kind.as_str(), name) {
                ("", _) => None,
                ("index", _) => Some(format!("{done} an index")),
                ("table", Some(name)) if verb == "alter" => Some(format!("alters {name}")),
                (_, Some(name)) => Some(format!("{done} {kind} {name}")),
                (_, None) => None,
            }
        }
        "insert" => name(&all, at).map(|name| format!("adds rows to {name}")),
        "update" => name(&all, at).map(|name| format!("updates {name}")),
        "delete" => name(&all, at).map(|name| format!("deletes from {name}")),
        "truncate" => name(&all, at).map(|name| format!("empties {name}")),
        "select" | "with" => Some("runs a query".into()),
        "do" => Some("runs a block".into()),
        _ => None,
    }
}

/// The name at or after that token, with its schema.
fn name(all: &[Token<'_>], from: usize) -> Option<String> {
    let mut rest = all.get(from..)?.iter().skip_while(|token| match token {
        Token::Word(w) => FILLERS.contains(&w.to_ascii_lowercase().as_str()),
        _ => false,
    });
    let mut name = String::new();
    loop {
        match rest.next() {
            Some(Token::Word(part) | Token::Name(part)) => name.push_str(part),
            _ => return None,
        }
        match rest.next() {
            Some(Token::Symbol('.')) => name.push('.'),
            _ => return Some(name.chars().take(NAME_LIMIT_CHARS).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    fn of(statements: &[&str]) -> String {
        super::summary(&statements.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_few_words_for_each() {
        for (statements, expected) in [
            (&["CREATE TABLE IF NOT EXISTS public.\"likes\" (id int);"][..], "creates table public.likes"),
            (
                &["-- c\nALTER TABLE ONLY users ADD x int;", "CREATE UNIQUE INDEX CONCURRENTLY i ON users (x);"],
                "alters users, creates an index",
            ),
            (&["ALTER TABLE users ADD x int;", "ALTER TABLE users ADD y int;"], "alters users"),
            (&["CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ x $$;"], "creates function f"),
            (&["INSERT INTO a VALUES (1);", "DELETE FROM b;"], "adds rows to a, deletes from b"),
            (&["DROP TABLE a;", "DROP TABLE b;", "DROP VIEW c;"], "3 statements"),
            (&["-- migrate:up\nCREATE TABLE a (b int); DROP TABLE c;\n-- x"], "creates table a, drops table c"),
            (&["GRANT ALL ON a TO b;"], "1 statement"),
            (&["TRUNCATE TABLE a;"], "empties a"),
            (&["DO $$ BEGIN END $$;"], "runs a block"),
            (&["CREATE"], "1 statement"),
            (&[], "no statements"),
            (&[""], "no statements"),
        ] {
            assert_eq!(of(statements), expected, "{statements:?}");
        }
    }
}
