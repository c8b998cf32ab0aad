//! What has come over the gateway and is not durable yet, over all sessions of this process. Of a session only that is
//! acknowledged which is durable with all before it, so that none is missing after a crash; what comes again then and was
//! durable already is known by its key. And what is asked waits for what happened before it: an approval must not become
//! durable before a veto that came earlier, or the run is begun that the veto was to stop.

use std::collections::BTreeSet;
use tokio::sync::watch;

/// An event. Those of a later session are later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number {
    /// Which session, counted in this process.
    session: u64,
    seq: u64,
}

/// The events that are not durable yet.
#[derive(Debug, Default)]
pub(super) struct Underway {
    newest: Number,
    waiting: BTreeSet<Number>,
    /// Those of them that what is asked later waits for.
    happened: BTreeSet<Number>,
    /// The oldest of these.
    oldest: watch::Sender<Option<Number>>,
}

impl Underway {
    /// Another session begins. What is under way of the one before ends by itself, and is acknowledged to nobody.
    pub(super) fn anew(&mut self) {
        self.newest = Number { session: self.newest.session + 1, seq: 0 };
    }

    /// An event came, and is not durable yet.
    pub(super) fn came(&mut self, seq: u64) -> Number {
        let number = Number { seq, ..self.newest };
        self.newest = self.newest.max(number);
        self.waiting.insert(number);
        number
    }

    /// It is something that happened: what is asked later waits for it.
    pub(super) fn happened(&mut self, number: Number) {
        self.happened.insert(number);
        self.tell();
    }

    /// It is durable or given up, or there is nothing to keep of it.
    pub(super) fn done(&mut self, number: Number) {
        self.waiting.remove(&number);
        self.happened.remove(&number);
        self.tell();
    }

    /// The newest event of this session up to which nothing is missing.
    pub(super) fn durable(&self) -> u64 {
        let first = Number { seq: 0, ..self.newest };
        self.waiting.range(first..).next().map_or(self.newest.seq, |missing| missing.seq - 1)
    }

    /// Waits until all that has happened so far is durable.
    pub(super) fn earlier(&self) -> impl Future<Output = ()> + Send + use<> {
        let (newest, mut oldest) = (self.newest, self.oldest.subscribe());
        async move {
            let is_later = |oldest: &Option<Number>| oldest.is_none_or(|oldest| oldest > newest);
            // When nobody tells any more, nobody knows that it is durable.
            if oldest.wait_for(is_later).await.is_err() {
                std::future::pending().await
            }
        }
    }

    fn tell(&self) {
        self.oldest.send_replace(self.happened.first().copied());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    impl Underway {
        /// Something happens.
        fn happens(&mut self, seq: u64) -> Number {
            let number = self.came(seq);
            self.happened(number);
            number
        }
    }

    #[test]
    fn only_what_has_nothing_missing_before_it_counts() {
        let mut underway = Underway::default();
        assert_eq!(underway.durable(), 0);
        let [two, three, four] = [2, 3, 4].map(|seq| underway.came(seq));
        assert_eq!(underway.durable(), 1);
        underway.done(three);
        assert_eq!(underway.durable(), 1);
        underway.done(two);
        assert_eq!(underway.durable(), 3);
        underway.done(four);
        assert_eq!(underway.durable(), 4);
    }

    #[test]
    fn another_session_counts_by_itself() {
        let mut underway = Underway::default();
        let old = underway.came(7);
        underway.anew();
        assert_eq!(underway.durable(), 0);
        let new = underway.came(7);
        underway.done(old);
        assert_eq!(underway.durable(), 6, "the old session's seventh is not the new one's");
        underway.done(new);
        assert_eq!(underway.durable(), 7);
    }

    #[test]
    fn what_is_asked_waits_for_what_happened_before_it_alone() {
        let mut underway = Underway::default();
        assert_eq!(underway.earlier().now_or_never(), Some(()), "nothing has happened");
        let [veto, mention] = [1, 2].map(|seq| underway.happens(seq));
        let asked = underway.came(3);
        let mut press = Box::pin(underway.earlier());
        let later = underway.happens(4);
        underway.done(mention);
        assert_eq!((&mut press).now_or_never(), None, "the veto came before it");
        underway.done(veto);
        assert_eq!(press.now_or_never(), Some(()), "what came later is not waited for, nor what was asked");
        assert_eq!(underway.earlier().now_or_never(), None);
        underway.done(later);
        assert_eq!(underway.earlier().now_or_never(), Some(()));
        underway.done(asked);
        let unheard = {
            let mut gone = Underway::default();
            gone.happens(1);
            gone.earlier()
        };
        assert_eq!(unheard.now_or_never(), None, "nobody knows that it is durable");
    }

    #[test]
    fn what_happened_in_the_session_before_is_earlier() {
        let mut underway = Underway::default();
        let veto = underway.happens(900);
        underway.anew();
        let mut before_any = Box::pin(underway.earlier());
        let asked = underway.came(1);
        let mut press = Box::pin(underway.earlier());
        assert_eq!((&mut before_any).now_or_never(), None);
        assert_eq!((&mut press).now_or_never(), None, "its number says nothing of when it came");
        underway.done(veto);
        assert_eq!((before_any.now_or_never(), press.now_or_never()), (Some(()), Some(())));
        assert_eq!(underway.durable(), 0, "the press itself is not durable");
        underway.done(asked);
        assert_eq!(underway.durable(), 1);
    }
}
