//! How much Discord takes, as its answers say, and how much of it is left.
//!
//! Which limits there are is told by the headers of answers alone: each kind of call has a bucket, several kinds may
//! share one, and each channel, server or webhook has buckets of its own.

use super::DiscordError;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Buckets that are remembered.
const BUCKETS_LIMIT: usize = 1_000;
/// Longest name of a bucket that is remembered.
const NAME_LIMIT_BYTES: usize = 100;
/// Calls within a second: Discord takes 50 of all kinds together.
const GLOBAL_LIMIT_PER_S: usize = 45;
/// What the calls within a second are counted over.
const GLOBAL_WINDOW: Duration = Duration::from_secs(1);
/// Refused calls within ten minutes: at 10,000 Discord shuts the whole address out.
const INVALID_LIMIT: usize = 2_000;
/// What refused calls are counted over.
const INVALID_WINDOW: Duration = Duration::from_secs(600);
/// The wait after a 429 that tells none.
const UNTOLD_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that is believed.
const WAIT_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// Discord's code of a message that is too old to be changed often: it comes with 429.
const OLD_MESSAGE: u64 = 30_046;
/// How far apart the ends of one window may seem: answers take unequal time to come.
const SAME_WINDOW_SLACK: Duration = Duration::from_millis(250);

/// A kind of call whose pace a caller wants to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// Posting to a channel.
    Post(&'a str),
    /// Changing messages of a channel.
    Edit(&'a str),
}

/// What has limits of its own: a kind of call and the channel, server or webhook that it concerns.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Method and address, without the ids in it.
    pub(super) call: String,
    /// The channel, server or webhook; empty for what has none.
    pub(super) major: String,
    /// Whether it answers an interaction: the limit of all calls does not concern it.
    pub(super) is_answer: bool,
}

impl Route<'_> {
    pub(super) fn kind(&self) -> Kind {
        let (call, major) = match self {
            Self::Post(channel) => ("POST /channels/{}/messages", channel),
            Self::Edit(channel) => ("PATCH /channels/{}/messages/{}", channel),
        };
        Kind { call: call.to_owned(), major: (*major).to_owned(), is_answer: false }
    }
}

/// What an answer says of limits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    bucket: Option<String>,
    remaining: Option<u64>,
    reset_after: Option<Duration>,
    /// Of a 429: how long to wait.
    limited: Option<Duration>,
    is_global: bool,
    /// Whether Discord counts the call among those after which it shuts an address out.
    is_invalid: bool,
}

/// The body of a 429.
#[derive(Deserialize)]
struct Limited {
    #[serde(default)]
    retry_after: Option<f64>,
    #[serde(default)]
    global: bool,
    #[serde(default)]
    code: u64,
}

impl Told {
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let bucket = text("x-ratelimit-bucket").filter(|name| (1..=NAME_LIMIT_BYTES).contains(&name.len()));
        let reset_after = text("x-ratelimit-reset-after").and_then(seconds);
        let mut told = Self {
            bucket: bucket.map(str::to_owned),
            remaining: text("x-ratelimit-remaining").and_then(|value| value.parse().ok()),
            reset_after,
            is_invalid: matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
            ..Self::default()
        };
        if status == StatusCode::TOO_MANY_REQUESTS {
            let limited = serde_json::from_slice::<Limited>(body).ok();
            let scope = text("x-ratelimit-scope");
            let header = text(RETRY_AFTER.as_str()).and_then(seconds);
            let in_body = limited.as_ref().and_then(|limited| limited.retry_after).and_then(duration);
            // The header is in whole seconds, rounded up; the body is exact.
            let wait = in_body.or(header).or(reset_after).unwrap_or(UNTOLD_WAIT);
            // It is one old message that takes no changes, and no wait makes it take them.
            let is_old_message = limited.as_ref().is_some_and(|limited| limited.code == OLD_MESSAGE);
            told.limited = Some(wait).filter(|_| !is_old_message);
            // What is not in Discord's form comes from what stands before it, and concerns the whole address.
            told.is_global = scope == Some("global")
                || text("x-ratelimit-global") == Some("true")
                || limited.as_ref().map_or(scope.is_none(), |limited| limited.global);
            told.is_invalid = scope != Some("shared");
        }
        told
    }

    /// The error of a 429.
    pub(super) fn error(&self) -> Option<DiscordError> {
        let is_global = self.is_global;
        self.limited.map(|retry_after| DiscordError::RateLimited { retry_after, is_global })
    }
}

/// What is left of one bucket.
struct Bucket {
    remaining: u64,
    reset_at: Instant,
}

/// What is known of Discord's limits.
#[derive(Default)]
pub(super) struct Buckets {
    /// The bucket of each kind of call. There are as many as kinds.
    names: HashMap<String, String>,
    /// By the bucket's name, or the kind of call where none was told, and by what it concerns.
    buckets: HashMap<(String, String), Bucket>,
    global_until: Option<Instant>,
    /// When the last calls were made, oldest first.
    calls: VecDeque<Instant>,
    /// When the last calls that Discord refused were answered, oldest first.
    invalid: VecDeque<Instant>,
}

/// Why a call has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) length: Duration,
    pub(super) is_global: bool,
}

impl Buckets {
    /// How long such a call has to wait; none at all when it may be made.
    pub(super) fn wait(&self, kind: &Kind, now: Instant) -> Option<Wait> {
        let until = |end: Instant| end.checked_duration_since(now).filter(|left| !left.is_zero());
        let shut_out = full(&self.invalid, INVALID_LIMIT).and_then(|oldest| until(oldest + INVALID_WINDOW));
        let global = self.global_until.and_then(until).filter(|_| !kind.is_answer);
        let crowd = full(&self.calls, GLOBAL_LIMIT_PER_S).filter(|_| !kind.is_answer);
        let crowded = crowd.and_then(|oldest| until(oldest + GLOBAL_WINDOW));
        let for_all = shut_out.max(global).max(crowded);
        let bucket = self.buckets.get(&self.key(kind)).filter(|bucket| bucket.remaining == 0);
        let own = bucket.and_then(|bucket| until(bucket.reset_at));
        let length = for_all.max(own)?;
        Some(Wait { length, is_global: for_all >= own })
    }

    /// Counts a call that is about to be made, or tells how long it has to wait.
    pub(super) fn begin(&mut self, kind: &Kind, now: Instant) -> Result<(), Wait> {
        if let Some(wait) = self.wait(kind, now) {
            return Err(wait);
        }
        let key = self.key(kind);
        if let Some(bucket) = self.buckets.get_mut(&key).filter(|bucket| bucket.reset_at > now) {
            bucket.remaining = bucket.remaining.saturating_sub(1);
        }
        if !kind.is_answer {
            count(&mut self.calls, GLOBAL_LIMIT_PER_S, now);
        }
        Ok(())
    }

    /// Takes in what an answer says.
    pub(super) fn learn(&mut self, kind: &Kind, told: &Told, now: Instant) {
        if told.is_invalid {
            count(&mut self.invalid, INVALID_LIMIT, now);
        }
        if let Some(name) = &told.bucket
            && self.names.get(&kind.call) != Some(name)
        {
            self.names.insert(kind.call.clone(), name.clone());
        }
        if let Some(wait) = told.limited {
            let until = now + wait;
            if told.is_global {
                self.global_until = self.global_until.max(Some(until));
            }
            // Answers wait for no limit of all calls, but one that was refused itself has to.
            if !told.is_global || kind.is_answer {
                self.set(kind, Bucket { remaining: 0, reset_at: until }, now);
            }
        } else if let (Some(remaining), Some(reset_after)) = (told.remaining, told.reset_after) {
            self.set(kind, Bucket { remaining, reset_at: now + reset_after }, now);
        }
    }

    fn key(&self, kind: &Kind) -> (String, String) {
        (self.names.get(&kind.call).unwrap_or(&kind.call).clone(), kind.major.clone())
    }

    fn set(&mut self, kind: &Kind, new: Bucket, now: Instant) {
        let key = self.key(kind);
        if let Some(old) = self.buckets.get_mut(&key) {
            // Answers come in any order: within a window the smallest number is the newest.
            let is_same_window = old.reset_at > now && new.reset_at <= old.reset_at + SAME_WINDOW_SLACK;
            let remaining = if is_same_window { old.remaining.min(new.remaining) } else { new.remaining };
            *old = Bucket { remaining, reset_at: old.reset_at.max(new.reset_at) };
            return;
        }
        if self.buckets.len() >= BUCKETS_LIMIT {
            self.buckets.retain(|_, bucket| bucket.reset_at > now);
        }
        // More than a thousand that are under way at once: one of them is forgotten, at the worst for a 429.
        if self.buckets.len() >= BUCKETS_LIMIT
            && let Some(first) =
                self.buckets.iter().min_by_key(|(_, bucket)| bucket.reset_at).map(|(key, _)| key.clone())
        {
            self.buckets.remove(&first);
        }
        self.buckets.insert(key, new);
    }
}

/// The oldest of the last `limit` moments, if there were so many.
fn full(moments: &VecDeque<Instant>, limit: usize) -> Option<Instant> {
    moments.front().copied().filter(|_| moments.len() >= limit)
}

fn count(moments: &mut VecDeque<Instant>, limit: usize, now: Instant) {
    while moments.len() >= limit {
        moments.pop_front();
    }
    moments.push_back(now);
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().and_then(duration)
}

fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(WAIT_LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Told {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Told::read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    fn left(bucket: &str, remaining: &str, reset_after_s: &str) -> Told {
        let headers = [
            ("x-ratelimit-bucket", bucket),
            ("x-ratelimit-remaining", remaining),
            ("x-ratelimit-reset-after", reset_after_s),
        ];
        answer(200, &headers, "")
    }

    fn answer_kind(token: &str) -> Kind {
        Kind { call: "POST /webhooks/{}/{}".into(), major: token.into(), is_answer: true }
    }

    impl Buckets {
        fn wait_ms(&self, kind: &Kind, now: Instant) -> Option<u128> {
            self.wait(kind, now).map(|wait| wait.length.as_millis())
        }
    }

    #[test]
    fn what_answers_say_is_read() {
        let told = left("abcd1234", "4", "1.25");
        assert_eq!((told.bucket.as_deref(), told.remaining), (Some("abcd1234"), Some(4)));
        assert_eq!((told.reset_after, told.error()), (Some(Duration::from_millis(1_250)), None));
        let limited = answer(429, &[("retry-after", "65")], r#"{"message":"x","retry_after":64.57,"global":false}"#);
        assert_eq!((limited.limited, limited.is_global), (Some(Duration::from_millis(64_570)), false));
        let broken_off = answer(429, &[("retry-after", "65"), ("x-ratelimit-scope", "user")], "");
        assert_eq!((broken_off.limited, broken_off.is_global), (Some(65_000 * MS), false));
        let global = [
            answer(429, &[("retry-after", "65"), ("x-ratelimit-global", "true")], r#"{"retry_after":1}"#),
            answer(429, &[("x-ratelimit-scope", "global")], r#"{"retry_after":1}"#),
            answer(429, &[], r#"{"retry_after":1,"global":true}"#),
            answer(429, &[("retry-after", "1")], "<html>"),
        ];
        for told in global {
            assert_eq!((told.limited, told.is_global, told.is_invalid), (Some(1_000 * MS), true, true));
        }
    }

    #[test]
    fn waits_that_are_none_are_not_believed() {
        for text in ["", "x", "-1", "NaN", "inf", "1e400"] {
            assert_eq!(left("b", text, text), Told { bucket: Some("b".into()), ..Told::default() }, "{text}");
            let told = answer(429, &[("retry-after", text)], "{}");
            assert_eq!(told.limited, Some(UNTOLD_WAIT), "{text}");
        }
        assert_eq!(answer(429, &[("retry-after", "1e300")], "{}").limited, Some(UNTOLD_WAIT));
        assert_eq!(answer(429, &[("retry-after", "99999999")], "{}").limited, Some(WAIT_LIMIT));
        assert_eq!(answer(429, &[], r#"{"retry_after":1e9}"#).limited, Some(WAIT_LIMIT));
        assert_eq!(left(&"b".repeat(NAME_LIMIT_BYTES + 1), "1", "1").bucket, None);
    }

    #[test]
    fn an_empty_bucket_is_waited_for_and_no_other() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let (post, other) = (Route::Post("41").kind(), Route::Post("42").kind());
        assert_eq!(buckets.wait(&post, now), None);
        buckets.learn(&post, &left("b", "1", "2"), now);
        assert_eq!(buckets.wait(&post, now), None);
        assert!(buckets.begin(&post, now).is_ok(), "the last one");
        assert_eq!(buckets.wait_ms(&post, now + 500 * MS), Some(1_500));
        assert_eq!(buckets.begin(&post, now), Err(Wait { length: 2_000 * MS, is_global: false }));
        assert_eq!(buckets.wait(&other, now), None, "another channel");
        assert_eq!(buckets.wait(&Route::Edit("41").kind(), now), None, "another kind");
        assert_eq!(buckets.wait(&post, now + 2_000 * MS), None, "full again");
    }

    #[test]
    fn kinds_of_calls_may_share_a_bucket() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let (post, edit) = (Route::Post("41").kind(), Route::Edit("41").kind());
        buckets.learn(&edit, &left("b", "3", "5"), now);
        buckets.learn(&post, &left("b", "0", "5"), now);
        assert_eq!(buckets.wait_ms(&edit, now), Some(5_000));
        assert_eq!(buckets.wait(&Route::Edit("42").kind(), now), None);
    }

    #[test]
    fn within_a_window_the_smallest_number_is_the_newest() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let post = Route::Post("41").kind();
        buckets.learn(&post, &left("b", "0", "2"), now);
        buckets.learn(&post, &left("b", "1", "1.9"), now + 150 * MS);
        assert_eq!(buckets.wait_ms(&post, now + 150 * MS), Some(1_900), "an answer that was late");
        buckets.learn(&post, &left("b", "4", "2"), now + 2_100 * MS);
        assert_eq!(buckets.wait(&post, now + 2_100 * MS), None, "the next window");
        buckets.learn(&post, &left("b", "0", "2"), now + 2_200 * MS);
        buckets.learn(&post, &left("b", "1", "3"), now + 2_300 * MS);
        assert_eq!(buckets.wait(&post, now + 2_300 * MS), None, "a window that goes on");
    }

    #[test]
    fn a_refused_kind_waits_and_the_global_limit_concerns_all_but_answers() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let (post, edit) = (Route::Post("41").kind(), Route::Edit("41").kind());
        let refused = answer(429, &[("x-ratelimit-scope", "shared")], r#"{"retry_after":3,"global":false}"#);
        buckets.learn(&post, &refused, now);
        assert_eq!((buckets.wait_ms(&post, now), buckets.wait(&edit, now)), (Some(3_000), None));
        let global = answer(429, &[("x-ratelimit-global", "true")], r#"{"retry_after":7,"global":true}"#);
        buckets.learn(&edit, &global, now);
        assert_eq!(buckets.wait(&post, now), Some(Wait { length: 7_000 * MS, is_global: true }));
        assert_eq!(buckets.wait(&answer_kind("a"), now), None);
        buckets.learn(&answer_kind("b"), &global, now);
        assert_eq!(buckets.wait_ms(&answer_kind("b"), now), Some(7_000), "it was refused itself");
        assert_eq!(buckets.wait(&answer_kind("a"), now), None);
        assert_eq!(buckets.wait(&post, now + 7_000 * MS), None);
    }

    #[test]
    fn no_more_calls_are_made_in_a_second_than_discord_takes() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        for call in 0..GLOBAL_LIMIT_PER_S {
            let kind = Route::Post(&call.to_string()).kind();
            assert!(buckets.begin(&kind, now + 10 * MS * u32::try_from(call).unwrap()).is_ok(), "{call}");
        }
        let (post, now) = (Route::Post("41").kind(), now + 600 * MS);
        assert_eq!(buckets.begin(&post, now), Err(Wait { length: 400 * MS, is_global: true }));
        assert!(buckets.begin(&answer_kind("a"), now).is_ok());
        assert!(buckets.begin(&post, now + 400 * MS).is_ok(), "the first is a second ago");
        assert_eq!(buckets.wait_ms(&post, now + 400 * MS), Some(10));
    }

    #[test]
    fn calls_stop_long_before_discord_shuts_the_address_out() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        let post = Route::Post("41").kind();
        let shared = answer(429, &[("x-ratelimit-scope", "shared")], r#"{"retry_after":0}"#);
        for told in [shared, answer(404, &[], ""), answer(400, &[], ""), answer(500, &[], ""), left("b", "5", "1")] {
            assert!(!told.is_invalid);
        }
        let refused = [answer(401, &[], ""), answer(403, &[], ""), answer(429, &[], r#"{"retry_after":0}"#)];
        for told in refused.iter().cycle().take(INVALID_LIMIT - 1) {
            buckets.learn(&post, told, now);
        }
        assert_eq!(buckets.wait(&post, now), None);
        buckets.learn(&post, &refused[0], now + 1_000 * MS);
        let later = now + 5_000 * MS;
        assert_eq!(buckets.wait(&post, later), Some(Wait { length: Duration::from_secs(595), is_global: true }));
        assert_eq!(buckets.wait_ms(&answer_kind("a"), later), Some(595_000));
        assert_eq!(buckets.wait(&post, now + INVALID_WINDOW), None);
        assert_eq!(buckets.invalid.len(), INVALID_LIMIT);
    }

    #[test]
    fn memory_has_a_bound() {
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        for channel in 0..BUCKETS_LIMIT * 2 {
            let reset_after = (channel + 1).to_string();
            buckets.learn(&Route::Post(&channel.to_string()).kind(), &left("b", "0", &reset_after), now);
        }
        assert_eq!(buckets.buckets.len(), BUCKETS_LIMIT);
        assert_eq!(buckets.wait(&Route::Post("0").kind(), now), None, "the one that is over first is forgotten");
        let last = (BUCKETS_LIMIT * 2 - 1).to_string();
        assert!(buckets.wait(&Route::Post(&last).kind(), now).is_some());
        let later = now + Duration::from_secs(10_000);
        buckets.learn(&Route::Post("x").kind(), &left("b", "0", "1"), later);
        assert_eq!(buckets.buckets.len(), 1, "what is over is forgotten");
        for call in 0..GLOBAL_LIMIT_PER_S * 2 {
            let at = later + Duration::from_secs(u64::try_from(call).unwrap());
            assert!(buckets.begin(&Route::Post("y").kind(), at).is_ok());
        }
        assert_eq!(buckets.calls.len(), GLOBAL_LIMIT_PER_S);
    }
}
