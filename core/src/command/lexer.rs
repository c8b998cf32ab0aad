//! A typed line as words.

use super::Mistake;
use crate::message::Line;
use crate::message::hidden::{is_bidi_control, is_invisible};

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
    let text = text.trim();
    if text.contains(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        return Err(Mistake::new(Line::plain("One command is one line; that is several.")));
    }
    if text.chars().any(|c| (c.is_control() && c != '\t') || is_bidi_control(c)) {
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
    let dashes: String = std::iter::from_fn(|| chars.next_if(|c| is_dash(*c))).collect();
    // One ASCII hyphen stays what it is: `-for` is a mistake that has its own answer.
    text.push_str(match dashes.as_str() {
        "" => "",
        "-" => "-",
        _ => "--",
    });
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() {
            break;
        }
        chars.next();
        // In a quotation they belong to emoji and to some scripts; `Args::name` refuses them in quoted names.
        if is_invisible(c) {
            return Err(Mistake::new(Line::plain("There are invisible characters in that line; type it again.")));
        }
        let Some(closing) = closing_quote(c, text.is_empty() || text.ends_with('=')) else {
            text.push(c);
            continue;
        };
        quoted |= text.is_empty();
        loop {
            match chars.next() {
                // An apostrophe ends a quotation only where a word can end: ‘it’s late’.
                Some(c) if is_apostrophe(c, closing) && chars.peek().is_some_and(|next| !next.is_whitespace()) => {
                    text.push(c);
                }
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

fn is_apostrophe(c: char, closing: &[char]) -> bool {
    matches!(c, '\'' | '’') && closing.contains(&c)
}

/// Hyphens and dashes, and the minus sign: what keyboards and chats make of `-` and `--`.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}')
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
        assert_eq!(split("‘it’s late’ 'it's late'"), ["it’s late", "it's late"]);
        assert_eq!(split("−−a ―b ‑‑c —-d -e f—g"), ["--a", "--b", "--c", "--d", "-e", "f—g"]);
        assert_eq!(split("\t a \u{202f}b\n"), ["a", "b"]);
        assert_eq!(split("“👩\u{200d}🔧 fixed”"), ["👩\u{200d}🔧 fixed"]);
    }

    #[test]
    fn what_cannot_be_seen_or_told_apart_is_refused() {
        for bad in [
            "--reason \"open",
            "‘open",
            "a\u{7}b",
            "a\nb",
            "a\u{2028}b",
            "v1\u{200b}",
            "\u{feff}v1",
            "“\u{202e}x”",
            "\0",
        ] {
            assert!(words(bad).is_err(), "{bad:?}");
        }
        assert!(words(&"x".repeat(TEXT_LIMIT_CHARS)).is_ok());
        assert!(words(&"x".repeat(TEXT_LIMIT_CHARS + 1)).is_err());
        assert!(words("\"--dry-run\"").unwrap()[0].quoted);
    }
}
