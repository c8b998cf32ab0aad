//! What people have before them: the chat in which they type, react and read.

pub mod both;
pub mod discord;
pub mod slack;
pub mod terminal;

use both::BothFront;
use discord::DiscordFront;
use jiff::Timestamp;
use slack::SlackFront;
use slipway_core::message::terminal::{TerminalOptions, render};
use slipway_core::message::{Mark, Message, Verb};
use std::fmt;
use terminal::Terminal;

/// A chat of the bot's, with everybody in it.
#[derive(Debug)]
pub enum Front {
    /// The terminal chat.
    Terminal(Terminal),
    /// The sandbox's Slack.
    Slack(Box<SlackFront>),
    /// The sandbox's Discord.
    Discord(Box<DiscordFront>),
    /// Slack and Discord: people type in the one, and vote in the other.
    Both(Box<BothFront>),
}

/// How wide a message is that is compared as text.
const TEXT_WIDTH_COLUMNS: usize = 110;

/// A message as somebody sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `terminal`, `Slack` or `Discord`.
    pub chat: &'static str,
    /// Where: `#releases`, or nothing where one person alone is told.
    pub channel: String,
    /// The bot's key for it; of what has none in the chat, what it was seen as.
    pub key: String,
    /// What the chat calls it.
    pub id: String,
    /// The only one who sees it, by name.
    pub only_for: Option<String>,
    /// What it says.
    pub shown: Shown,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Shown {
    /// As the bot means it: the terminal draws it.
    Message(Box<Message>),
    /// As the chat shows it, line by line.
    Lines(Vec<String>),
}

/// Why a call did not work.
#[derive(Debug)]
pub enum CallError {
    /// The bot cannot be reached, or its answer broke off.
    Unreachable(String),
    /// The bot refused.
    Refused(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(what) => write!(f, "the bot cannot be reached: {what}"),
            Self::Refused(what) => write!(f, "the bot refused: {what}"),
        }
    }
}

impl std::error::Error for CallError {}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl Seen {
    /// How things stand.
    #[must_use]
    pub fn mark(&self) -> Mark {
        match &self.shown {
            Shown::Message(message) => message.mark,
            Shown::Lines(lines) => mark_of(lines),
        }
    }

    /// Whether there are buttons.
    #[must_use]
    pub fn has_buttons(&self) -> bool {
        match &self.shown {
            Shown::Message(message) => !message.actions.is_empty(),
            Shown::Lines(lines) => lines.iter().any(|line| line.starts_with('[')),
        }
    }

    /// What it says as plain text, as wide as it wants.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.shown {
            Shown::Message(message) => {
                render(message, &TerminalOptions::new(TEXT_WIDTH_COLUMNS, false, Timestamp::now())).join("\n")
            }
            Shown::Lines(lines) => lines.join("\n"),
        }
    }

    /// The card of a release.
    #[must_use]
    pub fn is_card(&self) -> bool {
        self.key.starts_with("release/")
    }

    /// Whether an end is shown.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.mark(), Mark::Live | Mark::Failed | Mark::Ended)
    }
}

fn mark_of(lines: &[String]) -> Mark {
    match lines.first().and_then(|line| line.chars().next()) {
        Some('○') => Mark::Waiting,
        Some('◐') => Mark::Running,
        Some('●') => Mark::Live,
        Some('✖') => Mark::Failed,
        Some('–') => Mark::Ended,
        _ => Mark::None,
    }
}

impl Front {
    /// How many chats show the same.
    #[must_use]
    pub fn chats(&self) -> usize {
        if matches!(self, Self::Both(_)) { 2 } else { 1 }
    }

    /// Whether people fill commands in, by the names of their options.
    #[must_use]
    pub fn has_options(&self) -> bool {
        matches!(self, Self::Discord(_))
    }

    /// What somebody types, as it stands there.
    #[must_use]
    pub fn typed(&self, text: &str) -> String {
        if self.has_options() { discord::filled_in(text) } else { text.to_owned() }
    }

    /// Somebody types where releases are shown.
    ///
    /// # Errors
    /// When the bot does not confirm it.
    pub async fn say(&self, person: &str, text: &str) -> Result<(), CallError> {
        match self {
            Self::Terminal(terminal) => terminal.say(person, crate::world::CHANNEL, text).await,
            Self::Slack(slack) => slack.say(person, text).await,
            Self::Discord(discord) => discord.say(person, text).await,
            Self::Both(both) => both.slack.say(person, text).await,
        }
    }

    /// Somebody reacts to a message with ✅ or ❌.
    ///
    /// # Errors
    /// When the bot does not confirm it.
    pub async fn react(&self, person: &str, message: &Seen, reaction: &str) -> Result<(), CallError> {
        match self {
            Self::Terminal(terminal) => terminal.react(person, crate::world::CHANNEL, &message.key, reaction).await,
            Self::Slack(slack) => slack.react(person, message, reaction),
            Self::Discord(discord) => discord.react(person, message, reaction).await,
            Self::Both(both) => both.react(person, message, reaction).await,
        }
    }

    /// Somebody presses a button of a message.
    ///
    /// # Errors
    /// When there is no such button, or the bot does not confirm it.
    pub async fn press(&self, person: &str, message: &Seen, button: Verb) -> Result<(), CallError> {
        match self {
            Self::Terminal(terminal) => terminal.press(person, crate::world::CHANNEL, &message.key, button).await,
            Self::Slack(slack) => slack.press(person, message, button).await,
            Self::Discord(discord) => discord.press(person, message, button).await,
            Self::Both(both) => both.press(person, message, button).await,
        }
    }

    /// What is new or changed since the last call; waits a while for something.
    ///
    /// # Errors
    /// When the bot cannot be reached.
    pub async fn news(&mut self) -> Result<Vec<Seen>, CallError> {
        match self {
            Self::Slack(slack) => {
                slack.changed().await;
                Ok(slack.news())
            }
            Self::Discord(discord) => {
                discord.changed().await;
                Ok(discord.news())
            }
            Self::Both(both) => Ok(both.news().await),
            Self::Terminal(terminal) => {
                let news = terminal.news().await?.into_iter().map(|message| Seen {
                    chat: "terminal",
                    channel: message.channel.replace("terminal:", "#"),
                    id: message.key.clone(),
                    key: message.key,
                    only_for: message.only_for,
                    shown: Shown::Message(Box::new(message.message)),
                });
                Ok(news.collect())
            }
        }
    }
}
