//! Which moment is meant, and what follows when it comes.

use super::*;
use crate::command::{Day, When};
use crate::plan::tests::sha;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What is meant in Berlin, as text: the moment in UTC, and what had to be decided.
fn berlin(day: Day, hour: i8, minute: i8, now: &str) -> String {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let when = When::At { day, time: Time::new(hour, minute, 0, 0).unwrap() };
    match settle(&when, time(now), &zone).unwrap() {
        Ok(Settled { at, note: None }) => at.to_string(),
        Ok(Settled { at, note: Some(note) }) => format!("{at} {note:?}"),
        Err(why) => why.to_string(),
    }
}

#[test]
fn a_time_is_the_next_one_where_it_is_said() {
    // A Sunday, 19:00 in Berlin.
    let sunday = "2026-11-29T18:00:00Z";
    let date = |year, month, day| Day::Date(Date::constant(year, month, day));
    for (day, hour, minute, meant) in [
        (Day::Next, 21, 0, "2026-11-29T20:00:00Z"),
        (Day::Next, 9, 0, "2026-11-30T08:00:00Z Tomorrow"),
        (Day::Next, 19, 0, "2026-11-30T18:00:00Z Tomorrow"),
        (Day::Today, 21, 0, "2026-11-29T20:00:00Z"),
        (Day::Today, 9, 0, "it has passed already"),
        (Day::Tomorrow, 9, 0, "2026-11-30T08:00:00Z"),
        (Day::Weekday(0), 9, 0, "2026-11-30T08:00:00Z"),
        (Day::Weekday(5), 9, 0, "2026-12-05T08:00:00Z"),
        (Day::Weekday(6), 21, 0, "2026-11-29T20:00:00Z"),
        (Day::Weekday(6), 9, 0, "2026-12-06T08:00:00Z NextWeek"),
        (date(2026, 12, 1), 9, 0, "2026-12-01T08:00:00Z"),
        (date(2026, 11, 28), 9, 0, "it has passed already"),
        (date(2026, 12, 30), 18, 0, "2026-12-30T17:00:00Z"),
        (date(2027, 1, 5), 9, 0, "it is more than 31 days away"),
        (date(9999, 12, 31), 23, 59, "it is more than 31 days away"),
    ] {
        assert_eq!(berlin(day, hour, minute, sunday), meant, "{day:?} {hour}:{minute:02}");
    }
}

#[test]
fn the_day_is_the_one_that_it_is_there() {
    // Half past midnight on Monday in Berlin, and still Sunday in UTC.
    let now = "2026-11-29T23:30:00Z";
    assert_eq!(berlin(Day::Next, 0, 15, now), "2026-11-30T23:15:00Z Tomorrow");
    assert_eq!(berlin(Day::Weekday(0), 9, 0, now), "2026-11-30T08:00:00Z");
    assert_eq!(berlin(Day::Tomorrow, 9, 0, now), "2026-12-01T08:00:00Z");
}

#[test]
fn when_clocks_change_one_moment_is_decided_and_said() {
    // Forward on 2026-03-29 from 2:00 to 3:00, back on 2026-10-25 from 3:00 to 2:00.
    assert_eq!(berlin(Day::Tomorrow, 2, 30, "2026-03-28T12:00:00Z"), "2026-03-29T01:30:00Z Skipped");
    assert_eq!(said(time("2026-03-29T01:30:00Z"), "Europe/Berlin"), "Sunday 2026-03-29 at 3:30");
    assert_eq!(berlin(Day::Tomorrow, 2, 30, "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z Twice");
    assert_eq!(said(time("2026-10-25T00:30:00Z"), "Europe/Berlin"), "Sunday 2026-10-25 at 2:30");
    // A day of 25 hours is no reason to be an hour early.
    assert_eq!(berlin(Day::Tomorrow, 9, 0, "2026-10-24T12:00:00Z"), "2026-10-25T08:00:00Z");
}

#[test]
fn a_while_is_a_while_whatever_clocks_do() {
    let now = time("2026-10-25T00:00:00Z");
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let settled = settle(&When::In(7_200), now, &zone).unwrap().unwrap();
    assert_eq!((settled.at, settled.note), (time("2026-10-25T02:00:00Z"), None));
    assert_eq!(settle(&When::Green, now, &zone), None);
    assert_eq!(said(now, "Nowhere/Land"), "Sunday 2026-10-25 at 0:00", "of what is not known it is UTC");
}

fn intent(condition: Condition) -> Intent {
    let (asked_at, day) = (time("2026-11-29T18:00:00Z"), SignedDuration::from_hours(24));
    let expires_at = match &condition {
        Condition::At { at, .. } => made_up_for_until(*at),
        Condition::Green | Condition::Unlocked => asked_at + day,
    };
    Intent {
        id: "01KB0000000000000000000000".into(),
        key: EnvironmentKey { service: "goals".into(), environment: "production".into() },
        reference: None,
        requester: "ana".into(),
        reason: None,
        channel: "terminal:releases".into(),
        condition,
        asked_at,
        expires_at,
        state: State::Waiting,
        held: None,
    }
}

fn seen(locked: bool, green: Option<u8>) -> Seen {
    Seen { locked, green: green.map(sha) }
}

#[test]
fn a_time_that_has_come_is_asked_for_unless_it_was_long_ago() {
    let at = time("2026-11-30T08:00:00Z");
    let intent = intent(Condition::At { at, timezone: "Europe/Berlin".into() });
    assert_eq!(intent.due_at(), Some(at));
    let due = |now: &str| intent.due(&seen(true, Some(3)), time(now));
    assert_eq!(due("2026-11-30T07:59:59Z"), Due::Nothing, "never earlier, whatever else is so");
    assert_eq!(due("2026-11-30T08:00:00Z"), Due::Begin(None));
    assert_eq!(due("2026-11-30T08:15:00Z"), Due::Begin(None), "made up for");
    assert!(matches!(due("2026-11-30T08:15:01Z"), Due::Expire(why) if why.contains("not running")));
}

#[test]
fn green_is_asked_for_of_exactly_what_is_green() {
    let intent = intent(Condition::Green);
    let due = |green, now: &str| intent.due(&seen(true, green), time(now));
    assert_eq!(due(None, "2026-11-29T19:00:00Z"), Due::Nothing);
    assert_eq!(due(Some(3), "2026-11-29T19:00:00Z"), Due::Begin(Some(sha(3))));
    let expired = due(Some(3), "2026-11-30T18:00:00Z");
    assert_eq!(expired, Due::Expire("It was not green within 24 h.".into()), "nobody expects it any more");
    assert_eq!(intent.due_at(), Some(intent.expires_at));
}

#[test]
fn unlocked_is_asked_for_when_nobody_holds_it() {
    let intent = intent(Condition::Unlocked);
    let due = |locked, now: &str| intent.due(&seen(locked, None), time(now));
    assert_eq!(due(true, "2026-11-29T19:00:00Z"), Due::Nothing);
    assert_eq!(due(false, "2026-11-29T19:00:00Z"), Due::Begin(None));
    assert_eq!(due(true, "2026-11-30T18:00:00Z"), Due::Expire("It was not unlocked within 24 h.".into()));
}

#[test]
fn what_has_ended_is_never_due() {
    let at = time("2026-11-29T18:30:00Z");
    for state in [
        State::Begun { release: "01KB".into(), at },
        State::Cancelled { by: "bob".into(), at },
        State::Expired { why: "late".into(), at },
        State::Refused { why: "no".into(), at },
    ] {
        let ended = Intent { state, ..intent(Condition::Unlocked) };
        assert_eq!(
            (ended.due_at(), ended.due(&seen(false, Some(3)), time("2026-12-30T00:00:00Z"))),
            (None, Due::Nothing)
        );
        let again: Intent = serde_json::from_str(&serde_json::to_string(&ended).unwrap()).unwrap();
        assert_eq!(again, ended);
    }
}

#[test]
fn what_is_held_is_looked_at_again_until_its_time_is_over() {
    let since = time("2026-11-30T08:00:00Z");
    let held = || Held { teams: ["developers".into(), "sre".into()].into(), why: vec!["It is down.".into()], since };
    let at = Intent { held: Some(held()), ..intent(Condition::At { at: since, timezone: "UTC".into() }) };
    assert_eq!(at.due(&seen(false, None), time("2026-11-30T08:14:00Z")), Due::Begin(None));
    let over = "Until its time was over it was not known who is in developers and sre.";
    assert_eq!(at.due(&seen(false, None), time("2026-11-30T08:15:01Z")), Due::Expire(over.into()));
    let unlocked = Intent { held: Some(held()), ..intent(Condition::Unlocked) };
    assert_eq!(unlocked.due_at(), Some(since), "and not only at its end");
    assert_eq!(unlocked.due(&seen(false, None), unlocked.expires_at), Due::Expire(over.into()));
    let again: Intent = serde_json::from_str(&serde_json::to_string(&at).unwrap()).unwrap();
    assert_eq!(again, at);
}

#[test]
fn a_first_line_names_the_day_and_where_that_is_not_enough_the_date() {
    // A Sunday, 19:00 in Berlin.
    let now = time("2026-11-29T18:00:00Z");
    let brief = |at: &str| said_briefly(time(at), "Europe/Berlin", now);
    assert_eq!(brief("2026-11-29T20:00:00Z"), "21:00 (Sun, Europe/Berlin)");
    assert_eq!(brief("2026-12-05T22:59:00Z"), "23:59 (Sat, Europe/Berlin)");
    assert_eq!(brief("2026-12-05T23:00:00Z"), "0:00 (Sun 2026-12-06, Europe/Berlin)");
    assert_eq!(said_briefly(time("2026-11-30T08:00:00Z"), "UTC", now), "8:00 (Mon, UTC)");
}
