//! How often a method may be called.

use super::options::SlackLimits;
use jiff::Timestamp;
use std::collections::BTreeMap;

const MS_PER_S: i64 = 1_000;
const MS_PER_MIN: u64 = 60_000;
/// More counters than this are not kept.
const COUNTERS_LIMIT: usize = 10_000;

/// How a method is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Slack's tiers 1 to 4.
    Of(u8),
    /// So much for each channel, as `chat.postMessage`.
    Channel,
}

/// For each counter, when it would be empty again.
#[derive(Debug, Default)]
pub(crate) struct Rates(BTreeMap<String, i64>);

impl Rates {
    /// Counts a call, or says after how many seconds it may come.
    pub(crate) fn take(&mut self, counter: &str, tier: Tier, limits: &SlackLimits, now: Timestamp) -> Result<(), u64> {
        let (interval_ms, burst) = match tier {
            Tier::Channel => (limits.post_every_ms, limits.post_burst),
            Tier::Of(number) => {
                let index = usize::from(number.clamp(1, 4)) - 1;
                let per_min = u64::from(limits.tier_per_min[index]);
                (MS_PER_MIN.checked_div(per_min).unwrap_or(0), limits.tier_burst[index])
            }
        };
        if interval_ms == 0 {
            return Ok(());
        }
        self.count(counter, i64::try_from(interval_ms).unwrap_or(i64::MAX), burst, now)
    }

    fn count(&mut self, counter: &str, interval_ms: i64, burst: u32, now: Timestamp) -> Result<(), u64> {
        let now_ms = now.as_millisecond();
        self.0.retain(|_, empty_ms| *empty_ms > now_ms);
        let empty_ms = self.0.get(counter).copied().unwrap_or(now_ms).max(now_ms);
        let room_ms = interval_ms.saturating_mul(i64::from(burst.max(1)) - 1);
        let wait_ms = empty_ms - now_ms - room_ms;
        if wait_ms > 0 || self.0.len() >= COUNTERS_LIMIT {
            return Err(u64::try_from((wait_ms + MS_PER_S - 1) / MS_PER_S).unwrap_or(1).max(1));
        }
        self.0.insert(counter.to_owned(), empty_ms.saturating_add(interval_ms));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_a_second_and_each_channel_for_itself() {
        let mut rates = Rates::default();
        let limits = SlackLimits::default();
        let mut take = |channel: &str, at_ms: i64| {
            rates.take(channel, Tier::Channel, &limits, Timestamp::from_millisecond(at_ms).unwrap())
        };
        for _ in 0..5 {
            assert_eq!(take("C1", 0), Ok(()));
        }
        assert_eq!(take("C1", 0), Err(1));
        assert_eq!(take("C1", 999), Err(1));
        assert_eq!(take("C2", 999), Ok(()));
        assert_eq!(take("C1", 1_000), Ok(()));
        assert_eq!(take("C1", 1_001), Err(1));
        assert_eq!(take("C1", 9_000), Ok(()));
    }
}
