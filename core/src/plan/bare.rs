//! Plans of which most is empty. A field that comes new is empty here, in one place.

use super::{Between, PastSlipway, Plan, PlanKind, PlannedImage, TakesOut};
use crate::ids::{CommitSha, EnvironmentKey};
use jiff::Timestamp;

impl Plan {
    /// A commit and its image, and nothing beside them: no base, no commits, no migrations, no configuration, no targets.
    #[must_use]
    pub fn bare(key: &EnvironmentKey, kind: PlanKind, commit: CommitSha, image: PlannedImage) -> Self {
        Self {
            service: key.service.clone(),
            environment: key.environment.clone(),
            kind,
            base: None,
            base_since: None,
            commit,
            commits: vec![],
            commits_total: 0,
            image,
            migrations: vec![],
            taken_back: vec![],
            files_from: None,
            goes_on: false,
            half_done: vec![],
            unknown_applied: vec![],
            edited: vec![],
            rehearsal: None,
            config: vec![],
            targets: vec![],
            drift: None,
            between: Between::default(),
            promote: None,
            workflow: vec![],
            past_slipway: PastSlipway::default(),
            with: vec![],
            paths: None,
            takes_out: TakesOut::default(),
        }
    }

    /// The plan of what runs already: its commit with the moment since when it does, and its image. Nothing is brought, and
    /// none of what is not named here is sent anywhere or run.
    #[must_use]
    pub fn of_what_runs(
        key: &EnvironmentKey,
        kind: PlanKind,
        (commit, since): (CommitSha, Timestamp),
        image: PlannedImage,
    ) -> Self {
        Self { base: Some(commit.clone()), base_since: Some(since), ..Self::bare(key, kind, commit, image) }
    }
}
