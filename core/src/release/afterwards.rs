//! What can still be asked of a release that has ended.

use super::{Outcome, Phase, Release};

impl Release {
    /// Whether it ended without bringing what it was to bring, so that one may want it once more.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.phase, Phase::Failed | Phase::RolledBack | Phase::Expired | Phase::Cancelled)
            && !matches!(self.outcome, Some(Outcome::DryRun | Outcome::NothingToDo))
    }

    /// Whether what it brought can be marked as bad: only a commit can be, and only one that was to run.
    #[must_use]
    pub fn can_be_marked(&self) -> bool {
        self.phase.is_end() && self.commit.is_some() && !self.request.kind.plan_kind().only_migrates()
    }
}
