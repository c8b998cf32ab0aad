//! Finding messages, for tests.

use super::SlackSandbox;
use super::message::Message;
use super::time::micros;
use super::transcript::content;
use super::world::World;
use std::time::Duration;

/// How long something is waited for.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

impl SlackSandbox {
    /// The newest message of the app in a channel that still is there, for everybody: its time.
    #[must_use]
    pub fn last_message(&self, channel: &str) -> Option<String> {
        let world = self.shared.world();
        let bot = &self.shared.options.bot_user;
        let ours = |m: &&Message| m.channel == channel && m.user == *bot && !m.deleted && m.ephemeral_for.is_none();
        world.messages.iter().filter(ours).max_by_key(|m| micros(&m.ts)).map(|m| m.ts.clone())
    }

    /// The newest message of a channel, of whomever and for whomever, in whose text and blocks these words are: its
    /// time. None: it did not come within half a minute.
    pub async fn wait_for(&self, channel: &str, words: &str) -> Option<String> {
        let found = async {
            let mut changes = self.shared.changes.clone();
            loop {
                changes.mark_unchanged();
                if let Some(ts) = with_words(&self.shared.world(), channel, words) {
                    return Some(ts);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(WAIT_LIMIT, found).await.ok().flatten()
    }

    /// What a message showed from its beginning until now, each content as lines. The oldest of more than 200 edits are
    /// forgotten.
    #[must_use]
    pub fn versions(&self, channel: &str, ts: &str) -> Vec<String> {
        let world = self.shared.world();
        let Some(message) = world.messages.iter().find(|m| m.is(channel, ts)) else { return Vec::new() };
        let past = message.past.iter().map(|(text, blocks)| (text, blocks));
        let all = past.chain([(&message.text, &message.blocks)]);
        all.map(|(text, blocks)| content(&world, text, blocks.as_ref()).join("\n")).collect()
    }
}

fn with_words(world: &World, channel: &str, words: &str) -> Option<String> {
    let mut here = world.messages.iter().rev().filter(|m| m.channel == channel && !m.deleted);
    let found = here.find(|m| content(world, &m.text, m.blocks.as_ref()).join("\n").contains(words));
    found.map(|m| m.ts.clone())
}
