//! The newest releases, one line each.

use super::super::{Block, Line, Mark, Message};
use super::words;
use crate::ids::{CommitSha, ReleaseId};
use crate::plan::PlanKind;
use crate::release::{Outcome, Phase, Release};
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How many releases one answer lists.
const RELEASES_SHOWN_LIMIT: usize = 20;

/// Releases as they are given (newest first), with how each ended. `bad`: those whose commit somebody has marked, of whichever
/// release that was said.
#[must_use]
pub fn history(releases: &[Release], bad: &BTreeSet<ReleaseId>, now: Timestamp) -> Message {
    if releases.is_empty() {
        let way = Line::plain("Start one with ").code("/deploy <environment>").text(".");
        return Message::answer(Line::plain("There is no release yet."), [way]);
    }
    let shown = &releases[..releases.len().min(RELEASES_SHOWN_LIMIT)];
    let head = ["release", "where", "commit", "outcome", "by", "asked", "took"].map(str::to_owned).into();
    let table =
        Block::Table { head, rows: shown.iter().map(|r| cells(r, releases, bad.contains(&r.id), now)).collect() };
    let rest = releases.len() - shown.len();
    let more = (rest > 0).then(|| Block::Line(Line::plain(format!("and {rest} older"))));
    let headline = Line::plain(match shown.len() {
        1 => "The newest release".to_owned(),
        n => format!("The {n} newest releases"),
    });
    let way = Block::Line(Line::plain("All of one: ").code("/release show <release>"));
    let body = [table].into_iter().chain(more).chain([way]).collect();
    Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() }
}

fn cells(release: &Release, all: &[Release], bad: bool, now: Timestamp) -> Vec<Line> {
    let commit = release.commit.as_ref().map_or(Line::plain("–"), |c| words::commit(Line::default(), c));
    let took = match (release.started_at, release.ended_at) {
        (Some(start), Some(end)) => words::exact(words::seconds(start, end)),
        (Some(start), None) => format!("{} so far", words::exact(words::seconds(start, now))),
        (None, _) => "–".to_owned(),
    };
    vec![
        Line::default().code(release.id.short()),
        Line::plain(release.request.key.to_string()),
        commit,
        {
            let bad = bad || release.known_bad.is_some();
            replaced(release, all, bad).unwrap_or_else(|| outcome_of(release, bad))
        },
        Line::default().person(&release.request.requester),
        Line::default().time(release.request.at),
        Line::plain(took),
    ]
}

/// Of one that was live: what runs there in its place, if any of `all` does.
fn replaced(release: &Release, all: &[Release], bad: bool) -> Option<Line> {
    let since = release.ended_at.filter(|_| release.outcome == Some(Outcome::Live))?;
    // What could not be verified serves all the same.
    let went_live = |release: &Release| release.ended_at.filter(|_| release.brought_live().is_some());
    let later = all.iter().filter(|other| other.request.key == release.request.key);
    let later = later.filter_map(|other| Some((went_live(other)?, other))).filter(|(at, _)| *at > since);
    let (_, next) = later.min_by_key(|(at, _)| *at)?;
    let is_back = next.plan.as_ref().is_some_and(|plan| plan.kind == PlanKind::Rollback);
    let bad = if bad { ", known bad" } else { "" };
    let line = Line::plain(if is_back { "– rolled back by " } else { "– replaced by " });
    Some(words::release(line, &next.id).text(bad))
}

/// How it ended, or where it stands, in two or three words.
pub(super) fn outcome(release: &Release) -> Line {
    outcome_of(release, release.known_bad.is_some())
}

fn outcome_of(release: &Release, bad: bool) -> Line {
    let (mark, words) = stand(release);
    let bad = if bad { ", known bad" } else { "" };
    let line = Line::plain(format!("{mark} {words}{bad}").trim_start());
    match &release.outcome {
        Some(Outcome::Cancelled { by, .. }) if release.left_out.is_none() => line.text(" by ").person(by),
        Some(Outcome::Superseded { by }) => words::release(line.text(" by "), by),
        _ => line,
    }
}

/// A release in one line of plain text, for lists to choose from: `01M891PN · goals → staging · fe3b9ed · live`.
#[must_use]
pub fn brief(release: &Release) -> String {
    let commit = release.commit.as_ref().map_or("–", CommitSha::short);
    format!("{} · {} · {commit} · {}", release.id.short(), release.request.key, stand(release).1)
}

/// The mark and the words for how it stands.
fn stand(release: &Release) -> (&'static str, Cow<'static, str>) {
    let (mark, words) = match (&release.outcome, &release.phase) {
        (Some(Outcome::Live), _) => ("●", "live"),
        (Some(Outcome::Migrated), _) => return ("●", super::release::migrated(release).into()),
        (Some(Outcome::DryRun), _) => ("–", "dry run"),
        (Some(Outcome::NothingToDo), _) => ("–", "nothing to do"),
        (Some(Outcome::Denied), _) => ("✖", "refused"),
        (Some(Outcome::Failed { step: Some(step), .. }), _) => {
            return ("✖", format!("failed at {}", super::release::step_noun(*step)).into());
        }
        (Some(Outcome::Failed { step: None, .. }), _) => ("✖", "planning failed"),
        (Some(Outcome::RolledBack { .. }), _) => ("✖", "rolled back"),
        (Some(Outcome::Cancelled { .. }), _) if release.left_out.is_some() => ("–", "not started"),
        (Some(Outcome::Cancelled { .. }), _) => ("–", "cancelled"),
        (Some(Outcome::Expired), _) => ("–", "expired"),
        (Some(Outcome::Superseded { .. }), _) => ("–", "superseded"),
        (None, Phase::Planning { .. }) => ("◐", "planning"),
        (None, Phase::AwaitingApproval) => ("○", "waits for approval"),
        (None, Phase::Queued) if super::release::is_held(release) => ("○", "held"),
        (None, Phase::Queued) => ("○", "queued"),
        (None, Phase::Running { step }) => return ("◐", super::release::step_noun(*step).into()),
        (None, phase) => ("", phase.name()),
    };
    (mark, words.into())
}
