//! What happened before something was asked: an approval must not become durable before a veto that came earlier, or the run
//! is begun that the veto was to stop.

use std::collections::BTreeSet;
use tokio::sync::watch;

/// What happened and is not durable yet, in the order in which it came, over all sessions of this process.
#[derive(Debug)]
pub(super) struct Earlier {
    came: u64,
    waiting: BTreeSet<u64>,
    /// The oldest that waits, or else the next one to come.
    oldest: watch::Sender<u64>,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn(u64);

impl Earlier {
    pub(super) fn new() -> Self {
        Self { came: 0, waiting: BTreeSet::new(), oldest: watch::Sender::new(0) }
    }

    /// Something happened, and is not durable yet.
    pub(super) fn came(&mut self) -> Turn {
        let turn = Turn(self.came);
        self.came += 1;
        self.waiting.insert(turn.0);
        self.tell();
        turn
    }

    /// It is durable, or given up.
    pub(super) fn done(&mut self, turn: Turn) {
        self.waiting.remove(&turn.0);
        self.tell();
    }

    /// Waits until all that came before this call is done.
    pub(super) fn is_durable(&self) -> impl Future<Output = ()> + Send + 'static {
        let (next, mut oldest) = (self.came, self.oldest.subscribe());
        async move {
            // When nobody listens any more, nobody is told that it is done.
            if oldest.wait_for(|oldest| *oldest >= next).await.is_err() {
                std::future::pending().await
            }
        }
    }

    fn tell(&self) {
        self.oldest.send_replace(self.waiting.first().copied().unwrap_or(self.came));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[test]
    fn what_is_asked_waits_for_what_happened_before_it_alone() {
        let mut earlier = Earlier::new();
        assert_eq!(earlier.is_durable().now_or_never(), Some(()), "nothing has happened");
        let [veto, mention] = [earlier.came(), earlier.came()];
        let mut press = Box::pin(earlier.is_durable());
        let later = earlier.came();
        earlier.done(mention);
        assert_eq!((&mut press).now_or_never(), None, "the veto came before it");
        earlier.done(veto);
        assert_eq!(press.now_or_never(), Some(()), "what came later is not waited for");
        assert_eq!(earlier.is_durable().now_or_never(), None);
        earlier.done(later);
        assert_eq!(earlier.is_durable().now_or_never(), Some(()));
        let unheard = {
            let mut gone = Earlier::new();
            gone.came();
            gone.is_durable()
        };
        assert_eq!(unheard.now_or_never(), None, "nobody knows that it is durable");
    }
}
