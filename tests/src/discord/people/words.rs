//! What people type, as Discord's program turns it into text that is sent.

use crate::discord::world::World;

/// A word of several letters, or what is in quotes, with where it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) from: usize,
}

/// The words of a line; what is in quotes is one.
pub(super) fn words(line: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut now: Option<Word> = None;
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        if c.is_whitespace() && !quoted {
            words.extend(now.take());
            continue;
        }
        let word = now.get_or_insert_with(|| Word { text: String::new(), from: at });
        if c == '"' {
            quoted = !quoted;
        } else {
            word.text.push(c);
        }
    }
    words.extend(now);
    words
}

/// `@ana` becomes `<@id>`, as it does when somebody picks the name.
pub(super) fn mentioned(world: &World, text: &str) -> String {
    let mut sent = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(after.len());
        let name = &after[..end];
        let id = match name {
            "slipway" => Some(world.bot_user.clone()),
            name => world.users.iter().find(|user| user.name == name).map(|user| user.id.clone()),
        };
        sent.push_str(before);
        // What already is a mention stays one.
        match id.filter(|_| !before.ends_with('<')) {
            Some(id) => sent.push_str(&format!("<@{id}>")),
            None => sent.push_str(&rest[at..=at + end]),
        }
        rest = &after[end..];
    }
    sent.push_str(rest);
    sent
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn quotes_keep_words_together() {
        let texts = |line| words(line).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(texts("staging  \"load test\" --for 1h"), ["staging", "load test", "--for", "1h"]);
        assert_eq!(texts(""), [""; 0]);
        assert_eq!(words("a  b")[1].from, 3);
    }
}
