//! Reactions that came while nobody listened: under the cards of what has not ended they are read again and compared
//! with what was seen. What differs goes into the inbox like any other reaction.

use super::Reply;
use super::entrance::Entrance;
use crate::defects::{Panicked, caught};
use crate::engine::Incoming;
use async_trait::async_trait;
use futures::StreamExt as _;
use slipway_core::person::Identity;
use slipway_core::policy::Stance;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// How many cards are looked at.
const CARDS_LIMIT: u32 = 200;
/// Between two cards: a chat takes about 50 such questions a minute.
const BETWEEN_CARDS: Duration = Duration::from_millis(1_200);
/// How many are looked at without a rest.
const AT_ONCE: usize = 20;
/// How often they are read in any case: a chat gives up what it could not deliver after a few minutes.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// How many are looked at beside each other before the start, and how long one that is not told rests.
const FIRST_AT_ONCE: usize = 4;
const FIRST_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long the start waits for it.
const FIRST_LIMIT: Duration = Duration::from_secs(10);
/// How long a card rests that is told later, at least.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How often one card is tried.
const TRIES_LIMIT: u32 = 5;

/// A reaction that stands for a vote: whose, for what, and its name.
pub type Vote = (Identity, Stance, String);

/// The votes under a message.
#[derive(Debug, Default)]
pub struct There {
    /// Those that are named.
    pub votes: BTreeSet<Vote>,
    /// The names of the reactions of which not everybody is named: who is missing has not taken theirs away.
    pub incomplete: BTreeSet<String>,
}

/// A chat, as the one that can be asked for the reactions under a message.
#[async_trait]
pub trait Reactions: Send + Sync + std::fmt::Debug {
    /// The name before the colon of a channel in the configuration.
    fn platform(&self) -> &'static str;

    /// The way in from this chat.
    fn entrance(&self) -> &Entrance;

    /// How far the chat's clock may be behind ours, in microseconds.
    fn clocks_differ_us(&self) -> i64;

    /// The votes under a message. Channel and message are given as the store keeps them.
    ///
    /// # Errors
    /// When the chat does not tell.
    async fn there(&self, channel: &str, message: &str) -> Result<There, LookError>;
}

/// Reads reactions again.
#[derive(Debug)]
pub struct Reread {
    chat: Arc<dyn Reactions>,
}

impl Reread {
    /// Nothing is read before it is wanted.
    #[must_use]
    pub fn new(chat: Arc<dyn Reactions>) -> Self {
        Self { chat }
    }

    /// Has them read again.
    pub fn soon(&self) {
        self.chat.entrance().look_again.notify_one();
    }

    /// Reads them again whenever that is wanted, and every ten minutes.
    pub async fn run(self: Arc<Self>) {
        loop {
            // Both are fine: somebody wants it, or the time to look.
            let _ = tokio::time::timeout(LOOK_EVERY, self.chat.entrance().look_again.notified()).await;
            self.all_cards().await;
        }
    }

    /// Looks at all cards. One that is told later is tried again at the end, so that it holds up none of the others.
    async fn all_cards(&self) {
        let now = Instant::now();
        let mut cards: VecDeque<_> = self.cards().await.into_iter().map(|card| (card, 0, now)).collect();
        let mut at_once = AT_ONCE;
        while let Some(((channel, message), tries, not_before)) = cards.pop_front() {
            match at_once.checked_sub(1) {
                Some(left) => at_once = left,
                None => tokio::time::sleep(BETWEEN_CARDS).await,
            }
            tokio::time::sleep_until(not_before).await;
            if self.card(&channel, &message).await {
                continue;
            }
            // A chat that takes no more questions is not asked the others at once.
            at_once = 0;
            if tries + 1 < TRIES_LIMIT {
                cards.push_back(((channel, message), tries + 1, Instant::now() + AFTER_FAILURE));
            }
        }
    }

    /// The same once before anything is decided: a vote may have been taken away while nobody listened. It does not wait
    /// for a chat that does not answer; what was missed is then taken in later.
    pub async fn first(&self) {
        let cards = self.cards().await;
        let all = futures::stream::iter(cards).map(|(channel, message)| self.look_until(channel, message));
        let all = all.buffer_unordered(FIRST_AT_ONCE);
        let all = all.collect::<Vec<bool>>();
        let complete = match tokio::time::timeout(FIRST_LIMIT, all).await {
            Ok(looks) => looks.into_iter().all(|looked| looked),
            Err(_) => false,
        };
        if !complete {
            warn!("the reactions that came meanwhile could not all be read before the start");
            self.soon();
        }
    }

    /// Looks until the chat tells: it may take fewer questions at once. False: it never will.
    async fn look_until(&self, channel: String, message: String) -> bool {
        loop {
            match self.look(&channel, &message).await {
                Ok(_) => return true,
                Err(LookError::Later(_)) => tokio::time::sleep(FIRST_AGAIN_AFTER).await,
                Err(LookError::Never(_) | LookError::Store(_)) => return false,
            }
        }
    }

    /// The cards of what waits, newest first.
    async fn cards(&self) -> Vec<(String, String)> {
        let cards = self.chat.entrance().store.cards_waiting(self.chat.platform(), CARDS_LIMIT).await;
        cards.unwrap_or_else(|error| {
            warn!(%error, "the open cards could not be listed");
            vec![]
        })
    }

    /// False: it may be told later.
    async fn card(&self, channel: &str, message: &str) -> bool {
        match caught("reading reactions again", self.look(channel, message)).await {
            Ok(Ok(0)) | Err(Panicked) => true,
            Ok(Ok(count)) => {
                info!(channel, count, "reactions that were missed are taken in");
                true
            }
            Ok(Err(error @ LookError::Never(_))) => {
                warn!(channel, %error, "the reactions under a card cannot be read");
                true
            }
            Ok(Err(error)) => {
                warn!(channel, %error, "the reactions under a card are read later");
                false
            }
        }
    }

    /// Gives how many differ from what was seen.
    async fn look(&self, channel: &str, message: &str) -> Result<usize, LookError> {
        let entrance = self.chat.entrance();
        // What happens from now on is said by itself, with a later time.
        let now_us = entrance.clock.now().as_microsecond();
        let seen: BTreeSet<Vote> = entrance.store.reactions_of(channel, message).await?.into_iter().collect();
        let There { votes: there, incomplete } = self.chat.there(channel, message).await?;
        let people = entrance.people().await?;
        // Whoever is not known is answered when they react, not when they are found.
        let added = there.difference(&seen).filter(|(who, ..)| people.by_identity(who).is_some());
        let gone = seen.difference(&there).filter(|(_, _, name)| !incomplete.contains(name));
        let mut missed: Vec<_> = added.map(|vote| (vote, true)).chain(gone.map(|vote| (vote, false))).collect();
        // What lets a release start comes last: nothing may start by a vote that was taken away meanwhile.
        missed.sort_by_key(|((_, stance, _), added)| lets_start(*stance, *added));
        for ((who, stance, name), added) in &missed {
            let (stance, added) = (*stance, *added);
            // The chat's clock may be behind ours: what it says next must not seem older than what lets a release start.
            let at_us = if lets_start(stance, added) > 1 { now_us - self.chat.clocks_differ_us() } else { now_us };
            let reacted = Incoming::Reacted {
                who: who.clone(),
                channel: channel.to_owned(),
                message: message.to_owned(),
                stance,
                added,
                at_us: Some(at_us),
                name: name.clone(),
                found: true,
            };
            let platform = self.chat.platform();
            let key = format!("{platform}/reread/{channel}/{message}/{}/{name}/{added}/{now_us}", who.id());
            if !entrance.deliver(&key, &reacted, &Reply::default(), Instant::now()).await? {
                return Err(LookError::Later("what was missed could not be written down in time".to_owned()));
            }
        }
        Ok(missed.len())
    }
}

/// In which order reactions are taken in: what is against a start first.
fn lets_start(stance: Stance, added: bool) -> u8 {
    match (stance, added) {
        (Stance::Veto, true) => 0,
        (Stance::Approve, false) => 1,
        (Stance::Veto, false) => 2,
        (Stance::Approve, true) => 3,
    }
}

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The chat may tell later.
    #[error("{0}")]
    Later(String),
    /// It never will.
    #[error("{0}")]
    Never(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
