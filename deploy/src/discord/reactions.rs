//! Who reacted to a message.

use super::call::{Call, Part};
use super::channels::place;
use super::guild::further;
use super::{Discord, DiscordError};
use serde::Deserialize;
use std::collections::BTreeSet;

/// People asked for at once, the most that Discord gives.
const PAGE_LIMIT: usize = 100;
/// Pages of people that are read.
const PAGES_LIMIT: usize = 20;
/// The kinds of reactions, which have lists of their own: normal ones and those that Discord sells.
const KINDS: [u8; 2] = [0, 1];

/// One emoji on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The emoji itself, or the id of one that the server made.
    pub emoji: String,
    /// How many reacted.
    pub count: u64,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    reactions: Vec<Counted>,
}

#[derive(Deserialize)]
struct Counted {
    count: u64,
    emoji: Emoji,
}

#[derive(Deserialize)]
struct Emoji {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Reactor {
    id: String,
    #[serde(default)]
    bot: bool,
}

impl Message {
    fn reactions(self) -> Vec<Reaction> {
        let named = |Counted { count, emoji }| Some(Reaction { emoji: emoji.id.or(emoji.name)?, count });
        self.reactions.into_iter().filter_map(named).collect()
    }
}

impl Discord {
    /// The reactions to a message. Who they are from tells [`Discord::reactors`].
    ///
    /// # Errors
    /// When Discord does not tell; [`DiscordError::MessageGone`] of a message that was deleted.
    pub async fn message_reactions(&self, channel: &str, id: &str) -> Result<Vec<Reaction>, DiscordError> {
        let parts = [Part::Id(channel), Part::Id(id)];
        let call = Call::get("/channels/{}/messages/{}", &parts);
        self.ask::<Message>(call.about(place(channel))).await.map(Message::reactions)
    }

    /// The ids of those who reacted to a message with this emoji, or with the one of the server that has this id. Bots
    /// are left out.
    ///
    /// # Errors
    /// When Discord does not tell; [`DiscordError::TooBig`] when there are over 2,000, so that nobody takes a part for
    /// the whole.
    pub async fn reactors(&self, channel: &str, id: &str, emoji: &str) -> Result<Vec<String>, DiscordError> {
        let mut found = BTreeSet::new();
        for kind in KINDS {
            found.extend(self.reactors_of_kind(channel, id, &in_address(emoji), kind).await?);
        }
        Ok(found.into_iter().collect())
    }

    async fn reactors_of_kind(
        &self,
        channel: &str,
        id: &str,
        emoji: &str,
        kind: u8,
    ) -> Result<Vec<String>, DiscordError> {
        let parts = [Part::Id(channel), Part::Id(id), Part::Emoji(emoji)];
        let mut found = Vec::new();
        let mut after = 0_u64;
        for _ in 0..PAGES_LIMIT {
            let call = Call::get("/channels/{}/messages/{}/reactions/{}", &parts).query("limit", PAGE_LIMIT);
            let call = call.query("after", after).query("type", kind).about(place(channel));
            let page: Vec<Reactor> = self.ask(call).await?;
            let is_last = page.len() < PAGE_LIMIT;
            let newest = page.iter().filter_map(|reactor| reactor.id.parse().ok()).max();
            found.extend(page.into_iter().filter(|reactor| !reactor.bot).map(|reactor| reactor.id));
            if is_last {
                return Ok(found);
            }
            after = further(after, newest)?;
        }
        Err(DiscordError::TooBig { detail: format!("over {PAGES_LIMIT} pages of reactions to {id}") })
    }
}

/// Discord wants a name before the id of a server's own emoji, and does not care which.
fn in_address(emoji: &str) -> String {
    let is_id = emoji.len() > 1 && emoji.bytes().all(|b| b.is_ascii_digit());
    if is_id { format!("x:{emoji}") } else { emoji.to_owned() }
}
