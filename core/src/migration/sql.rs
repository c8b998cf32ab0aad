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
    Tokens { sql, at: 0, start: 0 }
}

/// See [`tokens`].
pub(crate) struct Tokens<'a> {
    sql: &'a str,
    at: usize,
    /// Where the token that was given last begins.
    start: usize,
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
                self.start = self.at;
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
            if size == 1 && matches!(c, 'e' | 'E') && rest[1..].starts_with('\'') {
                return (Token::Text, 1 + escaped(&rest[1..]));
            }
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

/// The size of what follows the E of `E'…'`, where a backslash takes the next character with it.
fn escaped(text: &str) -> usize {
    let mut rest = text.char_indices().skip(1);
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            '\'' => return at + 1,
            _ => {}
        }
    }
    text.len()
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

/// The statements of a text, without the semicolons between them. The body of a trigger of SQLite or of a function in
/// plain SQL (`BEGIN ATOMIC`) belongs to its statement.
pub(crate) fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut tokens = tokens(sql);
    let mut current = Head::default();
    while let Some(token) = tokens.next() {
        if token == Token::Symbol(';') && !current.in_body {
            found.extend(current.begin.map(|begin| &sql[begin..tokens.start]));
            current = Head::default();
        } else {
            current.begin.get_or_insert(tokens.start);
            current.token(token);
        }
    }
    found.extend(current.begin.map(|begin| sql[begin..].trim_end()));
    found
}

/// What is known of a statement while its end is looked for.
#[derive(Default)]
struct Head {
    begin: Option<usize>,
    kind: Kind,
    in_body: bool,
    /// The last token was a semicolon or a `BEGIN`.
    fresh: bool,
}

/// Which body a statement may have.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// It begins with `CREATE`, and what is created is not known yet.
    Create,
    Trigger,
    Routine,
    /// None.
    Plain,
}

impl Head {
    fn token(&mut self, token: Token<'_>) {
        let Token::Word(word) = token else {
            self.fresh = token == Token::Symbol(';');
            return;
        };
        let is = |expected: &str| word.eq_ignore_ascii_case(expected);
        match self.kind {
            Kind::Unknown => self.kind = if is("create") { Kind::Create } else { Kind::Plain },
            Kind::Create if is("trigger") => self.kind = Kind::Trigger,
            Kind::Create if is("function") || is("procedure") => self.kind = Kind::Routine,
            Kind::Create if ["or", "replace", "temp", "temporary"].into_iter().any(is) => {}
            Kind::Create => self.kind = Kind::Plain,
            Kind::Trigger if !self.in_body => self.in_body = is("begin"),
            Kind::Routine if !self.in_body => self.in_body = self.fresh && is("atomic"),
            Kind::Trigger | Kind::Routine if self.fresh && is("end") => self.in_body = false,
            Kind::Trigger | Kind::Routine | Kind::Plain => {}
        }
        self.fresh = is("begin") || (self.in_body && is("atomic"));
    }
}

/// The words of a statement, in lower case.
pub(crate) fn words(statement: &str) -> impl Iterator<Item = String> {
    tokens(statement)
        .filter_map(|token| if let Token::Word(word) = token { Some(word.to_ascii_lowercase()) } else { None })
}

/// Whether there is nothing but comments.
pub(crate) fn is_empty(sql: &str) -> bool {
    tokens(sql).next().is_none()
}

/// Whether one of the statements begins or ends a transaction by itself.
pub(crate) fn controls_transaction(sql: &str) -> bool {
    statements(sql).into_iter().any(|statement| {
        let mut words = words(statement);
        match words.next().as_deref() {
            Some("begin" | "commit" | "end" | "abort") => true,
            Some("start" | "prepare") => words.next().as_deref() == Some("transaction"),
            Some("rollback") => words.all(|word| word != "to"),
            _ => false,
        }
    })
}

/// Whether one of the statements cannot run in a transaction, or might not: what a procedure does is not known here.
pub(crate) fn refuses_transaction(sql: &str) -> bool {
    statements(sql).into_iter().any(|statement| {
        let words: Vec<String> = words(statement).take(WORDS_LIMIT).collect();
        let second = words.get(1).map_or("", String::as_str);
        let has = |word: &str| words.iter().any(|other| other == word);
        match words.first().map_or("", String::as_str) {
            "vacuum" | "reindex" | "cluster" | "call" | "detach" => true,
            "create" | "drop" => matches!(second, "database" | "tablespace" | "subscription") || has("concurrently"),
            "alter" => {
                matches!(second, "system" | "subscription")
                    || (second == "database" && has("tablespace"))
                    || (second == "table" && has("concurrently"))
            }
            "discard" => second == "all",
            "do" => {
                let text = statement.to_ascii_lowercase();
                text.contains("commit") || text.contains("rollback")
            }
            _ => false,
        }
    })
}

/// How many words of a statement are looked at.
const WORDS_LIMIT: usize = 32;

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
    fn strings_with_escapes() {
        assert_eq!(tokens(r"E'it\'s' x").collect::<Vec<_>>(), [Token::Text, Token::Word("x")]);
        assert_eq!(tokens(r"e'\\' x").collect::<Vec<_>>(), [Token::Text, Token::Word("x")]);
        assert_eq!(tokens(r"'\' x").collect::<Vec<_>>(), [Token::Text, Token::Word("x")]);
        for open in ["E'", r"E'\", r"E'\'", "E'é"] {
            assert_eq!(tokens(open).collect::<Vec<_>>(), [Token::Text], "{open}");
        }
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_bodies() {
        for (sql, expected) in [
            ("", &[][..]),
            ("-- nothing\n;;", &[]),
            ("-- a\nA 1;\n\nB ';' ; ", &["A 1", "B ';' "]),
            ("DO $$ BEGIN a; END $$; B", &["DO $$ BEGIN a; END $$", "B"]),
            (
                "CREATE TEMP TRIGGER t AFTER UPDATE ON a BEGIN SELECT CASE b WHEN 1 THEN 2 END; DELETE FROM c; END; B",
                &[
                    "CREATE TEMP TRIGGER t AFTER UPDATE ON a BEGIN SELECT CASE b WHEN 1 THEN 2 END; DELETE FROM c; END",
                    "B",
                ],
            ),
            (
                "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; END",
                &["CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", "END"],
            ),
            ("CREATE TABLE trigger (begin int); END", &["CREATE TABLE trigger (begin int)", "END"]),
            (
                "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f(); B",
                &["CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", "B"],
            ),
        ] {
            assert_eq!(statements(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_cannot_run_in_a_transaction() {
        for sql in [
            "CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)",
            "SELECT 1; DROP INDEX concurrently i",
            "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
            "REINDEX INDEX i",
            "VACUUM",
            "CREATE DATABASE a",
            "ALTER SYSTEM SET a = 1",
            "ALTER DATABASE a SET TABLESPACE b",
            "DO $$ BEGIN COMMIT; END $$",
            "CALL p()",
        ] {
            assert!(refuses_transaction(sql), "{sql}");
        }
        for sql in [
            "ALTER TYPE a ADD VALUE 'vacuum'",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY a",
            "ALTER DATABASE a SET b = 1",
            "COMMENT ON TABLE a IS 'CREATE INDEX CONCURRENTLY'",
            "DO $$ BEGIN PERFORM 1; END $$",
            "CREATE INDEX i ON a (b) -- not CONCURRENTLY",
        ] {
            assert!(!refuses_transaction(sql), "{sql}");
        }
    }

    #[test]
    fn transaction_control() {
        for sql in ["BEGIN;", "/* x */ commit;", "START TRANSACTION;", "ROLLBACK;", "END;", "-- x\nSELECT 1;\nCOMMIT;"]
        {
            assert!(controls_transaction(sql), "{sql}");
        }
        for sql in ["ROLLBACK TO a;", "SAVEPOINT a;", "SELECT 1;", "CREATE FUNCTION f() AS $$ BEGIN END $$;", ""] {
            assert!(!controls_transaction(sql), "{sql}");
        }
    }
}
