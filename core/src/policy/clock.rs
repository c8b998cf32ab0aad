//! `context.time`, and the search for the first moment at which something is no longer forbidden.

use super::clockwork::Clockwork;
use super::names::{Type, long, reference};
use super::past::Soak;
use cedar_policy::RestrictedExpression;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeSet;

/// How far ahead a moment is looked for.
const SEARCH_LIMIT_DAYS: i64 = 62;
/// How far ahead, when the rule does not tell at which moments it may change its mind.
const BLIND_SEARCH_LIMIT_DAYS: i64 = 14;
/// The blind search looks at every such moment. An opening shorter than this can be missed.
const BLIND_SEARCH_STEP_MINUTES: i64 = 15;
/// Minutes of a day on which the clock is not changed.
const DAY_MINUTES: i64 = 24 * 60;

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

/// The first moment after `now` at which `blocked` says no, of a rule with this clockwork.
///
/// What a rule sees of the time changes at midnight and at the moments that it names; only those are asked about.
/// A rule that calculates with the time is asked blindly, every quarter of an hour and then to the minute.
pub(super) fn first_opening(
    now: Timestamp,
    timezone: &TimeZone,
    clockwork: &Clockwork,
    soak: Option<&Soak>,
    mut blocked: impl FnMut(Timestamp) -> bool,
) -> Option<Timestamp> {
    if !clockwork.looks {
        return None;
    }
    let mut last_blocked = now;
    for moment in candidates(now, timezone, clockwork, soak) {
        if blocked(moment) {
            last_blocked = moment;
        } else if clockwork.calculates {
            return Some(first_minute(last_blocked, moment, blocked));
        } else {
            return Some(moment);
        }
    }
    None
}

/// The first whole minute between a moment that is blocked and one that is not.
fn first_minute(blocked_at: Timestamp, open_at: Timestamp, mut blocked: impl FnMut(Timestamp) -> bool) -> Timestamp {
    let mut minute = blocked_at.as_second().div_euclid(60) + 1;
    while let Ok(moment) = Timestamp::from_second(minute * 60) {
        if moment >= open_at {
            break;
        }
        if !blocked(moment) {
            return moment;
        }
        minute += 1;
    }
    open_at
}

/// The moments after `now` at which the rule may see another time, in order; worked out day by day, because the first
/// opening is seldom far.
fn candidates(
    now: Timestamp,
    timezone: &TimeZone,
    clockwork: &Clockwork,
    soak: Option<&Soak>,
) -> impl Iterator<Item = Timestamp> {
    let days = if clockwork.calculates { BLIND_SEARCH_LIMIT_DAYS } else { SEARCH_LIMIT_DAYS };
    let end = now.checked_add(SignedDuration::from_hours(days * 24)).unwrap_or(Timestamp::MAX);
    let named = named(clockwork, soak);
    let today = now.to_zoned(timezone.clone()).date();
    let moments = (0..=days + 1).map_while(move |ahead| {
        let day = today.checked_add(ahead.days()).ok()?;
        let (begin, next) = (begin_of(day, timezone)?, begin_of(day.tomorrow().ok()?, timezone)?);
        let mut moments: BTreeSet<_> = named.range(begin..next).copied().collect();
        moments.extend(moments_of(day, begin, next, timezone, clockwork));
        Some(moments)
    });
    moments.flatten().filter(move |moment| *moment > now && *moment <= end)
}

/// The moments that the rule names itself.
fn named(clockwork: &Clockwork, soak: Option<&Soak>) -> BTreeSet<Timestamp> {
    let mut named: BTreeSet<Timestamp> = BTreeSet::new();
    for &instant_ms in &clockwork.instants_ms {
        // Rules see whole seconds: `now > instant` is true from the next one on.
        let second = instant_ms.div_euclid(1_000);
        named.extend([second, second + 1].into_iter().filter_map(|s| Timestamp::from_second(s).ok()));
    }
    if let Some(Soak { served_s, since: Some(since), .. }) = soak {
        let reached = |soak_s: i64| Timestamp::from_second(since.as_second().checked_add(soak_s - served_s)?).ok();
        named.extend(clockwork.soaks_s.iter().flat_map(|&s| [Some(s), s.checked_add(1)]).flatten().filter_map(reached));
    }
    named
}

fn begin_of(day: Date, timezone: &TimeZone) -> Option<Timestamp> {
    timezone.to_zoned(day.at(0, 0, 0, 0)).ok().map(|zoned| zoned.timestamp())
}

/// The moments of one local day.
fn moments_of(
    day: Date,
    begin: Timestamp,
    next: Timestamp,
    timezone: &TimeZone,
    clockwork: &Clockwork,
) -> Vec<Timestamp> {
    let local = |minute: i64| {
        let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
        timezone.to_zoned(day.at(hour, minute, 0, 0)).ok().map(|zoned| zoned.timestamp())
    };
    let mut moments = vec![begin];
    let minutes = clockwork.minutes.iter().flat_map(|&minute| [Some(minute), minute.checked_add(1)]).flatten();
    moments.extend(minutes.filter(|minute| (0..DAY_MINUTES).contains(minute)).filter_map(local));
    // On a day on which the clock is changed a minute may come twice or not at all.
    let is_odd = next.as_second() - begin.as_second() != DAY_MINUTES * 60;
    if clockwork.calculates || (is_odd && !clockwork.minutes.is_empty()) {
        let step_s = if clockwork.calculates { BLIND_SEARCH_STEP_MINUTES * 60 } else { 60 };
        let mut second = begin.as_second();
        while second < next.as_second() {
            moments.extend(Timestamp::from_second(second).ok());
            second += step_s;
        }
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn opening(now: &str, clockwork: &Clockwork, opens: &str) -> Option<Timestamp> {
        let opens = at(opens);
        first_opening(at(now), &TimeZone::UTC, clockwork, None, |moment| moment < opens)
    }

    fn blind() -> Clockwork {
        Clockwork { looks: true, calculates: true, ..Clockwork::default() }
    }

    #[test]
    fn a_blind_search_finds_the_opening_to_the_minute() {
        let now = "2026-11-27T20:13:42Z";
        for opens in ["2026-11-27T20:14:00Z", "2026-11-27T20:15:00Z", "2026-11-27T21:00:00Z", "2026-12-11T20:00:00Z"] {
            assert_eq!(opening(now, &blind(), opens), Some(at(opens)));
        }
        assert_eq!(opening(now, &blind(), "2026-12-12T00:00:00Z"), None);
    }

    #[test]
    fn the_search_is_bounded() {
        let asked = |clockwork: &Clockwork| {
            let mut asked = 0;
            let count = |_| {
                asked += 1;
                true
            };
            assert_eq!(first_opening(at("2026-11-27T20:13:42Z"), &TimeZone::UTC, clockwork, None, count), None);
            asked
        };
        assert_eq!(asked(&blind()), 14 * 24 * 4);
        assert_eq!(asked(&Clockwork { looks: true, ..Clockwork::default() }), 62, "one question a day");
        assert_eq!(asked(&Clockwork { looks: true, minutes: [480].into(), ..Clockwork::default() }), 62 * 3);
        assert_eq!(asked(&Clockwork::default()), 0, "it does not look at the clock");
    }

    #[test]
    fn named_moments_are_found_to_the_second() {
        let minutes = Clockwork { looks: true, minutes: [967].into(), ..Clockwork::default() };
        assert_eq!(opening("2026-11-27T09:00:00Z", &minutes, "2026-11-27T16:07:00Z"), Some(at("2026-11-27T16:07:00Z")));
        let instants_ms = [at("2026-11-27T16:07:42Z").as_millisecond()].into();
        let instant = Clockwork { looks: true, instants_ms, ..Clockwork::default() };
        assert_eq!(opening("2026-11-27T09:00:00Z", &instant, "2026-11-27T16:07:43Z"), Some(at("2026-11-27T16:07:43Z")));
        let soak =
            Soak { environment: "staging".into(), served_s: 100, since: Some(at("2026-11-27T09:00:00Z")), ahead: None };
        let soaks = Clockwork { looks: true, soaks_s: [1_800].into(), ..Clockwork::default() };
        let enough = |moment| soak.seconds(moment) < 1_800;
        let found = first_opening(at("2026-11-27T09:05:00Z"), &TimeZone::UTC, &soaks, Some(&soak), enough);
        assert_eq!(found, Some(at("2026-11-27T09:28:20Z")));
    }

    #[test]
    fn a_minute_that_comes_twice_is_not_missed() {
        // In Berlin the clock goes back from 03:00 to 02:00: 02:30 comes twice on this day.
        let berlin = timezone("Europe/Berlin").unwrap();
        let second_time = at("2026-10-25T01:30:00Z");
        let clockwork = Clockwork { looks: true, minutes: [150].into(), ..Clockwork::default() };
        let found = first_opening(at("2026-10-25T00:45:00Z"), &berlin, &clockwork, None, |moment| moment < second_time);
        assert_eq!(found, Some(second_time));
    }
}
