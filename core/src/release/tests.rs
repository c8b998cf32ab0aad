//! Tests of the release state machine, and what they share.

mod backwards;
mod build_tag;
mod history;
mod life;
mod reporting;
mod shipping;
mod table;
mod voting;
mod walk;

use super::{
    Effect, Event, Failure, Illegal, KnownBad, MigrateWay, Origin, Outcome, Phase, Release, Request, RequestKind, Step,
    StepState, step,
};
use crate::facts::{CiFact, CiState, Facts, Observed};
use crate::gate::Verdict;
use crate::ids::EnvironmentKey;
use crate::plan::tests::sha;
use crate::plan::{Plan, PlanDigest, PlanKind};
use crate::policy::{Clears, Override, Reason, Slot, Stance, Vote};
use jiff::Timestamp;
use serde_json::json;

/// A moment so many seconds after the request.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + seconds).unwrap()
}

fn request() -> Request {
    Request {
        key: EnvironmentKey { service: "goals".into(), environment: "production".into() },
        kind: RequestKind::Deploy,
        reference: Some("main".into()),
        requester: "ana".into(),
        reason: None,
        dry_run: false,
        origin: Origin { channel: "terminal:releases".into() },
        at: at(0),
        expires_at: at(86_400),
        together: None,
    }
}

fn plan() -> Plan {
    crate::plan::tests::plan()
}

fn plan_for_targets(count: usize) -> Plan {
    let mut plan = plan();
    let first = plan.targets[0].clone();
    plan.targets = (1..=count)
        .map(|n| {
            let mut target = first.clone();
            target.id = format!("arn:aws:apprunner:us-west-2:123456789012:service/goals/{n}");
            target
        })
        .collect();
    plan
}

/// A plan that only applies migrations.
fn up() -> Plan {
    Plan { kind: PlanKind::MigrateUp, targets: vec![], commits: vec![], ..plan() }
}

/// A plan that only takes them back.
fn down() -> Plan {
    let taken_back = plan().migrations;
    Plan { kind: PlanKind::MigrateDown, migrations: vec![], taken_back, ..up() }
}

/// A plan that goes back, and takes migrations back after that.
fn back() -> Plan {
    let taken_back = plan().migrations;
    Plan { kind: PlanKind::Rollback, migrations: vec![], taken_back, commits: vec![], ..plan() }
}

fn bad_mark() -> KnownBad {
    KnownBad { by: "bob".into(), reason: Some("loses sessions".into()), at: at(3_600) }
}

fn facts(seconds: i64) -> Facts {
    let ci = CiFact { state: CiState::Green, total: 3, passed: 3, failing: vec![], missing: vec![] };
    Facts::of_ci(Observed { value: ci, at: at(seconds) })
}

fn planned(plan: &Plan, seconds: i64) -> Event {
    Event::Planned { plan: Box::new(plan.clone()), facts: facts(seconds) }
}

/// A verdict as a stored history has it: no other way leads past the gate.
fn verdict(course: &str, digest: &PlanDigest, reasons: &[Reason], seconds: i64, again: Option<i64>) -> Verdict {
    serde_json::from_value(json!({
        "course": course, "reasons": reasons, "digest": digest, "policy_hash": "p1", "at": at(seconds),
        "again_at": again.map(at),
    }))
    .unwrap()
}

fn judged(course: &str, plan: &Plan, reasons: &[Reason], seconds: i64) -> Event {
    Event::Judged { verdict: Box::new(verdict(course, &plan.digest(), reasons, seconds, None)) }
}

fn vote_is_missing() -> Reason {
    let missing = Slot { team: "release".into(), missing: 1, who: vec!["bob".into(), "cem".into()], or: vec![] };
    Reason::new("one-approval", "Production needs one approval.", Clears::Votes { missing: vec![missing] })
}

fn somebody_runs() -> Reason {
    let other = "01KE4XYZ000000000000000000".into();
    Reason::new("busy", "Release 01KE4XYZ is running here.", Clears::Release { id: other })
}

fn vote(person: &str, stance: Stance, plan: &Plan, seconds: i64) -> Event {
    Event::Voted { vote: Vote { person: person.into(), stance, digest: plan.digest(), at: at(seconds) } }
}

fn broken_glass(by: &str, plan: &Plan, seconds: i64) -> Event {
    let waiver = Override {
        by: by.into(),
        incident: "INC-42".into(),
        reason: "login is down".into(),
        digest: plan.digest(),
        at: at(seconds),
    };
    Event::Overridden { waiver }
}

fn done(step: Step, seconds: i64) -> Event {
    Event::StepSucceeded { step, detail: "done".into(), at: at(seconds) }
}

fn broken(step: Step, rolled_back: bool, seconds: i64) -> Event {
    Event::StepFailed { step, failure: Failure::new("It broke."), rolled_back, at: at(seconds) }
}

fn stopped(step: Step, seconds: i64) -> Event {
    Event::StepStopped { step, details: vec!["Applied and still there: 1.sql.".into()], at: at(seconds) }
}

fn cancel(begun: bool, seconds: i64) -> Event {
    Event::CancelRequested { by: "cem".into(), begun, at: at(seconds) }
}

fn began(target: usize) -> Event {
    Event::DeployStarted { target, operation: format!("op-{target}") }
}

/// A release with all that has happened to it.
#[derive(Clone, Debug)]
struct Life {
    release: Release,
    effects: Vec<Effect>,
}

impl Life {
    /// Nothing has happened yet.
    fn new() -> Self {
        let release = Release::new("01KE4ABC000000000000000000".into(), request());
        Self { release, effects: Vec::new() }
    }

    /// Somebody asks for migrations alone.
    fn migrating(way: MigrateWay) -> Self {
        let mut life = Self::new();
        life.release.request.kind = RequestKind::Migrate { way, commit: None, again: None };
        life
    }

    /// Somebody asks to go back, with migrations or without.
    fn going_back(migrations: bool) -> Self {
        let mut life = Self::new();
        let (to, from) = ("01KE4GOOD00000000000000000".into(), Some("01KE4LEFT00000000000000000".into()));
        life.release.request.kind =
            RequestKind::Rollback { to, commit: sha(3), from, migrations, because_of: None, before: false };
        life
    }

    /// A rollback with migrations runs this step.
    fn back_at(step: Step) -> Self {
        let resolved = Event::Resolved { commit: sha(3), branch: None };
        let life = Self::going_back(true).then(Event::Requested).then(resolved);
        life.then(planned(&back(), 10)).judged("start", &[]).runs_to(step)
    }

    /// Its steps succeed until this one runs.
    fn runs_to(mut self, step: Step) -> Self {
        while self.release.phase != (Phase::Running { step }) {
            let Phase::Running { step: now } = self.release.phase else { panic!("{:?}", self.release.phase) };
            self = self.then(done(now, 30));
        }
        self
    }

    /// The gate has let migrations alone start, and this step runs.
    fn migrating_at(plan: &Plan, step: Step) -> Self {
        let way = match plan.kind {
            PlanKind::MigrateDown => MigrateWay::Down { count: 1, of: vec![] },
            _ => MigrateWay::Up { goes_on: false },
        };
        let resolved = Event::Resolved { commit: sha(3), branch: Some("main".into()) };
        let life = Self::migrating(way).then(Event::Requested).then(resolved);
        let life = if plan.kind == PlanKind::MigrateDown { life } else { life.then(Event::BuildReady) };
        let life = life.then(planned(plan, 10)).judged("start", &[]);
        if step == Step::Ci { life } else { life.then(done(Step::Ci, 30)) }
    }

    /// Up to the moment where the gate has to look.
    fn planned(plan: &Plan) -> Self {
        let resolved = Event::Resolved { commit: sha(3), branch: Some("main".into()) };
        Self::new().then(Event::Requested).then(resolved).then(Event::BuildReady).then(planned(plan, 10))
    }

    /// Waits for a vote.
    fn awaiting(plan: &Plan) -> Self {
        Self::planned(plan).judged("wait", &[vote_is_missing()])
    }

    /// The gate has let it start: `ci` runs.
    fn started(plan: &Plan) -> Self {
        Self::planned(plan).judged("start", &[])
    }

    /// Runs this step.
    fn at_step(plan: &Plan, step: Step) -> Self {
        Self::started(plan).runs_to(step)
    }

    /// The event happens.
    fn then(mut self, event: Event) -> Self {
        let (release, effects) = step(&self.release, &event).unwrap_or_else(|illegal| panic!("{illegal}"));
        self.release = release;
        self.effects.extend(effects);
        self
    }

    /// The gate says this about the plan as it is now.
    fn judged(self, course: &str, reasons: &[Reason]) -> Self {
        let plan = self.release.plan.clone().unwrap();
        self.then(judged(course, &plan, reasons, 20))
    }

    /// The event is refused.
    fn refuses(&self, event: &Event) -> Illegal {
        match step(&self.release, event) {
            Err(illegal) => illegal,
            Ok((after, effects)) => panic!("{} led to {:?} and {effects:?}", event.name(), after.phase),
        }
    }

    fn effect_names(&self) -> Vec<&'static str> {
        self.effects.iter().map(Effect::name).collect()
    }
}

/// `running(ci)`, `planning(judging)`, `queued, gathering`.
fn describe(release: &Release) -> String {
    let mut text = match &release.phase {
        Phase::Planning { stage } => format!("planning({stage:?})").to_lowercase(),
        Phase::Running { step } => format!("running({})", step.name()),
        other => other.name().to_owned(),
    };
    if release.gathering {
        text.push_str(", gathering");
    }
    text
}
