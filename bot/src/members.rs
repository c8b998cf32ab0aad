//! Looks up who is in the teams whose members are kept elsewhere. What it finds goes through the inbox.

use crate::clock::Clock;
use crate::engine::{Incoming, Signals};
use crate::outside::{MembersError, Outside};
use crate::rest;
use crate::setup::Setup;
use crate::store::{Store, StoreError};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use slipway_core::membership::{REST_LIMIT_S, Roll, Source};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Between two looks at a source, unless `[pace]` says otherwise.
pub const LOOK_EVERY_MS: i64 = 5 * 60 * 1_000;
/// The shortest and the longest rest after looks that failed, where regular looks are not closer together.
const REST_LEAST_MS: i64 = 5_000;
const REST_LIMIT_MS: i64 = 60_000;
/// The longest rest that a source can ask for.
const ASKED_REST_LIMIT_MS: i64 = REST_LIMIT_S * 1_000;
/// How long a look at one source may take, all of its pages together.
const LOOK_LIMIT_S: u64 = 60;
/// How many sources are looked at beside each other.
const LOOKS_AT_ONCE_LIMIT: usize = 4;

/// Looks at sources.
#[derive(Debug)]
pub struct Members {
    store: Store,
    setup: Arc<Setup>,
    outside: Arc<Outside>,
    clock: Clock,
    signals: Signals,
    /// For each source one look at a time.
    turns: BTreeMap<Source, Mutex<Last>>,
}

/// The newest look at a source. What it found may still be in the inbox.
#[derive(Debug, Default)]
struct Last {
    /// When it began.
    began: Option<Timestamp>,
    /// When to try again, where it failed.
    again_at: Option<Timestamp>,
}

impl Last {
    /// Whether it answers a question that was asked at a moment: it found something since, or the source is to be left alone.
    fn answers(&self, moment: Timestamp, now: Timestamp) -> bool {
        match self.again_at {
            Some(again_at) => now < again_at,
            None => self.began.is_some_and(|began| began >= moment),
        }
    }
}

impl Members {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(store: Store, setup: Arc<Setup>, outside: Arc<Outside>, clock: Clock, signals: Signals) -> Self {
        let turns = setup.sources().into_iter().map(|source| (source.clone(), Mutex::default())).collect();
        Self { store, setup, outside, clock, signals, turns }
    }

    /// Whether a regular look at some source is due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_due(&self) -> Result<bool, StoreError> {
        for source in self.turns.keys() {
            let now = self.clock.now();
            if self.due(&self.store.membership(source).await?.unwrap_or_default().as_of(now), now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks at the sources that are due, but for those at which somebody is looking.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_at_due(&self) -> Result<(), StoreError> {
        let looks = self.turns.iter().map(|(source, turn)| async move {
            let Ok(mut last) = turn.try_lock() else { return Ok(()) };
            let now = self.clock.now();
            let rest_ms = self.at_most_every_ms(REST_LEAST_MS);
            let ago_ms = last.began.map(|began| now.as_millisecond() - began.as_millisecond());
            let roll = self.store.membership(source).await?.unwrap_or_default().as_of(now);
            if ago_ms.is_some_and(|ago_ms| (0..rest_ms).contains(&ago_ms)) || !self.due(&roll, now) {
                return Ok(());
            }
            self.look(source, &roll, &mut last).await
        });
        beside_each_other(looks.collect()).await
    }

    /// Looks at the sources whose members were not seen since a moment, but for those that want to be left alone for
    /// a while. Whoever waits for a look of somebody else's does not look again when that is new enough, and waits for no
    /// other source. What was found is in the inbox when this returns.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_unless_seen_since(&self, moment: Timestamp) -> Result<(), StoreError> {
        let looks = self.turns.iter().map(|(source, turn)| async move {
            let mut last = turn.lock().await;
            let now = self.clock.now();
            let roll = self.store.membership(source).await?.unwrap_or_default().as_of(now);
            let is_seen = roll.seen.as_ref().is_some_and(|seen| seen.at >= moment);
            if is_seen || !may_be_tried(&roll, now) || last.answers(moment, now) {
                return Ok(());
            }
            self.look(source, &roll, &mut last).await
        });
        beside_each_other(looks.collect()).await
    }

    fn due(&self, roll: &Roll, now: Timestamp) -> bool {
        let every_ms = self.at_most_every_ms(LOOK_EVERY_MS);
        let fresh = |at: Timestamp| now.as_millisecond() - at.as_millisecond() < every_ms;
        match &roll.trouble {
            Some(_) => may_be_tried(roll, now),
            None => !roll.seen.as_ref().is_some_and(|seen| fresh(seen.at)),
        }
    }

    /// A rest, or the one between regular looks where that is shorter.
    fn at_most_every_ms(&self, rest_ms: i64) -> i64 {
        rest_ms.min(self.setup.pace.membership_ms(LOOK_EVERY_MS))
    }

    /// Whoever calls it has the turn.
    async fn look(&self, source: &Source, roll: &Roll, last: &mut Last) -> Result<(), StoreError> {
        let (at, incoming) = self.look_at(source, roll).await;
        let key = format!("membership/{}/{}", source.key(), at.as_millisecond());
        self.store.deliver(&key, &incoming, &self.clock).await?;
        self.signals.inbox.notify_one();
        let again_at = if let Incoming::MembersUnseen { again_at, .. } = &incoming { Some(*again_at) } else { None };
        *last = Last { began: Some(at), again_at };
        Ok(())
    }

    async fn look_at(&self, source: &Source, roll: &Roll) -> (Timestamp, Incoming) {
        // Before the question is sent: what changes while it is answered may not be in the answer.
        let at = self.clock.now();
        let looked = tokio::time::timeout(Duration::from_secs(LOOK_LIMIT_S), self.outside.members(source)).await;
        let incoming = match looked.unwrap_or(Err(MembersError::Slow { limit_s: LOOK_LIMIT_S })) {
            Ok(members) => Incoming::MembersSeen { source: source.clone(), members, at },
            Err(error) => {
                let again_at = self.again_at(roll, error.listens_again(self.clock.now()));
                Incoming::MembersUnseen { source: source.clone(), what: error.to_string(), at, again_at }
            }
        };
        (at, incoming)
    }

    /// When to try again after a failure. `asked` is the source's own wish.
    fn again_at(&self, roll: &Roll, asked: Option<Timestamp>) -> Timestamp {
        let now = self.clock.now();
        let tries = roll.trouble.as_ref().map_or(0, |trouble| i64::from(trouble.tries));
        let rest_ms = rest::backoff_ms(tries, REST_LIMIT_MS).max(REST_LEAST_MS);
        let rested = after_ms(now, self.at_most_every_ms(rest_ms));
        asked.map_or(rested, |asked| asked.clamp(rested, after_ms(now, ASKED_REST_LIMIT_MS).max(rested)))
    }
}

/// All of them, some at a time. The first error is told once none is under way.
async fn beside_each_other(looks: Vec<impl Future<Output = Result<(), StoreError>>>) -> Result<(), StoreError> {
    let looks = futures::stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE_LIMIT);
    looks.collect::<Vec<_>>().await.into_iter().collect()
}

fn may_be_tried(roll: &Roll, now: Timestamp) -> bool {
    roll.trouble.as_ref().is_none_or(|trouble| trouble.again_at <= now)
}

fn after_ms(now: Timestamp, ms: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX)
}
