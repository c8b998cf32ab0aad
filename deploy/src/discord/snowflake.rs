//! Discord's ids, which tell when their things were made.

use super::DiscordError;
use jiff::{SignedDuration, Timestamp};

/// The first moment of 2015, from which ids count.
const EPOCH_MS: i64 = 1_420_070_400_000;
/// What stands below the milliseconds in an id.
const BELOW_TIME_BITS: u32 = 22;
/// Digits of the longest id.
const ID_LIMIT_BYTES: usize = 20;

/// When the thing with this id was made.
#[must_use]
pub fn created_at(snowflake: &str) -> Option<Timestamp> {
    let id: u64 = digits(snowflake)?.parse().ok()?;
    let since_ms = i64::try_from(id >> BELOW_TIME_BITS).ok()?;
    Timestamp::from_millisecond(EPOCH_MS.checked_add(since_ms)?).ok()
}

/// The smallest id that something made at `time` less `margin` can have.
pub(super) fn at(time: Timestamp, margin: SignedDuration) -> u64 {
    let from = time.checked_sub(margin).unwrap_or(Timestamp::UNIX_EPOCH);
    let since_ms = u64::try_from(from.as_millisecond().saturating_sub(EPOCH_MS)).unwrap_or(0);
    // Ids of the year 10889 and later have no room.
    since_ms.min(u64::MAX >> BELOW_TIME_BITS) << BELOW_TIME_BITS
}

/// An id that may stand in an address: digits alone.
pub(super) fn id(text: &str) -> Result<&str, DiscordError> {
    digits(text).ok_or(DiscordError::NotDiscords { what: "This id" })
}

fn digits(text: &str) -> Option<&str> {
    let plain = !text.is_empty() && text.len() <= ID_LIMIT_BYTES && text.bytes().all(|b| b.is_ascii_digit());
    plain.then_some(text)
}
