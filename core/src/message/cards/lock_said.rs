//! What a channel reads of a lock: one message, from the moment on from which it holds until it is over.

use super::super::{Block, Line, Mark, Message};
use super::first;
use super::words::{self, DOT};
use crate::environment::Lock;
use crate::ids::{EnvironmentKey, PersonId};

/// `goals → staging · locked by bob until 15:40: "load test"`. Everybody whose release waits for it learns why.
#[must_use]
pub fn lock_said(key: &EnvironmentKey, lock: &Lock) -> Message {
    let lead = Line::plain(format!("{key}{DOT}locked by ")).person(&lock.owner);
    // A moment, and not for how long: the message stands until the lock is over.
    let until = || lock.until.map_or(Line::plain(" until unlocked"), |at| Line::plain(" until ").time(at));
    let whole = until().text(": \"").untrusted(lock.reason.as_str()).text("\"");
    let (headline, rest) = first::or_short(&lead, whole, until());
    let why = rest.is_some().then(|| Line::plain("reason: ").untrusted(lock.reason.as_str()));
    let passes =
        Line::plain("Only releases of ").person(&lock.owner).text(" pass. To end it: ").code(words::unlock(key));
    let body = why.into_iter().chain([passes]).map(Block::Line).collect();
    Message { mark: Mark::Waiting, headline, progress: None, body, actions: vec![] }
}

/// The same message afterwards. With `next`: another lock has taken its place, and has a message of its own. `by`: who did
/// it; `None` where its time was over.
#[must_use]
pub fn lock_is_over(key: &EnvironmentKey, before: &Lock, next: Option<&Lock>, by: Option<&PersonId>) -> Message {
    let lead = Line::plain(format!("{key}{DOT}"));
    let (owner, by) = (&before.owner, by.filter(|by| **by != before.owner));
    let whole = match (next, by) {
        (None, None) => Line::plain("open again: the lock of ").person(owner).text(" is over"),
        (None, Some(by)) => Line::plain("open again: ").person(by).text(" ended the lock of ").person(owner),
        (Some(next), _) if next.owner == *owner => Line::default().person(owner).text(" has locked it anew"),
        (Some(next), None) => Line::plain("the lock of ").person(owner).text(" is now ").person(&next.owner).text("'s"),
        (Some(next), Some(by)) if *by == next.owner => {
            Line::default().person(by).text(" took over the lock of ").person(owner)
        }
        (Some(next), Some(by)) => {
            Line::default().person(by).text(" gave the lock of ").person(owner).text(" to ").person(&next.owner)
        }
    };
    let short = match next {
        None => Line::plain("open again"),
        Some(next) => Line::plain("locked by ").person(&next.owner).text(" now"),
    };
    let (headline, rest) = first::or_short(&lead, whole, short);
    let why = Line::plain("It was for: ").untrusted(before.reason.as_str());
    let body = rest.into_iter().chain([why]).map(Block::Line).collect();
    Message { mark: Mark::Ended, headline, progress: None, body, actions: vec![] }
}
