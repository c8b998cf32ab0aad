//! Which day's anchor is due.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// The newest day whose moment `at` has come in that zone. A day whose moment the clock skips has it right after the
/// gap, and one that has it twice the first time; so every day has one, and the answer never goes back while time goes
/// on.
#[must_use]
pub fn day_due(now: Timestamp, at: Time, zone: &TimeZone) -> Date {
    // Around a change of the clock at midnight, the moment of the next day may come before the date changes.
    let today = zone.to_datetime(now).date();
    let near = [today.checked_add(1.day()), Ok(today), today.checked_sub(1.day())];
    let come = |day: &Date| {
        let moment = zone.to_ambiguous_timestamp(day.to_datetime(at)).compatible();
        moment.is_ok_and(|moment| moment <= now)
    };
    near.into_iter().flatten().find(come).unwrap_or_else(|| today.checked_sub(2.days()).unwrap_or(today))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    /// Zones whose clocks are changed at night, at midnight, by half an hour, never; and one that left out a day.
    const ZONES: [&str; 8] = [
        "UTC",
        "America/Los_Angeles",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Havana",
        "America/Asuncion",
        "Asia/Kathmandu",
        "Pacific/Apia",
    ];

    fn due(now: &str, at: Time, zone: &str) -> Date {
        day_due(now.parse().unwrap(), at, &TimeZone::get(zone).unwrap())
    }

    #[test]
    fn a_day_is_due_from_its_moment_on() {
        let six = time(6, 0, 0, 0);
        assert_eq!(due("2026-11-24T05:59:59.999Z", six, "UTC"), date(2026, 11, 23));
        assert_eq!(due("2026-11-24T06:00:00Z", six, "UTC"), date(2026, 11, 24));
        assert_eq!(due("2026-11-24T13:59:00Z", six, "America/Los_Angeles"), date(2026, 11, 23));
        assert_eq!(due("2026-11-24T14:00:00Z", six, "America/Los_Angeles"), date(2026, 11, 24));
    }

    #[test]
    fn a_moment_that_the_clock_skips_comes_after_the_gap_and_one_that_comes_twice_counts_once() {
        // On 29 March 2026 Berlin goes from 2:00 to 3:00, on 25 October from 3:00 back to 2:00.
        let half_past_two = time(2, 30, 0, 0);
        assert_eq!(due("2026-03-29T01:29:00Z", half_past_two, "Europe/Berlin"), date(2026, 3, 28));
        assert_eq!(due("2026-03-29T01:30:00Z", half_past_two, "Europe/Berlin"), date(2026, 3, 29));
        assert_eq!(due("2026-10-25T00:29:00Z", half_past_two, "Europe/Berlin"), date(2026, 10, 24));
        for later in ["2026-10-25T00:30:00Z", "2026-10-25T01:29:00Z", "2026-10-25T01:31:00Z"] {
            assert_eq!(due(later, half_past_two, "Europe/Berlin"), date(2026, 10, 25), "{later}");
        }
    }

    proptest! {
        #[test]
        fn every_day_comes_once_and_in_order(
            zone in 0..ZONES.len(), year in 2009_i64..2030, hour in 0_i8..24, minute in 0_i8..60, step_min in 7_i64..600
        ) {
            let zone = TimeZone::get(ZONES[zone]).unwrap();
            let mut now = Timestamp::from_second((year - 1970) * 31_556_952).unwrap();
            let mut last = day_due(now, time(hour, minute, 0, 0), &zone);
            let end = now + SignedDuration::from_hours(370 * 24);
            while now < end {
                now += SignedDuration::from_mins(step_min);
                let day = day_due(now, time(hour, minute, 0, 0), &zone);
                // Apia had no 30 December 2011.
                let next = last.tomorrow().unwrap();
                let gap = day == date(2011, 12, 31) && last == date(2011, 12, 29);
                prop_assert!(day == last || day == next || gap, "{last} {day} at {now}");
                last = day;
            }
        }
    }
}
