//! What is said of a lock to one person alone: to its owner before it ends, and to whoever waits when it has.

use super::super::{Block, Line, Message};
use super::first;
use super::status::{held, locked};
use super::words::{self, DOT};
use crate::environment::{Environment, Lock, LockEnd, LockNews, Waiting};
use crate::ids::{EnvironmentKey, PersonId};
use jiff::Timestamp;

/// How many of those who wait behind a lock its owner reads of.
const WAITING_SHOWN_LIMIT: usize = 5;

/// What somebody reads when the lock that they waited behind has ended, or when one becomes theirs.
#[must_use]
pub fn lock_news(key: &EnvironmentKey, news: &LockNews, now: Timestamp) -> Message {
    let LockNews { person, before, end, places, waiting } = news;
    let open = |how: &'static str| {
        let lead = Line::plain(format!("{key} is open: ")).person(&before.owner).text("'s lock");
        with_reason(&lead, before, how)
    };
    let (headline, rest) = match end {
        LockEnd::Unlocked => open(" was ended."),
        LockEnd::RanOut => open(" has run out."),
        LockEnd::HandedOver { lock, by } if lock.owner == *person => {
            let lead = Line::default().person(by).text(format!(" hands you the lock on {key}"));
            let whole = Line::plain(": ").join(held(lock, now)).text(".");
            let (line, rest) = first::or_short(&lead, whole, Line::plain("."));
            (line, rest.map(|_| held(lock, now)))
        }
        LockEnd::HandedOver { lock, .. } => {
            let short = Line::plain("locked by ").person(&lock.owner).text(".");
            first::or_short(&Line::plain(format!("{key} is now ")), locked(lock, now).text("."), short)
        }
    };
    let mut message = Message::answer(headline, rest);
    let place = |(place, release)| {
        let line = words::release(Line::plain("Your "), release);
        Line::text(line, format!(" is number {place} of {waiting} in the queue."))
    };
    message.body.extend(places.iter().map(|(at, release)| place((at, release))).map(Block::Line));
    if matches!(end, LockEnd::HandedOver { lock, .. } if lock.owner == *person) {
        message.body.push(Block::Line(only_yours(key)));
    }
    message
}

/// Says which lock, by what it is for; where the first line has no room for that, in a second one.
fn with_reason(lead: &Line, lock: &Lock, how: impl Into<String>) -> (Line, Option<Line>) {
    let how = how.into();
    let whole = Line::plain(" \"").untrusted(lock.reason.as_str()).text("\"").text(how.clone());
    let (line, rest) = first::or_short(lead, whole, Line::plain(how));
    (line, rest.map(|_| Line::plain("reason: ").untrusted(lock.reason.as_str())))
}

pub(super) fn only_yours(key: &EnvironmentKey) -> Line {
    Line::plain("Only your own releases pass. To end it: ").code(words::unlock(key))
}

/// What the owner of a lock reads before it ends, or, of one without an end, while others wait.
#[must_use]
pub fn lock_reminder(environment: &Environment, lock: &Lock, now: Timestamp) -> Message {
    let key = &environment.key;
    let (how, longer) = match lock.until {
        Some(until) => {
            (format!(" ends in {}.", words::rough(words::seconds(now, until))), Line::plain("To keep it longer: "))
        }
        None => {
            let held = words::rough(words::seconds(lock.at, now));
            (format!(" has held for {held} and has no end."), Line::plain("To give it an end: "))
        }
    };
    let (headline, reason) = with_reason(&Line::plain(format!("Your lock on {key}")), lock, how);
    let waiting: Vec<_> = environment.behind(&lock.owner).collect();
    let shown = waiting.iter().take(WAITING_SHOWN_LIMIT).map(|waiting| behind(waiting, now)).collect();
    let mut lines = words::with_rest(shown, waiting.len());
    if lines.is_empty() {
        lines.push(Line::plain("Nobody waits behind it."));
    }
    lines.push(longer.code(format!("/release lock {} \"…\" {} --for 1h", key.environment, key.service)));
    lines.push(Line::plain("To end it now: ").code(words::unlock(key)));
    Message::answer(headline, reason.into_iter().chain(lines))
}

/// `ana waits with 4c1f9e2 · for 3 h`.
fn behind(waiting: &Waiting, now: Timestamp) -> Line {
    let line = words::commit(Line::default().person(&waiting.requester).text(" waits with "), &waiting.commit);
    line.text(format!("{DOT}for {}", words::rough(words::seconds(waiting.asked_at, now))))
}

/// What the owner reads when somebody else ended their lock or, with `to`, gave it to another.
#[must_use]
pub fn lock_taken_away(key: &EnvironmentKey, before: &Lock, by: &PersonId, to: Option<&PersonId>) -> Message {
    let line = Line::default().person(by);
    let line = match to {
        None => line.text(" has ended your lock on "),
        Some(to) if to == by => line.text(" has taken over your lock on "),
        Some(to) => line.text(" has given ").person(to).text(" your lock on "),
    };
    let (headline, reason) = with_reason(&line.text(key.to_string()), before, ".");
    Message::answer(headline, reason)
}
