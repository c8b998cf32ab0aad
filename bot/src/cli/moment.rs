//! Moments as they are typed: a day, a time, or how long ago.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The longest time ago, about a hundred years.
const AGO_LIMIT_S: i64 = 100 * 366 * 24 * 60 * 60;

/// A moment as somebody has typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long before now.
    Ago(SignedDuration),
    /// Then.
    At(Timestamp),
}

impl Moment {
    /// When that is.
    pub(super) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
            Self::At(at) => at,
        }
    }
}

/// `2026-11-01` (its beginning in UTC), `2026-11-01T10:00:00Z`, or `7d` (also s, m, h).
///
/// # Errors
/// What can be typed instead.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    let moment = ago(text).map(Moment::Ago).or_else(|| at(text).map(Moment::At));
    moment.ok_or_else(|| "write 2026-11-01, 2026-11-01T10:00:00Z, or 7d for seven days ago".to_owned())
}

fn at(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    // A date with more behind it would be taken for its day alone.
    let day: Date = text.parse().ok().filter(|_| text.len() == "2026-11-01".len())?;
    TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok()
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
    use crate::cli::Cli;

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
            assert_eq!(moment(text).unwrap().resolve(now), at.parse().unwrap(), "{text}");
        }
        for bad in
            ["", "d", "-7d", "+7d", "7w", "yesterday", "2026-11-31", "2026-11-01T10:00:00", "99999999999999d", "ä"]
        {
            let said = moment(bad).unwrap_err();
            assert!(said.contains("7d for seven days ago"), "{said}");
        }
        assert_eq!(Moment::Ago(SignedDuration::from_secs(AGO_LIMIT_S)).resolve(Timestamp::MIN), Timestamp::MIN);
    }

    #[test]
    fn a_moment_that_is_none_is_wrong_usage() {
        let read = |line: &str| Cli::from_words(line.split(' ')).map(|_| ()).map_err(|error| error.exit_code());
        for command in ["slipway audit export", "slipway policy replay"] {
            for right in ["7d", "2026-11-01", "2026-11-01T10:00:00Z"] {
                assert_eq!(read(&format!("{command} --since {right}")), Ok(()), "{command} --since {right}");
            }
            assert_eq!(read(&format!("{command} --since yesterday")), Err(2), "{command}");
        }
        assert_eq!(read("slipway audit export --until yesterday"), Err(2));
    }
}
