//! A release as if it were asked for now, to ask the gate about one that nobody has asked for yet.

use super::state::Release;
use crate::ids::{PersonId, ReleaseId};

impl Release {
    /// The same plan and facts without anything that people have said of it or that belongs to its own request. It stands
    /// behind all others.
    #[must_use]
    pub fn as_if_asked_now(mut self, requester: PersonId) -> Self {
        self.id = ReleaseId::new("");
        self.request.requester = requester;
        self.request.dry_run = false;
        self.request.together = None;
        self.votes.clear();
        (self.waiver, self.gather_problem) = (None, None);
        if let Some(plan) = &mut self.plan {
            plan.with.clear();
        }
        self
    }
}
