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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_its_thing_was_made() {
        let made = |id| created_at(id).map(|time| time.to_string());
        // Discord's documented example.
        assert_eq!(made("175928847299117063").as_deref(), Some("2016-04-30T11:18:25.796Z"));
        assert_eq!(made("0").as_deref(), Some("2015-01-01T00:00:00Z"));
        assert_eq!(made("18446744073709551615").as_deref(), Some("2154-05-15T07:35:11.103Z"));
        for none in ["", "18446744073709551616", "+1", "-1", " 1", "1.0", "x", "١", "99999999999999999999999"] {
            assert_eq!(made(none), None, "{none}");
        }
    }

    #[test]
    fn a_time_tells_where_its_ids_begin() {
        let from = |time: &str| at(time.parse().unwrap(), SignedDuration::from_secs(60));
        let first = from("2016-04-30T11:19:25.796Z");
        assert_eq!(created_at(&first.to_string()).unwrap().to_string(), "2016-04-30T11:18:25.796Z");
        assert!(first <= 175_928_847_299_117_063 && 175_928_847_299_117_063 - first < 1 << BELOW_TIME_BITS);
        for early in ["2015-01-01T00:00:59Z", "1970-01-01T00:00:01Z"] {
            assert_eq!(from(early), 0, "{early}");
        }
        assert_eq!(at(Timestamp::MIN, SignedDuration::MAX), 0);
        assert_eq!(at(Timestamp::MAX, SignedDuration::ZERO).trailing_zeros(), BELOW_TIME_BITS);
    }
}
