//! While it runs: where it is, how far, how long.

use super::super::super::{Block, Line, Mark, Message, Progress, Verb};
use super::super::ReleaseView;
use super::super::words::{self, DOT};
use super::plan::{self, When};
use super::{actions, approved, commit, message, migrating, targets};
use crate::facts::CiState;
use crate::plan::PlanKind;
use crate::release::{Release, Step, StepRecord, StepState};

/// How much of the whole a step is, in thousandths. Together 1000; a deployment takes minutes, the rest seconds.
fn weight_permille(step: Step) -> u64 {
    match step {
        Step::Ci | Step::Image => 20,
        Step::Migrate => 110,
        Step::Deploy => 750,
        Step::Verify => 100,
    }
}

/// A step that has not ended never looks ended, however long it takes.
const UNFINISHED_PERMILLE_LIMIT: u64 = 950;
/// Past this share of the usual time, in percent, the card says that it takes longer.
const LONGER_THAN_USUAL_PERCENT: u64 = 150;

pub(super) fn card(view: &ReleaseView<'_>, step: Step) -> Message {
    let release = view.release;
    let needed = needed(release);
    let number = needed.iter().position(|s| *s == step).unwrap_or(0) + 1;
    let mut stands = doing(release, step).text(format!("{DOT}step {number} of {}", needed.len()));
    if let Some(elapsed) = elapsed(view) {
        stands = stands.text(DOT).text(elapsed);
    }
    let mut message = message(view, Mark::Running, stands);
    message.progress = Some(Progress { permille: permille(view, step), label: label(release, step) });
    if let Some(by) = &release.cancel_requested {
        let line = Line::plain("being stopped: ").person(by).text(" cancelled it");
        message.body.push(Block::Line(line));
    }
    message.body.extend(approved(release));
    message.body.extend(release.plan.as_ref().and_then(targets::dry).map(Block::Line));
    message.body.extend(plan::kept_warnings(release));
    message.body.push(Block::Gap);
    message.body.extend(plan::fields(release, When::Redrawn(view.now)));
    message.body.extend(targets::states(release, step));
    message.body.push(Block::Line(steps(release)));
    message.actions =
        actions(if can_cancel(release, step) { vec![Verb::Cancel, Verb::Details] } else { vec![Verb::Details] });
    message
}

/// The steps of this kind of release.
fn needed(release: &Release) -> Vec<Step> {
    let kind = release.request.kind.plan_kind();
    let is_needed = |step: &Step| match kind {
        PlanKind::MigrateUp | PlanKind::MigrateDown => matches!(step, Step::Ci | Step::Migrate),
        PlanKind::Config => matches!(step, Step::Ci | Step::Deploy | Step::Verify),
        PlanKind::Deploy | PlanKind::Rollback => true,
    };
    release.order().into_iter().filter(is_needed).collect()
}

fn doing(release: &Release, step: Step) -> Line {
    if step == Step::Migrate
        && let Some(plan) = release.plan.as_ref().filter(|plan| plan.kind.only_migrates() || release.migrates_last())
    {
        return Line::plain(migrating::doing(plan));
    }
    let back = release.request.kind.plan_kind() == PlanKind::Rollback;
    let words = match step {
        Step::Ci => "checking CI of ",
        Step::Image => "checking the image of ",
        Step::Migrate => "migrating for ",
        Step::Deploy if back => "rolling back to ",
        Step::Deploy => "deploying ",
        Step::Verify => "verifying ",
    };
    let line = Line::plain(words).join(commit(release));
    let targets = release.target_count();
    if step == Step::Deploy && targets > 1 {
        return line.text(format!(" to target {} of {targets}", release.target + 1));
    }
    line
}

/// `1m 50s, usually 4m 10s`.
fn elapsed(view: &ReleaseView<'_>) -> Option<String> {
    let elapsed = words::seconds(view.release.started_at?, view.now);
    let so_far = words::exact(elapsed);
    Some(match view.expected_s {
        Some(usual) if elapsed * 100 > usual * LONGER_THAN_USUAL_PERCENT => {
            format!("{so_far}, longer than the usual {}", words::exact(usual))
        }
        Some(usual) => format!("{so_far}, usually {}", words::exact(usual)),
        None => so_far,
    })
}

/// How far the whole run is. Steps that are done count fully; within the running one what it reports or, where
/// that says less, the usual time; never as far as the end of the step.
pub(super) fn permille(view: &ReleaseView<'_>, step: Step) -> u16 {
    let release = view.release;
    let needed = needed(release);
    let all: u64 = needed.iter().copied().map(weight_permille).sum();
    let done: u64 = needed.iter().copied().take_while(|s| *s != step).map(weight_permille).sum();
    let of_step =
        |share: u64| (done * 1000 + weight_permille(step) * share.min(UNFINISHED_PERMILLE_LIMIT)) / all.max(1);
    let reported = within(release, step);
    let timed = if step == Step::Deploy { timed(release.steps.get(step), view) } else { 0 };
    let whole = match (release.started_at, view.expected_s) {
        (Some(start), Some(usual)) => words::seconds(start, view.now) * 1000 / usual.max(1),
        _ => 0,
    };
    let permille = of_step(reported.max(timed)).max(whole.min(of_step(1000)));
    u16::try_from(permille).unwrap_or(1000)
}

/// What the step itself reports, over all targets.
fn within(release: &Release, step: Step) -> u64 {
    let reported = u64::from(release.steps.get(step).permille.unwrap_or(0).min(1000));
    let targets = u64::try_from(release.target_count()).unwrap_or(1).max(1);
    match step {
        Step::Deploy => (u64::try_from(release.target).unwrap_or(0) * 1000 + reported) / targets,
        Step::Ci | Step::Image | Step::Migrate | Step::Verify => reported,
    }
}

fn timed(record: &StepRecord, view: &ReleaseView<'_>) -> u64 {
    match (record.started_at, view.expected_deploy_s) {
        (Some(start), Some(usual)) => words::seconds(start, view.now) * 1000 / usual.max(1),
        _ => 0,
    }
}

/// What goes on: the running step in its own words.
fn label(release: &Release, step: Step) -> Line {
    let (who, otherwise) = match step {
        Step::Ci => (Line::plain("CI"), "comparing its checks with the plan"),
        Step::Image => (Line::plain("Image"), "comparing the tag with the plan"),
        Step::Migrate if is_down(release) => (Line::plain("Migrations"), "taking back"),
        Step::Migrate => (Line::plain("Migrations"), "applying"),
        Step::Deploy => (targets::current(release), "starting"),
        Step::Verify => (Line::plain("Health"), "asking the service"),
    };
    let line = match &release.steps.get(step).detail {
        Some(detail) => who.text(": ").untrusted(detail.as_str()),
        None => who.text(": ").text(otherwise),
    };
    match (step, &release.operation) {
        (Step::Deploy, Some(id)) => line.text(" (operation ").code(words::operation(id)).text(")"),
        _ => line,
    }
}

fn is_down(release: &Release) -> bool {
    release.request.kind.plan_kind() == PlanKind::MigrateDown || release.migrates_last()
}

/// `✔ CI green 3 of 3   ✔ image found   ✔ migrated 1 in 0.2 s   ◐ deploy   ○ verify`.
pub(in super::super) fn steps(release: &Release) -> Line {
    let mut line = Line::default();
    for (i, step) in needed(release).into_iter().enumerate() {
        line = if i > 0 { line.text("   ") } else { line }.join(step_words(release, step));
    }
    line
}

fn step_words(release: &Release, step: Step) -> Line {
    let record = release.steps.get(step);
    let detail = |line: Line| match &record.detail {
        Some(detail) => line.text(" ").untrusted(detail.as_str()),
        None => line,
    };
    match (record.state, step) {
        (StepState::Pending, Step::Ci | Step::Image) => planned(release, step),
        (StepState::Pending, Step::Migrate) if release.migrates_last() => Line::plain("○ take back"),
        (StepState::Running, Step::Migrate) if release.migrates_last() => Line::plain("◐ take back"),
        (StepState::Failed, Step::Migrate) if release.migrates_last() => Line::plain("✖ take back"),
        (StepState::Pending, _) => Line::plain(format!("○ {}", noun(step))),
        (StepState::Running, _) => Line::plain(format!("◐ {}", noun(step))),
        (StepState::Failed, _) => Line::plain(format!("✖ {}", noun(step))),
        (StepState::Skipped, Step::Migrate) => Line::plain("– no migrations"),
        (StepState::Skipped, _) => Line::plain(format!("– {}", noun(step))),
        (StepState::Succeeded, Step::Ci) => detail(Line::plain("✔ CI green")),
        (StepState::Succeeded, Step::Image) => Line::plain("✔ image found"),
        (StepState::Succeeded, Step::Migrate) if is_down(release) => detail(Line::plain("✔ taken back")),
        (StepState::Succeeded, Step::Migrate) => detail(Line::plain("✔ migrated")),
        // A check mark would say that something runs.
        (StepState::Succeeded, Step::Deploy | Step::Verify) if is_dry(release) => {
            Line::plain(format!("– {} (dry)", noun(step)))
        }
        (StepState::Succeeded, Step::Deploy) => took(Line::plain("✔ deployed"), record),
        (StepState::Succeeded, Step::Verify) => Line::plain("✔ verified"),
    }
}

fn is_dry(release: &Release) -> bool {
    release.plan.as_ref().is_some_and(targets::all_dry)
}

/// CI and image before the run: what planning found of them.
fn planned(release: &Release, step: Step) -> Line {
    let ci = release.facts.as_ref().map(|facts| &facts.ci.value).filter(|ci| ci.state == CiState::Green);
    match (step, ci) {
        (Step::Ci, Some(ci)) => Line::plain(format!("✔ CI green {} of {}", ci.passed, ci.total)),
        (Step::Image, _) if release.plan.is_some() => Line::plain("✔ image found"),
        _ => Line::plain(format!("○ {}", noun(step))),
    }
}

fn took(line: Line, record: &StepRecord) -> Line {
    match (record.started_at, record.ended_at) {
        (Some(start), Some(end)) => line.text(format!(" in {}", words::exact(words::seconds(start, end)))),
        _ => line,
    }
}

pub(in super::super) fn noun(step: Step) -> &'static str {
    match step {
        Step::Ci => "CI",
        Step::Image | Step::Migrate | Step::Deploy | Step::Verify => step.name(),
    }
}

/// As the state machine has it: up to the point of no return of the running step.
fn can_cancel(release: &Release, step: Step) -> bool {
    match step {
        Step::Ci | Step::Image => true,
        Step::Migrate => release.cancel_requested.is_none(),
        Step::Deploy => release.operation.is_none() && release.target == 0,
        Step::Verify => {
            let has_more = release.plan.as_ref().is_some_and(|plan| !plan.taken_back.is_empty());
            release.migrates_last() && has_more && release.cancel_requested.is_none()
        }
    }
}
