//! Where people talk: channels, threads, conversations with the app; and who may do what there.

use super::options::DiscordUser;
use super::permission::{ADMINISTRATOR, EVERYONE, SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL};
use super::refusal::Refusal;
use super::world::World;
use serde_json::{Value, json};

/// What kind of place it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text channel of the guild.
    Text,
    /// The app's conversation with this user.
    Direct(String),
    /// A thread that began at a message.
    Thread { parent: String, archived: bool, locked: bool },
}

impl Kind {
    pub(super) fn number(&self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Direct(_) => 1,
            Self::Thread { .. } => 11,
        }
    }
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Place {
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.kind, Kind::Direct(_))
    }

    pub(super) fn is_archived(&self) -> bool {
        matches!(self.kind, Kind::Thread { archived: true, .. })
    }

    /// The channel whose permissions hold.
    fn above(&self) -> &str {
        match &self.kind {
            Kind::Thread { parent, .. } => parent,
            _ => &self.id,
        }
    }
}

impl World {
    /// A place by its id.
    pub(super) fn place(&self, id: &str) -> Option<Place> {
        if let Some((user, id)) = self.directs.iter().find(|(_, direct)| *direct == id) {
            return Some(Place { id: id.clone(), name: String::new(), kind: Kind::Direct(user.clone()) });
        }
        if let Some(thread) = self.threads.iter().find(|thread| thread.id == id) {
            return Some(thread.clone());
        }
        let channel = self.channels.iter().find(|channel| channel.id == id)?;
        Some(Place { id: channel.id.clone(), name: channel.name.clone(), kind: Kind::Text })
    }

    /// A person is there.
    pub(super) fn has(&self, place: &Place, user: &str) -> bool {
        match &place.kind {
            Kind::Direct(with) => with == user,
            _ => !self.absent.contains(&(place.above().to_owned(), user.to_owned())),
        }
    }

    /// The app has all of some permissions there.
    pub(super) fn may(&self, place: &Place, permissions: u64) -> bool {
        if place.is_direct() {
            return true;
        }
        let all = EVERYONE | self.bot_permissions;
        if all & ADMINISTRATOR != 0 {
            return true;
        }
        let denied = self.denied.get(place.above()).copied().unwrap_or(0);
        // Whoever does not see a channel can do nothing in it.
        all & !denied & (permissions | VIEW_CHANNEL) == permissions | VIEW_CHANNEL
    }

    /// The place, when the app sees it.
    pub(super) fn seen_by_bot(&self, id: &str) -> Result<Place, Refusal> {
        let place = self.place(id).ok_or_else(Refusal::channel)?;
        if self.may(&place, VIEW_CHANNEL) { Ok(place) } else { Err(Refusal::access()) }
    }

    /// The place, when the app may do something in it.
    pub(super) fn allowed(&self, id: &str, permissions: u64) -> Result<Place, Refusal> {
        let place = self.seen_by_bot(id)?;
        if self.may(&place, permissions) { Ok(place) } else { Err(Refusal::permissions()) }
    }

    /// The place, when the app may write in it.
    pub(super) fn writable(&self, id: &str) -> Result<Place, Refusal> {
        let place = self.seen_by_bot(id)?;
        let needed = match place.kind {
            Kind::Thread { .. } => SEND_MESSAGES_IN_THREADS,
            _ => SEND_MESSAGES,
        };
        self.allowed(id, needed)
    }

    /// What a person may do in the guild.
    pub(super) fn permissions_of(&self, user: &DiscordUser) -> u64 {
        let roles = self.roles.iter().filter(|role| user.roles.contains(&role.id));
        roles.fold(EVERYONE, |all, role| all | role.permissions)
    }

    /// What a channel takes from the app and from people.
    pub(super) fn overwrites(&self, channel: &str) -> Value {
        let denied = self.denied.get(channel).map(|denied| (&self.bot_user, *denied));
        let hidden = self.absent.iter().filter(|(from, _)| from == channel).map(|(_, user)| (user, VIEW_CHANNEL));
        let all = denied.into_iter().chain(hidden);
        all.map(|(id, deny)| json!({ "id": id, "type": 1, "allow": "0", "deny": deny.to_string() })).collect()
    }

    /// The role that came with the app.
    pub(super) fn bot_role(&self) -> String {
        // An id that nobody else has: the guild's next one.
        let guild: u64 = self.guild.parse().unwrap_or(0);
        guild.saturating_add(1).to_string()
    }
}
