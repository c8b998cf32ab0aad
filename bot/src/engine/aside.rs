//! Deliveries that cannot be handled: put aside, without anybody waiting for them for ever.

use super::apply::Work;
use super::{Engine, EngineError, Incoming};
use crate::store::{InboxRow, StoreError};
use slipway_core::message::{Line, Message};
use slipway_core::release::{Event, Failure};

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
    /// Puts a delivery aside, kept for somebody to look at. A person is told; a release that waited for it fails.
    pub(super) async fn put_aside(&self, row: &InboxRow, error: &EngineError) -> Result<(), StoreError> {
        let incoming = serde_json::from_str::<Incoming>(&row.body).ok();
        if let Some(Incoming::Happened { release, event }) = &incoming
            && !matches!(event, Event::StepFailed { .. } | Event::PlanningFailed { .. })
            && let Ok(Some(stored)) = self.store.release(release).await
        {
            let failure = Failure::new(format!("Slipway could not take in what happened: {error}."))
                .detail("What was begun outside may have been done all the same.")
                .next("/release retry");
            if let Some(failed) = Incoming::failure(&stored.release, failure, self.clock.now()) {
                // Before the other is consumed: killed in between, the same key is delivered again.
                self.store.deliver(&format!("inbox/{}/aside", row.id), &failed, &self.clock).await?;
            }
        }
        let mut tx = self.store.begin().await?;
        self.store.inbox_consume(&mut tx, row.id, self.clock.now_ms(), Some(&error.to_string())).await?;
        let recorded = Work::new(self, &mut tx).put_aside(row, error).await;
        if let Err(EngineError::Store(error)) = recorded {
            return Err(error);
        }
        if let Some(Incoming::LockDue { environment }) = &incoming {
            // It would come again every minute, for ever. The next thing that happens to the environment looks at its lock.
            self.store.environment_not_due(&mut tx, environment).await?;
        }
        if let Some(
            Incoming::Typed { who, channel, .. }
            | Incoming::Pressed { who, channel, .. }
            | Incoming::Reacted { who, channel, .. },
        ) = incoming
        {
            let mut work = Work::new(self, &mut tx);
            let told = match work.person(&who).await {
                Ok(Some(person)) => work.answer(row.id, &channel, Some(&person), Some(not_handled())).await,
                Ok(None) => work.answer_identity(row.id, &channel, &who, not_handled()).await,
                Err(error) => Err(error),
            };
            if let Err(EngineError::Store(error)) = told {
                return Err(error);
            }
        }
        tx.commit().await?;
        Ok(())
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
