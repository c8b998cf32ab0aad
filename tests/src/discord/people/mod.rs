//! What people do: type, press, react, fill in forms.

mod command;
mod forms;
mod pressing;
mod reacting;
mod typing;
mod words;

use super::delivery::Outcome;
use super::message::{EPHEMERAL, Message, Said};
use super::options::DiscordUser;
use super::place::Place;
use super::server::Shared;
use super::world::World;
pub use crate::people::{Did, Refused};

/// Who speaks when Discord itself does.
const DISCORD: &str = "discord";
/// What somebody reads when no answer to a command came.
const NO_ANSWER: &str = "The application did not respond";

/// What a person gets who did something in a place: `shown` when nothing came.
fn did(shared: &Shared, outcome: Outcome, who: (&str, &str), shown: &str) -> Did {
    if outcome != Outcome::Lost {
        return Ok(());
    }
    let (user, channel) = who;
    let mut world = shared.world();
    let mut note = Message::new(channel, DISCORD, Said::words(shown));
    note.ephemeral_for = Some(user.to_owned());
    note.flags = EPHEMERAL;
    // Without room for the note there is none.
    let _ = world.post(note);
    Err(Refused::shown("no_answer", shown))
}

fn person(world: &World, user: &str) -> Result<DiscordUser, Refused> {
    world.user(user).cloned().ok_or_else(|| Refused::code("unknown_user"))
}

/// A place where a person is. The app's user stands for the conversation with it.
fn place(world: &mut World, user: &str, channel: &str) -> Result<Place, Refused> {
    person(world, user)?;
    let direct = channel == world.bot_user || channel == format!("@{}", world.bot_user);
    let id = match direct {
        true => world.direct(user).ok_or_else(|| Refused::code("unknown_user"))?,
        false => channel.to_owned(),
    };
    let found = world.place(&id).filter(|found| world.has(found, user));
    found.ok_or_else(|| Refused::code("unknown_channel"))
}

/// A message that a person sees.
fn seen<'a>(world: &'a World, user: &str, channel: &str, id: &str) -> Result<&'a Message, Refused> {
    let found = world.messages.iter().find(|m| m.is(channel, id) && !m.deleted);
    let found = found.filter(|m| m.ephemeral_for.as_ref().is_none_or(|only| only == user));
    found.ok_or_else(|| Refused::code("unknown_message"))
}
