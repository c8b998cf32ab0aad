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

#[cfg(test)]
mod tests {
    use super::super::served::{refuses, says, served};
    use super::*;
    use serde_json::{Value, json};

    #[tokio::test]
    async fn a_message_with_and_without_reactions_is_read() {
        let with = json!({ "id": "44", "reactions": [
            { "count": 3, "emoji": { "id": null, "name": "✅" }, "me": false },
            { "count": 1, "emoji": { "id": "41771983429993937", "name": "ship" } },
            { "count": 1, "emoji": { "id": null, "name": null } } ] });
        let (discord, seen) = served([says(&with), says(&json!({ "id": "44" })), refuses(404, 10_008)]).await;
        let reaction = |emoji: &str, count| Reaction { emoji: emoji.to_owned(), count };
        let reactions = discord.message_reactions("41", "44").await;
        assert_eq!(reactions, Ok(vec![reaction("✅", 3), reaction("41771983429993937", 1)]));
        assert_eq!(discord.message_reactions("41", "44").await, Ok(vec![]));
        assert_eq!(discord.message_reactions("41", "44").await, Err(DiscordError::MessageGone));
        assert_eq!(seen.await.unwrap()[0].line, "GET /channels/41/messages/44");
    }

    #[tokio::test]
    async fn all_people_are_read_and_no_bots() {
        let full: Value = (1..=100).map(|id| json!({ "id": id.to_string(), "bot": id > 2 })).collect::<Vec<_>>().into();
        let rest = json!([{ "id": "101" }, { "id": "102", "bot": true }]);
        let sold = json!([{ "id": "1" }, { "id": "103", "bot": false }]);
        let (discord, seen) = served([&full, &rest, &sold, &json!([]), &json!([])].map(says)).await;
        let mut found = discord.reactors("41", "44", "✅").await.unwrap();
        found.sort_by_key(|id| id.parse::<u64>().unwrap());
        assert_eq!(found, ["1", "2", "101", "103"]);
        assert_eq!(discord.reactors("41", "44", "41771983429993937").await, Ok(vec![]));
        let lines: Vec<_> = seen.await.unwrap().into_iter().map(|seen| seen.line).collect();
        expect_test::expect![[r#"
            GET /channels/41/messages/44/reactions/%E2%9C%85?limit=100&after=0&type=0
            GET /channels/41/messages/44/reactions/%E2%9C%85?limit=100&after=100&type=0
            GET /channels/41/messages/44/reactions/%E2%9C%85?limit=100&after=0&type=1
            GET /channels/41/messages/44/reactions/x:41771983429993937?limit=100&after=0&type=0
            GET /channels/41/messages/44/reactions/x:41771983429993937?limit=100&after=0&type=1"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[tokio::test]
    async fn a_part_of_the_people_is_not_taken_for_all() {
        let page = |at: u64| -> Value {
            (0..100).map(|id| json!({ "id": (at * 100 + id).to_string() })).collect::<Vec<_>>().into()
        };
        let pages: Vec<Value> = (1..=20).map(page).collect();
        let (discord, _) = served(pages.iter().map(says)).await;
        let error = discord.reactors("41", "44", "✅").await.unwrap_err();
        assert!(matches!(error, DiscordError::TooBig { .. }), "{error:?}");
    }
}
