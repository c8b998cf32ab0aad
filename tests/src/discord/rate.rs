//! How often something may be called, and what the headers say of it.

use super::options::Window;
use jiff::Timestamp;
use std::collections::BTreeMap;

const GLOBAL_WINDOW_MS: i64 = 1_000;
/// More counters than this are not kept.
const COUNTERS_LIMIT: usize = 10_000;

/// A counter's window that is running.
#[derive(Clone, Copy, Debug)]
struct Running {
    ends_ms: i64,
    calls: u32,
}

/// What is said of a counter with each answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) bucket: String,
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) ends_ms: i64,
    pub(super) now_ms: i64,
}

/// One call too many.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TooMany {
    pub(super) wait_ms: i64,
    /// All calls together were too many.
    pub(super) global: bool,
    pub(super) standing: Option<Standing>,
}

/// For each counter, its running window.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<String, Running>);

impl Rates {
    /// Counts a call of all.
    pub(super) fn take_global(&mut self, per_s: u32, now: Timestamp) -> Result<(), TooMany> {
        if per_s == 0 {
            return Ok(());
        }
        let window = Window { calls: per_s, per_ms: GLOBAL_WINDOW_MS };
        let taken = self.count("global", window, now);
        taken.map(|_| ()).map_err(|wait_ms| TooMany { wait_ms, global: true, standing: None })
    }

    /// Counts a call of a bucket for one place. None: it has no limit.
    pub(super) fn take(
        &mut self,
        bucket: &str,
        place: &str,
        window: Window,
        now: Timestamp,
    ) -> Result<Option<Standing>, TooMany> {
        if window.calls == 0 {
            return Ok(None);
        }
        let taken = self.count(&format!("{bucket} {place}"), window, now);
        let now_ms = now.as_millisecond();
        let standing = |running: Running| Standing {
            bucket: bucket.to_owned(),
            limit: window.calls,
            remaining: window.calls.saturating_sub(running.calls),
            ends_ms: running.ends_ms,
            now_ms,
        };
        match taken {
            Ok(running) => Ok(Some(standing(running))),
            Err(wait_ms) => {
                let full = Running { ends_ms: now_ms.saturating_add(wait_ms), calls: window.calls };
                Err(TooMany { wait_ms, global: false, standing: Some(standing(full)) })
            }
        }
    }

    /// Counts a call, or says in how many milliseconds it may come.
    pub(super) fn count_only(&mut self, counter: &str, window: Window, now: Timestamp) -> Result<(), i64> {
        self.count(counter, window, now).map(|_| ())
    }

    fn count(&mut self, counter: &str, window: Window, now: Timestamp) -> Result<Running, i64> {
        let now_ms = now.as_millisecond();
        self.0.retain(|_, running| running.ends_ms > now_ms);
        let new = !self.0.contains_key(counter);
        if new && self.0.len() >= COUNTERS_LIMIT {
            return Err(window.per_ms);
        }
        let fresh = Running { ends_ms: now_ms.saturating_add(window.per_ms), calls: 0 };
        let running = self.0.entry(counter.to_owned()).or_insert(fresh);
        if running.calls >= window.calls {
            return Err(running.ends_ms - now_ms);
        }
        running.calls += 1;
        Ok(*running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_for_each_place() {
        let mut rates = Rates::default();
        let window = Window { calls: 2, per_ms: 5_000 };
        let mut take = |place: &str, at_ms: i64| {
            let taken = rates.take("posts", place, window, Timestamp::from_millisecond(at_ms).unwrap());
            taken.map(|standing| standing.unwrap().remaining).map_err(|too_many| too_many.wait_ms)
        };
        assert_eq!([take("1", 0), take("1", 1_000)], [Ok(1), Ok(0)]);
        assert_eq!(take("1", 1_000), Err(4_000));
        assert_eq!(take("2", 1_000), Ok(1));
        assert_eq!(take("1", 4_999), Err(1));
        assert_eq!(take("1", 5_000), Ok(1));
    }
}
