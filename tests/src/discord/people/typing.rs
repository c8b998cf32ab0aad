//! Lines that people type.

use super::command;
use super::words::mentioned;
use super::{Did, NO_ANSWER, Refused, did, person, place, seen};
use crate::discord::DiscordSandbox;
use crate::discord::check::mentions::named;
use crate::discord::delivery;
use crate::discord::interaction::Kind;
use crate::discord::message::{Message, Said};
use crate::discord::payload;
use crate::discord::place::Kind as PlaceKind;

/// Longest text that somebody can send.
const TEXT_LIMIT_CHARS: usize = 2_000;

fn checked(text: &str) -> Result<(), Refused> {
    if text.trim().is_empty() {
        return Err(Refused::code("no_text"));
    }
    if text.chars().count() > TEXT_LIMIT_CHARS {
        return Err(Refused::shown("too_long", "Your message is too long."));
    }
    Ok(())
}

impl DiscordSandbox {
    /// Types a line: a command of the app's with its options, by name (`environment:staging`) or in their order; or a
    /// message that may mention the app. `channel` may be the app's user: then it is the conversation with the app.
    ///
    /// # Errors
    /// When Discord refuses it, or the app did not answer the command.
    pub async fn type_text(&self, user: &str, channel: &str, text: &str) -> Did {
        checked(text)?;
        if text.starts_with('/') {
            return self.type_command(user, channel, text).await;
        }
        self.type_message(user, channel, text, None)
    }

    async fn type_command(&self, user: &str, channel: &str, text: &str) -> Did {
        let (payload, channel) = {
            let mut world = self.shared.world();
            let place = place(&mut world, user, channel)?;
            let data = command::data(&world, &world.commands_at(&place), text, None)?;
            let user = person(&world, user)?;
            (payload::begin(&mut world, &user, &place, Kind::Command, None, data), place.id)
        };
        let outcome = delivery::deliver(&self.shared, payload).await;
        did(&self.shared, outcome, (user, &channel), NO_ANSWER)
    }

    /// Sends a message that answers another one.
    ///
    /// # Errors
    /// When Discord refuses it.
    pub fn reply(&self, user: &str, channel: &str, to: &str, text: &str) -> Did {
        checked(text)?;
        self.type_message(user, channel, text, Some(to))
    }

    fn type_message(&self, user: &str, channel: &str, text: &str, reply_to: Option<&str>) -> Did {
        let mut world = self.shared.world();
        let place = place(&mut world, user, channel)?;
        if let PlaceKind::Thread { locked: true, .. } = place.kind {
            return Err(Refused::code("thread_locked"));
        }
        let mut message = Message::new(&place.id, user, Said::words(mentioned(&world, text.trim()).as_str()));
        message.called = named(&message.said.content);
        if let Some(to) = reply_to {
            let answered = seen(&world, user, &place.id, to)?.author.clone();
            message.reply_to = Some(to.to_owned());
            if !message.called.contains(&answered) {
                message.called.push(answered);
            }
        }
        if let Some(PlaceKind::Thread { archived, .. }) =
            world.threads.iter_mut().find(|thread| thread.id == place.id).map(|thread| &mut thread.kind)
        {
            *archived = false;
        }
        world.post(message).map(|_| ()).map_err(|refusal| Refused::code(&refusal.message))
    }

    /// Changes what a person wrote.
    ///
    /// # Errors
    /// When there is no such message of theirs.
    pub fn edit_text(&self, user: &str, channel: &str, id: &str, new_text: &str) -> Did {
        checked(new_text)?;
        let mut world = self.shared.world();
        let place = place(&mut world, user, channel)?;
        if seen(&world, user, &place.id, id)?.author != user {
            return Err(Refused::code("not_yours"));
        }
        let (said, now) = (Said::words(&mentioned(&world, new_text.trim())), world.now());
        world.change(&place.id, id, |message| {
            message.called = named(&said.content);
            message.edit(said, now);
        });
        if let Some(edited) = world.message(&place.id, id) {
            world.tell_of_message("MESSAGE_UPDATE", edited);
        }
        Ok(())
    }

    /// Deletes a message, as its author or as an administrator.
    ///
    /// # Errors
    /// When there is no such message.
    pub fn delete(&self, channel: &str, id: &str) -> Did {
        let mut world = self.shared.world();
        world.message(channel, id).ok_or_else(|| Refused::code("unknown_message"))?;
        world.change(channel, id, |message| message.deleted = true);
        world.tell_of_deletion(channel, id);
        Ok(())
    }
}
