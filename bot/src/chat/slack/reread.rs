//! Reactions that came while nobody listened: under the cards of what has not ended they are read again and compared
//! with what was seen. What differs goes into the inbox like any other reaction.

use super::intake::Intake;
use crate::chat::Reply;
use crate::engine::Incoming;
use slipway_core::person::Identity;
use slipway_core::policy::Stance;
use slipway_deploy::slack::{Slack, SlackError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// How many cards are looked at.
const CARDS_LIMIT: u32 = 200;
/// Between two cards: Slack takes about 50 such questions a minute.
const BETWEEN_CARDS: Duration = Duration::from_millis(1_200);
/// How many are looked at without a rest.
const AT_ONCE: usize = 20;
/// How often they are read in any case: Slack gives up what it could not deliver after a few minutes.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// How long the start waits for it.
const FIRST_LIMIT: Duration = Duration::from_secs(10);
/// How far Slack's clock may be behind ours.
const CLOCKS_DIFFER_US: i64 = 300_000_000;
/// After a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How often one card is tried.
const TRIES_LIMIT: u32 = 5;

/// Reads reactions again.
#[derive(Debug)]
pub struct Reread {
    slack: Slack,
    intake: Arc<Intake>,
}

/// A reaction that stands for a vote: whose, for what, and its name.
type Vote = (Identity, Stance, String);

impl Reread {
    /// Nothing is read before it is wanted.
    #[must_use]
    pub fn new(slack: Slack, intake: Arc<Intake>) -> Self {
        Self { slack, intake }
    }

    /// Has them read again.
    pub fn soon(&self) {
        self.intake.look_again.notify_one();
    }

    /// Reads them again whenever that is wanted, and every ten minutes.
    pub async fn run(self: Arc<Self>) {
        loop {
            // Both are fine: somebody wants it, or the time to look.
            let _ = tokio::time::timeout(LOOK_EVERY, self.intake.look_again.notified()).await;
            for (number, (channel, message)) in self.cards().await.iter().enumerate() {
                if number > AT_ONCE {
                    tokio::time::sleep(BETWEEN_CARDS).await;
                }
                self.card(channel, message).await;
            }
        }
    }

    /// The same once before anything is decided: a vote may have been taken away while nobody listened. It does not wait
    /// for a Slack that does not answer; what was missed is then taken in later.
    pub async fn first(&self) {
        let cards = self.cards().await;
        let look = async |card: &(String, String)| self.look(&card.0, &card.1).await.is_ok();
        let all = futures::future::join_all(cards.iter().map(look));
        let complete = match tokio::time::timeout(FIRST_LIMIT, all).await {
            Ok(looks) => looks.into_iter().all(|looked| looked),
            Err(_) => false,
        };
        if !complete {
            warn!("the reactions that came meanwhile could not all be read before the start");
            self.soon();
        }
    }

    /// The cards of what waits, newest first.
    async fn cards(&self) -> Vec<(String, String)> {
        let cards = self.intake.store.cards_waiting(super::SlackChat::PLATFORM, CARDS_LIMIT).await;
        cards.unwrap_or_else(|error| {
            warn!(%error, "the open cards could not be listed");
            vec![]
        })
    }

    async fn card(&self, channel: &str, message: &str) {
        for _ in 0..TRIES_LIMIT {
            match self.look(channel, message).await {
                Ok(0) => return,
                Ok(count) => return info!(channel, count, "reactions that were missed are taken in"),
                Err(LookError::Slack(error)) if !error.is_passing() => {
                    return warn!(channel, %error, "the reactions under a card cannot be read");
                }
                Err(error) => {
                    warn!(channel, %error, "the reactions under a card are read later");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// Gives how many differ from what was seen.
    async fn look(&self, channel: &str, message: &str) -> Result<usize, LookError> {
        let Some((id, ts)) = address(channel, message) else { return Ok(0) };
        // What happens from now on is said by itself, with a later time.
        let now_us = self.intake.clock.now().as_microsecond();
        let seen: BTreeSet<Vote> = self.intake.store.reactions_of(channel, message).await?.into_iter().collect();
        let (there, incomplete) = self.there(id, ts).await?;
        let people = self.intake.people().await?;
        // Whoever is not known is answered when they react, not when they are found.
        let added = there.difference(&seen).filter(|(who, ..)| people.by_identity(who).is_some());
        let gone = seen.difference(&there).filter(|(_, _, name)| !incomplete.contains(name));
        let mut missed: Vec<_> = added.map(|vote| (vote, true)).chain(gone.map(|vote| (vote, false))).collect();
        // What lets a release start comes last: nothing may start by a vote that was taken away meanwhile.
        missed.sort_by_key(|((_, stance, _), added)| lets_start(*stance, *added));
        for ((who, stance, name), added) in &missed {
            let (stance, added) = (*stance, *added);
            // Slack's clock may be behind ours: what it says next must not seem older than what lets a release start.
            let at_us = if lets_start(stance, added) > 1 { now_us - CLOCKS_DIFFER_US } else { now_us };
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
            let key = format!("slack/reread/{channel}/{message}/{}/{name}/{added}/{now_us}", who.id());
            self.intake.deliver(&key, &reacted, &Reply::default()).await?;
        }
        Ok(missed.len())
    }

    /// The votes under a message, and the names of the reactions of which Slack does not name everybody.
    async fn there(&self, id: &str, ts: &str) -> Result<(BTreeSet<Vote>, BTreeSet<String>), LookError> {
        let (mut there, mut incomplete) = (BTreeSet::new(), BTreeSet::new());
        for reaction in self.slack.reactions(id, ts).await? {
            let Some(stance) = self.intake.stance(&reaction.name) else { continue };
            // Then who is missing has not taken theirs away.
            if reaction.count > reaction.users.len() as u64 {
                incomplete.insert(reaction.name.clone());
            }
            let vote = |user| (Identity::Slack(user), stance, reaction.name.clone());
            there.extend(reaction.users.into_iter().map(vote));
        }
        Ok((there, incomplete))
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
enum LookError {
    #[error(transparent)]
    Slack(#[from] SlackError),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// Where Slack has a message.
fn address<'a>(channel: &'a str, message: &'a str) -> Option<(&'a str, &'a str)> {
    let (_, id) = channel.split_once(':')?;
    match message.split_once('/') {
        Some((conversation, ts)) => Some((conversation, ts)),
        None if id.starts_with('@') => None,
        None => Some((id, message)),
    }
}
