//! Moments as they are typed: a day, a time, or how long ago.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The longest time ago, about a hundred years.
const AGO_LIMIT_S: i64 = 100 * 366 * 24 * 60 * 60;

/// `2026-11-01` (its beginning in UTC), `2026-11-01T10:00:00Z`, or `7d` (also s, m, h) before `now`.
///
/// # Errors
/// What can be typed instead.
pub(super) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let said = || format!("{text:?} is no moment; write 2026-11-01, 2026-11-01T10:00:00Z, or 7d for seven days ago.");
    if let Some(ago) = ago(text) {
        return now.checked_sub(ago).map_err(|_| said());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    // A date with more behind it would be taken for its day alone.
    let day: Date = text.parse().ok().filter(|_| text.len() == "2026-11-01".len()).ok_or_else(said)?;
    TimeZone::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).map_err(|_| said())
}

fn ago(text: &str) -> Option<SignedDuration> {
    let unit_s = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let count = &text[..text.len() - 1];
    let count: i64 = count.parse().ok().filter(|_| count.bytes().all(|b| b.is_ascii_digit()))?;
    count.checked_mul(unit_s).filter(|s| *s <= AGO_LIMIT_S).map(SignedDuration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_how_long_ago() {
        let now: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
        for (text, at) in [
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z"),
            ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00Z"),
            ("7d", "2026-11-17T08:30:00Z"),
            ("90m", "2026-11-24T07:00:00Z"),
            ("0s", "2026-11-24T08:30:00Z"),
        ] {
            assert_eq!(moment(text, now), Ok(at.parse().unwrap()), "{text}");
        }
        for bad in
            ["", "d", "-7d", "+7d", "7w", "yesterday", "2026-11-31", "2026-11-01T10:00:00", "99999999999999d", "ä"]
        {
            let said = moment(bad, now).unwrap_err();
            assert!(said.contains("7d for seven days ago"), "{said}");
        }
    }
}
