//! Words that people type, the same in each chat.

/// What may stand before a mention of the app that is meant as a command.
const GREETINGS: [&str; 6] = ["hey", "hi", "hello", "ok", "okay", "please"];

/// What stands after the mention of the app with which a message begins, but for greetings and other mentions. `None`: the
/// app is only spoken of, as in "do not @slipway deploy production".
#[must_use]
pub(in crate::chat) fn after_mention<'a>(text: &'a str, bot: Option<&str>) -> Option<&'a str> {
    let mut rest = text.trim_start();
    loop {
        if let Some(mention) = rest.strip_prefix("<@") {
            let (id, after) = mention.split_once('>')?;
            let id = id.split('|').next().unwrap_or(id).trim_start_matches('!');
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
    fn the_command_is_what_follows_the_mention() {
        let bot = Some("U0SLIPWAY");
        assert_eq!(after_mention("<@U0SLIPWAY> deploy staging", bot), Some("deploy staging"));
        assert_eq!(after_mention("Hey, <@U0SLIPWAY|slipway>  status", bot), Some("status"));
        assert_eq!(after_mention("<@U0BOB> <@U0SLIPWAY> help", bot), Some("help"));
        assert_eq!(after_mention("<@U0SLIPWAY>", bot), Some(""));
        assert_eq!(after_mention("<@U0X> deploy", None), Some("deploy"));
        assert_eq!(after_mention("<@!845027738276462632> help", Some("845027738276462632")), Some("help"));
        for spoken_of in
            ["do not <@U0SLIPWAY> deploy production", "&gt; <@U0SLIPWAY> deploy", "<@U0BOB> see this", "<@U0", ""]
        {
            assert_eq!(after_mention(spoken_of, bot), None, "{spoken_of}");
        }
    }
}
