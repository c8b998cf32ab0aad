//! Discord's markup with its references resolved and its marks and escapes undone.

use jiff::Timestamp;

/// Marks that come in pairs, longest first.
const MARKS: [&str; 6] = ["**", "__", "~~", "||", "*", "_"];
/// Characters that show nothing: put in so that a word is no mention.
const UNSEEN: [char; 2] = ['\u{200b}', '\u{2060}'];
const LINES_OF_CODE: &str = "```";

/// What names are called by.
pub(super) trait Names {
    /// `ana`, for a user's id.
    fn user(&self, id: &str) -> String;
    /// `releases`, for a channel's id.
    fn channel(&self, id: &str) -> String;
    /// `releasers`, for a role's id.
    fn role(&self, id: &str) -> String;
}

/// What a reader sees of a text, line by line.
pub(super) fn lines(text: &str, names: &dyn Names) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, piece) in text.split(LINES_OF_CODE).enumerate() {
        if number % 2 == 1 {
            let code = piece.strip_prefix('\n').unwrap_or(piece);
            lines.extend(code.lines().map(|line| format!("| {line}")));
            continue;
        }
        let piece = if number > 0 { piece.strip_prefix('\n').unwrap_or(piece) } else { piece };
        lines.extend(piece.lines().map(|line| one(line, names)));
    }
    lines
}

fn one(line: &str, names: &dyn Names) -> String {
    let inside = line.trim_start();
    let indent = &line[..line.len() - inside.len()];
    let starts =
        [("-# ", ""), ("### ", ""), ("## ", ""), ("# ", ""), (">>> ", "> "), ("> ", "> "), ("- ", "• "), ("* ", "• ")];
    let found = starts.iter().find_map(|(mark, shown)| inside.strip_prefix(mark).map(|rest| (*shown, rest)));
    match found {
        Some((shown, rest)) => format!("{indent}{shown}{}", inline(rest, names)),
        None => format!("{indent}{}", inline(inside, names)),
    }
}

/// What a reader sees of a piece of a line.
pub(super) fn inline(text: &str, names: &dyn Names) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let (piece, left) = match first {
            '\\' => escaped(after),
            '`' => code(rest),
            '<' => reference(after, names).unwrap_or(("<".to_owned(), after)),
            '[' => link(after, names).unwrap_or(("[".to_owned(), after)),
            c if UNSEEN.contains(&c) => (String::new(), after),
            _ => match mark(rest, shown.chars().next_back()) {
                Some(left) => (String::new(), left),
                None => (first.to_string(), after),
            },
        };
        shown.push_str(&piece);
        rest = left;
    }
    shown
}

/// What is after a backslash stands for itself.
fn escaped(after: &str) -> (String, &str) {
    match after.chars().next().filter(char::is_ascii_punctuation) {
        Some(c) => (c.to_string(), &after[c.len_utf8()..]),
        None => ("\\".to_owned(), after),
    }
}

/// Between as many backticks as it begins with, nothing is markup.
fn code(rest: &str) -> (String, &str) {
    let ticks = rest.len() - rest.trim_start_matches('`').len();
    let (fence, after) = rest.split_at(ticks);
    match after.split_once(fence) {
        Some((inside, left)) => (inside.replace(UNSEEN, ""), left),
        None => (fence.to_owned(), after),
    }
}

/// A mark of emphasis: what is after it. A `_` within a word is none.
fn mark(rest: &str, before: Option<char>) -> Option<&str> {
    let found = MARKS.iter().find(|found| rest.starts_with(**found))?;
    let left = &rest[found.len()..];
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let within_word = inside(before) && inside(left.chars().next());
    // A star alone between spaces is a star.
    let alone = before.is_none_or(char::is_whitespace) && left.chars().next().is_none_or(char::is_whitespace);
    let is_word = found.starts_with('_') && within_word;
    (!is_word && !alone).then_some(left)
}

/// What stands between `<` and `>`.
fn reference<'a>(after: &'a str, names: &dyn Names) -> Option<(String, &'a str)> {
    let (inside, left) = after.split_once('>')?;
    let shown = if let Some(role) = inside.strip_prefix("@&") {
        format!("@{}", names.role(role))
    } else if let Some(user) = inside.strip_prefix('@') {
        format!("@{}", names.user(user.trim_start_matches('!')))
    } else if let Some(channel) = inside.strip_prefix('#') {
        format!("#{}", names.channel(channel))
    } else if let Some(time) = inside.strip_prefix("t:") {
        let second: i64 = time.split(':').next()?.parse().ok()?;
        Timestamp::from_second(second).ok()?.strftime("%Y-%m-%d %H:%M UTC").to_string()
    } else if let Some(command) = inside.strip_prefix('/') {
        format!("/{}", command.split(':').next()?)
    } else if inside.starts_with("https://") || inside.starts_with("http://") {
        inside.to_owned()
    } else {
        let (name, _) = inside.trim_start_matches('a').strip_prefix(':')?.split_once(':')?;
        format!(":{name}:")
    };
    Some((shown, left))
}

/// `[words](address)`.
fn link<'a>(after: &'a str, names: &dyn Names) -> Option<(String, &'a str)> {
    let end = after.match_indices("](").find(|(at, _)| !after[..*at].ends_with('\\')).map(|(at, _)| at)?;
    let address = &after[end + 2..];
    let web = address.trim_start_matches('<');
    if !web.starts_with("https://") && !web.starts_with("http://") {
        return None;
    }
    let (_, left) = address.split_once(')')?;
    Some((inline(&after[..end], names), left))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain;

    impl Names for Plain {
        fn user(&self, id: &str) -> String {
            format!("user{id}")
        }
        fn channel(&self, id: &str) -> String {
            format!("channel{id}")
        }
        fn role(&self, id: &str) -> String {
            format!("role{id}")
        }
    }

    #[test]
    fn what_a_reader_sees() {
        let cases = [
            ("**goals** → _staging_", "goals → staging"),
            ("\\*\\*no\\*\\* \\<@1\\> \\[a\\](b) \\\\", "**no** <@1> [a](b) \\"),
            ("<@1> <@!2> <@&3> <#4> <:shipit:5> </deploy:6>", "@user1 @user2 @role3 #channel4 :shipit: /deploy"),
            ("since <t:1790000000:R>.", "since 2026-09-21 14:13 UTC."),
            ("[`abc1234`](https://example.com/a_b) by ana", "abc1234 by ana"),
            ("`a_b **c**` snake_case 2 * 3", "a_b **c** snake_case 2 * 3"),
            ("``a`b``", "a`b"),
            ("@\u{200b}everyone <https://a.b/c>", "@everyone https://a.b/c"),
            ("-# small", "small"),
            ("  - item", "  • item"),
            ("> said", "> said"),
            ("a < b > c", "a < b > c"),
        ];
        for (text, shown) in cases {
            assert_eq!(lines(text, &Plain), [shown], "{text}");
        }
        assert_eq!(lines("see\n```\na *b*\n```\nafter", &Plain), ["see", "| a *b*", "after"]);
    }
}
