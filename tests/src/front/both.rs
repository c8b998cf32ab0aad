//! Slack and Discord at once, as their people see them.

use super::discord::DiscordFront;
use super::slack::SlackFront;
use super::{CallError, Seen};
use slipway_core::message::Verb;

/// Everybody's eyes in both chats. They type in Slack and vote in Discord, so that each release crosses over.
#[derive(Debug)]
pub struct BothFront {
    pub(super) slack: SlackFront,
    discord: DiscordFront,
}

impl BothFront {
    /// Nothing is seen yet.
    #[must_use]
    pub fn new(slack: SlackFront, discord: DiscordFront) -> Self {
        Self { slack, discord }
    }

    pub(super) async fn react(&self, person: &str, message: &Seen, reaction: &str) -> Result<(), CallError> {
        self.discord.react(person, &self.there(message)?, reaction).await
    }

    pub(super) async fn press(&self, person: &str, message: &Seen, button: Verb) -> Result<(), CallError> {
        self.discord.press(person, &self.there(message)?, button).await
    }

    /// The same message in Discord.
    fn there(&self, message: &Seen) -> Result<Seen, CallError> {
        let id = self.discord.id_of(&message.key);
        let id = id.ok_or_else(|| CallError::Refused("Discord does not show this message yet".to_owned()))?;
        Ok(Seen { id, ..message.clone() })
    }

    pub(super) async fn news(&mut self) -> Vec<Seen> {
        tokio::select! {
            () = self.slack.changed() => {}
            () = self.discord.changed() => {}
        }
        let mut news = self.slack.news();
        news.extend(self.discord.news());
        news
    }
}
