//! Threads that begin at a message.

use super::call::Call;
use crate::discord::findings::Findings;
use crate::discord::message::HAS_THREAD;
use crate::discord::permission::{CREATE_PUBLIC_THREADS, MANAGE_THREADS, SEND_MESSAGES_IN_THREADS};
use crate::discord::place::{Kind, Place};
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::shapes;
use serde_json::Value;
use std::sync::Arc;

const NAME_LIMIT_CHARS: usize = 100;
const THREADS_LIMIT: usize = 1_000;
/// After how many minutes of silence a thread may be archived.
const DURATIONS_MIN: [u64; 4] = [60, 1_440, 4_320, 10_080];

pub(super) fn begin(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let (channel, message) = (call.at("channel"), call.at("message"));
    let place = world.allowed(channel, CREATE_PUBLIC_THREADS)?;
    if place.kind != Kind::Text {
        return Err(Refusal::channel_type());
    }
    world.message(channel, message).ok_or_else(Refusal::message)?;
    let name = checked(&call.body, &["name", "auto_archive_duration", "rate_limit_per_user"], true)?;
    if world.place(message).is_some() {
        return Err(Refusal::new(400, 160_004, "A thread has already been created for this message"));
    }
    if world.threads.len() >= THREADS_LIMIT {
        return Err(Refusal::full());
    }
    let kind = Kind::Thread { parent: channel.to_owned(), archived: false, locked: false };
    let thread = Place { id: message.to_owned(), name: name.unwrap_or_default(), kind };
    world.threads.push(thread.clone());
    world.change(channel, message, |message| message.flags |= HAS_THREAD);
    world.tell_of_thread("THREAD_CREATE", &thread);
    Ok(Answer::created(shapes::channel(&world, &thread)))
}

/// Opens or closes a thread, or names it anew.
pub(super) fn update(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let place = world.seen_by_bot(call.at("channel"))?;
    let Kind::Thread { parent, archived, locked } = place.kind.clone() else { return Err(Refusal::channel_type()) };
    let body = &call.body;
    let known = ["archived", "locked", "name", "auto_archive_duration", "rate_limit_per_user"];
    let name = checked(body, &known, false)?;
    let flag = |name: &str, before: bool| body[name].as_bool().unwrap_or(before);
    let (now_archived, now_locked) = (flag("archived", archived), flag("locked", locked));
    // Whoever can write in a thread that is not locked can open it.
    let opens = archived && !now_archived && !locked && now_locked == locked && name.is_none();
    if !world.may(&place, if opens { SEND_MESSAGES_IN_THREADS } else { MANAGE_THREADS }) {
        return Err(Refusal::permissions());
    }
    if archived && now_archived {
        return Err(Refusal::archived());
    }
    let kind = Kind::Thread { parent, archived: now_archived, locked: now_locked };
    let thread = Place { name: name.unwrap_or(place.name), kind, id: place.id };
    if let Some(kept) = world.threads.iter_mut().find(|kept| kept.id == thread.id) {
        *kept = thread.clone();
    }
    world.changed();
    world.tell_of_thread("THREAD_UPDATE", &thread);
    Ok(Answer::ok(shapes::channel(&world, &thread)))
}

/// The name that a body gives, when the body is right.
fn checked(body: &Value, known: &[&str], needs_name: bool) -> Result<Option<String>, Refusal> {
    let mut findings = Findings::default();
    if !body.is_object() {
        findings.wrong_type("", "an object");
    }
    findings.unknown_members("", body, known);
    let name = body["name"].as_str().map(|name| name.trim().to_owned());
    match &name {
        Some(name) if name.is_empty() || name.chars().count() > NAME_LIMIT_CHARS => {
            findings.bad_length("name", 1, NAME_LIMIT_CHARS);
        }
        None if needs_name || !body["name"].is_null() => findings.missing("name"),
        _ => {}
    }
    let minutes = &body["auto_archive_duration"];
    if !minutes.is_null() && !minutes.as_u64().is_some_and(|minutes| DURATIONS_MIN.contains(&minutes)) {
        findings.no_choice("auto_archive_duration", "(60, 1440, 4320, 10080)");
    }
    for flag in ["archived", "locked"] {
        if !matches!(body[flag], Value::Null | Value::Bool(_)) {
            findings.add(flag, "BOOLEAN_TYPE_PARSE", "Must be either true or false.");
        }
    }
    findings.done()?;
    Ok(name)
}
