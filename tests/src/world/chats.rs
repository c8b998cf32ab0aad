//! The chats of a world: their stand-ins, and what the bot's configuration says of them.

use super::config::quoted;
use super::{ANNOUNCE, CHANNEL, ChatOption, Pace, discord, slack};
use crate::bot::Bot;
use crate::discord::DiscordSandbox;
use crate::front;
use crate::slack::SlackSandbox;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// How long the bot has for an answer in a world that shares its machine with others; a world at a watchable pace has the
/// chats' 3 s.
pub(super) const ANSWER_WHEN_FAST: Duration = Duration::from_secs(20);

/// The stand-ins.
pub(super) struct Started {
    chat: ChatOption,
    pub(super) slack: Option<SlackSandbox>,
    pub(super) discord: Option<DiscordSandbox>,
}

impl Started {
    /// Those of a choice; they have not heard of the bot yet.
    ///
    /// # Errors
    /// When one cannot be started.
    pub(super) async fn new(chat: ChatOption, pace: Pace) -> io::Result<Self> {
        Ok(Self { chat, slack: slack::start(chat, pace).await?, discord: discord::start(chat, pace).await? })
    }

    /// As the configuration has them.
    pub(super) fn named(&self) -> Chats<'_> {
        Chats {
            chat: self.chat,
            slack_url: self.slack.as_ref().map(|slack| slack.api_url.as_str()),
            discord_url: self.discord.as_ref().map(|discord| discord.api_url.as_str()),
        }
    }

    /// The bot's variables.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let mut variables = self.slack.as_ref().map(|_| slack::environment()).unwrap_or_default();
        variables.extend(self.discord.as_ref().map(discord::environment).unwrap_or_default());
        variables
    }

    /// Makes the bot known in them, and starts it.
    ///
    /// # Errors
    /// When it does not start, or a chat does not take it.
    pub(super) async fn start(&self, bot: &mut Bot, url: &str) -> io::Result<()> {
        if let Some(slack) = &self.slack {
            slack.set_bot_url(url);
        }
        if self.discord.is_some() {
            discord::register(bot)?;
        }
        bot.start().await?;
        match &self.discord {
            Some(discord) if self.chat == ChatOption::DiscordHttp => discord::save_url(discord, url).await,
            _ => Ok(()),
        }
    }
}

/// Which there are, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chats<'a> {
    pub(super) chat: ChatOption,
    pub(super) slack_url: Option<&'a str>,
    pub(super) discord_url: Option<&'a str>,
}

/// Where releases are shown, and where they are announced.
type Places = (String, String);

impl Chats<'_> {
    /// Their sections.
    pub(super) fn sections(&self) -> String {
        if self.chat == ChatOption::Terminal {
            return "[terminal]\nchannels = [\"releases\", \"announcements\"]\n".to_owned();
        }
        let mode = if self.chat == ChatOption::SlackHttp { "http" } else { "socket" };
        let slack = self.slack_url.map(|url| format!("[slack]\nmode = {}\napi_url = {}\n", quoted(mode), quoted(url)));
        let discord = self.discord_url.map(|url| discord::section(self.chat, url));
        slack.into_iter().chain(discord).collect::<Vec<_>>().join("\n")
    }

    /// The channels where releases are shown.
    pub(super) fn channels(&self) -> String {
        listed(self.places().iter().map(|(releases, _)| releases))
    }

    /// The channels where they are announced.
    pub(super) fn announce(&self) -> String {
        listed(self.places().iter().map(|(_, announce)| announce))
    }

    fn places(&self) -> Vec<Places> {
        use front::{discord, slack};
        if self.chat == ChatOption::Terminal {
            return vec![(CHANNEL.to_owned(), ANNOUNCE.to_owned())];
        }
        let slack = self.slack_url.map(|_| ("slack", slack::RELEASES, slack::ANNOUNCE));
        let discord = self.discord_url.map(|_| ("discord", discord::RELEASES, discord::ANNOUNCE));
        let all = slack.into_iter().chain(discord);
        all.map(|(chat, releases, announce)| (format!("{chat}:{releases}"), format!("{chat}:{announce}"))).collect()
    }

    /// Who a person is in them, a line each.
    pub(super) fn accounts(&self, person: &str) -> String {
        if self.chat == ChatOption::Terminal {
            return format!("terminal = {}", quoted(person));
        }
        let slack = self.slack_url.map(|_| {
            let id = format!("U0{:0<7}", person.to_ascii_uppercase());
            format!("slack = {}", quoted(&format!("{}1", &id[..id.len() - 1])))
        });
        let discord = self.discord_url.and_then(|_| discord::account(person));
        let discord = discord.map(|id| format!("discord = {}", quoted(&id)));
        slack.into_iter().chain(discord).collect::<Vec<_>>().join("\n")
    }
}

fn listed<'a>(places: impl Iterator<Item = &'a String>) -> String {
    places.map(|place| quoted(place)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_says_of_each_chat() {
        let chats = |chat, slack_url, discord_url| Chats { chat, slack_url, discord_url };
        let both = chats(ChatOption::Both, Some("http://s/api"), Some("http://d"));
        assert_eq!(
            both.sections(),
            "[slack]\nmode = \"socket\"\napi_url = \"http://s/api\"\n\n[discord]\nmode = \"gateway\"\n\
             application_id = \"110000000000000001\"\nguild_id = \"410000000000000001\"\napi_url = \"http://d\"\n"
        );
        assert_eq!(both.channels(), "\"slack:C0RELEASES\", \"discord:310000000000000001\"");
        assert_eq!(both.announce(), "\"slack:C0ANNOUNCE\", \"discord:310000000000000002\"");
        assert_eq!(both.accounts("bob"), "slack = \"U0BOB0001\"\ndiscord = \"210000000000000002\"");
        let http = chats(ChatOption::DiscordHttp, None, Some("http://d"));
        assert!(http.sections().starts_with("[discord]\nmode = \"http\"\n"), "{}", http.sections());
        assert_eq!(http.accounts("bob"), "discord = \"210000000000000002\"");
        let terminal = chats(ChatOption::Terminal, None, None);
        assert_eq!(
            (terminal.channels(), terminal.accounts("bob")),
            ("\"terminal:releases\"".to_owned(), "terminal = \"bob\"".to_owned())
        );
    }
}
