//! Who is notified by the app's messages, so that tests can say that nobody is.

use super::message::Message;
use super::world::World;

/// As many are kept.
const NOTIFIED_LIMIT: usize = 10_000;

/// Somebody whom a message of the app called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// Where.
    pub channel: String,
    /// By which message.
    pub id: String,
    /// A user's id, `everyone`, `here`, or `&` and a role's id.
    pub who: String,
    /// The message was changed to it, which rings nowhere.
    pub by_edit: bool,
}

impl World {
    pub(super) fn note_notified(&mut self, message: &Message, by_edit: bool) {
        let (channel, id) = (&message.channel, &message.id);
        let new = message.called.iter().map(|who| Notified {
            channel: channel.clone(),
            id: id.clone(),
            who: who.clone(),
            by_edit,
        });
        self.notified.extend(new);
        self.notified.truncate(NOTIFIED_LIMIT);
    }

    /// What called a person: by name, by a role of theirs, or with everybody in a place where they are.
    pub(super) fn calls_of(&self, user: &str) -> Vec<Notified> {
        let roles = self.user(user).map(|user| user.roles.clone()).unwrap_or_default();
        let meant = |called: &&Notified| match called.who.as_str() {
            "everyone" | "here" => self.place(&called.channel).is_some_and(|place| self.has(&place, user)),
            who => who == user || who.strip_prefix('&').is_some_and(|role| roles.iter().any(|has| has == role)),
        };
        self.notified.iter().filter(meant).cloned().collect()
    }
}
