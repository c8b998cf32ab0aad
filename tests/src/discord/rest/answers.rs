//! What the app says after its first answer, with the interaction's token.

use super::call::Call;
use super::messages::edit;
use super::respond::answer;
use crate::discord::draft::{Draft, Way};
use crate::discord::interaction::{Interaction, State, TOKEN_LIFE_MS};
use crate::discord::message::Message;
use crate::discord::refusal::{Answer, Refusal, Reply};
use crate::discord::server::Shared;
use crate::discord::world::World;
use std::sync::Arc;

/// The interaction of a token that can still be used.
fn answered(world: &World, call: &Call) -> Result<Interaction, Refusal> {
    let token = call.at("token");
    let found = world.interactions.iter().rev().find(|known| known.token == token);
    let found = found.filter(|_| call.at("application") == world.application_id).ok_or_else(Refusal::webhook)?;
    if world.now().as_millisecond() - found.made_ms > TOKEN_LIFE_MS {
        return Err(Refusal::new(401, 50_027, "Invalid Webhook Token"));
    }
    // Before its first answer there is nothing to add to.
    if !matches!(found.state, State::Answered(_)) {
        return Err(Refusal::webhook());
    }
    Ok(found.clone())
}

/// `@original`, or another of the interaction's messages.
fn message(world: &World, of: &Interaction, call: &Call) -> Result<Message, Refusal> {
    let id = match call.at("message") {
        "" => of.original.clone().ok_or_else(Refusal::message)?,
        id => id.to_owned(),
    };
    let own = |m: &&Message| {
        m.is(&of.channel, &id)
            && !m.deleted
            && (m.interaction.as_ref() == Some(&of.id) || of.original.as_ref() == Some(&id))
    };
    world.messages.iter().find(own).cloned().ok_or_else(Refusal::message)
}

pub(super) fn get(shared: &Arc<Shared>, call: &Call) -> Reply {
    let world = shared.world();
    let of = answered(&world, call)?;
    Ok(Answer::ok(world.shown(&message(&world, &of, call)?, false)))
}

pub(super) fn update(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let of = answered(&world, call)?;
    let old = message(&world, &of, call)?;
    let draft = Draft::read(&call.body, Way::Edit)?;
    let said = draft.over(&old.said)?;
    let edited = edit(&mut world, &old, said, &draft);
    Ok(Answer::ok(world.shown(&edited, false)))
}

pub(super) fn delete(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let of = answered(&world, call)?;
    let old = message(&world, &of, call)?;
    world.change(&old.channel, &old.id, |message| message.deleted = true);
    if old.ephemeral_for.is_none() {
        world.tell_of_deletion(&old.channel, &old.id);
    }
    Ok(Answer::nothing())
}

/// Another message. The first one after a promise takes the promise's place, and is seen by whom that is.
pub(super) fn follow_up(shared: &Arc<Shared>, call: &Call) -> Reply {
    let mut world = shared.world();
    let of = answered(&world, call)?;
    let draft = Draft::read(&call.body, Way::Answer)?;
    let said = draft.said()?;
    let promise = of.original.as_ref().and_then(|id| world.messages.iter().find(|m| m.is(&of.channel, id)));
    let promise = promise.filter(|promise| promise.is_thinking() && !promise.deleted).cloned();
    let message = match promise {
        Some(promise) => edit(&mut world, &promise, said, &draft),
        None => answer(&mut world, &of, said, &draft)?,
    };
    Ok(Answer::ok(world.shown(&message, false)))
}
