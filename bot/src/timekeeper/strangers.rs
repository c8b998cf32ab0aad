//! The end of an hour in which people came whom nobody knows.

use super::Timekeeper;
use crate::engine::{Incoming, hour_of};
use crate::store::StoreError;

/// Has the oldest hour that is over counted, if there is one.
pub(super) async fn look(timekeeper: &Timekeeper) -> Result<(), StoreError> {
    let Timekeeper { store, clock, signals, .. } = timekeeper;
    let now = hour_of(clock.now());
    let Some(hour) = store.strangers_hour_before(now).await? else { return Ok(()) };
    // With the hour of now in its key: after a clock that went back, an hour can be over twice.
    store.deliver(&format!("strangers/{hour}/{now}"), &Incoming::StrangersDue { hour }, clock).await?;
    signals.inbox.notify_one();
    Ok(())
}
