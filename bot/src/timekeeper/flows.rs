//! Continuous delivery that is to be looked at again: a commit has settled, or a freeze is over. Here it is only noticed.

use crate::clock::Clock;
use crate::engine::{Incoming, Signals};
use crate::store::{Delivery, Store, StoreError};

/// How many environments one look takes; the others come with the next.
const ENVIRONMENTS_LIMIT: u32 = 100;
/// The same thing is put into the inbox once within this time, and again after it only if it is still due.
const AGAIN_AFTER_MS: i64 = 60_000;

/// Puts what is due into the inbox.
pub(crate) async fn look(store: &Store, clock: &Clock, signals: &Signals) -> Result<(), StoreError> {
    let now_ms = clock.now_ms();
    for (environment, due_ms) in store.flows_due(now_ms, ENVIRONMENTS_LIMIT).await? {
        let (service, name) = (&environment.service, &environment.environment);
        let delivery_key = format!("flow-due/{service}/{name}/{due_ms}/{}", now_ms.div_euclid(AGAIN_AFTER_MS));
        let due = Incoming::FlowDue { environment };
        if store.deliver(&delivery_key, &due, clock).await? == Delivery::Accepted {
            signals.inbox.notify_one();
        }
    }
    Ok(())
}
