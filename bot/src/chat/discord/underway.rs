//! How far a session has come: its events become durable in any order, and are acknowledged in theirs, so that none is
//! missing after a crash. What comes again then and was durable already is known by its key.

use std::collections::BTreeSet;

/// An event of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// Which session, counted in this process.
    session: u64,
    seq: u64,
}

/// The events that are not durable yet.
#[derive(Debug, Default)]
pub(super) struct Underway {
    session: u64,
    newest: u64,
    waiting: BTreeSet<u64>,
}

impl Underway {
    /// Another session begins. What is under way of the one before ends by itself, and is acknowledged to nobody.
    pub(super) fn anew(&mut self) {
        *self = Self { session: self.session + 1, ..Self::default() };
    }

    /// An event came, and is not durable yet.
    pub(super) fn came(&mut self, seq: u64) -> Number {
        self.newest = self.newest.max(seq);
        self.waiting.insert(seq);
        Number { session: self.session, seq }
    }

    /// It is durable, or there is nothing to keep of it.
    pub(super) fn done(&mut self, number: Number) {
        if number.session == self.session {
            self.waiting.remove(&number.seq);
        }
    }

    /// The newest event up to which nothing is missing.
    pub(super) fn durable(&self) -> u64 {
        self.waiting.first().map_or(self.newest, |first| first - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
