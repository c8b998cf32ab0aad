//! What a plan that is not there yet waits for, told while it is tried again: a database that is locked or silent would else
//! look like a plan that takes long.

use super::Executor;
use crate::engine::Incoming;
use crate::store::EffectRow;
use slipway_core::release::{Effect, Event, Phase, PlanningStage};

impl Executor {
    /// News for the card of a release without a plan, unless it says just that already. A courtesy: what cannot be looked up
    /// is not told.
    pub(super) async fn held_up(&self, row: &EffectRow, what: &str) -> Option<Incoming> {
        if row.effect != Effect::Gather {
            return None;
        }
        let release = self.store.release(&row.release).await.ok().flatten()?.release;
        let waits = release.phase == (Phase::Planning { stage: PlanningStage::Gathering });
        let why = format!("{}.", what.trim_end().trim_end_matches('.'));
        let is_news = waits && release.gather_held.as_ref() != Some(&why);
        is_news.then(|| Incoming::Happened { release: row.release.clone(), event: Event::GatherHeld { why } })
    }
}
