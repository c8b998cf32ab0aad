//! Slack's markup in what people type, taken back to what they typed.

/// The line without Slack's markup: links and channels as they were typed, mentions of people as they are (the
/// grammar knows them), entities as characters.
#[must_use]
pub(super) fn typed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        out.push_str(&unescaped(&rest[..start]));
        let Some(length) = rest[start..].find('>') else {
            out.push_str(&unescaped(&rest[start..]));
            return out;
        };
        let inner = &rest[start + 1..start + length];
        if inner.starts_with('@') {
            out.push_str(&rest[start..=start + length]);
        } else {
            let (target, label) = inner.split_once('|').map_or((inner, None), |(target, label)| (target, Some(label)));
            let shown = match target.chars().next() {
                Some('#') => format!("#{}", label.unwrap_or(target.trim_start_matches('#'))),
                Some('!') => {
                    format!("@{}", label.map_or(target.trim_start_matches('!'), |l| l.trim_start_matches('@')))
                }
                // Slack makes a link of `goals.acme.dev` by itself, and keeps what was typed as its label.
                _ => label.unwrap_or(target).to_owned(),
            };
            out.push_str(&unescaped(&shown));
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(&unescaped(rest));
    out
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_made_of_a_line_is_undone() {
        for (sent, meant) in [
            ("staging feature/a&amp;b", "staging feature/a&b"),
            ("staging &lt;!channel&gt;", "staging <!channel>"),
            (
                "lock production \"see <http://goals.acme.dev|goals.acme.dev>\"",
                "lock production \"see goals.acme.dev\"",
            ),
            ("<https://acme.dev/x>", "https://acme.dev/x"),
            ("lock production --to <@U0BOB|bob>", "lock production --to <@U0BOB|bob>"),
            ("in <#C1|releases> <#C2>", "in #releases #C2"),
            ("<!here> <!subteam^S1|@release>", "@here @release"),
            ("an open < bracket", "an open < bracket"),
            ("&amp;lt;", "&lt;"),
        ] {
            assert_eq!(typed(sent), meant);
        }
    }
}
