//! Channels, threads, conversations.

use super::call::{Call, Part};
use super::guild::bits;
use super::{Discord, DiscordError};
use serde::Deserialize;
use serde_json::json;

/// Direct conversations that are remembered.
const DIRECT_LIMIT: usize = 1_000;
/// Longest name of a thread.
const THREAD_NAME_LIMIT_CHARS: usize = 100;
/// The name of a thread that would have none.
const THREAD_NAME: &str = "Release";

/// What a channel changes of what a role or a member may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overwrite {
    /// The role's or member's id.
    pub id: String,
    /// Whether it is a role's; else it is a member's.
    pub is_role: bool,
    /// What is allowed in addition.
    pub allow: u64,
    /// What is not allowed any more.
    pub deny: u64,
}

/// What Slipway wants to know of a channel or thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// What it is: 0 a text channel, 1 a direct conversation, 5 announcements, 10 to 12 a thread, …
    pub kind: u8,
    /// The server that it is in.
    pub guild_id: Option<String>,
    /// The channel that a thread is in, or the category that a channel is in.
    pub parent_id: Option<String>,
    /// Its name without `#`; a direct conversation has none.
    pub name: Option<String>,
    /// What it changes of what roles and members may do; a thread has its parent's.
    pub overwrites: Vec<Overwrite>,
}

#[derive(Deserialize)]
struct ChannelAnswer {
    id: String,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    guild_id: Option<String>,
    #[serde(default)]
    parent_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    permission_overwrites: Option<Vec<OverwriteAnswer>>,
}

#[derive(Deserialize)]
struct OverwriteAnswer {
    id: String,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(deserialize_with = "bits")]
    allow: u64,
    #[serde(deserialize_with = "bits")]
    deny: u64,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl From<ChannelAnswer> for Channel {
    fn from(answer: ChannelAnswer) -> Self {
        let ChannelAnswer { id, kind, guild_id, parent_id, name, permission_overwrites } = answer;
        let overwrites = permission_overwrites.unwrap_or_default().into_iter();
        let overwrites =
            overwrites.map(|one| Overwrite { id: one.id, is_role: one.kind == 0, allow: one.allow, deny: one.deny });
        let name = name.filter(|name| !name.is_empty());
        Self { id, kind, guild_id, parent_id, name, overwrites: overwrites.collect() }
    }
}

impl Discord {
    /// What a channel or thread is.
    ///
    /// # Errors
    /// When Discord does not tell; [`DiscordError::MissingAccess`] of one that the app does not see.
    pub async fn channel(&self, id: &str) -> Result<Channel, DiscordError> {
        let parts = [Part::Id(id)];
        let call = Call::get("/channels/{}", &parts).about(place(id));
        self.ask::<ChannelAnswer>(call).await.map(Channel::from)
    }

    /// The id of a person's direct conversation with the app; it is opened when there was none, which shows nothing.
    /// Asked once for each person: Discord does not like to be asked often.
    ///
    /// # Errors
    /// When Discord does not tell. Whether the person takes messages is seen when one is posted.
    pub async fn direct_channel(&self, user: &str) -> Result<String, DiscordError> {
        let known = self.direct().get(user).cloned();
        if let Some(channel) = known {
            return Ok(channel);
        }
        super::snowflake::id(user)?;
        let call = Call::post("/users/@me/channels", &[], json!({ "recipient_id": user }));
        let made: Made = self.ask(call.about(format!("the direct conversation with {user}"))).await?;
        let mut direct = self.direct();
        if direct.len() >= DIRECT_LIMIT {
            direct.clear();
        }
        direct.insert(user.to_owned(), made.id.clone());
        Ok(made.id)
    }

    /// The id of the thread that hangs on a message; it is begun when there was none.
    ///
    /// # Errors
    /// When Discord refuses: [`DiscordError::MissingPermissions`] among others.
    pub async fn thread_of(&self, channel: &str, message: &str, name: &str) -> Result<String, DiscordError> {
        let parts = [Part::Id(channel), Part::Id(message)];
        let body = json!({ "name": thread_name(name) });
        let call = Call::post("/channels/{}/messages/{}/threads", &parts, body).about(place(channel));
        match self.ask::<Made>(call).await {
            Ok(made) => Ok(made.id),
            // A thread is called like the message that it hangs on.
            Err(DiscordError::ThreadExists) => Ok(message.to_owned()),
            Err(other) => Err(other),
        }
    }

    /// Takes a thread out of the archive, so that something can be posted in it.
    ///
    /// # Errors
    /// When Discord refuses: [`DiscordError::MissingPermissions`] of one that is locked, among others.
    pub async fn unarchive(&self, thread: &str) -> Result<(), DiscordError> {
        let parts = [Part::Id(thread)];
        let call = Call::patch("/channels/{}", &parts, json!({ "archived": false }));
        self.tell(call.about(place(thread))).await
    }
}

/// What errors call a channel.
pub(super) fn place(channel: &str) -> String {
    format!("the Discord channel {channel}")
}

fn thread_name(name: &str) -> String {
    let clean: String = name.trim().chars().filter(|c| !c.is_control()).take(THREAD_NAME_LIMIT_CHARS).collect();
    if clean.is_empty() { THREAD_NAME.to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::super::served::{refuses, says, served};
    use super::*;

    #[tokio::test]
    async fn a_channel_is_read_with_what_it_changes() {
        let text = json!({ "id": "41", "type": 0, "guild_id": "1", "parent_id": null, "name": "releases",
            "permission_overwrites": [
                { "id": "1", "type": 0, "allow": "0", "deny": "2048" },
                { "id": "8", "type": 1, "allow": "1099511627776", "deny": "0" } ] });
        let (discord, seen) = served([says(&text), says(&json!({ "id": "42", "type": 1, "recipients": [] }))]).await;
        let channel = discord.channel("41").await.unwrap();
        let overwrites = vec![
            Overwrite { id: "1".into(), is_role: true, allow: 0, deny: 2_048 },
            Overwrite { id: "8".into(), is_role: false, allow: 1 << 40, deny: 0 },
        ];
        let (guild_id, name) = (Some("1".into()), Some("releases".into()));
        assert_eq!(channel, Channel { id: "41".into(), kind: 0, guild_id, parent_id: None, name, overwrites });
        let direct = discord.channel("42").await.unwrap();
        assert_eq!((direct.kind, direct.guild_id, direct.name, direct.overwrites), (1, None, None, vec![]));
        assert_eq!(seen.await.unwrap()[0].line, "GET /channels/41");
    }

    #[tokio::test]
    async fn a_direct_conversation_is_asked_for_once() {
        let (discord, seen) = served([refuses(500, 0), says(&json!({ "id": "42", "type": 1 }))]).await;
        assert!(discord.direct_channel("8").await.is_err());
        for _ in 0..2 {
            assert_eq!(discord.clone().direct_channel("8").await.as_deref(), Ok("42"));
        }
        let error = discord.direct_channel("8/../9").await.unwrap_err();
        assert_eq!(error, DiscordError::NotDiscords { what: "This id" });
        let seen = seen.await.unwrap();
        assert_eq!((&*seen[1].line, &seen[1].body), ("POST /users/@me/channels", &json!({ "recipient_id": "8" })));
    }

    #[tokio::test]
    async fn a_thread_that_is_there_is_as_good_as_a_new_one() {
        let made = says(&json!({ "id": "43", "type": 11 }));
        let (discord, seen) = served([made, refuses(400, 160_004), refuses(403, 50_013), says(&json!({}))]).await;
        assert_eq!(discord.thread_of("41", "43", "Release 7\n").await.as_deref(), Ok("43"));
        assert_eq!(discord.thread_of("41", "43", "x").await.as_deref(), Ok("43"));
        let error = discord.thread_of("41", "43", "x").await.unwrap_err();
        assert_eq!(error, DiscordError::MissingPermissions { place: "the Discord channel 41".into() });
        assert_eq!(discord.unarchive("43").await, Ok(()));
        let seen = seen.await.unwrap();
        assert_eq!(seen[0].line, "POST /channels/41/messages/43/threads");
        assert_eq!(seen[0].body, json!({ "name": "Release 7" }));
        assert_eq!((&*seen[3].line, &seen[3].body), ("PATCH /channels/43", &json!({ "archived": false })));
    }

    #[test]
    fn a_thread_has_a_name_that_discord_takes() {
        assert_eq!(thread_name(" \n\t"), THREAD_NAME);
        assert_eq!(thread_name(&"ä".repeat(200)), "ä".repeat(THREAD_NAME_LIMIT_CHARS));
    }
}
