//! What all chats do with what comes in: within what bounds, and durably, before anything is answered.

use super::Reply;
use crate::clock::Clock;
use crate::engine::{Incoming, Signals};
use crate::setup::Setup;
use crate::standing::Company;
use crate::store::{CARD_KEY_PREFIX, Store, StoreError};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use slipway_core::command::parse;
use slipway_core::ids::{EnvironmentKey, ReleaseId};
use slipway_core::person::Directory;
use slipway_core::policy::Stance;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How many commands and presses of one person are taken at once.
const BURST_LIMIT: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// How long until one more is taken.
const ONE_MORE_AFTER: Duration = Duration::from_secs(3);
/// How many people's counts are kept before those who were quiet are forgotten.
const PEOPLE_COUNTED_LIMIT: usize = 2_000;

/// How long after it came something may still be written down: what takes longer is done after its chat has told whoever
/// asked that it failed, three seconds after they did. A longer budget in the configuration counts as it is.
const WAITS: Duration = Duration::from_millis(2_500);

/// What somebody reads whose request is not known to be durable.
pub const NOT_CONFIRMED: &str = "Not confirmed: Slipway could not write it down in time. See /release status.";

/// What somebody reads before Slipway knows whose app it is.
pub const NOT_READY: &str = "Slipway is starting. Nothing was started: try again in a moment.";

/// Between a message's key and the digest of the plan that it shows, in what its buttons carry.
pub(in crate::chat) const PLAN_SEPARATOR: char = '#';

/// The way in from one chat.
#[derive(Debug)]
pub struct Entrance {
    pub(in crate::chat) store: Store,
    pub(in crate::chat) setup: Arc<Setup>,
    pub(in crate::chat) clock: Clock,
    pub(in crate::chat) signals: Signals,
    reactions: BTreeMap<String, Stance>,
    counts: DefaultKeyedRateLimiter<String>,
    ack_budget: Duration,
    /// Signalled when the reactions under the cards are to be read.
    pub(in crate::chat) look_again: Notify,
}

impl Entrance {
    /// One for which these reactions stand for votes.
    #[must_use]
    pub fn new(
        store: Store,
        setup: Arc<Setup>,
        clock: Clock,
        signals: Signals,
        (approve, veto): (&[String], &[String]),
        ack_budget_ms: u64,
    ) -> Self {
        let stances =
            |names: &[String], stance| names.iter().map(move |name| (name.clone(), stance)).collect::<Vec<_>>();
        let reactions = stances(approve, Stance::Approve).into_iter().chain(stances(veto, Stance::Veto));
        let quota = Quota::with_period(ONE_MORE_AFTER).unwrap_or_else(|| Quota::per_second(BURST_LIMIT));
        Self {
            store,
            setup,
            clock,
            signals,
            reactions: reactions.collect(),
            counts: RateLimiter::keyed(quota.allow_burst(BURST_LIMIT)),
            ack_budget: Duration::from_millis(ack_budget_ms),
            look_again: Notify::new(),
        }
    }

    /// The vote that a reaction stands for.
    #[must_use]
    pub fn stance(&self, reaction: &str) -> Option<Stance> {
        self.reactions.get(reaction).copied()
    }

    /// Makes a delivery that `came` then durable within what the chat waits for. False: it is not known to be. What has
    /// waited too long already is not even tried.
    pub(in crate::chat) async fn deliver(
        &self,
        key: &str,
        incoming: &Incoming,
        reply: &Reply,
        came: Instant,
    ) -> Result<bool, StoreError> {
        let reply = Some(reply).filter(|reply| **reply != Reply::default());
        let Some(stored) = self.within(came, self.store.deliver_with_reply(key, incoming, reply, &self.clock)).await
        else {
            return Ok(false);
        };
        stored?;
        self.signals.inbox.notify_one();
        Ok(true)
    }

    /// What a write comes to that is for something that `came` then. None: it took too long.
    pub(in crate::chat) async fn within<T>(&self, came: Instant, write: impl Future<Output = T>) -> Option<T> {
        timeout_at(until(came, Instant::now(), self.ack_budget)?, write).await.ok()
    }

    /// What one person reads who asks for too much at once.
    pub(in crate::chat) fn flood(&self, user: &str) -> Option<String> {
        if self.counts.len() > PEOPLE_COUNTED_LIMIT {
            self.counts.retain_recent();
        }
        let early = self.counts.check_key(&user.to_owned()).err()?;
        let wait_s = early.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        let what = format!("That is more than {BURST_LIMIT} requests of yours at once. Nothing was started.");
        Some(format!("{what} Try again in {wait_s} s."))
    }

    /// Everybody as of now.
    pub(in crate::chat) async fn people(&self) -> Result<Arc<Directory>, StoreError> {
        Ok(Company::shown(&self.store, &self.setup, self.clock.now()).await?.people)
    }

    /// A mention says less: `@slipway status` is `/release status`.
    pub(in crate::chat) fn spelt_out(&self, text: &str) -> String {
        let words = self.setup.words();
        let longer = format!("release {}", if text.is_empty() { "help" } else { text });
        let means_that = parse(text, &words).is_err() && parse(&longer, &words).is_ok();
        if means_that { longer } else { text.to_owned() }
    }

    /// The environment that a button is about.
    pub(in crate::chat) async fn environment_of(&self, value: &str) -> Result<Option<EnvironmentKey>, StoreError> {
        if let Some(key) = self.setup.environment_of_button(value) {
            return Ok(Some(key));
        }
        let Some(id) = value.strip_prefix(CARD_KEY_PREFIX) else { return Ok(None) };
        Ok(self.store.release(&ReleaseId::new(id)).await?.map(|stored| stored.release.request.key))
    }
}

/// Until when what `came` then may be written down. None: that is over.
fn until(came: Instant, now: Instant, budget: Duration) -> Option<Instant> {
    let until = (now + budget).min(came + budget.max(WAITS));
    (now < until).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_waited_has_less_time_left() {
        let came = Instant::now();
        let ms = Duration::from_millis;
        // A budget, how long it has waited already, and how long the write may take.
        for (budget_ms, waited_ms, left_ms) in [
            (2_000, 0, Some(2_000)),
            (2_000, 500, Some(2_000)),
            (2_000, 501, Some(1_999)),
            (2_000, 2_499, Some(1)),
            (2_000, 2_500, None),
            (2_000, 60_000, None),
            (100, 2_450, Some(50)),
            (2_900, 1_000, Some(1_900)),
            (2_900, 2_900, None),
        ] {
            let now = came + ms(waited_ms);
            let left = until(came, now, ms(budget_ms)).map(|until| until - now);
            assert_eq!(left, left_ms.map(ms), "{budget_ms} {waited_ms}");
        }
    }
}
