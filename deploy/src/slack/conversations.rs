//! What a channel is, and which of our messages stand in it.

use super::chat::METADATA_KIND;
use super::{Bot, Posted, Slack, SlackError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Messages asked for at once. Slack may give fewer.
const PAGE_LIMIT: &str = "100";
/// Pages read in search of a message.
const PAGES_LIMIT: usize = 5;
/// How far our clock may be ahead of Slack's.
const SKEW_S: i64 = 60;

/// What Slipway wants to know of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Its id, `C…`, `G…` or `D…`.
    pub id: String,
    /// Its name without `#`; a direct conversation has none.
    pub name: Option<String>,
    /// Whether the app is in it.
    pub is_member: bool,
    /// Whether nothing can be posted any more.
    pub is_archived: bool,
    /// Whether only its members see it.
    pub is_private: bool,
    /// Whether people of other organisations are in it, or are invited.
    pub is_shared_outside: bool,
}

#[derive(Deserialize)]
struct InfoAnswer {
    channel: Info,
}

/// Which of the flags are there depends on the kind of conversation.
#[derive(Deserialize)]
struct Info {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    is_member: bool,
    #[serde(default)]
    is_archived: bool,
    #[serde(default)]
    is_private: bool,
    #[serde(default)]
    is_im: bool,
    #[serde(default)]
    is_mpim: bool,
    #[serde(default)]
    is_ext_shared: bool,
    #[serde(default)]
    is_pending_ext_shared: bool,
}

impl From<Info> for ChannelInfo {
    fn from(info: Info) -> Self {
        Self {
            id: info.id,
            name: info.name.filter(|name| !name.is_empty()),
            // The app sees no direct conversation but its own.
            is_member: info.is_member || info.is_im,
            is_archived: info.is_archived,
            is_private: info.is_private || info.is_im || info.is_mpim,
            is_shared_outside: info.is_ext_shared || info.is_pending_ext_shared,
        }
    }
}

/// A page of messages: a channel's are newest first, a thread's oldest first.
#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    #[serde(default)]
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: Option<String>,
}

/// The part of a message that tells whether it is the one. Others' metadata may be of any form.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    ts: String,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    bot_id: Option<String>,
    #[serde(default)]
    metadata: Value,
}

impl Message {
    fn is(&self, bot: &Bot, key: &str) -> bool {
        let by_bot = self.bot_id.is_some() && self.bot_id == bot.bot_id;
        let ours = by_bot || self.user.as_ref() == Some(&bot.user_id);
        let kind = self.metadata["event_type"].as_str() == Some(METADATA_KIND);
        ours && kind && self.metadata["event_payload"]["key"].as_str() == Some(key) && !self.ts.is_empty()
    }
}

impl Page {
    /// The newest one with this key. Slack's ids have the same length until 2286 and sort as text.
    fn find(&self, bot: &Bot, key: &str) -> Option<String> {
        self.messages.iter().filter(|message| message.is(bot, key)).map(|message| message.ts.clone()).max()
    }

    fn next(self) -> Option<String> {
        self.response_metadata.and_then(|cursor| cursor.next_cursor).filter(|cursor| !cursor.is_empty())
    }
}

#[derive(Serialize)]
struct OpenDirect<'a> {
    users: &'a str,
}

#[derive(Deserialize)]
struct DirectAnswer {
    channel: Direct,
}

#[derive(Deserialize)]
struct Direct {
    id: String,
}

impl Slack {
    /// What a channel is. Needs `channels:read`, for private ones `groups:read`.
    ///
    /// # Errors
    /// When Slack does not tell; [`SlackError::NoChannel`] also of a private one that the app is not in.
    pub async fn channel(&self, id: &str) -> Result<ChannelInfo, SlackError> {
        let answer: InfoAnswer = self.ask("conversations.info", &[("channel", id)], id).await?;
        Ok(answer.channel.into())
    }

    /// Finds the newest message that [`Slack::post`] posted with this key, looking at what came after `since` (less a
    /// minute), in the channel or in the thread. A person (`U…`) stands for their direct conversation with the app.
    ///
    /// # Errors
    /// When Slack does not tell; [`SlackError::TooBig`] when it was not among the first 500 messages and there are
    /// more, so that nobody takes "not seen" for "not posted".
    pub async fn find_posted(
        &self,
        channel: &str,
        thread: Option<&str>,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<Posted>, SlackError> {
        let bot = self.me().await?;
        let channel = if channel.starts_with(['U', 'W']) { self.direct(channel).await? } else { channel.to_owned() };
        let oldest = oldest(since);
        let (mut cursor, mut found) = (None, None);
        for _ in 0..PAGES_LIMIT {
            let page = self.page(&channel, thread, &oldest, cursor.as_deref()).await?;
            found = found.max(page.find(bot, key));
            cursor = page.next();
            if cursor.is_none() || (thread.is_none() && found.is_some()) {
                return Ok(found.map(|ts| Posted { channel, ts }));
            }
        }
        match found {
            Some(ts) => Ok(Some(Posted { channel, ts })),
            None => Err(SlackError::TooBig { detail: format!("over {PAGES_LIMIT} pages of messages in {channel}") }),
        }
    }

    async fn page(
        &self,
        channel: &str,
        thread: Option<&str>,
        oldest: &str,
        cursor: Option<&str>,
    ) -> Result<Page, SlackError> {
        let mut params = vec![("channel", channel), ("limit", PAGE_LIMIT), ("oldest", oldest), ("inclusive", "true")];
        params.push(("include_all_metadata", "true"));
        params.extend(thread.map(|thread| ("ts", thread)));
        params.extend(cursor.map(|cursor| ("cursor", cursor)));
        let method = if thread.is_some() { "conversations.replies" } else { "conversations.history" };
        let (page, _headers) = self.connector().get(method, &params, &self.token, channel).await?;
        Ok(page)
    }

    /// The id of a person's direct conversation with the app; it is opened when there was none, which shows nothing.
    async fn direct(&self, user: &str) -> Result<String, SlackError> {
        let request = OpenDirect { users: user };
        let answer: DirectAnswer = self.call("conversations.open", &request, &format!("user {user}")).await?;
        Ok(answer.channel.id)
    }
}

/// The moment from which messages are looked at, as Slack writes moments.
fn oldest(since: Timestamp) -> String {
    let from = since.checked_sub(SignedDuration::from_secs(SKEW_S)).unwrap_or(Timestamp::UNIX_EPOCH);
    let from_us = from.as_microsecond().max(0);
    format!("{}.{:06}", from_us / 1_000_000, from_us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot() -> Bot {
        let (team_id, user_id, bot_id) = ("T1".into(), "U0SLIPWAY".into(), Some("B0SLIPWAY".into()));
        Bot { team_id, team_name: None, user_id, user_name: None, bot_id, app_id: None, scopes: vec![] }
    }

    fn found(messages: Value) -> Option<String> {
        serde_json::from_value::<Page>(serde_json::json!({ "ok": true, "messages": messages }))
            .unwrap()
            .find(&bot(), "k")
    }

    #[test]
    fn only_our_own_message_with_the_key_is_found() {
        let key = serde_json::json!({ "event_type": "slipway_message", "event_payload": { "key": "k" } });
        let message = |ts: &str| serde_json::json!({ "ts": ts, "bot_id": "B0SLIPWAY", "metadata": key });
        let (first, second) = (message("1503435956.000247"), message("1503435957.000001"));
        assert_eq!(found(serde_json::json!([second, first])).as_deref(), Some("1503435957.000001"));
        assert_eq!(found(serde_json::json!([first, second])).as_deref(), Some("1503435957.000001"));
        let by_user = serde_json::json!([{ "ts": "1.2", "user": "U0SLIPWAY", "metadata": key }]);
        assert_eq!(found(by_user).as_deref(), Some("1.2"));
        for (member, value) in [
            ("bot_id", serde_json::json!("B0OTHER")),
            ("bot_id", Value::Null),
            ("ts", serde_json::json!("")),
            ("metadata", Value::Null),
            ("metadata", serde_json::json!({ "event_type": "slipway_message", "event_payload": { "key": "other" } })),
            ("metadata", serde_json::json!({ "event_type": "others", "event_payload": { "key": "k" } })),
            ("metadata", serde_json::json!({ "event_type": "slipway_message", "event_payload": ["k"] })),
            ("metadata", serde_json::json!({ "event_type": "slipway_message", "event_payload": { "key": ["k"] } })),
        ] {
            let mut other = first.clone();
            other[member] = value;
            assert_eq!(found(serde_json::json!([other])), None, "{other}");
        }
    }

    #[test]
    fn a_token_without_a_bot_does_not_own_messages_without_one() {
        let metadata = serde_json::json!({ "event_type": "slipway_message", "event_payload": { "key": "k" } });
        let page = serde_json::json!({ "messages": [{ "ts": "1.2", "user": "U2", "metadata": metadata }] });
        let page: Page = serde_json::from_value(page).unwrap();
        assert_eq!(page.find(&Bot { bot_id: None, ..bot() }, "k"), None);
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let next = |text| serde_json::from_str::<Page>(text).unwrap().next();
        assert_eq!(
            next(r#"{"messages":[],"response_metadata":{"next_cursor":"bmV4dA=="}}"#).as_deref(),
            Some("bmV4dA==")
        );
        assert_eq!(next(r#"{"messages":[],"response_metadata":{"next_cursor":""}}"#), None);
        assert_eq!(next(r#"{"messages":[],"response_metadata":{}}"#), None);
        assert_eq!(next(r#"{"messages":[]}"#), None);
    }

    #[test]
    fn a_minute_before_is_looked_at_too() {
        let at = |text: &str| oldest(text.parse().unwrap());
        assert_eq!(at("2018-07-12T18:36:58.000247Z"), "1531420558.000247");
        assert_eq!(at("1970-01-01T00:00:01Z"), "0.000000");
        assert_eq!(oldest(Timestamp::MIN), "0.000000");
    }

    #[test]
    fn flags_that_are_not_there_are_not_set() {
        let read = |text| ChannelInfo::from(serde_json::from_str::<InfoAnswer>(text).unwrap().channel);
        let public =
            read(r#"{"ok":true,"channel":{"id":"C1","name":"releases","is_member":true,"is_ext_shared":false}}"#);
        assert_eq!(public.name.as_deref(), Some("releases"));
        assert!(public.is_member && !public.is_private && !public.is_shared_outside && !public.is_archived);
        let direct = read(r#"{"ok":true,"channel":{"id":"D1","is_im":true,"user":"U1"}}"#);
        assert!(direct.is_member && direct.is_private && direct.name.is_none());
        assert!(read(r#"{"channel":{"id":"C1","is_pending_ext_shared":true}}"#).is_shared_outside);
    }
}
