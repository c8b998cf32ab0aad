//! When a thing was last done in this process.

use std::sync::atomic::{AtomicI64, Ordering};

/// Says once in a while that it is time again.
#[derive(Debug)]
pub(super) struct Due(AtomicI64);

impl Default for Due {
    /// It is time at once.
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Due {
    /// Whether so much time has passed since this last said yes. A clock that went back means that it is time.
    pub(super) fn is_due(&self, now_ms: i64, every_ms: i64) -> bool {
        let last_ms = self.0.load(Ordering::Relaxed);
        let due = last_ms == i64::MIN || now_ms < last_ms || now_ms - last_ms >= every_ms;
        if due {
            self.0.store(now_ms, Ordering::Relaxed);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_time_at_once_and_then_once_in_a_while() {
        let due = Due::default();
        let answers = [1_000, 1_000, 1_999, 2_000, 2_500, 3_000, 500, 1_499, 1_500].map(|now| due.is_due(now, 1_000));
        assert_eq!(answers, [true, false, false, true, false, true, true, false, true]);
    }
}
