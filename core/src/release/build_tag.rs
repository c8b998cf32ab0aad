//! The tag by which a commit is built that is no branch's head: from the dispatch until nobody needs it any more.

use super::Effect;
use super::state::{Phase, PlanningStage, Release};

impl Release {
    /// The name of the tag that its build has, if it needs one: `slipway/RELEASE`.
    #[must_use]
    pub fn build_tag(&self) -> String {
        format!("slipway/{}", self.id)
    }

    /// What takes the tag away, once. Of a dispatch that is under way it is not known whether there is one.
    pub(super) fn leaves_build_tag(&mut self) -> Option<Effect> {
        let dispatching = self.phase == Phase::Planning { stage: PlanningStage::Dispatching };
        let tag = self.temporary_tag.take().or_else(|| dispatching.then(|| self.build_tag()))?;
        Some(Effect::RemoveTag { tag })
    }
}
