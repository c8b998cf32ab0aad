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
    /// One look at a time. When the last regular one began.
    busy: Mutex<Option<Timestamp>>,
}

impl Members {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(store: Store, setup: Arc<Setup>, outside: Arc<Outside>, clock: Clock, signals: Signals) -> Self {
        Self { store, setup, outside, clock, signals, busy: Mutex::default() }
    }

    /// Whether a regular look at some source is due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_due(&self) -> Result<bool, StoreError> {
        Ok(!self.sources(|roll, now| self.due(roll, now)).await?.is_empty())
    }

    /// Looks at the sources that are due, unless somebody is looking.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_at_due(&self) -> Result<(), StoreError> {
        let Ok(mut turn) = self.busy.try_lock() else { return Ok(()) };
        let now = self.clock.now();
        let rest_ms = self.at_most_every_ms(REST_LEAST_MS);
        // What was found may still be in the inbox.
        let just_looked =
            turn.is_some_and(|last| (0..rest_ms).contains(&(now.as_millisecond() - last.as_millisecond())));
        let due = self.sources(|roll, now| self.due(roll, now)).await?;
        if just_looked || due.is_empty() {
            return Ok(());
        }
        *turn = Some(now);
        self.look(&due).await
    }

    /// Looks at the sources whose members were not seen since a moment, but for those that want to be left alone for
    /// a while. What was found is in the inbox when this returns.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_unless_seen_since(&self, moment: Timestamp) -> Result<(), StoreError> {
        let _turn = self.busy.lock().await;
        let seen_since = |roll: &Roll| roll.seen.as_ref().is_some_and(|seen| seen.at >= moment);
        self.look(&self.sources(|roll, now| !seen_since(roll) && may_be_tried(roll, now)).await?).await
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

    async fn sources(&self, wanted: impl Fn(&Roll, Timestamp) -> bool) -> Result<Vec<(Source, Roll)>, StoreError> {
        let now = self.clock.now();
        let mut sources = Vec::new();
        for source in self.setup.sources() {
            let roll = self.store.membership(source).await?.unwrap_or_default().as_of(now);
            if wanted(&roll, now) {
                sources.push((source.clone(), roll));
            }
        }
        Ok(sources)
    }

    /// Whoever calls it has the turn.
    async fn look(&self, sources: &[(Source, Roll)]) -> Result<(), StoreError> {
        let looks = sources.iter().map(|(source, roll)| self.look_at(source, roll));
        let mut looks = futures::stream::iter(looks.collect::<Vec<_>>()).buffer_unordered(LOOKS_AT_ONCE_LIMIT);
        while let Some((source, at, incoming)) = looks.next().await {
            let key = format!("membership/{}/{}", source.key(), at.as_millisecond());
            self.store.deliver(&key, &incoming, &self.clock).await?;
            self.signals.inbox.notify_one();
        }
        Ok(())
    }

    async fn look_at<'a>(&self, source: &'a Source, roll: &Roll) -> (&'a Source, Timestamp, Incoming) {
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
        (source, at, incoming)
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

fn may_be_tried(roll: &Roll, now: Timestamp) -> bool {
    roll.trouble.as_ref().is_none_or(|trouble| trouble.again_at <= now)
}

fn after_ms(now: Timestamp, ms: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX)
}
