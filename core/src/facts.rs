//! What policy needs to know of the outside, each with the time at which it was observed.

use crate::workflow::Bypass;
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
    /// The ways around the gate, at most [`Facts::BYPASSES_LIMIT`]; `None` in facts from before they were looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypasses: Option<Observed<Vec<Bypass>>>,
    /// What the registry's scan of the image says; `None` where it may not be asked, or there is no image to ask about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Observed<ScanFact>>,
}

/// What the registry's scan of an image says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ScanFact {
    /// It was scanned.
    Done {
        /// Findings by severity.
        findings: ScanCounts,
    },
    /// It is being scanned, or will be.
    Running,
    /// It was not, and nothing says that it will be.
    NotScanned,
    /// The scan did not work, by the registry's own word for it.
    Failed {
        /// `FAILED`, `UNSUPPORTED_IMAGE`, …
        status: String,
    },
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCounts {
    /// `CRITICAL`.
    pub critical: u32,
    /// `HIGH`.
    pub high: u32,
    /// `MEDIUM`.
    pub medium: u32,
    /// Everything below, and what has no severity.
    pub low: u32,
}

impl ScanFact {
    /// The findings of a scan that is done.
    #[must_use]
    pub fn findings(&self) -> Option<ScanCounts> {
        match self {
            Self::Done { findings } => Some(*findings),
            Self::Running | Self::NotScanned | Self::Failed { .. } => None,
        }
    }
}

/// How far ahead of the clock something may have been observed or seen, in seconds: clocks are set a little now and then.
pub(crate) const SKEW_LIMIT_S: i64 = 5;

impl Facts {
    /// How many ways around the gate are kept.
    pub const BYPASSES_LIMIT: usize = 50;

    /// The facts without which nothing is decided.
    #[must_use]
    pub fn of_ci(ci: Observed<CiFact>) -> Self {
        Self { ci, bypasses: None, scan: None }
    }

    /// The ways around the gate.
    #[must_use]
    pub fn bypasses(&self) -> &[Bypass] {
        self.bypasses.as_ref().map_or(&[], |seen| &seen.value)
    }

    /// The age in whole seconds of the oldest fact. What was observed by a clock that was far ahead is as old as can be:
    /// nobody knows when that was.
    #[must_use]
    pub fn age_s(&self, now: Timestamp) -> i64 {
        let Self { ci, bypasses, scan } = self;
        let moments = [Some(ci.at), bypasses.as_ref().map(|seen| seen.at), scan.as_ref().map(|seen| seen.at)];
        let ages = moments.into_iter().flatten().map(|at| {
            let age_s = now.as_second() - at.as_second();
            if age_s < -SKEW_LIMIT_S { i64::MAX } else { age_s }
        });
        ages.max().unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_observed_later_than_now_is_as_old_as_can_be() {
        let at = |seconds: i64| Timestamp::from_second(1_767_600_000 + seconds).unwrap();
        let ci = CiFact { state: CiState::Green, total: 1, passed: 1, failing: vec![], missing: vec![] };
        let facts = Facts::of_ci(Observed { value: ci, at: at(100) });
        let ages = [160, 100, 97, 0].map(|now| facts.age_s(at(now)));
        assert_eq!(ages, [60, 0, -3, i64::MAX]);
        let older = Facts { scan: Some(Observed { value: ScanFact::Running, at: at(90) }), ..facts };
        assert_eq!(older.age_s(at(160)), 70, "the oldest counts");
    }

    #[test]
    fn facts_of_an_older_store_are_read() {
        let json =
            r#"{"ci":{"value":{"state":"green","total":1,"passed":1,"failing":[]},"at":"2026-01-05T08:00:00Z"}}"#;
        let facts: Facts = serde_json::from_str(json).unwrap();
        assert_eq!((facts.bypasses(), &facts.scan), (&[][..], &None));
        assert_eq!(serde_json::to_string(&facts).unwrap(), json, "and hashed as they were");
    }
}
