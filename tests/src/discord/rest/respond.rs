//! The app's first answer to what somebody did.

use super::call::Call;
use super::messages::{edit, said_by_bot};
use crate::discord::check::{modal, options};
use crate::discord::draft::{Draft, Way};
use crate::discord::findings::{Findings, join, list};
use crate::discord::interaction::{FIRST_ANSWER_MS, Interaction, Kind, Modal, State};
use crate::discord::message::{EPHEMERAL, LOADING, Message, Said};
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::world::World;
use serde_json::{Value, json};
use std::sync::Arc;

const PONG: u64 = 1;
const SAY: u64 = 4;
const THINK: u64 = 5;
const WILL_UPDATE: u64 = 6;
const UPDATE: u64 = 7;
const CHOICES: u64 = 8;
const MODAL: u64 = 9;
const CHOICES_LIMIT: usize = 25;
const MODALS_LIMIT: usize = 1_000;

/// `POST /interactions/{interaction}/{token}/callback`.
pub(super) fn callback(shared: &Arc<Shared>, call: &Call) -> Reply {
    let (id, token) = (call.at("interaction"), call.at("token"));
    let mut world = shared.world();
    respond(&mut world, id, token, &call.body)?;
    if call.asked("with_response") != Some("true") {
        return Ok(Answer::nothing());
    }
    let answered = world.interaction(id).cloned().ok_or_else(Refusal::interaction)?;
    let message = answered.original.as_ref().and_then(|id| world.messages.iter().rev().find(|m| m.id == *id));
    let message = message.map(|message| world.shown(message, false));
    Ok(Answer::ok(json!({
        "interaction": { "id": id, "type": answered.kind.number(), "response_message_id": answered.original },
        "resource": { "type": call.body["type"], "message": message },
    })))
}

/// Takes a first answer, over REST or as the body of the answer to a delivery.
pub(in crate::discord) fn respond(world: &mut World, id: &str, token: &str, body: &Value) -> Result<(), Refusal> {
    let known = world.interaction(id).filter(|known| known.token == token).cloned();
    let known = known.ok_or_else(Refusal::interaction)?;
    match known.state {
        State::Answered(_) => return Err(Refusal::new(400, 40_060, "Interaction has already been acknowledged.")),
        State::Lost => return Err(Refusal::interaction()),
        State::Waiting => {}
    }
    let real_ms = i64::try_from(world.limits.answer_within.as_millis()).unwrap_or(i64::MAX);
    if world.now().as_millisecond() - known.made_ms > real_ms.max(FIRST_ANSWER_MS) {
        return Err(Refusal::interaction());
    }
    let mut findings = Findings::default();
    findings.unknown_members("", body, &["type", "data"]);
    let kind = body["type"].as_u64().unwrap_or(0);
    if !fits(kind, &known) {
        findings.no_choice("type", "those that answer such an interaction");
    }
    findings.done()?;
    let (original, choices) = match kind {
        SAY => (Some(say(world, &known, &body["data"])?), Vec::new()),
        THINK => (Some(think(world, &known, &body["data"])?), Vec::new()),
        UPDATE => (update(world, &known, &body["data"])?, Vec::new()),
        CHOICES => (None, choices(&body["data"])?),
        MODAL => {
            open(world, &known, &body["data"])?;
            (None, Vec::new())
        }
        // A pong, or a promise to change the message.
        _ => (known.source.clone(), Vec::new()),
    };
    if let Some(kept) = world.interaction_mut(id) {
        kept.state = State::Answered(choices);
        kept.original = original;
    }
    if let Kind::Form(number) = known.kind {
        world.modals.retain(|modal| modal.number != number);
    }
    world.changed();
    Ok(())
}

/// Whether an answer is one to such a thing.
fn fits(answer: u64, to: &Interaction) -> bool {
    let from_message = to.source.is_some();
    match to.kind {
        Kind::Ping => answer == PONG,
        Kind::Choices => answer == CHOICES,
        Kind::Command => matches!(answer, SAY | THINK | MODAL),
        Kind::Press => matches!(answer, SAY | THINK | WILL_UPDATE | UPDATE | MODAL),
        Kind::Form(_) => matches!(answer, SAY | THINK) || from_message && matches!(answer, WILL_UPDATE | UPDATE),
    }
}

/// A message that answers, seen by all or by the one who asked.
pub(super) fn answer(world: &mut World, to: &Interaction, said: Said, draft: &Draft) -> Result<Message, Refusal> {
    let mut message = said_by_bot(world, &to.channel, said, draft, None);
    message.interaction = Some(to.id.clone());
    message.ephemeral_for = draft.is_ephemeral().then(|| to.user.clone());
    world.post(message)
}

fn say(world: &mut World, to: &Interaction, data: &Value) -> Result<String, Refusal> {
    let draft = Draft::read(data, Way::Answer)?;
    let said = draft.said()?;
    Ok(answer(world, to, said, &draft)?.id)
}

fn think(world: &mut World, to: &Interaction, data: &Value) -> Result<String, Refusal> {
    let mut findings = Findings::default();
    findings.unknown_members("data", data, &["flags"]);
    let flags = data["flags"].as_u64().unwrap_or(0);
    if flags & !EPHEMERAL != 0 {
        findings.add("data.flags", "MESSAGE_FLAGS_INVALID", "These flags cannot be set here.");
    }
    findings.done()?;
    let mut message = Message::new(&to.channel, &world.bot_user, Said::default());
    message.flags = flags | LOADING;
    message.interaction = Some(to.id.clone());
    message.ephemeral_for = (flags & EPHEMERAL != 0).then(|| to.user.clone());
    Ok(world.post(message)?.id)
}

fn update(world: &mut World, to: &Interaction, data: &Value) -> Result<Option<String>, Refusal> {
    let draft = Draft::read(data, Way::Edit)?;
    let source = to.source.as_ref().and_then(|id| world.messages.iter().find(|m| m.is(&to.channel, id) && !m.deleted));
    let source = source.cloned().ok_or_else(Refusal::message)?;
    let said = draft.over(&source.said)?;
    Ok(Some(edit(world, &source, said, &draft).id))
}

fn choices(data: &Value) -> Result<Vec<Value>, Refusal> {
    let mut findings = Findings::default();
    findings.unknown_members("data", data, &["choices"]);
    let choices = list(data, "choices", "data", &mut findings);
    if choices.len() > CHOICES_LIMIT {
        findings.too_long("data.choices", CHOICES_LIMIT);
    }
    for (number, choice) in choices.iter().enumerate() {
        options::choice(choice, choice["value"].is_string(), &join("data.choices", number), &mut findings);
    }
    findings.done()?;
    Ok(choices.to_vec())
}

fn open(world: &mut World, to: &Interaction, data: &Value) -> Result<(), Refusal> {
    let mut findings = Findings::default();
    modal::check(data, &mut findings);
    findings.done()?;
    if world.modals.len() >= MODALS_LIMIT {
        return Err(Refusal::full());
    }
    // A person sees one form at a time.
    world.modals.retain(|modal| modal.user != to.user);
    let number = world.number();
    let (user, channel, source) = (to.user.clone(), to.channel.clone(), to.source.clone());
    world.modals.push(Modal { number, user, channel, source, shown: data.clone() });
    Ok(())
}
