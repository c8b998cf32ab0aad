//! Posting and changing messages. Nothing is tried twice here: whether a message was posted although no answer came is
//! for the caller to find out, with [`Slack::find_posted`].

use super::{Rendered, Slack, SlackError};
use serde::{Deserialize, Serialize};
use slack_morphism::blocks::SlackBlock;

/// The kind of the metadata by which a message is found again.
pub(super) const METADATA_KIND: &str = "slipway_message";

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Posted {
    /// The conversation's id, `C…`, `G…` or `D…`.
    pub channel: String,
    /// The message's id in it, `1503435956.000247`.
    pub ts: String,
}

/// What the three methods have in common. Links are not unfolded, and nothing in the text becomes a mention.
#[derive(Serialize)]
struct Message<'a> {
    channel: &'a str,
    text: &'a str,
    blocks: &'a [SlackBlock],
    parse: &'static str,
    link_names: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfurl_links: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfurl_media: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    event_type: &'static str,
    event_payload: Payload<'a>,
}

#[derive(Serialize)]
struct Payload<'a> {
    key: &'a str,
}

impl<'a> Metadata<'a> {
    fn of(key: &'a str) -> Self {
        Self { event_type: METADATA_KIND, event_payload: Payload { key } }
    }
}

impl<'a> Message<'a> {
    fn new(channel: &'a str, what: &'a Rendered) -> Self {
        Self {
            channel,
            text: &what.text,
            blocks: &what.blocks,
            parse: "none",
            link_names: false,
            ts: None,
            thread_ts: None,
            user: None,
            unfurl_links: None,
            unfurl_media: None,
            metadata: None,
        }
    }
}

/// The part of an answer that is needed: a message that Slack posted is posted, whatever else it tells of it.
#[derive(Deserialize)]
struct Answer {
    channel: String,
    ts: String,
}

#[derive(Deserialize)]
struct Done {}

#[derive(Deserialize)]
struct Permalink {
    permalink: String,
}

/// The longest address of a message.
const PERMALINK_LIMIT_BYTES: usize = 500;

impl Slack {
    /// Posts a message to a channel, or to a person's direct conversation with the app (`U…`; the answer tells the
    /// conversation's own id), or as a reply to the message `thread`. `key` is what [`Slack::find_posted`] finds it by.
    ///
    /// # Errors
    /// When Slack refuses. When no answer comes the message may have been posted nevertheless.
    pub async fn post(
        &self,
        channel: &str,
        thread: Option<&str>,
        key: &str,
        what: &Rendered,
    ) -> Result<Posted, SlackError> {
        let message = Message {
            thread_ts: thread,
            unfurl_links: Some(false),
            unfurl_media: Some(false),
            metadata: Some(Metadata::of(key)),
            ..Message::new(channel, what)
        };
        let Answer { channel, ts } = self.call("chat.postMessage", &message, channel).await?;
        Ok(Posted { channel, ts })
    }

    /// Replaces a message of ours, its key included. To do it twice is the same as to do it once.
    ///
    /// # Errors
    /// When Slack refuses: [`SlackError::MessageGone`] and [`SlackError::NotEditable`] among others.
    pub async fn update(&self, channel: &str, ts: &str, key: &str, what: &Rendered) -> Result<(), SlackError> {
        let message = Message { ts: Some(ts), metadata: Some(Metadata::of(key)), ..Message::new(channel, what) };
        self.call("chat.update", &message, channel).await.map(|Done {}| ())
    }

    /// The address of a message, for people.
    ///
    /// # Errors
    /// When Slack does not tell, or what it tells is none.
    pub async fn permalink(&self, channel: &str, ts: &str) -> Result<String, SlackError> {
        let params = [("channel", channel), ("message_ts", ts)];
        let Permalink { permalink } = self.ask("chat.getPermalink", &params, channel).await?;
        if permalink.len() > PERMALINK_LIMIT_BYTES || !permalink.starts_with("https://") {
            return Err(SlackError::Unreadable { detail: "the address of a message is none".to_owned() });
        }
        Ok(permalink)
    }

    /// Shows a message to one member of a channel, until they reload. Such a message cannot be found or changed later.
    ///
    /// # Errors
    /// When Slack refuses: [`SlackError::UserNotInChannel`] among others.
    pub async fn post_ephemeral(
        &self,
        channel: &str,
        user: &str,
        thread: Option<&str>,
        what: &Rendered,
    ) -> Result<(), SlackError> {
        let message = Message { user: Some(user), thread_ts: thread, ..Message::new(channel, what) };
        self.call("chat.postEphemeral", &message, channel).await.map(|Done {}| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &Message<'_>) -> String {
        serde_json::to_string_pretty(message).unwrap()
    }

    #[test]
    fn nothing_unfolds_or_mentions_and_the_key_is_carried() {
        let what = Rendered { text: "Release 7".into(), blocks: vec![] };
        let post = Message {
            thread_ts: Some("1503435956.000247"),
            unfurl_links: Some(false),
            unfurl_media: Some(false),
            metadata: Some(Metadata::of("r7/card")),
            ..Message::new("C024BE91L", &what)
        };
        expect_test::expect![[r#"
            {
              "channel": "C024BE91L",
              "text": "Release 7",
              "blocks": [],
              "parse": "none",
              "link_names": false,
              "thread_ts": "1503435956.000247",
              "unfurl_links": false,
              "unfurl_media": false,
              "metadata": {
                "event_type": "slipway_message",
                "event_payload": {
                  "key": "r7/card"
                }
              }
            }"#]]
        .assert_eq(&told(&post));
        let plain = Message::new("C024BE91L", &what);
        expect_test::expect![[r#"
            {
              "channel": "C024BE91L",
              "text": "Release 7",
              "blocks": [],
              "parse": "none",
              "link_names": false
            }"#]]
        .assert_eq(&told(&plain));
    }

    #[test]
    fn a_posted_message_is_read_whatever_else_is_told_of_it() {
        let answer = r#"{"ok":true,"channel":"D024BE91L","ts":"1503435956.000247","message":{"blocks":[{"type":"new"}],
            "metadata":{"event_type":"slipway_message","event_payload":{"key":{"deep":1}}}},"warning":"x"}"#;
        let Answer { channel, ts } = serde_json::from_str(answer).unwrap();
        assert_eq!((channel.as_str(), ts.as_str()), ("D024BE91L", "1503435956.000247"));
    }
}
