//! What could go on to the next environment. Whether something is to be done is found by the very decision that the engine
//! makes when it takes the delivery, in a transaction that only reads: nothing outside is asked, so looking is cheap.

use super::{Lookouts, Timekeeper};
use crate::engine::{Incoming, Inquiry};
use crate::store::{Delivery, StoreError};
use slipway_core::ids::EnvironmentKey;
use slipway_core::promotion::Act;
use tracing::error;

/// How often it looks, when nothing else is configured.
const LOOK_EVERY_MS: i64 = 5_000;
/// The same thing is put into the inbox once within this time. Again after it only if it is still due.
const AGAIN_AFTER_MS: i64 = 60_000;

/// Looks once in a while.
pub(super) async fn look(timekeeper: &Timekeeper, lookouts: &Lookouts) -> Result<(), StoreError> {
    let every_ms = timekeeper.setup.pace.poll_ms(LOOK_EVERY_MS);
    if lookouts.promotions_due.is_due(timekeeper.clock.now_ms(), every_ms) {
        look_now(timekeeper).await?;
    }
    Ok(())
}

/// Puts what is due into the inbox.
pub(crate) async fn look_now(timekeeper: &Timekeeper) -> Result<(), StoreError> {
    let Timekeeper { store, setup, clock, signals } = timekeeper;
    for key in setup.environment_keys(None) {
        let act = match Box::pin(due(timekeeper, &key)).await {
            Ok(Some(act)) => act,
            Ok(None) => continue,
            // What cannot be read keeps no other environment from going on.
            Err(error @ StoreError::Unreadable { .. }) => {
                error!(environment = %key, %error, "what could go on there cannot be read");
                continue;
            }
            Err(error) => return Err(error),
        };
        let EnvironmentKey { service, environment } = &key;
        let (what, minute) = (name(&act), clock.now_ms().div_euclid(AGAIN_AFTER_MS));
        let delivery_key = format!("promotion/{service}/{environment}/{what}/{minute}");
        let due = Incoming::PromotionDue { environment: key };
        if store.deliver(&delivery_key, &due, clock).await? == Delivery::Accepted {
            signals.inbox.notify_one();
        }
    }
    Ok(())
}

async fn due(timekeeper: &Timekeeper, key: &EnvironmentKey) -> Result<Option<Act>, StoreError> {
    let Timekeeper { store, setup, clock, .. } = timekeeper;
    if setup.environment_before(key).is_none() {
        return Ok(None);
    }
    let mut tx = store.begin_to_read().await?;
    let mut inquiry = Inquiry { store, tx: &mut tx, setup, rules: setup.rules(), now: clock.now() };
    Ok(inquiry.prospect(key).await?.and_then(|prospect| prospect.decide()))
}

/// What tells one thing that is due from another.
fn name(act: &Act) -> String {
    match act {
        Act::Suggest => "suggest".to_owned(),
        Act::Begin => "begin".to_owned(),
        Act::Change { commit, standing } => format!("{}/{}", standing.name(), commit.short()),
    }
}
