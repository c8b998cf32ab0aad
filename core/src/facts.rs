//! What policy needs to know of the outside, each with the time at which it was observed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A value that somebody looked up, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed<T> {
    /// What was seen.
    pub value: T,
    /// When it was seen.
    pub at: Timestamp,
}

/// How the commit's checks stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiFact {
    /// The verdict over all of them.
    pub state: CiState,
    /// How many checks there are.
    pub total: u32,
    /// How many have succeeded, were neutral or skipped.
    pub passed: u32,
    /// Names of the failing ones, at most [`CiFact::FAILING_LIMIT`].
    pub failing: Vec<String>,
    /// Names of required checks that have not run, at most [`CiFact::FAILING_LIMIT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl CiFact {
    /// How many failing checks, and how many missing ones, are named.
    pub const FAILING_LIMIT: usize = 10;

    /// `required check "test" has not run`, where one has not. Holds names from outside: untrusted.
    #[must_use]
    pub fn not_run(&self) -> Option<String> {
        let quoted = |name: &String| format!("\"{name}\"");
        match &self.missing[..] {
            [] => None,
            [one] => Some(format!("required check {} has not run", quoted(one))),
            more => {
                Some(format!("required checks {} have not run", more.iter().map(quoted).collect::<Vec<_>>().join(", ")))
            }
        }
    }
}

/// The verdict over all checks of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CiState {
    /// Every check has succeeded (there is at least one).
    Green,
    /// Some have not finished; none has failed.
    Pending,
    /// At least one has failed.
    Red,
    /// There are none, or a required one has not run: nothing says that the commit was tested.
    Missing,
}

/// All facts gathered for one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The commit's checks.
    pub ci: Observed<CiFact>,
}

/// How far ahead of the clock something may have been observed or seen, in seconds: clocks are set a little now and then.
pub(crate) const SKEW_LIMIT_S: i64 = 5;

impl Facts {
    /// The age in whole seconds of the oldest fact. What was observed by a clock that was far ahead is as old as can be:
    /// nobody knows when that was.
    #[must_use]
    pub fn age_s(&self, now: Timestamp) -> i64 {
        let Self { ci } = self;
        let age_s = now.as_second() - ci.at.as_second();
        if age_s < -SKEW_LIMIT_S { i64::MAX } else { age_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_observed_later_than_now_is_as_old_as_can_be() {
        let at = |seconds: i64| Timestamp::from_second(1_767_600_000 + seconds).unwrap();
        let ci = CiFact { state: CiState::Green, total: 1, passed: 1, failing: vec![], missing: vec![] };
        let facts = Facts { ci: Observed { value: ci, at: at(100) } };
        let ages = [160, 100, 97, 0].map(|now| facts.age_s(at(now)));
        assert_eq!(ages, [60, 0, -3, i64::MAX]);
    }
}
