//! Pull requests that could not be shown: each rests by itself, so that none keeps another from being looked at.

use slipway_core::ids::CommitSha;
use slipway_deploy::github::PullRequest;
use std::collections::HashMap;

/// Those that failed and still have the same head.
#[derive(Default)]
pub(super) struct Failing(HashMap<u64, Failed>);

struct Failed {
    head: CommitSha,
    times: i64,
    /// Before this moment it is not looked at, in milliseconds since 1970.
    rests_until_ms: i64,
    /// What was logged last, so that it is not logged each time.
    said: String,
}

impl Failing {
    /// Forgets what is open no more, and what has another head.
    pub(super) fn keep(&mut self, open: &[PullRequest]) {
        self.0.retain(|number, failed| open.iter().any(|pull| pull.number == *number && pull.head == failed.head));
    }

    /// Whether it is to be left alone.
    pub(super) fn rests(&self, number: u64, now_ms: i64) -> bool {
        self.0.get(&number).is_some_and(|failed| now_ms < failed.rests_until_ms)
    }

    /// It failed once more. Whether that says something new. `rest_ms` tells the rest after so many failures before.
    pub(super) fn failed(
        &mut self,
        pull: &PullRequest,
        said: String,
        now_ms: i64,
        rest_ms: impl FnOnce(i64) -> i64,
    ) -> bool {
        let before = self.0.remove(&pull.number);
        let times = before.as_ref().map_or(0, |before| before.times);
        let is_news = before.is_none_or(|before| before.said != said);
        let rests_until_ms = now_ms + rest_ms(times);
        self.0.insert(pull.number, Failed { head: pull.head.clone(), times: times + 1, rests_until_ms, said });
        is_news
    }

    pub(super) fn succeeded(&mut self, number: u64) {
        self.0.remove(&number);
    }

    /// When the first of them is to be looked at again.
    pub(super) fn first_ms(&self) -> Option<i64> {
        self.0.values().map(|failed| failed.rests_until_ms).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pull(number: u64, head: char) -> PullRequest {
        let head = CommitSha::parse(&head.to_string().repeat(40)).unwrap();
        PullRequest { number, head, base: "main".to_owned() }
    }

    #[test]
    fn each_rests_longer_and_longer_by_itself() {
        let mut failing = Failing::default();
        let rest = |times: i64| 1_000 << times;
        assert!(failing.failed(&pull(7, 'a'), "Not there.".to_owned(), 0, rest));
        assert!(failing.rests(7, 999) && !failing.rests(7, 1_000) && !failing.rests(8, 0));
        assert!(!failing.failed(&pull(7, 'a'), "Not there.".to_owned(), 1_000, rest), "said already");
        assert!(failing.rests(7, 2_999) && !failing.rests(7, 3_000));
        assert!(failing.failed(&pull(7, 'a'), "Too slow.".to_owned(), 3_000, rest));
        assert!(failing.failed(&pull(8, 'b'), "Not there.".to_owned(), 3_000, rest));
        assert_eq!(failing.first_ms(), Some(4_000));
        failing.succeeded(8);
        assert_eq!(failing.first_ms(), Some(7_000));
    }

    #[test]
    fn a_new_head_is_looked_at_at_once() {
        let mut failing = Failing::default();
        for number in [7, 8, 9] {
            failing.failed(&pull(number, 'a'), String::new(), 0, |_| 1_000);
        }
        failing.keep(&[pull(7, 'a'), pull(8, 'b')]);
        assert_eq!([7, 8, 9].map(|number| failing.rests(number, 0)), [true, false, false]);
    }
}
