//! The effects that this process works on at this moment. Its own store may be locked for longer than a lease lasts, so that
//! a lease runs out while the work goes on: what is in hand is never leased once more, until its outcome is stored.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many hands as effects are worked on at once.
#[derive(Debug)]
pub(super) struct Hands {
    free: Arc<Semaphore>,
    held: Arc<Mutex<BTreeSet<i64>>>,
}

/// An effect in one of them. Dropping it frees the hand.
#[derive(Debug)]
pub(super) struct InHand {
    id: i64,
    held: Arc<Mutex<BTreeSet<i64>>>,
    _hand: OwnedSemaphorePermit,
}

impl Hands {
    pub(super) fn new(limit: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(limit)), held: Arc::default() }
    }

    /// How many are free. Only whoever takes things in hand makes them fewer.
    pub(super) fn free(&self) -> usize {
        self.free.available_permits()
    }

    /// The ids of what is in hand.
    pub(super) fn held(&self) -> Vec<i64> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Takes an effect in hand; `None` when no hand is free.
    pub(super) fn take(&self, id: i64) -> Option<InHand> {
        let hand = self.free.clone().try_acquire_owned().ok()?;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        Some(InHand { id, held: self.held.clone(), _hand: hand })
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_hand_is_known_until_it_is_let_go() {
        let hands = Hands::new(2);
        let (first, second) = (hands.take(7), hands.take(3));
        assert_eq!((hands.held(), hands.free()), (vec![3, 7], 0));
        assert!(hands.take(9).is_none());
        drop(first);
        assert_eq!((hands.held(), hands.free()), (vec![3], 1));
        drop(second);
        assert_eq!((hands.held(), hands.free()), (vec![], 2));
    }
}
