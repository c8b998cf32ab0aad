//! A typed line as words.

use super::Mistake;
use crate::message::Line;

/// The longest line that is read.
pub const TEXT_LIMIT_CHARS: usize = 2_000;

/// A word of the line. A quoted one is never an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// Splits a line at white space, keeping what stands in quotes together. Curly quotes and long dashes, which phones
/// and chats make of straight ones and of `--`, are taken for those.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Mistake> {
    if text.chars().count() > TEXT_LIMIT_CHARS {
        return Err(Mistake::new(Line::plain(format!("That is longer than {TEXT_LIMIT_CHARS} characters."))));
    }
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err(Mistake::new(Line::plain("There are control characters in that line; type it again.")));
    }
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&first) = chars.peek() {
        if first.is_whitespace() {
            chars.next();
            continue;
        }
        words.push(word(&mut chars)?);
    }
    Ok(words)
}

fn word(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Word, Mistake> {
    let mut text = String::new();
    let mut quoted = false;
    let starts_with_dash = matches!(chars.peek(), Some('—' | '–'));
    if starts_with_dash {
        chars.next();
        text.push_str("--");
    }
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() {
            break;
        }
        chars.next();
        let Some(closing) = closing_quote(c, text.is_empty() || text.ends_with('=')) else {
            text.push(c);
            continue;
        };
        quoted |= text.is_empty();
        loop {
            match chars.next() {
                Some(c) if closing.contains(&c) => break,
                Some(c) => text.push(c),
                None => {
                    let line = Line::plain("A quotation mark is open: end it with ").code("\"");
                    return Err(Mistake::new(line.text(".")));
                }
            }
        }
    }
    Ok(Word { text, quoted })
}

/// What ends a quotation that begins with this character. An apostrophe inside a word is none.
fn closing_quote(c: char, at_start: bool) -> Option<&'static [char]> {
    match c {
        '"' | '“' | '”' | '„' => Some(&['"', '”', '“']),
        '\'' | '‘' if at_start => Some(&['\'', '’']),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        words(text).unwrap().into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn quotes_and_dashes_of_phones_are_understood() {
        assert_eq!(
            split("lock  production\u{a0}“load test” —for 2h"),
            ["lock", "production", "load test", "--for", "2h"]
        );
        assert_eq!(split("--reason=\"it's late\" 'a b'"), ["--reason=it's late", "a b"]);
        assert_eq!(split("don't stop"), ["don't", "stop"]);
        assert!(words("--reason \"open").is_err());
        assert!(words("a\u{7}b").is_err());
        assert!(words(&"x".repeat(TEXT_LIMIT_CHARS + 1)).is_err());
        assert!(words("\"--dry-run\"").unwrap()[0].quoted);
    }
}
