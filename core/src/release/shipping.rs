//! A pull request on its way to be merged, before there is a commit to plan with. The merge is the point of no return of
//! this part: before it a cancel or an expiry leaves GitHub as it was, after it the release goes on with the merge commit.

use super::state::{Outcome, Phase, PlanningStage, Release, RequestKind};
use super::step::{Illegal, Next, end, illegal, planning_failed};
use super::{Effect, Event};
use crate::pull::{Merge, Shipped, expires_after_merge};
use jiff::Timestamp;

pub(super) fn step(mut next: Release, stage: PlanningStage, event: &Event) -> Result<Next, Illegal> {
    match (stage, event) {
        (PlanningStage::Shipping, Event::Requested) => {
            let expire = Effect::ExpireAt { at: next.request.expires_at };
            Ok((next, vec![Effect::AwaitPull, expire]))
        }
        (PlanningStage::Shipping, Event::PullSeen { pull }) => {
            next.ships = Some((**pull).clone());
            Ok((next, vec![]))
        }
        // Only planned, so what was seen is all that there is to say.
        (PlanningStage::Shipping, Event::PullReady { pull, at } | Event::PullWaits { pull, at })
            if next.request.dry_run =>
        {
            next.ships = Some((**pull).clone());
            Ok(end(next, Phase::Cancelled, Outcome::DryRun, *at))
        }
        (PlanningStage::Shipping, Event::PullReady { pull, .. }) => {
            next.ships = Some((**pull).clone());
            next.phase = Phase::Planning { stage: PlanningStage::Merging };
            Ok((next, vec![Effect::MergePull]))
        }
        (PlanningStage::Shipping | PlanningStage::Merging, Event::PullWaits { pull, .. }) => {
            next.ships = Some((**pull).clone());
            next.phase = Phase::Planning { stage: PlanningStage::Shipping };
            // What came while it was being merged was not taken.
            let expire = Effect::ExpireAt { at: next.request.expires_at };
            Ok((next, vec![Effect::AwaitPull, expire]))
        }
        (PlanningStage::Shipping | PlanningStage::Merging, Event::PullMerged { pull, at }) => {
            let Some(merge) = &pull.merge else { return Err(illegal(&next, event)) };
            next.commit = Some(merge.commit.clone());
            next.branch = Some(pull.base.clone());
            next.ships = Some((**pull).clone());
            let request = &mut next.request;
            request.expires_at = expires_after_merge(request.at, request.expires_at, *at);
            let expire = Effect::ExpireAt { at: request.expires_at };
            next.phase = Phase::Planning { stage: PlanningStage::Building };
            Ok((next, vec![Effect::AwaitBuild, expire]))
        }
        (_, Event::PlanningFailed { step, failure, at }) => Ok(planning_failed(next, *step, failure, *at)),
        (_, event) => Err(illegal(&next, event)),
    }
}

/// Whether its time is not over: it is not known yet whether the merge happened, or the merge gave it more.
pub(super) fn goes_on_beyond(release: &Release, at: Timestamp) -> bool {
    let ships = matches!(release.request.kind, RequestKind::Ship { .. });
    let merging = release.phase == Phase::Planning { stage: PlanningStage::Merging };
    ships && (merging || at < release.request.expires_at)
}

impl Release {
    /// The merge of the pull request that it ships, once that has happened.
    #[must_use]
    pub fn merge(&self) -> Option<(&Shipped, &Merge)> {
        let shipped = self.ships.as_ref()?;
        Some((shipped, shipped.merge.as_ref()?))
    }

    /// Asked for again, it ships the same pull request, if that is not merged yet.
    #[must_use]
    pub fn ships_again(&self) -> Option<RequestKind> {
        match (&self.request.kind, &self.commit) {
            (RequestKind::Ship { pull, .. }, None) => {
                Some(RequestKind::Ship { pull: *pull, again: Some(self.id.clone()) })
            }
            _ => None,
        }
    }
}
