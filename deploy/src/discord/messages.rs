//! Posting, changing and finding messages. Nothing is tried twice here: whether a message was posted although no answer
//! came is for the caller to find out, with [`Discord::find_posted`].

use super::call::{Call, Part};
use super::channels::place;
use super::guild::further;
use super::rendered::key_hash;
use super::{Discord, DiscordError, Rendered, marker, snowflake};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

/// Messages asked for at once, the most that Discord gives.
const PAGE_LIMIT: usize = 100;
/// Pages read in search of a message.
const PAGES_LIMIT: usize = 5;
/// How far our clock may be ahead of Discord's.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// How much of a key's hash is a nonce, which has at most 25 characters.
const NONCE_HASH_BYTES: usize = 12;

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Posted {
    /// The channel's, thread's or direct conversation's id.
    pub channel: String,
    /// The message's id.
    pub id: String,
}

/// The part of an answer that is needed: a message that Discord posted is posted, whatever else it tells of it.
#[derive(Deserialize)]
struct Answer {
    id: String,
    channel_id: String,
}

/// The part of a message that tells whether it is the one. Others' messages may be of any form.
#[derive(Deserialize)]
struct Message {
    id: String,
    #[serde(default)]
    author: Value,
    #[serde(default)]
    nonce: Value,
    #[serde(default)]
    embeds: Value,
}

impl Message {
    fn is(&self, me: &str, key: &str) -> bool {
        let marker = marker(key);
        let embeds = self.embeds.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_marked = embeds.iter().any(|embed| embed["url"].as_str() == Some(&marker));
        self.author["id"].as_str() == Some(me) && (is_marked || self.nonce.as_str() == Some(&nonce(key)))
    }

    fn number(&self) -> Option<u64> {
        self.id.parse().ok()
    }
}

impl Discord {
    /// Posts a message, perhaps as a reply to another one of the channel. Within some minutes Discord itself takes a
    /// second post with the same key for the first; later [`Discord::find_posted`] finds it by the key.
    ///
    /// # Errors
    /// When Discord refuses. When no answer comes the message may have been posted nevertheless.
    pub async fn post(
        &self,
        channel: &str,
        key: &str,
        what: &Rendered,
        reply_to: Option<&str>,
    ) -> Result<Posted, DiscordError> {
        let parts = [Part::Id(channel)];
        let call = Call::post("/channels/{}/messages", &parts, new_message(key, what, reply_to)?);
        let Answer { id, channel_id } = self.ask(call.about(place(channel))).await?;
        Ok(Posted { channel: channel_id, id })
    }

    /// Replaces a message of ours. To do it twice is the same as to do it once.
    ///
    /// # Errors
    /// When Discord refuses: [`DiscordError::MessageGone`] and [`DiscordError::OldMessage`] among others.
    pub async fn edit(&self, channel: &str, id: &str, what: &Rendered) -> Result<(), DiscordError> {
        let parts = [Part::Id(channel), Part::Id(id)];
        self.tell(Call::patch("/channels/{}/messages/{}", &parts, what.body()).about(place(channel))).await
    }

    /// Finds the newest message that [`Discord::post`] posted with this key, looking at what came after `since` (less a
    /// minute).
    ///
    /// # Errors
    /// When Discord does not tell; [`DiscordError::TooBig`] when it was not among the first 500 messages and there are
    /// more, so that nobody takes "not seen" for "not posted".
    pub async fn find_posted(
        &self,
        channel: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<Posted>, DiscordError> {
        let me = self.myself().await?.id.as_str();
        let mut after = snowflake::at(since, SKEW);
        for _ in 0..PAGES_LIMIT {
            let parts = [Part::Id(channel)];
            let call = Call::get("/channels/{}/messages", &parts).query("after", after).query("limit", PAGE_LIMIT);
            let page: Vec<Message> = self.ask(call.about(place(channel))).await?;
            let ours = page.iter().filter(|message| message.is(me, key)).max_by_key(|message| message.number());
            if let Some(found) = ours {
                return Ok(Some(Posted { channel: channel.to_owned(), id: found.id.clone() }));
            }
            if page.len() < PAGE_LIMIT {
                return Ok(None);
            }
            after = further(after, page.iter().filter_map(Message::number).max())?;
        }
        Err(DiscordError::TooBig { detail: format!("over {PAGES_LIMIT} pages of messages in {channel}") })
    }
}

fn new_message(key: &str, what: &Rendered, reply_to: Option<&str>) -> Result<Value, DiscordError> {
    let mut body = what.body();
    body.insert("nonce".to_owned(), nonce(key).into());
    body.insert("enforce_nonce".to_owned(), true.into());
    if let Some(message) = reply_to {
        // What it replies to may have been deleted meanwhile.
        let reference = json!({ "message_id": snowflake::id(message)?, "fail_if_not_exists": false });
        body.insert("message_reference".to_owned(), reference);
    }
    Ok(body.into())
}

fn nonce(key: &str) -> String {
    key_hash(key, NONCE_HASH_BYTES)
}
