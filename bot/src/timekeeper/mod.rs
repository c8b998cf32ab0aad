//! What is due at some time and belongs to no release: one file a duty. Each puts what it finds into the inbox, under a
//! key that makes the same thing come once, however often it looks and whenever the process is killed.

pub(crate) mod locks;

use crate::clock::Clock;
use crate::engine::Signals;
use crate::outside::Outside;
use crate::setup::Setup;
use crate::store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tracing::error;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at the clock.
#[derive(Clone, Debug)]
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
}

impl Timekeeper {
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
        note("locks", locks::look(&self.store, &self.clock, &self.signals).await);
    }
}

fn note(duty: &str, looked: Result<(), StoreError>) {
    if let Err(error) = looked {
        error!(duty, %error, "what is due could not be looked at");
    }
}
