//! Defects that panic. Each is caught where a piece of work ends, so that it ends nothing else with it: not the process, not
//! the next piece. The panic itself has said on standard error where it was; here it is logged and counted, so that one that
//! comes again and again is seen.

use futures::FutureExt as _;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use thiserror::Error;
use tracing::error;

/// How many were caught since the start of the process.
static CAUGHT: AtomicU64 = AtomicU64::new(0);

/// A piece of work has panicked. What it had not finished is as if it had not been begun only where a transaction says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("Slipway has a defect here")]
pub struct Panicked;

/// Does a piece of work, whose panic ends only the work itself. What it shares with others must be whole when it panics:
/// transactions are undone, and locks are taken with what is in them.
pub(crate) async fn caught<T>(during: &'static str, work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| note(during))
}

/// The same for work that does not wait.
pub(crate) fn caught_at_once<T>(during: &'static str, work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| note(during))
}

/// The same for work that is done again and again: an error is logged too, and the next round comes whatever became of this
/// one. None: it came to nothing.
pub(crate) async fn round<T, E: Display>(during: &'static str, work: impl Future<Output = Result<T, E>>) -> Option<T> {
    caught(during, work)
        .await
        .ok()?
        .inspect_err(|error| error!(during, %error, "this failed, the next round comes"))
        .ok()
}

fn note(during: &'static str) -> Panicked {
    CAUGHT.fetch_add(1, Ordering::Relaxed);
    error!(during, "Slipway has a defect here: this panicked");
    Panicked
}

/// How many were caught since the start of the process.
pub(crate) fn count() -> u64 {
    CAUGHT.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_its_own_work_and_is_counted() {
        let before = count();
        let panics = async { assert_eq!(before, u64::MAX, "a test panics") };
        assert_eq!(caught("a test", panics).await, Err(Panicked));
        assert!(count() > before);
        assert_eq!(caught("a test", async { 7 }).await, Ok(7));
    }

    #[test]
    fn so_does_one_in_what_does_not_wait() {
        let before = count();
        assert_eq!(caught_at_once("a test", || panic!("as a test wants it")), Err::<(), _>(Panicked));
        assert!(count() > before);
        assert_eq!(caught_at_once("a test", || 7), Ok(7));
    }

    #[tokio::test]
    async fn a_round_that_comes_to_nothing_is_no_end() {
        let before = count();
        assert_eq!(round("a test", async { Err::<(), _>("no") }).await, None);
        assert_eq!(round("a test", async { Ok::<_, String>(7) }).await, Some(7));
        let panics = async { if before < u64::MAX { panic!("as a test wants it") } else { Err::<(), _>("no") } };
        assert_eq!(round("a test", panics).await, None);
        assert!(count() > before);
    }
}
