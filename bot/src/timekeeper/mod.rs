//! What is due at some time and belongs to no release: one file a duty. Each puts what it finds into the inbox, under a
//! key that makes the same thing come once, however often it looks and whenever the process is killed.

mod membership;

use crate::clock::Clock;
use crate::engine::Signals;
use crate::members::Members;
use crate::outside::Outside;
use crate::setup::Setup;
use crate::store::Store;
use std::sync::Arc;
use std::time::Duration;

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
    /// Who is in the teams.
    pub members: Arc<Members>,
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
        self.look_at_members().await;
    }
}
