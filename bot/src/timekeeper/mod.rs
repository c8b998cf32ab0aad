//! What is due at some time and belongs to no release: one file a duty. Each puts what it finds into the inbox, under a
//! key that makes the same thing come once, however often it looks and whenever the process is killed.

mod due;
pub(crate) mod locks;
mod policies;

use crate::clock::Clock;
use crate::engine::Signals;
use crate::outside::Outside;
use crate::policies::Keeper;
use crate::setup::Setup;
use crate::store::Store;
use due::Due;
use std::sync::Arc;
use std::time::Duration;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at the clock.
#[derive(Debug)]
pub struct Timekeeper {
    /// The store.
    pub store: Store,
    /// Configuration and people.
    pub setup: Arc<Setup>,
    /// GitHub, AWS, Slack.
    pub outside: Arc<Outside>,
    /// The clock.
    pub clock: Clock,
    /// Signals.
    pub signals: Signals,
    /// Reads the policies again.
    pub policies: Arc<Keeper>,
    policies_due: Due,
}

impl Timekeeper {
    /// Nothing has been looked at yet.
    #[must_use]
    pub fn new(
        store: Store,
        setup: Arc<Setup>,
        outside: Arc<Outside>,
        clock: Clock,
        signals: Signals,
        policies: Arc<Keeper>,
    ) -> Self {
        Self { store, setup, outside, clock, signals, policies, policies_due: Due::default() }
    }

    /// Works for ever.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            self.look().await;
        }
    }

    /// One look. What fails is logged and looked at again with the next.
    pub async fn look(&self) {
        // Before what may have to wait for the network.
        self.look_at_locks().await;
        self.look_at_policies().await;
    }
}
