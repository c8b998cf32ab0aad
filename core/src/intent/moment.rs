//! Which moment a time stands for that somebody types: in their time zone, from the moment at which they type it.

use crate::command::{Day, When};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};
use thiserror::Error;

/// How far ahead a moment may be, in days.
pub const AHEAD_LIMIT_DAYS: i64 = 31;

/// A moment, and what had to be decided to find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The moment.
    pub at: Timestamp,
    /// What whoever typed it may not have thought of.
    pub note: Option<Note>,
}

/// What had to be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// It has passed today, so it is tomorrow.
    Tomorrow,
    /// It has passed today, so it is the same day of next week.
    NextWeek,
    /// Clocks go forward over it: it is the same time by the clock that was.
    Skipped,
    /// Clocks go back over it, so it comes twice: it is the first one.
    Twice,
}

/// Why there is no such moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsettled {
    /// It has passed.
    #[error("it has passed already")]
    Past,
    /// It is too far away.
    #[error("it is more than {AHEAD_LIMIT_DAYS} days away")]
    TooFar,
}

/// The moment that is meant; `None` for what no clock tells.
///
/// # Errors
/// When it has passed, or is too far away.
pub fn settle(when: &When, now: Timestamp, timezone: &TimeZone) -> Option<Result<Settled, Unsettled>> {
    let settled = match when {
        When::Green | When::Unlocked => return None,
        When::In(seconds) => {
            let at = now.checked_add(SignedDuration::from_secs(i64::from(*seconds)));
            at.map(|at| Settled { at, note: None }).map_err(|_| Unsettled::TooFar)
        }
        When::At { day, time } => at_day(*day, *time, now, timezone),
    };
    Some(settled.and_then(|settled| within_bounds(settled, now)))
}

fn within_bounds(settled: Settled, now: Timestamp) -> Result<Settled, Unsettled> {
    let ahead_s = settled.at.duration_since(now).as_secs();
    if settled.at <= now {
        return Err(Unsettled::Past);
    }
    if ahead_s > AHEAD_LIMIT_DAYS * 24 * 60 * 60 { Err(Unsettled::TooFar) } else { Ok(settled) }
}

fn at_day(day: Day, time: Time, now: Timestamp, timezone: &TimeZone) -> Result<Settled, Unsettled> {
    let today = now.to_zoned(timezone.clone()).date();
    let on = |date: Date| instant(date.to_datetime(time), timezone);
    let in_days = |days: i64| today.checked_add(Span::new().days(days)).map_err(|_| Unsettled::TooFar);
    // Unless it is still to come today: another day, and what to say of that.
    let today_or = |days: i64, note: Note| {
        let settled = on(today)?;
        if settled.at > now {
            return Ok(settled);
        }
        let later = on(in_days(days)?)?;
        Ok(Settled { note: later.note.or(Some(note)), ..later })
    };
    match day {
        Day::Next => today_or(1, Note::Tomorrow),
        Day::Today => on(today),
        Day::Tomorrow => on(in_days(1)?),
        Day::Weekday(number) => {
            let wanted = Weekday::from_monday_zero_offset(i8::try_from(number).unwrap_or(0)).unwrap_or(Weekday::Monday);
            match i64::from(today.weekday().until(wanted)) {
                0 => today_or(7, Note::NextWeek),
                days => on(in_days(days)?),
            }
        }
        Day::Date(date) => on(date),
    }
}

/// The instant of a local time. On days on which clocks change some are missing and some come twice.
fn instant(at: DateTime, timezone: &TimeZone) -> Result<Settled, Unsettled> {
    let ambiguous = timezone.to_ambiguous_timestamp(at);
    let note = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { .. } => Some(Note::Skipped),
        AmbiguousOffset::Fold { .. } => Some(Note::Twice),
    };
    let at = ambiguous.compatible().map_err(|_| Unsettled::TooFar)?;
    Ok(Settled { at, note })
}

/// `Monday 2026-11-30 at 9:00`, in a time zone. Of a name that is not known it is UTC.
#[must_use]
pub fn said(at: Timestamp, timezone: &str) -> String {
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%A %Y-%m-%d at %-H:%M").to_string()
}

/// How many days ahead the name of a day says which one it is.
const WEEK_DAYS: i64 = 6;

/// `9:00 (Mon, Europe/Berlin)`: the same for a first line, said at the moment `now`; with the date where the day's name
/// could be another week's.
#[must_use]
pub fn said_briefly(at: Timestamp, timezone: &str, now: Timestamp) -> String {
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    let (local, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone).date());
    let days = local.date().duration_since(today).as_hours() / 24;
    let day = if days > WEEK_DAYS { "%a %Y-%m-%d" } else { "%a" };
    format!("{} ({}, {timezone})", local.strftime("%-H:%M"), local.strftime(day))
}
