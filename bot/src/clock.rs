//! The clock, passed in so that tests can hold it.

use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// Tells the time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's.
    System,
    /// One that stands still until it is moved.
    Manual(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// Now, to the millisecond: finer parts would not survive the store.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Manual(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Now, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }
}
