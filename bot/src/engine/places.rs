//! The places of releases in the queues of their environments. Those of a group are taken in one transaction: between two
//! groups the order is the same in every environment, so that neither ever waits for the other.

use super::EngineError;
use super::apply::Work;
use slipway_core::environment::{self, Waiting};
use slipway_core::ids::EnvironmentKey;
use slipway_core::release::{Phase, Release};
use std::collections::BTreeSet;

/// An environment takes no more.
pub(super) struct NoPlace {
    /// Which.
    pub(super) key: EnvironmentKey,
    /// Why.
    pub(super) why: environment::Illegal,
}

impl Work<'_> {
    /// A release has a plan, and takes its place or keeps it. Of a group all take theirs once the lead, which is planned
    /// last, has its plan; where one cannot, none does.
    pub(super) async fn places_follow(&mut self, planned: &Release) -> Result<Result<(), NoPlace>, EngineError> {
        let mut who = vec![planned.clone()];
        if let Some(together) = &planned.request.together {
            let mut others = self.members(together).await?;
            others.retain(|other| other.id != planned.id);
            match planned.follows() {
                None => who.extend(others.into_iter().filter(Release::is_waiting)),
                Some(lead) if others.iter().any(|other| other.id == *lead && other.plan.is_none()) => {
                    return Ok(Ok(()));
                }
                Some(_) => {}
            }
        }
        let mut steps = Vec::new();
        for release in &who {
            let Some(waiting) = waiting(release) else { continue };
            let (key, event) = (release.request.key.clone(), environment::Event::Enqueued(waiting));
            let now = self.engine.store.environment_get(self.tx, &key).await?;
            if let Err(why) = environment::step(&now, &event) {
                return Ok(Err(NoPlace { key, why }));
            }
            steps.push((key, event));
        }
        for (key, event) in steps {
            if let Err(why) = self.environment_step(&key, event).await? {
                return Ok(Err(NoPlace { key, why }));
            }
        }
        // What is before them is known only now.
        for other in who.iter().filter(|other| other.id != planned.id) {
            self.judge_later(&other.id);
        }
        Ok(Ok(()))
    }

    /// The first of a group starts: the others come to their turn, whatever is asked for meanwhile.
    pub(super) async fn places_are_reserved(&mut self, before: &Release, after: &Release) -> Result<(), EngineError> {
        let runs = |release: &Release| matches!(release.phase, Phase::Running { .. });
        let Some(together) = after.request.together.clone().filter(|_| runs(after) && !runs(before)) else {
            return Ok(());
        };
        for other in
            self.members(&together).await?.into_iter().filter(|other| other.id != after.id && other.is_waiting())
        {
            let reserved = environment::Event::Reserved { release: other.id };
            // It happens to every environment.
            let _ = self.environment_step(&other.request.key, reserved).await?;
        }
        Ok(())
    }
}

fn waiting(release: &Release) -> Option<Waiting> {
    let plan = release.plan.as_ref()?;
    let brings_nothing = plan.stays_untouched();
    // What stays as it is is of the commit that is live, which any other such plan is of too: nothing is covered by that.
    let contains: BTreeSet<_> = match brings_nothing {
        true => BTreeSet::new(),
        false => plan.commits.iter().map(|commit| &commit.sha).chain([&plan.commit]).cloned().collect(),
    };
    Some(Waiting {
        release: release.id.clone(),
        requester: release.request.requester.clone(),
        kind: plan.kind,
        commit: plan.commit.clone(),
        contains,
        asked_at: release.request.at,
        bumped: None,
        passed: 0,
        brings_nothing,
    })
}
