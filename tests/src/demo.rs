//! The demo: a channel in which a release is played, on the real bot and strict stand-ins.

mod flow;
mod interactive;
mod rollback;
mod story;

pub use flow::play_flow;
pub use interactive::interactive;
pub use rollback::play as roll_back;
pub use story::{Fail, play};

use crate::front::{CallError, Front, Seen};
use crate::screen::Screen;
use crate::world::{API_TOKEN, World};
use slipway_core::message::Verb;
use slipway_core::policy::Clears;
use slipway_core::release::Release;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// How long one part of the story may take.
const PART_LIMIT: Duration = Duration::from_secs(90);

/// Why the demo did not end as it should.
#[derive(Debug)]
pub enum DemoError {
    /// The bot could not be reached.
    Call(CallError),
    /// Something that the story needs did not come.
    Missing(String),
    /// It ended otherwise than the story says.
    Otherwise(String),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::Missing(what) => write!(f, "this did not come within {} s: {what}", PART_LIMIT.as_secs()),
            Self::Otherwise(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for DemoError {}

impl From<CallError> for DemoError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// The people at the terminal: what they do and what they see.
#[derive(Debug)]
pub struct Stage<'a> {
    world: &'a World,
    front: Front,
    screen: Screen,
    seen: Vec<Seen>,
}

impl<'a> Stage<'a> {
    /// A stage before a world.
    #[must_use]
    pub fn new(world: &'a World, mut screen: Screen) -> Self {
        let front = world.front("demo");
        if front.chats() > 1 {
            screen.name_chats();
        }
        Self { world, front, screen, seen: Vec::new() }
    }

    /// Somebody types. Gives how much had been seen before.
    async fn says(&mut self, person: &str, text: &str) -> Result<usize, DemoError> {
        let since = self.seen.len();
        self.screen.typed(person, &self.front.typed(text));
        self.front.say(person, text).await?;
        Ok(since)
    }

    /// Somebody approves with a reaction. Gives how much had been seen before.
    async fn reacts(&mut self, person: &str, card: &Seen) -> Result<usize, DemoError> {
        let since = self.seen.len();
        self.screen.typed(person, "✅");
        self.front.react(person, card, "✅").await?;
        Ok(since)
    }

    /// Somebody presses a button of a message. Gives how much had been seen before.
    async fn presses(&mut self, person: &str, message: &Seen, button: Verb, label: &str) -> Result<usize, DemoError> {
        let since = self.seen.len();
        self.screen.typed(person, &format!("[{label}]"));
        self.front.press(person, message, button).await?;
        Ok(since)
    }

    /// Whether a release waits for an approval of team dba.
    async fn needs_dba(&self, card: &Seen) -> Result<bool, DemoError> {
        let verdict = self.release(card).await?.verdict;
        let clears = verdict.iter().flat_map(|verdict| verdict.reasons()).map(|reason| &reason.clears);
        let mut missing = clears.filter_map(|clears| match clears {
            Clears::Votes { missing } => Some(missing),
            _ => None,
        });
        Ok(missing.any(|missing| missing.iter().any(|slot| slot.team.as_str() == "dba")))
    }

    /// Shows what comes until a message fits, counting those already seen from `since` on.
    async fn until(&mut self, what: &str, since: usize, fits: impl Fn(&Seen) -> bool) -> Result<Seen, DemoError> {
        self.until_in(1, what, since, fits).await
    }

    /// The same, until one fits in each chat.
    async fn until_everywhere(
        &mut self,
        what: &str,
        since: usize,
        fits: impl Fn(&Seen) -> bool,
    ) -> Result<Seen, DemoError> {
        self.until_in(self.front.chats(), what, since, fits).await
    }

    async fn until_in(
        &mut self,
        chats: usize,
        what: &str,
        since: usize,
        fits: impl Fn(&Seen) -> bool,
    ) -> Result<Seen, DemoError> {
        let deadline = Instant::now() + PART_LIMIT;
        loop {
            let mut where_seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for message in self.seen[since..].iter().filter(|message| fits(message)) {
                // Only cards have the same key in each chat.
                let in_chats = where_seen.entry(if message.is_card() { &message.key } else { "" }).or_default();
                in_chats.insert(message.chat);
                if in_chats.len() >= chats {
                    return Ok(message.clone());
                }
            }
            if Instant::now() > deadline {
                return Err(DemoError::Missing(what.to_owned()));
            }
            for message in self.front.news().await? {
                self.screen.show(&message);
                self.seen.push(message);
            }
        }
    }

    /// The state of the release whose card a message is.
    async fn release(&self, card: &Seen) -> Result<Release, DemoError> {
        let id = card.key.strip_prefix("release/").unwrap_or_default();
        let url = format!("{}/api/v1/releases/{id}", self.world.url);
        let answer = reqwest::Client::new().get(url).bearer_auth(API_TOKEN).send().await.map_err(CallError::from)?;
        answer.json().await.map_err(|error| CallError::from(error).into())
    }
}
