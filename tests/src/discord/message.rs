//! A message, and how the API shows it.

use super::shapes;
use super::snowflake;
use super::world::World;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Of each message, so many earlier contents are kept.
const PAST_LIMIT: usize = 200;
/// Only the one who did something sees it.
pub(super) const EPHEMERAL: u64 = 1 << 6;
/// The app has said that it is at it.
pub(super) const LOADING: u64 = 1 << 7;
/// Something was said in the thread that began here.
pub(super) const HAS_THREAD: u64 = 1 << 5;

/// An emoji: one of Unicode's, or one of the guild's own with an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Emoji {
    pub(super) id: Option<String>,
    pub(super) name: String,
}

impl Emoji {
    /// `👍`, or `shipit:123` for one of the guild's own. None: it is neither.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim_start_matches("<:").trim_end_matches('>');
        if let Some((name, id)) = text.rsplit_once(':') {
            snowflake::number(id)?;
            return Some(Self { id: Some(id.to_owned()), name: name.to_owned() }).filter(|_| !name.is_empty());
        }
        let unicode = !text.is_empty() && !text.is_ascii();
        unicode.then(|| Self { id: None, name: text.to_owned() })
    }

    /// The name of one with an id is only for reading.
    pub(super) fn is(&self, other: &Self) -> bool {
        if self.id.is_some() { self.id == other.id } else { other.id.is_none() && self.name == other.name }
    }

    pub(super) fn shown(&self) -> Value {
        json!({ "id": self.id, "name": self.name })
    }
}

/// An emoji under a message, with the users who put it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reaction {
    pub(super) emoji: Emoji,
    pub(super) users: Vec<String>,
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) content: String,
    pub(super) embeds: Vec<Value>,
    pub(super) components: Vec<Value>,
}

impl Said {
    pub(super) fn words(content: &str) -> Self {
        Self { content: content.to_owned(), ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.content.is_empty() && self.embeds.is_empty() && self.components.is_empty()
    }
}

/// A message of anybody, also a deleted one.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Place in the order of changes.
    pub(super) seq: u64,
    pub(super) channel: String,
    pub(super) id: String,
    pub(super) author: String,
    pub(super) said: Said,
    pub(super) flags: u64,
    /// A text or a number, as it was given.
    pub(super) nonce: Option<Value>,
    /// The message of the channel that it answers.
    pub(super) reply_to: Option<String>,
    /// The interaction that it answers.
    pub(super) interaction: Option<String>,
    pub(super) reactions: Vec<Reaction>,
    /// The one who sees it.
    pub(super) ephemeral_for: Option<String>,
    /// Whom it called when it came.
    pub(super) called: Vec<String>,
    pub(super) edits: u32,
    /// What it showed before, oldest first; the newest so many.
    pub(super) past: Vec<Said>,
    pub(super) edited_at: Option<Timestamp>,
    pub(super) deleted: bool,
}

impl Message {
    /// Its id is given by the world.
    pub(super) fn new(channel: &str, author: &str, said: Said) -> Self {
        Self {
            seq: 0,
            channel: channel.to_owned(),
            id: String::new(),
            author: author.to_owned(),
            said,
            flags: 0,
            nonce: None,
            reply_to: None,
            interaction: None,
            reactions: Vec::new(),
            ephemeral_for: None,
            called: Vec::new(),
            edits: 0,
            past: Vec::new(),
            edited_at: None,
            deleted: false,
        }
    }

    /// Says something else from now on. What stands instead of an answer is not counted as said.
    pub(super) fn edit(&mut self, said: Said, at: Timestamp) {
        let before = std::mem::replace(&mut self.said, said);
        if self.is_thinking() {
            self.flags &= !LOADING;
            return;
        }
        if self.past.len() >= PAST_LIMIT {
            self.past.remove(0);
        }
        self.past.push(before);
        self.edits += 1;
        self.edited_at = Some(at);
    }

    pub(super) fn is(&self, channel: &str, id: &str) -> bool {
        self.channel == channel && self.id == id
    }

    /// The app has not yet said what it thinks.
    pub(super) fn is_thinking(&self) -> bool {
        self.flags & LOADING != 0
    }

    pub(super) fn made_ms(&self) -> i64 {
        snowflake::made_ms(&self.id)
    }

    /// A button, or another component, by its name.
    pub(super) fn component(&self, found: impl Fn(&Value) -> bool) -> Option<&Value> {
        let rows = self.said.components.iter().flat_map(|row| row["components"].as_array().into_iter().flatten());
        rows.into_iter().find(|component| found(component))
    }
}

/// As Discord writes times.
pub(super) fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

impl World {
    /// A message as the API and events show it; the nonce only where it is new.
    pub(super) fn shown(&self, message: &Message, nonce: bool) -> Value {
        let made = Timestamp::from_millisecond(message.made_ms()).unwrap_or_default();
        let users = message.called.iter().filter_map(|name| shapes::user(self, name));
        let roles = message.called.iter().filter_map(|name| name.strip_prefix('&'));
        let everyone = message.called.iter().any(|name| name == "everyone" || name == "here");
        let mut shown = json!({
            "type": if message.reply_to.is_some() { 19 } else { 0 },
            "content": message.said.content, "mentions": users.collect::<Vec<_>>(),
            "mention_roles": roles.collect::<Vec<_>>(), "attachments": [], "embeds": message.said.embeds,
            "timestamp": written(made), "edited_timestamp": message.edited_at.map(written), "flags": message.flags,
            "components": message.said.components, "id": message.id, "channel_id": message.channel,
            "author": shapes::user(self, &message.author), "pinned": false, "mention_everyone": everyone, "tts": false,
        });
        if !message.reactions.is_empty() {
            shown["reactions"] = message.reactions.iter().map(|reaction| self.reaction(reaction)).collect();
        }
        if let Some(nonce) = message.nonce.as_ref().filter(|_| nonce) {
            shown["nonce"] = nonce.clone();
        }
        if let Some(to) = &message.reply_to {
            shown["message_reference"] = json!({ "type": 0, "channel_id": message.channel, "message_id": to });
            let answered = self.message(&message.channel, to).map(|to| {
                let mut to = to.clone();
                to.reply_to = None;
                self.shown(&to, false)
            });
            shown["referenced_message"] = answered.unwrap_or_default();
        }
        if let Some(interaction) = message.interaction.as_ref().and_then(|id| self.interaction(id)) {
            shown["application_id"] = json!(self.application_id);
            shown["webhook_id"] = json!(self.application_id);
            shown["interaction_metadata"] = json!({
                "id": interaction.id, "type": interaction.kind.number(), "user": shapes::user(self, &interaction.user),
                "authorizing_integration_owners": { "0": self.guild },
            });
        }
        if let Some(thread) = self.place(&message.id).filter(|_| message.flags & HAS_THREAD != 0) {
            shown["thread"] = shapes::channel(self, &thread);
        }
        shown
    }

    fn reaction(&self, reaction: &Reaction) -> Value {
        let count = reaction.users.len();
        json!({
            "emoji": reaction.emoji.shown(), "count": count, "count_details": { "burst": 0, "normal": count },
            "burst_colors": [], "me_burst": false, "me": reaction.users.contains(&self.bot_user),
        })
    }
}
