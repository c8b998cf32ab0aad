//! The sandbox's Discord as its people see it.

use super::slack::{listed, pair};
use super::{CallError, Seen, Shown};
use crate::discord::{DiscordSandbox, Refused};
use serde_json::{Value, json};
use slipway_core::message::Verb;
use std::collections::BTreeMap;
use std::time::Duration;

/// Where releases are shown.
pub const RELEASES: &str = "310000000000000001";
/// Where successes are announced.
pub const ANNOUNCE: &str = "310000000000000002";
/// How long one look waits for news.
const WAIT: Duration = Duration::from_secs(2);
/// How long people wait for the app to be online.
const ONLINE_LIMIT: Duration = Duration::from_secs(60);

/// Everybody's eyes and hands in the sandbox's Discord.
#[derive(Debug)]
pub struct DiscordFront {
    sandbox: DiscordSandbox,
    seq: u64,
    /// The bot's key of each message by its id, once one of its buttons has told it: Discord has no other place where
    /// people could read it.
    keys: BTreeMap<String, String>,
}

impl DiscordFront {
    /// Nothing is seen yet.
    #[must_use]
    pub fn new(sandbox: DiscordSandbox) -> Self {
        Self { sandbox, seq: 0, keys: BTreeMap::new() }
    }

    /// People look whether the app is online before they turn to it. If it never is, they do it in vain.
    async fn online(&self) {
        let _ = tokio::time::timeout(ONLINE_LIMIT, self.sandbox.online()).await;
    }

    pub(super) async fn say(&self, person: &str, text: &str) -> Result<(), CallError> {
        self.online().await;
        self.sandbox.type_text(&self.user(person)?, RELEASES, &filled_in(text)).await.map_err(refused)
    }

    pub(super) async fn react(&self, person: &str, message: &Seen, reaction: &str) -> Result<(), CallError> {
        self.sandbox.react(&self.user(person)?, RELEASES, &message.id, reaction, true).map_err(refused)
    }

    pub(super) async fn press(&self, person: &str, message: &Seen, button: Verb) -> Result<(), CallError> {
        self.online().await;
        let Value::String(name) = json!(button) else {
            return Err(CallError::Refused("a button without a name".to_owned()));
        };
        let prefix = format!("{name}|");
        self.sandbox.press(&self.user(person)?, RELEASES, &message.id, &prefix).await.map_err(refused)
    }

    /// The newest message of a key.
    pub(super) fn id_of(&self, key: &str) -> Option<String> {
        self.keys.iter().rev().find(|(_, known)| *known == key).map(|(id, _)| id.clone())
    }

    fn user(&self, person: &str) -> Result<String, CallError> {
        let state = self.sandbox.state(u64::MAX);
        let found = listed(&state["users"]).find(|user| user["name"] == person).and_then(|user| user["id"].as_str());
        found.map(str::to_owned).ok_or_else(|| CallError::Refused(format!("nobody here is called {person}")))
    }

    /// Waits a while for something to be new or changed.
    pub(super) async fn changed(&self) {
        // Both are fine: a change, or the time to look.
        let _ = tokio::time::timeout(WAIT, self.sandbox.changed(self.seq)).await;
    }

    /// The bot's messages that are new or changed.
    pub(super) fn news(&mut self) -> Vec<Seen> {
        let state = self.sandbox.state(self.seq);
        self.seq = state["seq"].as_u64().unwrap_or(self.seq);
        let names: BTreeMap<&str, &str> = listed(&state["users"]).filter_map(|u| pair(u, "id", "name")).collect();
        let channels: BTreeMap<&str, &Value> =
            listed(&state["channels"]).filter_map(|c| Some((c["id"].as_str()?, c))).collect();
        let bot = &state["bot"]["id"];
        let of_the_bot = listed(&state["messages"]).filter(|m| m["author"] == *bot && m["deleted"] != true);
        // The bot is only about to say something.
        let said = of_the_bot.filter(|m| m["thinking"] != true);
        said.filter_map(|message| self.seen(message, &names, &channels)).collect()
    }

    fn seen(
        &mut self,
        message: &Value,
        names: &BTreeMap<&str, &str>,
        channels: &BTreeMap<&str, &Value>,
    ) -> Option<Seen> {
        let (id, channel) = (message["id"].as_str()?.to_owned(), channels.get(message["channel"].as_str()?)?);
        // Threads hold the details; they are to be read when somebody opens them.
        if channel["thread"].is_object() {
            return None;
        }
        let only = message["ephemeral_for"].as_str().or_else(|| channel["user"].as_str());
        let key = self.key(message, &id);
        Some(Seen {
            chat: "Discord",
            channel: channel["name"].as_str().map_or(String::new(), |name| format!("#{name}")),
            key,
            id,
            only_for: only.map(|user| names.get(user).copied().unwrap_or(user).to_owned()),
            shown: Shown::Lines(self.sandbox.lines(message)),
        })
    }

    fn key(&mut self, message: &Value, id: &str) -> String {
        if let Some(key) = key_of_buttons(message) {
            self.keys.insert(id.to_owned(), key);
        }
        let kind = if message["channel"] == ANNOUNCE { "announcement" } else { "answer" };
        self.keys.get(id).cloned().unwrap_or_else(|| format!("{kind}/{id}"))
    }
}

/// What a person who knows `/rollback staging --reason "…"` fills in here: `/rollback staging reason:"…"`,
/// `dry-run:true` for an option without a value, the environment for the words `deploy ENVIRONMENT` after `why`, and
/// `service:all` where `all` is the last of the words.
pub(super) fn filled_in(text: &str) -> String {
    let text = text.replace("/release why deploy ", "/release why environment:");
    let mut pieces = text.split(" --");
    let words = pieces.next().unwrap_or_default();
    let mut filled = match words.strip_suffix(" all") {
        Some(words) => format!("{words} service:all"),
        None => words.to_owned(),
    };
    for piece in pieces {
        let (name, value) = piece.split_once(' ').unwrap_or((piece, "true"));
        filled.push_str(&format!(" {name}:{value}"));
    }
    filled
}

/// `release/01JD…` of `approve|release/01JD…#5b3e91…`.
fn key_of_buttons(message: &Value) -> Option<String> {
    let buttons = listed(&message["components"]).flat_map(|row| listed(&row["components"]));
    let named = buttons.filter_map(|button| button["custom_id"].as_str()?.split_once('|'));
    named.map(|(_, key)| key.split('#').next().unwrap_or(key).to_owned()).next()
}

fn refused(refused: Refused) -> CallError {
    CallError::Refused(refused.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_filled_in() {
        assert_eq!(filled_in("/deploy staging v1"), "/deploy staging v1");
        assert_eq!(filled_in("/release why deploy production"), "/release why environment:production");
        assert_eq!(filled_in("/release why deploy production"), "/release why environment:production");
        assert_eq!(filled_in("/deploy staging v1 all --dry-run"), "/deploy staging v1 service:all dry-run:true");
        let typed = "/release lock production \"load test\" --for 2h --quiet";
        assert_eq!(filled_in(typed), "/release lock production \"load test\" for:2h quiet:true");
    }

    #[test]
    fn a_button_tells_whose_it_is() {
        let with = |id: &str| json!({ "components": [{ "type": 1, "components": [{ "type": 2, "custom_id": id }] }] });
        assert_eq!(key_of_buttons(&with("why|release/01JD#5b3e91")), Some("release/01JD".to_owned()));
        assert_eq!(key_of_buttons(&with("details|release/01JD")), Some("release/01JD".to_owned()));
        assert_eq!(key_of_buttons(&with("other")), None);
        assert_eq!(key_of_buttons(&json!({})), None);
    }
}
