//! `context.time`, and the search for the first moment at which something is no longer forbidden.

use super::names::{Type, long, reference};
use cedar_policy::RestrictedExpression;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How far ahead a moment is looked for.
const SEARCH_LIMIT_DAYS: i64 = 14;
/// The search looks at every such moment. An opening shorter than this can be missed.
const SEARCH_STEP_MINUTES: i64 = 15;

/// The IANA time zone of that name.
pub(super) fn timezone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("The time zone {name:?} is not known; `timezone` takes a name such as \"Europe/Berlin\"."))
}

/// The attributes of `context.time`.
pub(super) fn pairs(now: Timestamp, timezone: &TimeZone) -> Vec<(String, RestrictedExpression)> {
    let local = now.to_zoned(timezone.clone());
    let weekday = match local.weekday() {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    };
    let instant = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let today = local.strftime("%Y-%m-%d").to_string();
    let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
    vec![
        ("now".to_owned(), RestrictedExpression::new_datetime(instant)),
        ("today".to_owned(), RestrictedExpression::new_datetime(today)),
        ("weekday".to_owned(), reference(Type::Weekday, weekday)),
        ("minute".to_owned(), long(minute)),
    ]
}

/// The first whole minute after `now`, at most [`SEARCH_LIMIT_DAYS`] ahead, at which `blocked` says no.
pub(super) fn first_opening(now: Timestamp, mut blocked: impl FnMut(Timestamp) -> bool) -> Option<Timestamp> {
    let next_minute = Timestamp::from_second((now.as_second().div_euclid(60) + 1) * 60).ok()?;
    let minutes_ahead = |minutes: i64| next_minute.checked_add(SignedDuration::from_mins(minutes)).ok();
    let mut ahead = 0;
    while blocked(minutes_ahead(ahead)?) {
        ahead += SEARCH_STEP_MINUTES;
        if ahead > SEARCH_LIMIT_DAYS * 24 * 60 {
            return None;
        }
    }
    let first_unknown = (ahead - SEARCH_STEP_MINUTES + 1).max(0);
    for minute in first_unknown..ahead {
        let moment = minutes_ahead(minute)?;
        if !blocked(moment) {
            return Some(moment);
        }
    }
    minutes_ahead(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opening_is_found_to_the_minute() {
        let now: Timestamp = "2026-11-27T20:13:42Z".parse().unwrap();
        for opens in ["2026-11-27T20:14:00Z", "2026-11-27T20:15:00Z", "2026-11-27T21:00:00Z", "2026-12-11T20:00:00Z"] {
            let opens: Timestamp = opens.parse().unwrap();
            assert_eq!(first_opening(now, |at| at < opens), Some(opens));
        }
        assert_eq!(first_opening(now, |_| true), None);
    }

    #[test]
    fn the_search_is_bounded() {
        let mut asked = 0;
        first_opening(Timestamp::UNIX_EPOCH, |_| {
            asked += 1;
            true
        });
        assert_eq!(asked, 14 * 24 * 4 + 1);
        assert_eq!(first_opening(Timestamp::MAX, |_| true), None);
    }
}
