//! The first two steps of a run look once more at what the plan was made from.

use super::{Done, Job, Trouble};
use slipway_core::facts::{CiFact, CiState};
use slipway_core::plan::PlanKind;
use slipway_core::release::{Failure, Step};
use slipway_deploy::github::Required;

pub(super) async fn ci(job: &Job<'_>) -> Result<Done, Trouble> {
    let commit = job.commit()?;
    let checks = job.checks().await?;
    if checks.state == CiState::Green {
        return Ok(job.succeeded(Step::Ci, format!("{} of {}", checks.passed, checks.total)));
    }
    // Policy had decided with an older fact; what it said of it then need not hold now.
    let planned = job.release.facts.as_ref().map(|facts| facts.ci.value.state);
    if planned == Some(checks.state) {
        return Ok(job.succeeded(Step::Ci, format!("{}, as approved", state_words(checks.state))));
    }
    let what = format!("CI of {} is {} now.", commit.short(), state_words(checks.state));
    let failing = (!checks.failing.is_empty()).then(|| checks.failing.join(", "));
    let details = failing.into_iter().chain(checks.not_run());
    let failure = details.fold(Failure::new(what), Failure::detail).next("/release retry when it is green");
    Ok(job.failed(Step::Ci, failure))
}

impl Job<'_> {
    /// How the checks stand that the environment requires of the commit.
    pub(super) async fn checks(&self) -> Result<CiFact, Trouble> {
        let (service, environment) = (self.service()?, self.environment()?);
        let github = &self.executor.outside.github;
        // What was brought once is judged by the checks that it had: one that is required since would never run on it.
        let required = match self.release.request.kind.plan_kind() {
            PlanKind::Rollback | PlanKind::Config => &Required::All,
            PlanKind::Deploy | PlanKind::MigrateUp | PlanKind::MigrateDown => &environment.checks,
        };
        Ok(github.required_checks(&service.repository, self.commit()?, required).await?)
    }
}

fn state_words(state: CiState) -> &'static str {
    match state {
        CiState::Green => "green",
        CiState::Pending => "still running",
        CiState::Red => "red",
        CiState::Missing => "missing",
    }
}

pub(super) async fn image(job: &Job<'_>) -> Result<Done, Trouble> {
    let plan = job.plan()?;
    let found = job.executor.outside.ecr.image_by_tag(&plan.image.repository, &plan.image.tag).await?;
    let failure = match found {
        Some(found) if found.digest == plan.image.digest => {
            // Before the database is changed for a version that is not to come.
            for planned in &plan.targets {
                let seen = job.executor.outside.target(&planned.kind)?.observe(&planned.id).await?;
                if let Some(failure) = super::by_hand::in_the_middle(job, planned, &seen).await? {
                    return Ok(job.failed(Step::Image, failure));
                }
            }
            return Ok(job.succeeded(Step::Image, format!("found {}", plan.image.digest.short())));
        }
        Some(found) => Failure::new(format!(
            "The tag {} was pushed again: it is {} now, approved was {}.",
            plan.image.tag,
            found.digest.short(),
            plan.image.digest.short()
        )),
        None => Failure::new(format!("{} has no image tagged {} any more.", plan.image.repository, plan.image.tag)),
    };
    Ok(job.failed(Step::Image, failure.detail("Nothing was changed.").next("/release retry makes a new plan")))
}
