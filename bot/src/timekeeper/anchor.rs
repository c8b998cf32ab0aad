//! The anchor of the audit log, once a day.

use super::Timekeeper;
use crate::engine::Incoming;
use crate::store::{Delivery, StoreError};
use slipway_core::audit::day_due;

/// Delivers the newest day's anchor, unless it is out. Of the days on which nobody looked only the last is left, for
/// which the log is what it is now.
pub(super) async fn look(timekeeper: &Timekeeper) -> Result<(), StoreError> {
    let Timekeeper { store, setup, clock, signals, .. } = timekeeper;
    let audit = &setup.audit;
    if audit.anchor.is_empty() {
        return Ok(());
    }
    let day = day_due(clock.now(), audit.anchor_at, &audit.timezone);
    if store.audit_anchored(day).await? {
        return Ok(());
    }
    if store.deliver(&format!("anchor/{day}"), &Incoming::AnchorDue { day }, clock).await? == Delivery::Accepted {
        signals.inbox.notify_one();
    }
    Ok(())
}
