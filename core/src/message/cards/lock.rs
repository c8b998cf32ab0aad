//! What is said of a lock to one person alone: to its owner before it ends, and to whoever waits when it has.

use super::super::{Block, Line, Message};
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
    let whose = |line: Line| line.person(&before.owner).text("'s lock \"").untrusted(before.reason.as_str());
    let open = || whose(Line::plain(format!("{key} is open: ")));
    let headline = match end {
        LockEnd::Unlocked => open().text("\" was ended."),
        LockEnd::RanOut => open().text("\" has run out."),
        LockEnd::HandedOver { lock, by } if lock.owner == *person => {
            let line = Line::default().person(by).text(format!(" hands you the lock on {key}: "));
            line.join(held(lock, now)).text(".")
        }
        LockEnd::HandedOver { lock, .. } => Line::plain(format!("{key} is now ")).join(locked(lock, now)).text("."),
    };
    let mut message = Message::answer(headline, []);
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

pub(super) fn only_yours(key: &EnvironmentKey) -> Line {
    Line::plain("Only your own releases pass. To end it: ").code(words::unlock(key))
}

/// What the owner of a lock reads before it ends, or, of one without an end, while others wait.
#[must_use]
pub fn lock_reminder(environment: &Environment, lock: &Lock, now: Timestamp) -> Message {
    let key = &environment.key;
    let line = Line::plain(format!("Your lock on {key} \"")).untrusted(lock.reason.as_str()).text("\"");
    let (headline, longer) = match lock.until {
        Some(until) => (
            line.text(format!(" ends in {}.", words::rough(words::seconds(now, until)))),
            Line::plain("To keep it longer: "),
        ),
        None => (
            line.text(format!(" has held for {} and has no end.", words::rough(words::seconds(lock.at, now)))),
            Line::plain("To give it an end: "),
        ),
    };
    let waiting: Vec<_> = environment.behind(&lock.owner).collect();
    let shown = waiting.iter().take(WAITING_SHOWN_LIMIT).map(|waiting| behind(waiting, now)).collect();
    let mut lines = words::with_rest(shown, waiting.len());
    if lines.is_empty() {
        lines.push(Line::plain("Nobody waits behind it."));
    }
    lines.push(longer.code(format!("/release lock {} \"…\" {} --for 1h", key.environment, key.service)));
    lines.push(Line::plain("To end it now: ").code(words::unlock(key)));
    Message::answer(headline, lines)
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
    let line = line.text(format!("{key} \"")).untrusted(before.reason.as_str()).text("\".");
    Message::answer(line, [])
}
