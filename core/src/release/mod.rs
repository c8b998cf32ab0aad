//! The release: one attempt to bring a commit to an environment, as a pure state machine.
//!
//! [`step`] takes a release and something that happened to it, and gives the next state with what the engine
//! must do outside. It reads no clock: every event carries the moment it happened at.

mod afterwards;
mod as_if;
mod back;
mod build_tag;
mod effect;
mod event;
mod report;
mod running;
mod shipping;
mod state;
mod step;
mod waiting;

#[cfg(test)]
mod tests;

pub use back::{AutomaticRollback, KnownBad};
pub use effect::Effect;
pub use event::{BuildJob, BuildJobState, BuildProgress, Event};
pub use report::{Report, ReportState};
pub use state::{
    Failure, GatherProblem, MigrateWay, Origin, Outcome, Phase, PlanningStage, Promotion, Release, Request,
    RequestKind, Step, StepRecord, StepState, Steps, Voided,
};
pub use step::{Illegal, step};
