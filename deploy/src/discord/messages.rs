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
        // The answer is the message. Another one, a proxy's page for instance, says nothing of whether it was changed.
        let call = Call::patch("/channels/{}/messages/{}", &parts, what.body()).about(place(channel));
        let _changed: Message = self.ask(call).await?;
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::super::served::{refuses, says, served};
    use super::*;

    fn what() -> Rendered {
        let embeds = vec![json!({ "description": "x", "url": marker("r7/card") })];
        Rendered { content: "Release 7".into(), embeds, components: vec![], notified: vec!["8".into()] }
    }

    /// When the first message of these tests was posted, less a bit.
    fn since() -> Timestamp {
        "2016-04-30T11:19:25.796Z".parse().unwrap()
    }

    fn ours(id: u64) -> Value {
        let embeds = [json!({ "url": "https://acme.dev/" }), json!({ "url": marker("r7/card") })];
        json!({ "id": id.to_string(), "channel_id": "41", "author": { "id": "70" }, "embeds": embeds })
    }

    fn page(first: u64) -> Value {
        let others =
            (first..first + 100).map(|id| json!({ "id": id.to_string(), "author": { "id": "8" }, "embeds": [] }));
        others.rev().collect::<Vec<_>>().into()
    }

    #[tokio::test]
    async fn a_message_is_posted_with_a_key_and_replaced_as_a_whole() {
        let posted = json!({ "id": "44", "channel_id": "41", "embeds": [{ "type": "new" }], "nonce": { "deep": 1 } });
        let (discord, seen) = served([says(&posted), says(&posted), refuses(429, 30_046), says(&posted)]).await;
        let expected = Posted { channel: "41".into(), id: "44".into() };
        assert_eq!(discord.post("41", "r7/card", &what(), Some("43")).await, Ok(expected));
        assert_eq!(discord.edit("41", "44", &what()).await, Ok(()));
        assert_eq!(discord.edit("41", "44", &what()).await, Err(DiscordError::OldMessage));
        assert_eq!(discord.edit("41", "46", &what()).await, Ok(()), "another message is not too old");
        let error = discord.post("41", "r7/card", &what(), Some("../43")).await.unwrap_err();
        assert_eq!(error, DiscordError::NotDiscords { what: "This id" });
        let seen = seen.await.unwrap();
        assert_eq!((&*seen[0].line, &*seen[1].line), ("POST /channels/41/messages", "PATCH /channels/41/messages/44"));
        assert_eq!(seen[1].body, Value::from(what().body()));
        let mut new = what().body();
        let reply = json!({ "message_id": "43", "fail_if_not_exists": false });
        new.extend([("nonce".into(), nonce("r7/card").into()), ("enforce_nonce".into(), true.into())]);
        new.insert("message_reference".into(), reply);
        assert_eq!(seen[0].body, Value::from(new));
    }

    #[test]
    fn a_nonce_is_short_and_tells_keys_apart() {
        let long = "x".repeat(1_000);
        for key in ["", "r7/card", long.as_str()] {
            assert_eq!(nonce(key).len(), 24, "{key}");
        }
        assert_ne!(nonce("r7/card"), nonce("r8/card"));
        assert_eq!(nonce("r7/card"), nonce("r7/card"));
    }

    #[test]
    fn only_our_own_message_with_the_key_is_found() {
        let is = |message: &Value| serde_json::from_value::<Message>(message.clone()).unwrap().is("70", "r7/card");
        assert!(is(&ours(1)));
        let by_nonce = json!({ "id": "1", "author": { "id": "70" }, "nonce": nonce("r7/card"), "embeds": [] });
        assert!(is(&by_nonce));
        for (member, value) in [
            ("author", json!({ "id": "8" })),
            ("author", Value::Null),
            ("embeds", json!([{ "url": marker("r8/card") }])),
            ("embeds", json!([{ "url": [marker("r7/card")] }, "x", null])),
            ("embeds", json!([{ "description": marker("r7/card") }])),
            ("embeds", json!({ "url": marker("r7/card") })),
        ] {
            let mut other = ours(1);
            other[member] = value;
            assert!(!is(&other), "{other}");
        }
        for nonce in [json!(nonce("r8/card")), json!(12), Value::Null] {
            let mut other = by_nonce.clone();
            other["nonce"] = nonce;
            assert!(!is(&other), "{other}");
        }
    }

    #[tokio::test]
    async fn a_message_is_looked_for_from_a_minute_before_on() {
        let me = says(&json!({ "id": "70", "username": "slipway" }));
        let first = 175_928_847_298_985_984_u64;
        let mixed = json!([page(1)[0], ours(9), ours(11), ours(10)]);
        let (discord, seen) = served([me, says(&page(first)), says(&mixed), says(&page(5)), says(&json!([]))]).await;
        let found = discord.find_posted("41", "r7/card", since()).await;
        assert_eq!(found, Ok(Some(Posted { channel: "41".into(), id: "11".into() })), "the newest");
        assert_eq!(discord.find_posted("41", "r7/card", Timestamp::UNIX_EPOCH).await, Ok(None));
        let lines: Vec<_> = seen.await.unwrap().into_iter().map(|seen| seen.line).collect();
        expect_test::expect![[r#"
            GET /users/@me
            GET /channels/41/messages?after=175928847298985984&limit=100
            GET /channels/41/messages?after=175928847298986083&limit=100
            GET /channels/41/messages?after=0&limit=100
            GET /channels/41/messages?after=104&limit=100"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[tokio::test]
    async fn not_seen_is_not_taken_for_not_posted() {
        let me = says(&json!({ "id": "70", "username": "slipway" }));
        let pages = (0..5).map(|at| says(&page(1 + at * 100)));
        let (discord, seen) = served([me].into_iter().chain(pages).chain([says(&page(1)), says(&page(1))])).await;
        let find = || discord.find_posted("41", "r7/card", Timestamp::UNIX_EPOCH);
        assert!(matches!(find().await, Err(DiscordError::TooBig { .. })));
        assert!(matches!(find().await, Err(DiscordError::Unreadable { .. })), "a page that leads back");
        assert_eq!(seen.await.unwrap().len(), 8);
    }
}
