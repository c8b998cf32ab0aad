//! A message, and how the API shows it.

use super::world::World;
use serde_json::{Value, json};

/// Of each message, so many earlier contents are kept.
const PAST_LIMIT: usize = 200;

/// An emoji under a message, with the users who put it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reaction {
    pub(super) name: String,
    pub(super) users: Vec<String>,
}

/// A message of anybody, also a deleted one.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Place in the order of changes.
    pub(super) seq: u64,
    pub(super) channel: String,
    /// `1503435956.000247`.
    pub(super) ts: String,
    pub(super) thread_ts: Option<String>,
    pub(super) user: String,
    pub(super) text: String,
    /// An array.
    pub(super) blocks: Option<Value>,
    pub(super) metadata: Option<Value>,
    pub(super) reactions: Vec<Reaction>,
    /// The one who sees it.
    pub(super) ephemeral_for: Option<String>,
    pub(super) edits: u32,
    /// What it showed before, text and blocks, oldest first; the newest so many.
    pub(super) past: Vec<(String, Option<Value>)>,
    pub(super) edited_at: Option<String>,
    pub(super) deleted: bool,
}

impl Message {
    /// Just text; its time is given by the world.
    pub(super) fn new(channel: &str, user: &str, text: &str) -> Self {
        Self {
            seq: 0,
            channel: channel.to_owned(),
            ts: String::new(),
            thread_ts: None,
            user: user.to_owned(),
            text: text.to_owned(),
            blocks: None,
            metadata: None,
            reactions: Vec::new(),
            ephemeral_for: None,
            edits: 0,
            past: Vec::new(),
            edited_at: None,
            deleted: false,
        }
    }

    /// Says something else from now on.
    pub(super) fn edit(&mut self, text: String, blocks: Option<Value>, at: String) {
        if self.past.len() >= PAST_LIMIT {
            self.past.remove(0);
        }
        let before = (std::mem::replace(&mut self.text, text), std::mem::replace(&mut self.blocks, blocks));
        self.past.push(before);
        self.edits += 1;
        self.edited_at = Some(at);
    }

    pub(super) fn is(&self, channel: &str, ts: &str) -> bool {
        self.channel == channel && self.ts == ts
    }

    /// It is a thread's answer, not its beginning.
    pub(super) fn is_reply(&self) -> bool {
        self.thread_ts.as_ref().is_some_and(|thread| *thread != self.ts)
    }

    /// The key that Slipway put into the metadata.
    pub(super) fn key(&self) -> Option<&str> {
        self.metadata.as_ref()?.pointer("/event_payload/key")?.as_str()
    }

    /// Every reaction; of each at most so many users, though all are counted.
    pub(super) fn reactions(&self, users_limit: usize) -> Value {
        let shown = self.reactions.iter().map(|reaction| {
            let users: Vec<_> = reaction.users.iter().take(users_limit).collect();
            json!({ "name": reaction.name, "users": users, "count": reaction.users.len() })
        });
        shown.collect()
    }
}

impl World {
    /// A message as the Web API and payloads show it; the metadata only to who asks for it.
    pub(super) fn shown(&self, message: &Message, team: &str, app: &str, bot: &str, metadata: bool) -> Value {
        let mut shown = json!({
            "user": message.user, "type": "message", "ts": message.ts, "text": message.text, "team": team,
        });
        if message.user == bot {
            shown["bot_id"] = json!(super::BOT_ID);
            shown["app_id"] = json!(app);
            shown["bot_profile"] = json!({
                "id": super::BOT_ID, "app_id": app, "name": "slipway", "team_id": team, "deleted": false,
            });
        }
        if let Some(blocks) = &message.blocks {
            shown["blocks"] = blocks.clone();
        }
        if let Some(at) = &message.edited_at {
            let by = if message.user == bot { super::BOT_ID } else { &message.user };
            shown["edited"] = json!({ "user": by, "ts": at });
        }
        if !message.reactions.is_empty() {
            shown["reactions"] = message.reactions(usize::MAX);
        }
        if let Some(thread) = &message.thread_ts {
            shown["thread_ts"] = json!(thread);
        }
        let replies: Vec<_> = self.replies(&message.channel, &message.ts).collect();
        if let Some(last) = replies.last() {
            shown["thread_ts"] = json!(message.ts);
            shown["reply_count"] = json!(replies.len());
            shown["latest_reply"] = json!(last.ts);
        }
        if let Some(given) = message.metadata.as_ref().filter(|_| metadata) {
            shown["metadata"] = given.clone();
        }
        shown
    }

    /// What is left of a deleted message that was answered. None: nothing is.
    pub(super) fn tombstone(&self, channel: &str, ts: &str) -> Option<Value> {
        let gone = self.messages.iter().find(|m| m.is(channel, ts) && m.deleted && m.ephemeral_for.is_none())?;
        let replies: Vec<_> = self.replies(channel, ts).collect();
        let last = replies.last().filter(|_| !gone.is_reply())?;
        Some(json!({
            "type": "message", "subtype": "tombstone", "hidden": true, "user": super::SLACKBOT,
            "text": "This message was deleted.", "ts": ts, "thread_ts": ts, "reply_count": replies.len(),
            "latest_reply": last.ts,
        }))
    }

    /// The answers in a message's thread, oldest first.
    pub(super) fn replies<'a>(&'a self, channel: &'a str, ts: &'a str) -> impl Iterator<Item = &'a Message> {
        self.messages.iter().filter(move |m| {
            let inside = m.channel == channel && m.thread_ts.as_deref() == Some(ts);
            inside && m.is_reply() && !m.deleted && m.ephemeral_for.is_none()
        })
    }
}
