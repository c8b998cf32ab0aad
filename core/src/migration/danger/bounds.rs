//! What can be parsed: squawk's parser calls itself for everything that is nested, and takes the square of the time for it.

use crate::migration::sql::{Token, tokens};

/// Longer texts are read word by word.
pub(in crate::migration) const TREE_LIMIT_BYTES: usize = 256 * 1024;
/// How deep a tree may become: brackets, blocks, and chains of operators, each operator one level.
const DEPTH_LIMIT: usize = 1_000;
/// How many quotes inside quotes are looked into.
const QUOTES_LIMIT: usize = 4;
/// Quoted texts shorter than this cannot be deep.
const SHALLOW_BYTES: usize = 256;

/// How much stack parsing is given: at that depth it takes a fifth of this in a debug build.
const NEEDED_BYTES: usize = 16 * 1024 * 1024;

/// Works with enough stack for what [`fits`]. `None` if the parser gave up.
pub(in crate::migration) fn with_room<T>(work: impl FnOnce() -> T) -> Option<T> {
    let guarded = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok();
    stacker::maybe_grow(NEEDED_BYTES, NEEDED_BYTES, guarded)
}

/// Whether the text is neither too long nor too deep for a tree.
pub(in crate::migration) fn fits(text: &str) -> bool {
    text.len() <= TREE_LIMIT_BYTES && is_shallow(text, QUOTES_LIMIT)
}

/// An estimate from above, whatever is left open. What is between quotes is looked at too: it may be a body that gets
/// parsed.
fn is_shallow(text: &str, quotes: usize) -> bool {
    let mut depth = Depth { levels: vec![0], total: 0, closes: !text.contains("\\'"), pending_if: false };
    let mut tokens = tokens(text);
    let mut last = String::new();
    loop {
        let begin = tokens.at();
        let Some(token) = tokens.next() else { return true };
        let word = match token {
            Token::Word(word) if word.len() <= "elsif".len() => word.to_ascii_lowercase(),
            _ => String::new(),
        };
        depth.step(token, &word, &last);
        last = word;
        let quoted = &text[begin..tokens.at()];
        if token == Token::Text && quoted.len() > SHALLOW_BYTES {
            let inner = quoted.trim_start().trim_start_matches(|c: char| c == '$' || c == '\'' || c.is_alphanumeric());
            if quotes == 0 || !is_shallow(inner, quotes - 1) {
                return false;
            }
        }
        if depth.total > DEPTH_LIMIT {
            return false;
        }
    }
}

/// How deep the tree may be at a place.
struct Depth {
    /// For each bracket or block that is open, how many tokens stand in it since the last comma or semicolon.
    levels: Vec<usize>,
    /// All of them together.
    total: usize,
    /// Whether anything is believed to end: where quotes can be read in two ways, nothing is.
    closes: bool,
    /// Whether an `IF` waits for its `THEN`.
    pending_if: bool,
}

impl Depth {
    fn step(&mut self, token: Token<'_>, word: &str, last: &str) {
        match token {
            Token::Symbol('(' | '[') => return self.open(),
            Token::Symbol(')' | ']') => return self.close(),
            Token::Symbol(',' | ';') => {
                self.pending_if &= token != Token::Symbol(';');
                return self.separate();
            }
            _ => {}
        }
        match word {
            "begin" | "case" | "loop" if last != "end" => self.open(),
            "if" if last != "end" => {
                self.pending_if = true;
                self.add();
            }
            "then" if self.pending_if => {
                self.pending_if = false;
                self.open();
            }
            "end" => self.close(),
            _ => self.add(),
        }
    }

    fn add(&mut self) {
        self.total += 1;
        if let Some(level) = self.levels.last_mut() {
            *level += 1;
        }
    }

    fn open(&mut self) {
        self.add();
        self.levels.push(0);
    }

    fn close(&mut self) {
        if self.closes && self.levels.len() > 1 {
            self.total -= self.levels.pop().unwrap_or(0);
        }
    }

    fn separate(&mut self) {
        if self.closes && let Some(level) = self.levels.last_mut() {
            self.total -= *level;
            *level = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_is_not_deep() {
        for shallow in [
            format!("INSERT INTO a VALUES {}", "(1, -2, 'x'),".repeat(9_000)),
            "DROP TABLE IF EXISTS a; CREATE TABLE a (x int);\n".repeat(3_000),
            format!("DO $$ BEGIN {} END $$", "IF x THEN y := CASE WHEN a THEN 1 END; END IF;".repeat(1_000)),
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $f$ SELECT 1 $f$;".repeat(2_000),
        ] {
            assert!(fits(&shallow), "{}", &shallow[..60]);
        }
    }

    #[test]
    fn deep_is_deep_wherever_it_stands() {
        for step in ["(", "[", "NOT ", "- ", "1 + ", "a.", "CASE ", "(/*)*/", "('\\')'", "UNION SELECT 1 "] {
            let deep = format!("SELECT {}", step.repeat(2_000));
            assert!(!fits(&deep), "{step}");
            assert!(!fits(&format!("CREATE FUNCTION f() AS $x$ {deep} $x$ LANGUAGE sql")), "{step}");
        }
        for step in ["BEGIN NULL; ", "IF x THEN NULL; ", "LOOP NULL; "] {
            assert!(!fits(&format!("DO $$ {} $$", step.repeat(2_000))), "{step}");
        }
        assert!(!fits(&"x".repeat(TREE_LIMIT_BYTES + 1)));
    }
}
