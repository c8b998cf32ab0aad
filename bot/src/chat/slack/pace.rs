//! How much Slack takes: about one new message a second in each channel, about 50 changes a minute in a workspace. What
//! waits is drawn when its turn comes, so changes in between become one.

use crate::chat::Outgoing;
use crate::chat::direct::whose_home;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// New messages at once in a channel; after that one a second.
const POSTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(3).unwrap();
/// Changes a minute in a workspace. Slack takes 50 and some.
const CHANGES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(48).unwrap();
/// Changes at once.
const CHANGES_AT_ONCE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Messages to one person a minute in a workspace, and pages as many. Slack takes 100 and some of each.
const WHISPERS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(90).unwrap();
/// How many channels' counts are kept before those where nothing happened are forgotten.
const CHANNELS_COUNTED_LIMIT: usize = 1_000;
/// How long to wait where Slack does not say how long.
const WAIT_UNSAID: Duration = Duration::from_secs(5);
/// The longest wait that is believed.
const WAIT_LIMIT: Duration = Duration::from_secs(120);

/// What a message counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Post,
    Change,
    Whisper,
    Home,
}

/// What was sent lately.
#[derive(Debug)]
pub(super) struct Pace {
    posts: DefaultKeyedRateLimiter<String>,
    changes: DefaultDirectRateLimiter,
    whispers: DefaultDirectRateLimiter,
    homes: DefaultDirectRateLimiter,
    /// Until when Slack said that it takes nothing, by what it was said of; for posts by channel.
    limited: Mutex<BTreeMap<(Sort, String), Instant>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            posts: RateLimiter::keyed(Quota::per_second(NonZeroU32::MIN).allow_burst(POSTS_AT_ONCE)),
            changes: RateLimiter::direct(Quota::per_minute(CHANGES_PER_MINUTE).allow_burst(CHANGES_AT_ONCE)),
            whispers: RateLimiter::direct(Quota::per_minute(WHISPERS_PER_MINUTE)),
            homes: RateLimiter::direct(Quota::per_minute(WHISPERS_PER_MINUTE)),
            limited: Mutex::default(),
        }
    }
}

impl Pace {
    /// Counts a message, or says how long it must wait.
    pub(super) fn admit(&self, what: &Outgoing<'_>) -> Result<(), Duration> {
        let (sort, scope) = counted(what);
        let now = Instant::now();
        {
            let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
            limited.retain(|_, until| *until > now);
            if let Some(until) = limited.get(&(sort, scope.clone())) {
                return Err(*until - now);
            }
        }
        let now = DefaultClock::default().now();
        match sort {
            Sort::Post => {
                if self.posts.len() > CHANNELS_COUNTED_LIMIT {
                    self.posts.retain_recent();
                }
                self.posts.check_key(&scope).map_err(|early| early.wait_time_from(now))
            }
            Sort::Change => self.changes.check().map_err(|early| early.wait_time_from(now)),
            Sort::Whisper => self.whispers.check().map_err(|early| early.wait_time_from(now)),
            Sort::Home => self.homes.check().map_err(|early| early.wait_time_from(now)),
        }
    }

    /// Slack takes no more for now. Gives how long that is.
    pub(super) fn limited(&self, what: &Outgoing<'_>, until: Option<Timestamp>, now: Timestamp) -> Duration {
        let wait = until.and_then(|until| Duration::try_from(until.duration_since(now)).ok());
        let wait = wait.unwrap_or(WAIT_UNSAID).min(WAIT_LIMIT);
        let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
        limited.insert(counted(what), Instant::now() + wait);
        wait
    }
}

fn counted(what: &Outgoing<'_>) -> (Sort, String) {
    if whose_home(&what.message.channel).is_some() {
        return (Sort::Home, String::new());
    }
    if what.external_id.is_some() {
        return (Sort::Change, String::new());
    }
    match what.message.only_for {
        Some(_) => (Sort::Whisper, String::new()),
        None => (Sort::Post, what.message.channel.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewMessage;
    use slipway_core::message::{Line, Message};

    fn message(channel: &str) -> NewMessage {
        NewMessage::said(channel, "k", Message::answer(Line::plain("x"), []))
    }

    fn outgoing<'a>(message: &'a NewMessage, external_id: Option<&'a str>) -> Outgoing<'a> {
        Outgoing {
            message,
            external_id,
            thread: None,
            reply: None,
            unsure_since: None,
            plan: None,
            is_first_try: true,
            posted_again: 0,
            card: None,
        }
    }

    #[test]
    fn one_channel_waits_and_another_does_not() {
        let pace = Pace::default();
        let (one, other) = (message("slack:C1"), message("slack:C2"));
        for _ in 0..POSTS_AT_ONCE.get() {
            pace.admit(&outgoing(&one, None)).unwrap();
        }
        let wait = pace.admit(&outgoing(&one, None)).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        pace.admit(&outgoing(&other, None)).unwrap();
        pace.admit(&outgoing(&one, Some("1.2"))).unwrap();
    }

    #[test]
    fn what_slack_says_is_obeyed_for_as_long_as_it_says() {
        let pace = Pace::default();
        let (one, other) = (message("slack:C1"), message("slack:C2"));
        let now: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        let until = now + jiff::SignedDuration::from_secs(30);
        let wait = pace.limited(&outgoing(&one, None), Some(until), now);
        assert!(wait > Duration::from_secs(28) && wait <= Duration::from_secs(30), "{wait:?}");
        assert!(pace.admit(&outgoing(&one, None)).unwrap_err() > Duration::from_secs(28));
        pace.admit(&outgoing(&other, None)).unwrap();
        // Changes are counted for the whole workspace.
        pace.limited(&outgoing(&one, Some("1.2")), Some(until), now);
        assert!(pace.admit(&outgoing(&other, Some("3.4"))).is_err());
        let for_ever = now + jiff::SignedDuration::from_hours(24);
        assert_eq!(pace.limited(&outgoing(&one, None), Some(for_ever), now), WAIT_LIMIT);
        assert_eq!(pace.limited(&outgoing(&one, None), None, now), WAIT_UNSAID);
    }
}
