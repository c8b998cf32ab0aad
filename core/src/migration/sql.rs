//! A light look at SQL: enough to tell words from quotes and comments, no more.

/// A piece of SQL outside comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword or a name.
    Word(&'a str),
    /// A name in double quotes, without them.
    Name(&'a str),
    /// A string, in single quotes or dollar quotes.
    Text,
    /// `\` as the first character of a line, with the rest of the line: a command for psql.
    Backslash(&'a str),
    /// Anything else.
    Symbol(char),
}

/// The tokens of a statement.
pub(crate) fn tokens(sql: &str) -> Tokens<'_> {
    Tokens { sql, at: 0 }
}

/// See [`tokens`].
pub(crate) struct Tokens<'a> {
    sql: &'a str,
    at: usize,
}

impl Tokens<'_> {
    /// How far it has come, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = &self.sql[self.at..];
            let c = rest.chars().next()?;
            if c.is_whitespace() {
                self.at += c.len_utf8();
            } else if rest.starts_with("--") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += block_comment(rest);
            } else {
                let (token, size) = self.token(rest, c);
                self.at += size;
                return Some(token);
            }
        }
    }
}

impl<'a> Tokens<'a> {
    /// Whether nothing but white space stands before it on the line.
    fn begins_line(&self) -> bool {
        let before = self.sql[..self.at].trim_end_matches(|c: char| c.is_whitespace() && c != '\n');
        before.is_empty() || before.ends_with('\n')
    }

    fn token(&self, rest: &'a str, c: char) -> (Token<'a>, usize) {
        if c == '\'' {
            return (Token::Text, quoted(rest, '\''));
        }
        if c == '"' {
            let size = quoted(rest, '"');
            return (Token::Name(rest[1..size].trim_end_matches('"')), size);
        }
        if let Some(size) = (c == '$').then(|| dollar_quoted(rest)).flatten() {
            return (Token::Text, size);
        }
        if c == '\\' && self.begins_line() {
            let line = rest.lines().next().unwrap_or(rest);
            return (Token::Backslash(line), line.len());
        }
        if c.is_alphanumeric() || c == '_' {
            let size = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
            return (Token::Word(&rest[..size]), size);
        }
        (Token::Symbol(c), c.len_utf8())
    }
}

/// The size of a block comment; they nest, as in PostgreSQL.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The size of a quoted text with both quotes; a doubled quote ends one and begins the next, which is as good.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

/// The size of `$tag$ … $tag$`, if that is what the text begins with.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag = &text[..=text[1..].find('$')? + 1];
    let name = &tag[1..tag.len() - 1];
    let named =
        name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    named.then(|| text[tag.len()..].find(tag).map_or(text.len(), |end| end + 2 * tag.len()))
}

/// The first command for psql in the statement, with its arguments.
pub(crate) fn psql_command(sql: &str) -> Option<&str> {
    if !sql.contains('\\') {
        return None;
    }
    tokens(sql).find_map(|token| if let Token::Backslash(line) = token { Some(line) } else { None })
}

/// Whether the statement begins or ends a transaction by itself.
pub(crate) fn controls_transaction(sql: &str) -> bool {
    let mut words =
        tokens(sql).map(|token| if let Token::Word(w) = token { w.to_ascii_lowercase() } else { String::new() });
    match words.next().as_deref() {
        Some("begin" | "commit" | "end" | "abort") => true,
        Some("start") => words.next().as_deref() == Some("transaction"),
        Some("rollback") => words.all(|word| word != "to"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comments_are_told_from_words() {
        let words = |sql: &str| {
            tokens(sql)
                .filter_map(|t| if let Token::Word(w) = t { Some(w.to_owned()) } else { None })
                .collect::<Vec<_>>()
        };
        assert_eq!(words("/* a /* b */ c */ SELECT 'x''y' -- z\n FROM $t$ in $t$ t1"), ["SELECT", "FROM", "t1"]);
        assert_eq!(words("SELECT $1, $$ a $$, 'open"), ["SELECT", "1"]);
        assert_eq!(tokens("\"my table\"").next(), Some(Token::Name("my table")));
        assert_eq!(words("/* open"), Vec::<String>::new());
        assert_eq!(words("é$ü$ß"), ["é$ü$ß"]);
    }

    #[test]
    fn commands_for_psql_are_found_outside_quotes_only() {
        assert_eq!(psql_command("\\connect goals\nSELECT 1;"), Some("\\connect goals"));
        assert_eq!(psql_command("-- a\n  \\set x 1"), Some("\\set x 1"));
        assert_eq!(psql_command("SELECT '\n\\d';"), None);
        assert_eq!(psql_command("SELECT $$\n\\d$$, E'\\n';"), None);
    }

    #[test]
    fn transaction_control() {
        for sql in ["BEGIN;", "/* x */ commit;", "START TRANSACTION;", "ROLLBACK;", "END;"] {
            assert!(controls_transaction(sql), "{sql}");
        }
        for sql in ["ROLLBACK TO a;", "SAVEPOINT a;", "SELECT 1;", "CREATE FUNCTION f() AS $$ BEGIN END $$;", ""] {
            assert!(!controls_transaction(sql), "{sql}");
        }
    }
}
