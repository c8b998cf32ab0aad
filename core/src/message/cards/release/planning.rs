//! While the plan is being made.

use super::super::super::{Block, Line, Mark, Message, Progress, Verb};
use super::super::ReleaseView;
use super::super::words::{self, DOT};
use super::plan::{self, When};
use super::{actions, commit, message, shipping};
use crate::ids::CommitSha;
use crate::plan::PlanKind;
use crate::release::{BuildProgress, PlanningStage, Release, RequestKind};

pub(super) fn card(view: &ReleaseView<'_>, stage: PlanningStage) -> Message {
    if let PlanningStage::Shipping | PlanningStage::Merging = stage {
        return shipping::card(view, stage);
    }
    let release = view.release;
    let planning = || Line::plain("planning ").join(commit(release)).text(DOT);
    let stands = match stage {
        PlanningStage::Resolving => Line::plain("planning").text(DOT).text("looking up ").join(reference(release)),
        PlanningStage::Building => planning().text("waiting for CI and the image"),
        PlanningStage::Dispatching => planning().text("there is no image yet, starting the build"),
        PlanningStage::Gathering if release.gather_held.is_some() => {
            planning().text("waits for what cannot be read yet")
        }
        PlanningStage::Gathering => planning().text("reading what runs and what is pending"),
        PlanningStage::Judging => planning().text("asking the policy"),
        PlanningStage::Shipping | PlanningStage::Merging => planning(),
    };
    let mut message = message(view, Mark::Running, stands);
    if let (PlanningStage::Building, Some(build)) = (stage, &release.build) {
        let label = build_line(release, build);
        match build.permille {
            Some(permille) => message.progress = Some(Progress { permille: permille.min(1000), label }),
            None => message.body.push(Block::Line(label)),
        }
    } else if let (PlanningStage::Building, Some(run)) = (stage, release.build_run) {
        message.body.push(Block::Line(Line::plain(format!("build started: run {run}"))));
    } else if let (PlanningStage::Gathering, Some(why)) = (stage, &release.gather_held) {
        message.body.push(Block::Line(Line::default().untrusted(why.as_str()).text(" Slipway tries again by itself.")));
    }
    message.body.extend(plan::fields(release, When::Redrawn(view.now)));
    message.actions = actions([Verb::Cancel]);
    message
}

/// What was asked for, before it is a commit.
fn reference(release: &Release) -> Line {
    let pinned = match &release.request.kind {
        RequestKind::Deploy | RequestKind::Ship { .. } => None,
        RequestKind::Rollback { commit, .. } | RequestKind::Config { commit, .. } => Some(commit),
        RequestKind::Retry { commit, .. } | RequestKind::Migrate { commit, .. } => commit.as_ref(),
    };
    match (pinned, &release.request.reference) {
        (Some(pinned), _) => words::commit(Line::default(), pinned),
        (None, _) if release.request.kind.plan_kind() == PlanKind::MigrateDown => {
            Line::plain("what applied the migrations")
        }
        (None, Some(typed)) => match CommitSha::parse(typed) {
            Ok(commit) => words::commit(Line::default(), &commit),
            Err(_) => Line::default().untrusted(typed.as_str()),
        },
        (None, None) => Line::plain("the default branch"),
    }
}

fn build_line(release: &Release, build: &BuildProgress) -> Line {
    let line = Line::default().untrusted(build.detail.as_str());
    let page = release.build_run.map_or("run".to_owned(), |run| format!("run {run}"));
    match &build.url {
        Some(url) => words::link(line.text(DOT), url, &page),
        None => line,
    }
}
