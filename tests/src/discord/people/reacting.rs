//! Emojis that people put under messages, and take away.

use super::{Did, Refused, place, seen};
use crate::discord::DiscordSandbox;
use crate::discord::events::Reacted;
use crate::discord::message::{Emoji, Message, Reaction};
use crate::discord::world::World;

/// Different emojis under one message.
const EMOJIS_LIMIT: usize = 20;

fn emoji(text: &str) -> Result<Emoji, Refused> {
    Emoji::read(text).ok_or_else(|| Refused::code("unknown_emoji"))
}

/// Changes the emojis under a message and tells the app.
fn change(world: &mut World, channel: &str, id: &str, how: impl FnOnce(&mut Message), what: Reacted<'_>) {
    world.change(channel, id, how);
    if let Some(message) = world.message(channel, id) {
        world.tell_of_reaction(message, what);
    }
}

impl DiscordSandbox {
    /// Puts an emoji (`👍`, or `name:id` for one of the guild's) under a message, or takes it away.
    ///
    /// # Errors
    /// When Discord refuses it.
    pub fn react(&self, user: &str, channel: &str, message: &str, emoji: &str, added: bool) -> Did {
        let mut world = self.shared.world();
        let place = place(&mut world, user, channel)?;
        let emoji = self::emoji(emoji)?;
        let found = seen(&world, user, &place.id, message)?;
        if found.ephemeral_for.is_some() {
            return Err(Refused::code("not_here"));
        }
        if place.is_archived() {
            return Err(Refused::code("thread_archived"));
        }
        let of = found.reactions.iter().find(|reaction| reaction.emoji.is(&emoji));
        if of.is_some_and(|reaction| reaction.users.iter().any(|other| other == user)) == added {
            return Err(Refused::code(if added { "already_reacted" } else { "no_reaction" }));
        }
        if of.is_none() && found.reactions.len() >= EMOJIS_LIMIT {
            return Err(Refused::code("too_many_emojis"));
        }
        let what = if added { Reacted::Added(user, &emoji) } else { Reacted::Removed(user, &emoji) };
        change(&mut world, &place.id, message, |message| set(message, user, &emoji, added), what);
        Ok(())
    }

    /// Takes all emojis from under a message, as a moderator.
    ///
    /// # Errors
    /// When there is no such message.
    pub fn remove_all_reactions(&self, channel: &str, message: &str) -> Did {
        let mut world = self.shared.world();
        world.message(channel, message).ok_or_else(|| Refused::code("unknown_message"))?;
        change(&mut world, channel, message, |message| message.reactions.clear(), Reacted::AllGone);
        Ok(())
    }

    /// Takes one emoji of everybody from under a message, as a moderator.
    ///
    /// # Errors
    /// When it is not there.
    pub fn remove_emoji(&self, channel: &str, message: &str, emoji: &str) -> Did {
        let mut world = self.shared.world();
        let emoji = self::emoji(emoji)?;
        let found = world.message(channel, message).ok_or_else(|| Refused::code("unknown_message"))?;
        if !found.reactions.iter().any(|reaction| reaction.emoji.is(&emoji)) {
            return Err(Refused::code("no_reaction"));
        }
        let gone = |message: &mut Message| message.reactions.retain(|reaction| !reaction.emoji.is(&emoji));
        change(&mut world, channel, message, gone, Reacted::EmojiGone(&emoji));
        Ok(())
    }
}

fn set(message: &mut Message, user: &str, emoji: &Emoji, added: bool) {
    if !message.reactions.iter().any(|reaction| reaction.emoji.is(emoji)) {
        message.reactions.push(Reaction { emoji: emoji.clone(), users: Vec::new() });
    }
    for reaction in message.reactions.iter_mut().filter(|reaction| reaction.emoji.is(emoji)) {
        reaction.users.retain(|other| other != user);
        if added {
            reaction.users.push(user.to_owned());
        }
    }
    message.reactions.retain(|reaction| !reaction.users.is_empty());
}
