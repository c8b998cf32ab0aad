//! What the rules ask of a release whatever it brings, for an answer before anything is planned.

use super::deadlock::ordinary;
use super::set::PolicySet;
use super::{Case, Past, Reason};
use crate::facts::{CiFact, CiState, Facts, Observed};
use crate::ids::{EnvironmentKey, ReleaseId};
use crate::person::{Directory, Person};
use jiff::Timestamp;

impl PolicySet {
    /// Why an ordinary release (green CI, a known base, one commit of whoever asks, no migrations) would not run now. What a
    /// plan brings may add reasons, and hardly takes one away. `past` is what is known of any image: none has served.
    #[must_use]
    pub fn whatever_ships(
        &self,
        person: &Person,
        key: &EnvironmentKey,
        past: &Past,
        people: &Directory,
        now: Timestamp,
        timezone: &str,
    ) -> Vec<Reason> {
        let Some(plan) = ordinary(&key.service, &key.environment, person) else { return vec![] };
        let ci = CiFact { state: CiState::Green, total: 1, passed: 1, failing: vec![], missing: vec![] };
        let decision = self.may_execute(&Case {
            release: &ReleaseId::new(""),
            requester: Some(person),
            plan: &plan,
            votes: &[],
            waiver: None,
            facts: &Facts::of_ci(Observed { value: ci, at: now }),
            past,
            people,
            now,
            timezone,
        });
        decision.reasons().to_vec()
    }
}
