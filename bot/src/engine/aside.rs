//! Deliveries that cannot be handled: put aside, without anybody waiting for them for ever.

use super::apply::Work;
use super::{Engine, EngineError, Incoming};
use crate::defects::{Panicked, caught};
use crate::store::{InboxRow, StoreError, Tx};
use slipway_core::ids::ReleaseId;
use slipway_core::message::{Line, Message};
use slipway_core::person::Identity;
use slipway_core::release::{Event, Failure};
use tracing::error;

/// SQLite's primary result codes for what passes: busy, locked, out of memory, read-only, I/O error, disk full,
/// cannot open.
const PASSING_CODES: [i32; 7] = [5, 6, 7, 8, 10, 13, 14];

/// Whether the store itself is in trouble: then every delivery would fail, and none is at fault.
pub(super) fn store_is_in_trouble(error: &EngineError) -> bool {
    let error = match error {
        EngineError::Store(StoreError::Database(error)) => error,
        // No record can follow, so nothing may happen.
        EngineError::Store(StoreError::AuditHead { .. }) => return true,
        _ => return false,
    };
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<i32>().ok());
            // The upper bits only tell more of the same.
            code.is_some_and(|code| PASSING_CODES.contains(&(code & 0xff)))
        }
        _ => false,
    }
}

impl Engine {
    /// Puts a delivery aside, kept for somebody to look at. A person is told; a release that waited for it fails. Whatever of
    /// that cannot be done, the delivery is over.
    pub(super) async fn put_aside(&self, row: &InboxRow, error: &EngineError) -> Result<(), StoreError> {
        let incoming = serde_json::from_str::<Incoming>(&row.body).ok();
        if let Some(Incoming::Happened { release, event }) = &incoming
            && !matches!(event, Event::StepFailed { .. } | Event::PlanningFailed { .. })
        {
            match caught("failing a release", self.fails_of(row, release, error)).await {
                Ok(Ok(())) | Err(Panicked) => {}
                Ok(Err(error)) => unless_passing(error.into(), "the release that waited for it")?,
            }
        }
        let mut tx = self.store.begin().await?;
        let recorded = Work::new(self, &mut tx).put_aside(row, error).await;
        if let Err(EngineError::Store(error)) = recorded {
            return Err(error);
        }
        if let Some(Incoming::LockDue { environment }) = &incoming {
            // It would come again every minute, for ever. The next thing that happens to the environment looks at its lock.
            self.store.environment_not_due(&mut tx, environment).await?;
        }
        if let Some((who, channel)) = incoming.as_ref().and_then(Incoming::sender) {
            match caught("telling that a delivery was put aside", self.tell(&mut tx, row, who, channel)).await {
                Ok(Ok(())) | Err(Panicked) => {}
                Ok(Err(error)) => unless_passing(error, "whoever sent it")?,
            }
        }
        // After the answer, which goes where the delivery says.
        self.store.inbox_consume(&mut tx, row.id, self.clock.now_ms(), Some(&error.to_string())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The release that waited for it fails.
    async fn fails_of(&self, row: &InboxRow, release: &ReleaseId, error: &EngineError) -> Result<(), StoreError> {
        let Some(stored) = self.store.release(release).await? else { return Ok(()) };
        let failure = Failure::new(format!("Slipway could not take in what happened: {error}."))
            .detail("What was begun outside may have been done all the same.")
            .next("/release retry");
        if let Some(failed) = Incoming::failure(&stored.release, failure, self.clock.now()) {
            // Before the other is consumed: killed in between, the same key is delivered again.
            self.store.deliver(&format!("inbox/{}/aside", row.id), &failed, &self.clock).await?;
        }
        Ok(())
    }

    /// Tells whoever sent it.
    async fn tell(&self, tx: &mut Tx, row: &InboxRow, who: &Identity, channel: &str) -> Result<(), EngineError> {
        let mut work = Work::new(self, tx);
        match work.person(who).await? {
            Some(person) => work.answer(row.id, channel, Some(&person), Some(not_handled())).await,
            None => work.answer_identity(row.id, channel, who, not_handled()).await,
        }
    }
}

/// What cannot be told is no reason to keep a delivery, but for a store in trouble: then all of it is tried again.
fn unless_passing(error: EngineError, who: &str) -> Result<(), StoreError> {
    let passes = store_is_in_trouble(&error);
    match error {
        EngineError::Store(error) if passes => Err(error),
        error => {
            error!(%error, who, "a delivery is put aside and this could not be told");
            Ok(())
        }
    }
}

fn not_handled() -> Message {
    let line = Line::plain("Slipway could not handle this because of a fault of its own. Nothing was changed.");
    Message::answer(line, [Line::plain("Whoever runs the bot finds the reason in its log.")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_fault_of_a_delivery() {
        assert!(store_is_in_trouble(&EngineError::Store(sqlx::Error::PoolTimedOut.into())));
        assert!(store_is_in_trouble(&EngineError::Store(StoreError::AuditHead { seq: 7 })));
        assert!(!store_is_in_trouble(&EngineError::Store(sqlx::Error::RowNotFound.into())));
        assert!(!store_is_in_trouble(&EngineError::Endless));
    }
}
