//! What a chat's stand-in has brought to the app, what it holds back, and how the next one is spoilt.

use std::collections::VecDeque;
use tokio::sync::watch;

/// Deliveries are remembered up to here; then the oldest half is forgotten.
const DELIVERIES_LIMIT: usize = 10_000;
/// More are not held back.
const HELD_LIMIT: usize = 1_000;

/// In which order held deliveries are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they came.
    AsTheyCame,
    /// The last one first.
    Backwards,
}

/// What has been delivered, what waits, and what is to happen to the next.
#[derive(Debug)]
pub(crate) struct Deliveries<Delivery, Mischief, Waiting> {
    pub(crate) list: Vec<Delivery>,
    /// Numbers of those that were forgotten.
    forgotten: usize,
    pub(crate) mischief: VecDeque<Mischief>,
    held: Option<Vec<Waiting>>,
}

impl<Delivery, Mischief, Waiting> Default for Deliveries<Delivery, Mischief, Waiting> {
    fn default() -> Self {
        Self { list: vec![], forgotten: 0, mischief: VecDeque::new(), held: None }
    }
}

impl<Delivery, Mischief, Waiting> Deliveries<Delivery, Mischief, Waiting> {
    /// Remembers one, made with its number.
    pub(crate) fn note(&mut self, made: impl FnOnce(usize) -> Delivery) -> usize {
        if self.list.len() >= DELIVERIES_LIMIT {
            self.list.drain(..DELIVERIES_LIMIT / 2);
            self.forgotten += DELIVERIES_LIMIT / 2;
        }
        let number = self.forgotten + self.list.len();
        self.list.push(made(number));
        number
    }

    pub(crate) fn get(&mut self, number: usize) -> Option<&mut Delivery> {
        self.list.get_mut(number.checked_sub(self.forgotten)?)
    }

    /// Nothing is sent from now on.
    pub(crate) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Gives back what may be sent at once. None: it waits.
    pub(crate) fn unless_held(&mut self, next: Waiting) -> Option<Waiting> {
        let Some(held) = &mut self.held else { return Some(next) };
        if held.len() < HELD_LIMIT {
            held.push(next);
        }
        None
    }

    /// Things are sent again; gives those that waited.
    pub(crate) fn unhold(&mut self, order: Order) -> Vec<Waiting> {
        let mut waited = self.held.take().unwrap_or_default();
        if order == Order::Backwards {
            waited.reverse();
        }
        waited
    }
}

/// Counts a delivery that is under way for as long as it lives.
pub(crate) struct Busy<'a>(&'a watch::Sender<usize>);

impl<'a> Busy<'a> {
    pub(crate) fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
