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

/// What may stand before a mention of the app that is meant as a command.
const GREETINGS: [&str; 6] = ["hey", "hi", "hello", "ok", "okay", "please"];

/// What stands after the mention of the app with which a message begins, but for greetings and other mentions. `None`: the
/// app is only spoken of, as in "do not @slipway deploy production".
#[must_use]
pub(super) fn after_mention<'a>(text: &'a str, bot: Option<&str>) -> Option<&'a str> {
    let mut rest = text.trim_start();
    loop {
        if let Some(mention) = rest.strip_prefix("<@") {
            let (id, after) = mention.split_once('>')?;
            let id = id.split('|').next().unwrap_or(id);
            if bot.is_none_or(|bot| bot == id) {
                return Some(after.trim());
            }
            rest = after.trim_start();
            continue;
        }
        let word = rest.split_whitespace().next()?;
        let greeting = word.trim_end_matches([',', '!', '.']).to_lowercase();
        if !GREETINGS.contains(&greeting.as_str()) {
            return None;
        }
        rest = rest[word.len()..].trim_start();
    }
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

    #[test]
    fn the_command_is_what_follows_the_mention() {
        let bot = Some("U0SLIPWAY");
        assert_eq!(after_mention("<@U0SLIPWAY> deploy staging", bot), Some("deploy staging"));
        assert_eq!(after_mention("Hey, <@U0SLIPWAY|slipway>  status", bot), Some("status"));
        assert_eq!(after_mention("<@U0BOB> <@U0SLIPWAY> help", bot), Some("help"));
        assert_eq!(after_mention("<@U0SLIPWAY>", bot), Some(""));
        assert_eq!(after_mention("<@U0X> deploy", None), Some("deploy"));
        for spoken_of in
            ["do not <@U0SLIPWAY> deploy production", "&gt; <@U0SLIPWAY> deploy", "<@U0BOB> see this", "<@U0", ""]
        {
            assert_eq!(after_mention(spoken_of, bot), None, "{spoken_of}");
        }
    }
}
