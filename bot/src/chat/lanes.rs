//! What comes over one connection is taken beside each other, so that nothing slow holds up the rest. What is of one key is
//! taken one after the other, in the order in which it came.

use crate::defects;
use std::collections::BTreeMap;
use std::future::pending;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing::error;

/// Takes things beside each other, `limit` of them at most. What is under way ends when this is dropped.
pub(in crate::chat) struct Lanes<M, T> {
    limit: usize,
    tasks: JoinSet<Done<M, T>>,
    /// The newest of each key that is not done.
    last: BTreeMap<String, Last>,
    taken: u64,
}

struct Last {
    number: u64,
    /// Closed when it is done.
    done: oneshot::Receiver<()>,
}

struct Done<M, T> {
    key: String,
    number: u64,
    mark: M,
    came_to: Option<T>,
}

impl<M: Send + 'static, T: Send + 'static> Lanes<M, T> {
    pub(in crate::chat) fn new(limit: usize) -> Self {
        Self { limit, tasks: JoinSet::new(), last: BTreeMap::new(), taken: 0 }
    }

    /// Whether one more may be taken.
    pub(in crate::chat) fn has_room(&self) -> bool {
        self.tasks.len() < self.limit
    }

    /// Takes something, after what came before it with the same key. `mark` comes back with what it came to.
    pub(in crate::chat) fn take(&mut self, key: String, mark: M, takes: impl Future<Output = T> + Send + 'static) {
        self.taken += 1;
        let (number, takes) = (self.taken, Box::pin(takes));
        let (ends, done) = oneshot::channel();
        let before = self.last.insert(key.clone(), Last { number, done });
        self.tasks.spawn(async move {
            if let Some(before) = before {
                // It is never sent anything: it closes.
                let _ = before.done.await;
            }
            let came_to = caught(takes).await;
            drop(ends);
            Done { key, number, mark, came_to }
        });
    }

    /// What is done next. None of it: it panicked. Waits for ever while nothing is under way; may be given up at any
    /// moment without losing anything.
    pub(in crate::chat) async fn next(&mut self) -> (M, Option<T>) {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(Done { key, number, mark, came_to })) => {
                    if self.last.get(&key).is_some_and(|last| last.number == number) {
                        self.last.remove(&key);
                    }
                    return (mark, came_to);
                }
                // Panics are caught within, and nobody ends these.
                Some(Err(fault)) => error!(%fault, "something that came was lost"),
                None => return pending().await,
            }
        }
    }
}

/// Whose panics are counted here.
const DURING: &str = "taking in what came over a connection";

/// What something comes to. None: it panicked, which is a fault of ours and no reason to hear nothing any more.
pub(in crate::chat) async fn caught<T>(takes: impl Future<Output = T>) -> Option<T> {
    defects::caught(DURING, takes).await.ok()
}

/// The same of what does not wait.
pub(in crate::chat) fn caught_at_once<T>(takes: impl FnOnce() -> T) -> Option<T> {
    defects::caught_at_once(DURING, takes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use std::sync::{Arc, Mutex};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn one_that_waits_holds_up_its_own_key_alone() {
        let mut lanes = Lanes::new(8);
        let go = Arc::new(Notify::new());
        let goes = go.clone();
        lanes.take("ana".into(), 1, async move { goes.notified().await });
        lanes.take("ana".into(), 2, async {});
        lanes.take("bob".into(), 3, async {});
        assert_eq!(lanes.next().await.0, 3);
        assert!(lanes.next().now_or_never().is_none(), "the second of ana's waits for the first");
        go.notify_one();
        assert_eq!((lanes.next().await.0, lanes.next().await.0), (1, 2));
        assert!(lanes.last.is_empty(), "what is done is forgotten");
        assert!(lanes.next().now_or_never().is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_of_one_key_keeps_its_order() {
        let mut lanes = Lanes::new(1_000);
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..300 {
            let order = order.clone();
            lanes.take(format!("{}", number % 3), number, async move { order.lock().unwrap().push(number) });
        }
        for _ in 0..300 {
            lanes.next().await;
        }
        let order = order.lock().unwrap();
        for key in 0..3 {
            let of_key: Vec<_> = order.iter().copied().filter(|number| number % 3 == key).collect();
            assert!(of_key.is_sorted() && of_key.len() == 100, "{of_key:?}");
        }
    }

    #[tokio::test]
    async fn a_fault_is_told_and_holds_up_nothing() {
        let mut lanes = Lanes::new(2);
        lanes.take("ana".into(), 1, async { panic!("as a test wants it") });
        assert!(lanes.has_room());
        lanes.take("ana".into(), 2, async { 7 });
        assert!(!lanes.has_room());
        assert_eq!(lanes.next().await, (1, None));
        assert!(lanes.has_room());
        assert_eq!(lanes.next().await, (2, Some(7)));
        assert_eq!(caught_at_once(|| panic!("as a test wants it")), None::<()>);
    }
}
