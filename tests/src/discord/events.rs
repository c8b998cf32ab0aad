//! What the app is told over the gateway.

use super::message::{Emoji, Message};
use super::permission::VIEW_CHANNEL;
use super::place::Place;
use super::shapes;
use super::world::World;
use serde_json::{Value, json};

const GUILDS: u64 = 1 << 0;
const GUILD_MESSAGES: u64 = 1 << 9;
const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
const DIRECT_MESSAGES: u64 = 1 << 12;
const DIRECT_MESSAGE_REACTIONS: u64 = 1 << 13;

/// What was done with the emojis under a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reacted<'a> {
    Added(&'a str, &'a Emoji),
    Removed(&'a str, &'a Emoji),
    AllGone,
    EmojiGone(&'a Emoji),
}

impl World {
    /// The place, when the app hears of what is there.
    fn heard_place(&self, channel: &str) -> Option<Place> {
        self.place(channel).filter(|place| self.may(place, VIEW_CHANNEL))
    }

    /// Tells the app of a message. What it says, only when it is the app's own, for it alone, or mentions it.
    pub(super) fn tell_of_message(&self, kind: &str, message: &Message) {
        let Some(place) = self.heard_place(&message.channel) else { return };
        // What one person sees is shown by the answer to it; its event comes only to the person.
        if message.ephemeral_for.is_some() {
            return;
        }
        let mut data = self.shown(message, kind == "MESSAGE_CREATE");
        let mentioned = message.called.contains(&self.bot_user);
        if message.author != self.bot_user && !place.is_direct() && !mentioned {
            for (member, nothing) in [("content", json!("")), ("embeds", json!([])), ("components", json!([]))] {
                data[member] = nothing;
            }
        }
        data["channel_type"] = json!(place.kind.number());
        if !place.is_direct() {
            data["guild_id"] = json!(self.guild);
            let mut member = shapes::member(self, &message.author).unwrap_or_default();
            if let Some(member) = member.as_object_mut() {
                member.remove("user");
            }
            data["member"] = member;
        }
        self.dispatch(if place.is_direct() { DIRECT_MESSAGES } else { GUILD_MESSAGES }, kind, data);
    }

    /// Tells the app that a message is gone.
    pub(super) fn tell_of_deletion(&self, channel: &str, id: &str) {
        let Some(place) = self.heard_place(channel) else { return };
        let mut data = json!({ "id": id, "channel_id": channel });
        self.name_guild(&place, &mut data);
        self.dispatch(if place.is_direct() { DIRECT_MESSAGES } else { GUILD_MESSAGES }, "MESSAGE_DELETE", data);
    }

    /// Tells the app what was done with emojis. Who took one away is named without their membership.
    pub(super) fn tell_of_reaction(&self, message: &Message, what: Reacted<'_>) {
        let Some(place) = self.heard_place(&message.channel) else { return };
        let mut data = json!({ "channel_id": message.channel, "message_id": message.id });
        self.name_guild(&place, &mut data);
        let burst = |data: &mut Value, user: &str, emoji: &Emoji| {
            data["user_id"] = json!(user);
            data["emoji"] = emoji.shown();
            data["burst"] = json!(false);
            data["type"] = json!(0);
        };
        let kind = match what {
            Reacted::Added(user, emoji) => {
                burst(&mut data, user, emoji);
                data["message_author_id"] = json!(message.author);
                if let Some(member) = shapes::member(self, user).filter(|_| !place.is_direct()) {
                    data["member"] = member;
                }
                "MESSAGE_REACTION_ADD"
            }
            Reacted::Removed(user, emoji) => {
                burst(&mut data, user, emoji);
                "MESSAGE_REACTION_REMOVE"
            }
            Reacted::AllGone => "MESSAGE_REACTION_REMOVE_ALL",
            Reacted::EmojiGone(emoji) => {
                data["emoji"] = emoji.shown();
                "MESSAGE_REACTION_REMOVE_EMOJI"
            }
        };
        self.dispatch(if place.is_direct() { DIRECT_MESSAGE_REACTIONS } else { GUILD_MESSAGE_REACTIONS }, kind, data);
    }

    /// Tells the app of a thread.
    pub(super) fn tell_of_thread(&self, kind: &str, thread: &Place) {
        let mut data = shapes::channel(self, thread);
        if kind == "THREAD_CREATE" {
            data["newly_created"] = json!(true);
        }
        self.dispatch(GUILDS, kind, data);
    }

    fn name_guild(&self, place: &Place, data: &mut Value) {
        if !place.is_direct() {
            data["guild_id"] = json!(self.guild);
        }
    }
}
