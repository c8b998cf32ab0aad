//! Where a release stands, for others who show it: GitHub's deployments and commit statuses.

use super::state::{Outcome, Phase, Release};
use crate::plan::PlanKind;
use serde::{Deserialize, Serialize};

/// Where a release stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// It waits for people.
    Waiting,
    /// It waits for its turn.
    Queued,
    /// It runs.
    Running,
    /// The commit is live.
    Live,
    /// It did not get there.
    Failed,
    /// It will not run any more, without having failed.
    Withdrawn,
}

/// Where a release stands, for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In a word.
    pub state: ReportState,
    /// In a few words, without anything that somebody wrote.
    pub words: String,
}

impl Release {
    /// What others are to be told of it; `None` while there is no plan to deploy something, and of dry runs.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        let deploys = |kind: PlanKind| matches!(kind, PlanKind::Deploy | PlanKind::Rollback);
        if self.request.dry_run || !self.plan.as_ref().is_some_and(|plan| deploys(plan.kind)) {
            return None;
        }
        let (state, words) = match (&self.phase, &self.outcome) {
            (Phase::Planning { .. }, _) => return None,
            (Phase::AwaitingApproval, _) => (ReportState::Waiting, "waits for approval".to_owned()),
            (Phase::Queued, _) => (ReportState::Queued, "waits for its turn".to_owned()),
            (Phase::Running { .. }, _) => (ReportState::Running, "is being deployed".to_owned()),
            (Phase::Succeeded, _) => (ReportState::Live, "is live".to_owned()),
            // A rollback whose migrations come last: what it brought runs, and is well.
            (Phase::Failed | Phase::Cancelled, _) if self.brought_live() == Some(true) => {
                (ReportState::Live, "is live, but its migrations were not all taken back".to_owned())
            }
            (Phase::Failed, Some(Outcome::Failed { step: Some(step), .. })) => {
                (ReportState::Failed, format!("failed at {}", step.name()))
            }
            (Phase::Failed, _) => (ReportState::Failed, "failed before it could start".to_owned()),
            (Phase::RolledBack, _) => (ReportState::Failed, "was rolled back by AWS".to_owned()),
            (Phase::Denied | Phase::Cancelled | Phase::Expired | Phase::Superseded, _) => {
                (ReportState::Withdrawn, format!("was not deployed: {}", self.phase.name()))
            }
        };
        Some(Report { state, words })
    }

    /// Whether others are to be told that this release came here from `before`. What ends before anybody was told of it
    /// is nobody's news.
    #[must_use]
    pub fn report_is_due(&self, before: &Self) -> bool {
        let Some(now) = self.report() else { return false };
        match before.report() {
            Some(before) => before.state != now.state,
            None => !self.phase.is_end(),
        }
    }
}
