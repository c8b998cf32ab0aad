//! The chats: where messages go. Each platform is one file or folder beside this one.

mod accounts;
pub mod direct;
pub mod discord;
mod drawing;
pub mod entrance;
mod forms;
mod home;
mod lanes;
mod place;
pub mod publisher;
mod reply;
pub mod reread;
mod said;
pub mod slack;
pub mod terminal;
mod words;

pub(crate) mod on_page;

pub use reply::{Interaction, Reply, ResponseUrl};

use crate::buttons;
use crate::store::NewMessage;
use async_trait::async_trait;
use jiff::Timestamp;
use slipway_core::message::Message;
use slipway_core::person::Directory;
use slipway_core::plan::PlanDigest;
use std::time::Duration;
use thiserror::Error;

/// How often the elapsed time on the card of a running release is brought up to date where a chat does not mind.
const REFRESH_EVERY: Duration = Duration::from_secs(5);

/// Why a chat did not take a message.
#[derive(Debug, Error)]
pub enum ChatError {
    /// It may take it later.
    #[error("{what}")]
    Later {
        /// What it said.
        what: String,
        /// When it wants to be asked again, if it said so.
        after_ms: Option<i64>,
        /// Whether it may have taken it all the same.
        maybe_taken: bool,
    },
    /// The message that was to be changed is no longer there, or cannot be changed any more.
    #[error("the message is no longer there")]
    Gone,
    /// It never will.
    #[error("{0}")]
    Never(String),
    /// It takes no more changes of the message, which is to go on in another one. Nothing was posted: that it will be is
    /// written down first.
    #[error("the message takes no more changes")]
    GoesOn,
}

/// A message on its way out.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// Its place and key.
    pub message: &'a NewMessage,
    /// The chat's id for it, once posted.
    pub external_id: Option<&'a str>,
    /// The chat's id for the message in whose thread it goes.
    pub thread: Option<&'a str>,
    /// Where the chat takes it, when it is an answer.
    pub reply: Option<&'a Reply>,
    /// Since when it may be there already: posting it was begun then, and nobody knows how that ended. With an external id
    /// it is the message in which that one goes on.
    pub unsure_since: Option<Timestamp>,
    /// The plan that it shows.
    pub plan: Option<&'a PlanDigest>,
    /// It was not tried before.
    pub is_first_try: bool,
    /// How often it was posted again because somebody had deleted it.
    pub posted_again: i64,
    /// Where the card of its release is in the same chat, when it is news for one person: channel and the chat's id for it.
    pub card: Option<(String, String)>,
}

impl Outgoing<'_> {
    /// What buttons carry: the message or what it is about, and the plan that is shown beside them.
    #[must_use]
    pub fn button_key(&self) -> String {
        let about = buttons::of_message(&self.message.key);
        match self.plan {
            Some(plan) => format!("{about}{}{plan}", entrance::PLAN_SEPARATOR),
            None => about.to_owned(),
        }
    }
}

/// A chat platform, as messages see it.
#[async_trait]
pub trait Chat: Send + Sync + std::fmt::Debug {
    /// The name before the colon of a channel in the configuration.
    fn platform(&self) -> &'static str;

    /// How often the elapsed time on a card is brought up to date.
    fn refresh_every(&self) -> Duration {
        REFRESH_EVERY
    }

    /// Counts a message against what the chat takes: `Err` is how long to wait first.
    ///
    /// # Errors
    /// When it must wait; nothing is counted then.
    fn admit(&self, what: &Outgoing<'_>) -> Result<(), Duration>;

    /// Shows a message: posts it when it has no external id, else changes the one posted. Gives the chat's id for it.
    /// Posting the same key twice must lead to one message.
    async fn show(&self, what: &Outgoing<'_>, body: &Message, people: &Directory) -> Result<String, ChatError>;

    /// What was posted is known by the chat's id for it from now on, and no more by the one that it may have had: what
    /// happened under it before then was not known to be about it.
    fn is_recorded(&self, _what: &Outgoing<'_>) {}

    /// What the message says that is left behind, now that it goes on in one with this id of the chat's. `None`: it stays.
    fn left_behind(&self, _what: &Outgoing<'_>, _id: &str) -> Option<Message> {
        None
    }

    /// Shows the page that a chat keeps for one person: parts, each with the key that its buttons are about.
    async fn show_home(
        &self,
        what: &Outgoing<'_>,
        _parts: &[(String, Message)],
        _people: &Directory,
    ) -> Result<String, ChatError> {
        Err(ChatError::Never(format!("{} has no page for one person", what.message.channel)))
    }
}
