//! What is due at some time and belongs to no release: one file a duty. Each puts what it finds into the inbox, under a
//! key that makes the same thing come once, however often it looks and whenever the process is killed.

mod anchor;
mod due;
pub(crate) mod flows;
pub(crate) mod intents;
pub(crate) mod locks;
mod membership;
mod policies;
pub(crate) mod promotion;
mod strangers;

use crate::clock::Clock;
use crate::defects::round;
use crate::engine::Signals;
use crate::members::Members;
use crate::policies::Keeper;
use crate::setup::Setup;
use crate::store::{Store, StoreError};
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
    /// The clock.
    pub clock: Clock,
    /// Signals.
    pub signals: Signals,
}

/// What is looked at outside, and by whom.
#[derive(Debug)]
pub struct Lookouts {
    members: Arc<Members>,
    policies: Arc<Keeper>,
    policies_due: Due,
    promotions_due: Due,
}

impl Lookouts {
    /// Nothing has been looked at yet.
    #[must_use]
    pub fn new(policies: Arc<Keeper>, members: Arc<Members>) -> Self {
        Self { members, policies, policies_due: Due::default(), promotions_due: Due::default() }
    }
}

impl Timekeeper {
    /// Works for ever.
    pub async fn run(self, lookouts: Lookouts) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            self.look().await;
            note("membership", membership::look(&lookouts)).await;
            policies::look(&self, &lookouts);
            note("promotion", promotion::look(&self, &lookouts)).await;
        }
    }

    /// One look at all that the store alone tells. What fails is logged and looked at again with the next.
    pub async fn look(&self) {
        note("locks", locks::look(&self.store, &self.clock, &self.signals)).await;
        note("intents", intents::look(&self.store, &self.clock, &self.signals)).await;
        note("anchor", anchor::look(self)).await;
        note("strangers", strangers::look(self)).await;
        note("flows", flows::look(&self.store, &self.clock, &self.signals)).await;
    }
}

/// One duty's look: neither its failure nor a defect in it keeps another duty from being looked at.
async fn note(duty: &'static str, look: impl Future<Output = Result<(), StoreError>>) {
    let _ = round(duty, look).await;
}
