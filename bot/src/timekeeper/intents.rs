//! Deployments that are to be asked for later and whose time has come, or is over. What is due is decided by the engine
//! when it takes the delivery; here it is only noticed.

use crate::clock::Clock;
use crate::engine::{Incoming, Signals};
use crate::store::{Delivery, Store, StoreError};

/// How many one look takes; the others come with the next.
const INTENTS_LIMIT: u32 = 100;
/// The same one is put into the inbox once within this time. Again after it only if it is still due: the clock may have
/// jumped back before the engine looked at it.
const AGAIN_AFTER_MS: i64 = 60_000;

/// Puts what is due into the inbox.
pub(crate) async fn look(store: &Store, clock: &Clock, signals: &Signals) -> Result<(), StoreError> {
    let now_ms = clock.now_ms();
    for (intent, due_ms) in store.intents_due(now_ms, INTENTS_LIMIT).await? {
        let delivery_key = format!("intent/{intent}/{due_ms}/{}", now_ms.div_euclid(AGAIN_AFTER_MS));
        let due = Incoming::IntentDue { intent, green: None };
        if store.deliver(&delivery_key, &due, clock).await? == Delivery::Accepted {
            signals.inbox.notify_one();
        }
    }
    Ok(())
}
