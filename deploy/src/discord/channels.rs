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
