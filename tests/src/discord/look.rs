//! Finding messages, for tests.

use super::DiscordSandbox;
use super::message::Message;
use super::state;
use super::transcript::{self, THINKING, content, shown};
use super::world::World;
use serde_json::Value;
use std::time::Duration;

/// How long something is waited for.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

impl DiscordSandbox {
    /// What everybody sees in a channel now, oldest first, as [`DiscordSandbox::state`] has it.
    #[must_use]
    pub fn messages(&self, channel: &str) -> Vec<Value> {
        self.found(|m| m.channel == channel && m.ephemeral_for.is_none())
    }

    /// What one person alone sees, anywhere.
    #[must_use]
    pub fn only_for(&self, user: &str) -> Vec<Value> {
        self.found(|m| m.ephemeral_for.as_deref() == Some(user))
    }

    fn found(&self, wanted: impl Fn(&Message) -> bool) -> Vec<Value> {
        let world = self.shared.world();
        let found = world.messages.iter().filter(|m| !m.deleted && wanted(m));
        found.map(|m| state::message(&world, m)).collect()
    }

    /// The form that a person sees.
    #[must_use]
    pub fn modal_of(&self, user: &str) -> Option<Value> {
        self.shared.world().modals.iter().find(|modal| modal.user == user).map(state::modal)
    }

    /// The conversation of a person with the app, when there is one.
    #[must_use]
    pub fn direct_of(&self, user: &str) -> Option<String> {
        self.shared.world().directs.get(user).cloned()
    }

    /// A channel as lines of text: messages with their buttons and reactions, threads indented under what they began
    /// at, what one person sees marked.
    #[must_use]
    pub fn transcript(&self, channel: &str) -> Vec<String> {
        transcript::transcript(&self.shared.world(), channel)
    }

    /// What a message of [`DiscordSandbox::state`] shows, line by line.
    #[must_use]
    pub fn lines(&self, message: &Value) -> Vec<String> {
        if message["thinking"] == true {
            return vec![THINKING.to_owned()];
        }
        let world = self.shared.world();
        let list = |name: &str| message[name].as_array().cloned().unwrap_or_default();
        content(&world, message["content"].as_str().unwrap_or_default(), &list("embeds"), &list("components"))
    }

    /// The newest message of the app in a channel that still is there, for everybody: its id.
    #[must_use]
    pub fn last_message(&self, channel: &str) -> Option<String> {
        let world = self.shared.world();
        let ours = |m: &&Message| {
            m.channel == channel && m.author == world.bot_user && !m.deleted && m.ephemeral_for.is_none()
        };
        world.messages.iter().rev().find(ours).map(|m| m.id.clone())
    }

    /// The newest message of a channel, of whomever and for whomever, in which these words are to be read: its id.
    /// None: it did not come within half a minute.
    pub async fn wait_for(&self, channel: &str, words: &str) -> Option<String> {
        let found = async {
            let mut changes = self.shared.changes.clone();
            loop {
                changes.mark_unchanged();
                if let Some(id) = with_words(&self.shared.world(), channel, words) {
                    return Some(id);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(WAIT_LIMIT, found).await.ok().flatten()
    }

    /// What a message showed from its beginning until now, each content as lines. The oldest of more than 200 edits are
    /// forgotten.
    #[must_use]
    pub fn versions(&self, channel: &str, id: &str) -> Vec<String> {
        let world = self.shared.world();
        let Some(message) = world.messages.iter().find(|m| m.is(channel, id)) else { return Vec::new() };
        let past = message.past.iter().map(|said| content(&world, &said.content, &said.embeds, &said.components));
        past.chain([shown(&world, message)]).map(|lines| lines.join("\n")).collect()
    }
}

fn with_words(world: &World, channel: &str, words: &str) -> Option<String> {
    let mut here = world.messages.iter().rev().filter(|m| m.channel == channel && !m.deleted);
    here.find(|m| shown(world, m).join("\n").contains(words)).map(|m| m.id.clone())
}
