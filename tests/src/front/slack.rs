//! The sandbox's Slack as its people see it.

use super::{CallError, Seen, Shown};
use crate::slack::{Refused, SlackSandbox};
use serde_json::{Value, json};
use slipway_core::message::Verb;
use std::collections::BTreeMap;
use std::time::Duration;

/// Where releases are shown.
pub const RELEASES: &str = "C0RELEASES";
/// Where successes are announced.
pub const ANNOUNCE: &str = "C0ANNOUNCE";
/// How long one look waits for news.
const WAIT: Duration = Duration::from_secs(2);

/// Everybody's eyes and hands in the sandbox's Slack.
#[derive(Debug)]
pub struct SlackFront {
    sandbox: SlackSandbox,
    seq: u64,
}

impl SlackFront {
    /// Nothing is seen yet.
    #[must_use]
    pub fn new(sandbox: SlackSandbox) -> Self {
        Self { sandbox, seq: 0 }
    }

    pub(super) async fn say(&self, person: &str, text: &str) -> Result<(), CallError> {
        self.sandbox.type_text(&self.user(person)?, RELEASES, text, None).await.map_err(refused)
    }

    pub(super) fn react(&self, person: &str, message: &Seen, reaction: &str) -> Result<(), CallError> {
        let name = if reaction == "✅" { "white_check_mark" } else { "x" };
        self.sandbox.react(&self.user(person)?, RELEASES, &message.id, name, true).map_err(refused)
    }

    pub(super) async fn press(&self, person: &str, message: &Seen, button: Verb) -> Result<(), CallError> {
        let Value::String(name) = json!(button) else {
            return Err(CallError::Refused("a button without a name".to_owned()));
        };
        self.sandbox.press(&self.user(person)?, RELEASES, &message.id, &name).await.map_err(refused)
    }

    fn user(&self, person: &str) -> Result<String, CallError> {
        let state = self.sandbox.state(u64::MAX);
        let users = state["users"].as_array().cloned().unwrap_or_default();
        let found = users.iter().find(|user| user["name"] == person).and_then(|user| user["id"].as_str());
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
        let bot = &state["bot"]["user_id"];
        // Threads hold the details; they are to be read when somebody opens them.
        let is_reply = |m: &Value| m["thread_ts"].is_string() && m["thread_ts"] != m["ts"];
        let of_the_bot = listed(&state["messages"]).filter(|m| m["user"] == *bot && m["deleted"] != true);
        let of_the_bot = of_the_bot.filter(|m| !is_reply(m));
        of_the_bot.filter_map(|message| self.seen(message, &names, &channels)).collect()
    }

    fn seen(&self, message: &Value, names: &BTreeMap<&str, &str>, channels: &BTreeMap<&str, &Value>) -> Option<Seen> {
        let (id, channel) = (message["ts"].as_str()?.to_owned(), channels.get(message["channel"].as_str()?)?);
        let only = message["ephemeral_for"].as_str().or_else(|| channel["user"].as_str());
        let key = message["key"].as_str().map_or_else(|| format!("answer/{id}"), str::to_owned);
        Some(Seen {
            chat: "Slack",
            channel: channel["name"].as_str().map_or(String::new(), |name| format!("#{name}")),
            key,
            id,
            only_for: only.map(|user| names.get(user).copied().unwrap_or(user).to_owned()),
            shown: Shown::Lines(self.sandbox.lines(message)),
        })
    }
}

pub(super) fn listed(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn pair<'a>(value: &'a Value, one: &str, other: &str) -> Option<(&'a str, &'a str)> {
    Some((value[one].as_str()?, value[other].as_str()?))
}

fn refused(refused: Refused) -> CallError {
    CallError::Refused(refused.shown.unwrap_or(refused.error))
}
