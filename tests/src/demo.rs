//! The demo: a channel in which a release is played, on the real bot and strict stand-ins.

mod interactive;
mod story;

pub use interactive::interactive;
pub use story::{Fail, play};

use crate::screen::Screen;
use crate::terminal::{CallError, Terminal};
use crate::world::{API_TOKEN, CHANNEL, World};
use slipway::store::TerminalMessage;
use slipway_core::message::Mark;
use slipway_core::policy::Clears;
use slipway_core::release::Release;
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
    terminal: Terminal,
    screen: Screen,
    seen: Vec<TerminalMessage>,
}

impl<'a> Stage<'a> {
    /// A stage before a world.
    #[must_use]
    pub fn new(world: &'a World, screen: Screen) -> Self {
        Self { world, terminal: world.terminal("demo"), screen, seen: Vec::new() }
    }

    /// Somebody types. Gives how much had been seen before.
    async fn says(&mut self, person: &str, text: &str) -> Result<usize, DemoError> {
        let since = self.seen.len();
        self.screen.typed(person, text);
        self.terminal.say(person, CHANNEL, text).await?;
        Ok(since)
    }

    /// Somebody approves with a reaction. Gives how much had been seen before.
    async fn reacts(&mut self, person: &str, card: &TerminalMessage) -> Result<usize, DemoError> {
        let since = self.seen.len();
        self.screen.typed(person, "✅");
        self.terminal.react(person, CHANNEL, &card.key, "✅").await?;
        Ok(since)
    }

    /// Whether a release waits for an approval of team dba.
    async fn needs_dba(&self, card: &TerminalMessage) -> Result<bool, DemoError> {
        let verdict = self.release(card).await?.verdict;
        let clears = verdict.iter().flat_map(|verdict| verdict.reasons()).map(|reason| &reason.clears);
        let mut missing = clears.filter_map(|clears| match clears {
            Clears::Votes { missing } => Some(missing),
            _ => None,
        });
        Ok(missing.any(|missing| missing.iter().any(|slot| slot.team.as_str() == "dba")))
    }

    /// Shows what comes until a message fits, counting those already seen from `since` on.
    async fn until(
        &mut self,
        what: &str,
        since: usize,
        fits: impl Fn(&TerminalMessage) -> bool,
    ) -> Result<TerminalMessage, DemoError> {
        let deadline = Instant::now() + PART_LIMIT;
        loop {
            if let Some(found) = self.seen[since..].iter().find(|message| fits(message)) {
                return Ok(found.clone());
            }
            if Instant::now() > deadline {
                return Err(DemoError::Missing(what.to_owned()));
            }
            for message in self.terminal.news().await? {
                self.screen.show(&message);
                self.seen.push(message);
            }
        }
    }

    /// The state of the release whose card a message is.
    async fn release(&self, card: &TerminalMessage) -> Result<Release, DemoError> {
        let id = card.key.strip_prefix("release/").unwrap_or_default();
        let url = format!("{}/api/v1/releases/{id}", self.world.url);
        let answer = reqwest::Client::new().get(url).bearer_auth(API_TOKEN).send().await.map_err(CallError::from)?;
        answer.json().await.map_err(|error| CallError::from(error).into())
    }
}

/// Whether a message is a release's card.
fn is_card(message: &TerminalMessage) -> bool {
    message.key.starts_with("release/")
}

/// Whether a card shows an end.
fn has_ended(message: &TerminalMessage) -> bool {
    matches!(message.message.mark, Mark::Live | Mark::Failed | Mark::Ended)
}
