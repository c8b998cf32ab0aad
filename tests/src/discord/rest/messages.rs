//! Messages of a channel.

use super::call::Call;
use crate::discord::draft::{Draft, Way};
use crate::discord::message::{Message, Said};
use crate::discord::options::Window;
use crate::discord::permission::{EMBED_LINKS, READ_MESSAGE_HISTORY};
use crate::discord::place::{Kind, Place};
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::snowflake;
use crate::discord::world::World;
use serde_json::Value;
use std::sync::Arc;

/// How long the same nonce gives the same message, in milliseconds.
const NONCE_LIFE_MS: i64 = 5 * 60 * 1_000;
const HOUR_MS: i64 = 60 * 60 * 1_000;
const LIST_USUAL: usize = 50;
const LIST_LIMIT: usize = 100;

pub(super) fn post(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let place = world.writable(call.at("channel"))?;
    let draft = Draft::read(&call.body, Way::Post)?;
    let said = draft.said()?;
    if draft.has_embeds() && !world.may(&place, EMBED_LINKS) {
        return Err(Refusal::permissions());
    }
    let replied = replied(&world, &place, &draft)?;
    if let Some(before) = same_nonce(&world, &place, &draft) {
        return Ok(Answer::ok(world.shown(&before, true)));
    }
    if let Kind::Direct(user) = &place.kind
        && world.closed.contains(user)
    {
        return Err(Refusal::new(403, 50_007, "Cannot send messages to this user"));
    }
    wake(&mut world, &place)?;
    let message = said_by_bot(&world, &place.id, said, &draft, replied);
    let message = world.post(message)?;
    Ok(Answer::ok(world.shown(&message, true)))
}

/// The message to be, with whom it calls.
pub(super) fn said_by_bot(world: &World, place: &str, said: Said, draft: &Draft, replied: Option<String>) -> Message {
    let mut message = Message::new(place, &world.bot_user, said);
    message.called = draft.allowed.called(&message.said.content);
    if let Some(answered) = replied.as_ref().and_then(|id| world.message(place, id))
        && draft.allowed.replied_user
        && !message.called.contains(&answered.author)
    {
        message.called.push(answered.author.clone());
    }
    message.flags = draft.flags;
    message.nonce = draft.nonce.clone();
    message.reply_to = replied;
    message
}

/// The message that is answered; none when it is gone and the app said that this is no trouble.
fn replied(world: &World, place: &Place, draft: &Draft) -> Result<Option<String>, Refusal> {
    let Some((id, needed)) = &draft.reply_to else { return Ok(None) };
    if !world.may(place, READ_MESSAGE_HISTORY) {
        let message = "Cannot reply without permission to read message history";
        return Err(Refusal::new(400, 160_002, message));
    }
    match world.message(&place.id, id) {
        Some(message) => Ok(Some(message.id.clone())),
        None if *needed => {
            let (code, message) = ("REPLIES_UNKNOWN_MESSAGE", "Unknown message");
            Err(crate::discord::findings::Findings::one("message_reference", code, message))
        }
        None => Ok(None),
    }
}

/// What the app has posted there with the same nonce a while ago.
fn same_nonce(world: &World, place: &Place, draft: &Draft) -> Option<Message> {
    let nonce = draft.nonce.as_ref().filter(|_| draft.enforce_nonce)?;
    let since_ms = world.now().as_millisecond() - NONCE_LIFE_MS;
    let same = |m: &&Message| {
        m.channel == place.id && m.author == world.bot_user && m.nonce.as_ref() == Some(nonce) && !m.deleted
    };
    world.messages.iter().rev().filter(same).find(|m| m.made_ms() > since_ms).cloned()
}

/// Who writes in a thread opens it again, when it is not locked.
fn wake(world: &mut World, place: &Place) -> Result<(), Refusal> {
    let Some(thread) = world.threads.iter_mut().find(|thread| thread.id == place.id) else { return Ok(()) };
    let Kind::Thread { archived, locked, .. } = &mut thread.kind else { return Ok(()) };
    if *locked {
        return Err(Refusal::archived());
    }
    *archived = false;
    Ok(())
}

pub(super) fn get(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    readable(&world, call.at("channel"))?;
    let message = world.message(call.at("channel"), call.at("message")).ok_or_else(Refusal::message)?;
    Ok(Answer::ok(world.shown(message, false)))
}

/// A place whose past the app may read.
pub(super) fn readable(world: &World, channel: &str) -> Result<Place, Refusal> {
    let place = world.seen_by_bot(channel)?;
    if world.may(&place, READ_MESSAGE_HISTORY) { Ok(place) } else { Err(Refusal::access()) }
}

/// Newest first, also those after an id: then the ones next to it.
pub(super) fn list(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    let place = world.seen_by_bot(call.at("channel"))?;
    let limit = call.limit(LIST_USUAL, LIST_LIMIT)?;
    let (before, after, around) = (call.id("before")?, call.id("after")?, call.id("around")?);
    if [before, after, around].iter().flatten().count() > 1 {
        let message = "Only one of before, after and around can be given.";
        return Err(crate::discord::findings::Findings::one("_misc", "QUERY_EXCLUSIVE", message));
    }
    // Who may not read the past sees none of it.
    if !world.may(&place, READ_MESSAGE_HISTORY) {
        return Ok(Answer::ok(Value::Array(Vec::new())));
    }
    let here = |m: &&Message| m.channel == place.id && m.ephemeral_for.is_none() && !m.deleted;
    let mut found: Vec<_> = world.messages.iter().filter(here).collect();
    found.sort_by_key(|m| snowflake::number(&m.id));
    let number = |m: &Message| snowflake::number(&m.id).unwrap_or(0);
    let page: Vec<_> = match (before, after, around) {
        (Some(before), _, _) => found.into_iter().rev().filter(|m| number(m) < before).take(limit).collect(),
        (_, Some(after), _) => {
            let mut page: Vec<_> = found.into_iter().filter(|m| number(m) > after).take(limit).collect();
            page.reverse();
            page
        }
        (_, _, Some(around)) => {
            let older = found.iter().filter(|m| number(m) < around).count();
            let from = older.saturating_sub(limit / 2);
            let mut page: Vec<_> = found.into_iter().skip(from).take(limit).collect();
            page.reverse();
            page
        }
        _ => found.into_iter().rev().take(limit).collect(),
    };
    Ok(Answer::ok(page.into_iter().map(|message| world.shown(message, false)).collect()))
}

pub(super) fn update(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let (channel, id) = (call.at("channel"), call.at("message"));
    let place = world.seen_by_bot(channel)?;
    let old = world.message(channel, id).ok_or_else(Refusal::message)?.clone();
    if old.author != world.bot_user {
        return Err(Refusal::new(403, 50_005, "Cannot edit a message authored by another user"));
    }
    let draft = Draft::read(&call.body, Way::Edit)?;
    let said = draft.over(&old.said)?;
    if place.is_archived() {
        return Err(Refusal::archived());
    }
    old_edit(&mut world, &old)?;
    let edited = edit(&mut world, &old, said, &draft);
    Ok(Answer::ok(world.shown(&edited, false)))
}

/// Messages of long ago take few changes.
fn old_edit(world: &mut World, old: &Message) -> Result<(), Refusal> {
    let (now, limit) = (world.now(), world.limits.old_edits_per_hour);
    let Some(calls) = limit.filter(|_| now.as_millisecond() - old.made_ms() > HOUR_MS) else { return Ok(()) };
    let window = Window { calls, per_ms: HOUR_MS };
    let counted = world.rates.count_only(&format!("old edits {}", old.channel), window, now);
    let message = "Maximum number of edits to messages older than 1 hour reached. Try again later";
    counted.map_err(|_| Refusal::new(429, 30_046, message))
}

/// Puts another content into a message of the app's.
pub(super) fn edit(world: &mut World, old: &Message, said: Said, draft: &Draft) -> Message {
    let now = world.now();
    let called = draft.allowed.called(&said.content);
    world.change(&old.channel, &old.id, |message| {
        message.called = called;
        message.edit(said, now);
    });
    let found = world.messages.iter().find(|m| m.is(&old.channel, &old.id)).cloned();
    let edited = found.unwrap_or_else(|| old.clone());
    // What took the place of «is thinking» is what calls.
    world.note_notified(&edited, !old.is_thinking());
    world.tell_of_message("MESSAGE_UPDATE", &edited);
    edited
}

pub(super) fn delete(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let (channel, id) = (call.at("channel"), call.at("message"));
    world.seen_by_bot(channel)?;
    let old = world.message(channel, id).ok_or_else(Refusal::message)?;
    if old.author != world.bot_user {
        return Err(Refusal::permissions());
    }
    world.change(channel, id, |message| message.deleted = true);
    world.tell_of_deletion(channel, id);
    Ok(Answer::nothing())
}
