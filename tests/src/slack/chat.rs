//! `chat.*`: messages of the app.

use super::arguments::Arguments;
use super::blocks;
use super::message::Message;
use super::notified::{Notified, of_words};
use super::refusal::{Refusal, Reply};
use super::server::Shared;
use super::time::micros;
use super::world::{Conversation, Kind, World};
use serde_json::{Value, json};

const TEXT_LIMIT_CHARS: usize = 40_000;
const UPDATED_TEXT_LIMIT_CHARS: usize = 4_000;
const METADATA_LIMIT_CHARS: usize = 8_000;
const EVENT_TYPE_LIMIT_CHARS: usize = 255;

/// What a call wants a message to say.
pub(super) struct Draft {
    text: Option<String>,
    blocks: Option<Value>,
    metadata: Option<Value>,
    thread_ts: Option<String>,
}

impl Draft {
    pub(super) fn read(arguments: &Arguments, text_limit_chars: usize) -> Result<Self, Refusal> {
        let text = arguments.text("text")?.filter(|text| !text.is_empty()).map(str::to_owned);
        let blocks = arguments.json("blocks", "invalid_blocks_format")?;
        let metadata = arguments.json("metadata", "invalid_metadata_format")?;
        for flag in ["unfurl_links", "unfurl_media", "link_names", "mrkdwn", "reply_broadcast", "as_user"] {
            arguments.flag(flag)?;
        }
        let written = blocks.as_ref().and_then(Value::as_array).is_some_and(|blocks| !blocks.is_empty());
        if text.is_none() && !written && blocks.as_ref().is_none_or(Value::is_array) {
            return Err(Refusal::code("no_text"));
        }
        if text.as_ref().is_some_and(|text| text.chars().count() > text_limit_chars) {
            return Err(Refusal::code("msg_too_long"));
        }
        if let Some(blocks) = &blocks {
            blocks::message(blocks)?;
        }
        if let Some(metadata) = &metadata {
            check_metadata(metadata)?;
        }
        Ok(Self { text, blocks, metadata, thread_ts: None })
    }

    fn into_message(self, channel: &str, user: &str) -> Message {
        let mut message = Message::new(channel, user, &self.text.unwrap_or_default());
        message.blocks = self.blocks.filter(|blocks| blocks != &json!([]));
        message.metadata = self.metadata.filter(|metadata| metadata != &json!({}));
        message.thread_ts = self.thread_ts;
        message
    }
}

/// `chat.getPermalink`: where people find a message.
pub(super) fn permalink(shared: &Shared, arguments: &Arguments) -> Reply {
    let (channel, ts) = (arguments.need("channel")?, arguments.need("message_ts")?);
    let world = shared.world();
    let conversation = world.seen_by_bot(channel)?;
    if world.message(&conversation.id, ts).is_none() {
        return Err(Refusal::code("message_not_found"));
    }
    let link = format!("https://acme.slack.com/archives/{}/p{}", conversation.id, ts.replace('.', ""));
    Ok(json!({ "channel": conversation.id, "permalink": link }))
}

/// `{"event_type": …, "event_payload": {…}}`; empty to take it away.
fn check_metadata(metadata: &Value) -> Result<(), Refusal> {
    let Some(members) = metadata.as_object() else { return Err(Refusal::code("invalid_metadata_format")) };
    if members.is_empty() {
        return Ok(());
    }
    let event = members.get("event_type").and_then(Value::as_str).unwrap_or_default();
    let word = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let named = !event.is_empty() && event.len() <= EVENT_TYPE_LIMIT_CHARS && event.chars().all(word);
    if !named || !members.get("event_payload").is_some_and(Value::is_object) {
        return Err(Refusal::code("invalid_metadata_format"));
    }
    if members.keys().any(|key| !matches!(key.as_str(), "event_type" | "event_payload" | "entities")) {
        return Err(Refusal::code("invalid_metadata_schema"));
    }
    if metadata.to_string().chars().count() > METADATA_LIMIT_CHARS {
        return Err(Refusal::code("metadata_too_large"));
    }
    Ok(())
}

/// Where the app wants to post. A user's id means the direct conversation with that user.
fn destination(world: &mut World, wanted: &str) -> Result<Conversation, Refusal> {
    let id = match wanted.starts_with(['U', 'W']) {
        true => world.im(wanted).ok_or_else(|| Refusal::code("channel_not_found"))?,
        false => wanted.to_owned(),
    };
    let found = world.seen_by_bot(&id)?;
    if found.archived {
        return Err(Refusal::code("is_archived"));
    }
    Ok(found)
}

/// The thread that is answered: a message that is there and no answer itself. What is left of a deleted one cannot be
/// answered any more.
pub(super) fn thread(world: &World, channel: &str, wanted: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(ts) = wanted.filter(|ts| !ts.is_empty()) else { return Ok(None) };
    match world.messages.iter().find(|m| m.is(channel, ts)) {
        _ if micros(ts).is_none() => Err(Refusal::code("invalid_thread_ts")),
        None => Err(Refusal::code("invalid_thread_ts")),
        Some(message) if message.deleted => Err(Refusal::code("thread_not_found")),
        Some(message) if message.is_reply() || message.ephemeral_for.is_some() => {
            Err(Refusal::code("cannot_reply_to_message"))
        }
        Some(_) => Ok(Some(ts.to_owned())),
    }
}

pub(super) fn post(shared: &Shared, arguments: &Arguments) -> Reply {
    let options = &shared.options;
    let mut world = shared.world();
    let to = destination(&mut world, arguments.need("channel")?)?;
    let anywhere = to.kind == Kind::Public && world.need_scope("chat:write.public").is_ok();
    if !to.bot_is_member && !anywhere {
        return Err(Refusal::code("not_in_channel"));
    }
    if to.posting_restricted {
        return Err(Refusal::code("restricted_action"));
    }
    let draft = Draft::read(arguments, TEXT_LIMIT_CHARS)?;
    let mut message = draft.into_message(&to.id, &options.bot_user);
    message.thread_ts = thread(&world, &to.id, arguments.text("thread_ts")?)?;
    let message = world.post(message)?;
    if arguments.flag("link_names")? || arguments.text("parse")? == Some("full") {
        note_words(&mut world, &message);
    }
    let shown = shared.shown(&world, &message, false);
    Ok(json!({ "channel": to.id, "ts": message.ts, "message": shown }))
}

/// The caller asked Slack to find names in plain words.
fn note_words(world: &mut World, message: &Message) {
    let found = of_words(&message.text).filter_map(|word| match word {
        "channel" | "here" | "everyone" => Some(format!("!{word}")),
        name => world.users.iter().find(|user| user.name == name).map(|user| user.id.clone()),
    });
    let who: Vec<_> = found.collect();
    let (channel, ts) = (&message.channel, &message.ts);
    let new = who.into_iter().map(|who| Notified { channel: channel.clone(), ts: ts.clone(), who, by_edit: false });
    world.notified.extend(new);
}

pub(super) fn update(shared: &Shared, arguments: &Arguments) -> Reply {
    let mut world = shared.world();
    let (channel, ts) = (arguments.need("channel")?.to_owned(), arguments.need("ts")?.to_owned());
    world.seen_by_bot(&channel)?;
    let old = world.message(&channel, &ts).ok_or_else(|| Refusal::code("message_not_found"))?;
    if old.user != shared.options.bot_user {
        return Err(Refusal::code("cant_update_message"));
    }
    let posted_us = micros(&ts).unwrap_or_default();
    let age_s = world.now().as_microsecond().saturating_sub(posted_us) / 1_000_000;
    if world.limits.edit_window_s.is_some_and(|window_s| age_s > window_s) {
        return Err(Refusal::code("edit_window_closed"));
    }
    let draft = Draft::read(arguments, UPDATED_TEXT_LIMIT_CHARS)?;
    let text = draft.text.clone().unwrap_or_default();
    let edited = edit(&mut world, &channel, &ts, draft).ok_or_else(|| Refusal::code("message_not_found"))?;
    let shown = shared.shown(&world, &edited, false);
    Ok(json!({ "channel": channel, "ts": ts, "text": text, "message": shown }))
}

/// Puts a draft in the place of a message's content. Metadata that the draft does not have stays.
pub(super) fn edit(world: &mut World, channel: &str, ts: &str, draft: Draft) -> Option<Message> {
    let replaced_metadata = draft.metadata.is_some();
    let mut new = draft.into_message(channel, "");
    if let Some(blocks) = &mut new.blocks {
        world.name_all(blocks);
    }
    let at = world.ts();
    world.change(channel, ts, |message| {
        message.edit(new.text, new.blocks, at);
        if replaced_metadata {
            message.metadata = new.metadata;
        }
    });
    let edited = world.messages.iter().find(|m| m.is(channel, ts)).cloned()?;
    world.note_notified(&edited, true);
    Some(edited)
}

pub(super) fn delete(shared: &Shared, arguments: &Arguments) -> Reply {
    let mut world = shared.world();
    let (channel, ts) = (arguments.need("channel")?, arguments.need("ts")?);
    world.seen_by_bot(channel)?;
    let old = world.message(channel, ts).ok_or_else(|| Refusal::code("message_not_found"))?;
    if old.user != shared.options.bot_user {
        return Err(Refusal::code("cant_delete_message"));
    }
    world.change(channel, ts, |message| message.deleted = true);
    Ok(json!({ "channel": channel, "ts": ts }))
}

pub(super) fn post_ephemeral(shared: &Shared, arguments: &Arguments) -> Reply {
    let mut world = shared.world();
    let (channel, user) = (arguments.need("channel")?, arguments.need("user")?);
    let to = destination(&mut world, channel)?;
    if !to.bot_is_member {
        return Err(Refusal::code("not_in_channel"));
    }
    if world.user(user).is_none() || !to.has(user) {
        return Err(Refusal::code("user_not_in_channel"));
    }
    let mut message = Draft::read(arguments, TEXT_LIMIT_CHARS)?.into_message(&to.id, &shared.options.bot_user);
    message.thread_ts = thread(&world, &to.id, arguments.text("thread_ts")?)?;
    message.ephemeral_for = Some(user.to_owned());
    let message = world.post(message)?;
    Ok(json!({ "message_ts": message.ts }))
}

/// A message that one person sees, of the app or of Slack itself.
pub(super) fn whisper(
    world: &mut World,
    from: &str,
    channel: &str,
    user: &str,
    draft: Draft,
) -> Result<Message, Refusal> {
    let mut message = draft.into_message(channel, from);
    message.ephemeral_for = Some(user.to_owned());
    world.post(message)
}

/// A message for everybody that answers a command or a button.
pub(super) fn speak(world: &mut World, from: &str, channel: &str, draft: Draft) -> Result<Message, Refusal> {
    world.post(draft.into_message(channel, from))
}

impl Draft {
    /// Words of Slack itself.
    pub(super) fn words(text: &str) -> Self {
        Self { text: Some(text.to_owned()), blocks: None, metadata: None, thread_ts: None }
    }

    /// The same in a thread.
    pub(super) fn in_thread(mut self, thread_ts: Option<String>) -> Self {
        self.thread_ts = thread_ts;
        self
    }

    /// What answers a command, or is sent to a response URL.
    pub(super) fn answer(body: &Value) -> Result<Self, Refusal> {
        Self::read(&Arguments::of_json(body)?, TEXT_LIMIT_CHARS)
    }
}
