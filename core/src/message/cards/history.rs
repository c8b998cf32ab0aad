//! The newest releases, one line each.

use super::super::{Block, Line, Mark, Message};
use super::words;
use crate::release::{Outcome, Phase, Release};
use jiff::Timestamp;

/// How many releases one answer lists.
const RELEASES_SHOWN_LIMIT: usize = 20;

/// Releases as they are given (newest first), with how each ended.
#[must_use]
pub fn history(releases: &[Release], now: Timestamp) -> Message {
    if releases.is_empty() {
        let way = Line::plain("Start one with ").code("/deploy <environment>").text(".");
        return Message::answer(Line::plain("There is no release yet."), [way]);
    }
    let shown = &releases[..releases.len().min(RELEASES_SHOWN_LIMIT)];
    let head = ["release", "where", "commit", "outcome", "by", "asked", "took"].map(str::to_owned).into();
    let table = Block::Table { head, rows: shown.iter().map(|r| cells(r, now)).collect() };
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

fn cells(release: &Release, now: Timestamp) -> Vec<Line> {
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
        outcome(release),
        Line::default().person(&release.request.requester),
        Line::default().time(release.request.at),
        Line::plain(took),
    ]
}

/// How it ended, or where it stands, in two or three words.
pub(super) fn outcome(release: &Release) -> Line {
    match (&release.outcome, &release.phase) {
        (Some(Outcome::Live), _) => Line::plain("● live"),
        (Some(Outcome::DryRun), _) => Line::plain("– dry run"),
        (Some(Outcome::NothingToDo), _) => Line::plain("– nothing to do"),
        (Some(Outcome::Denied), _) => Line::plain("✖ refused"),
        (Some(Outcome::Failed { step: Some(step), .. }), _) => {
            Line::plain(format!("✖ failed at {}", super::release::step_noun(*step)))
        }
        (Some(Outcome::Failed { step: None, .. }), _) => Line::plain("✖ planning failed"),
        (Some(Outcome::RolledBack { .. }), _) => Line::plain("✖ rolled back"),
        (Some(Outcome::Cancelled { by }), _) => Line::plain("– cancelled by ").person(by),
        (Some(Outcome::Expired), _) => Line::plain("– expired"),
        (Some(Outcome::Superseded { by }), _) => words::release(Line::plain("– superseded by "), by),
        (None, Phase::Planning { .. }) => Line::plain("◐ planning"),
        (None, Phase::AwaitingApproval) => Line::plain("○ waits for approval"),
        (None, Phase::Queued) => Line::plain("○ queued"),
        (None, Phase::Running { step }) => Line::plain(format!("◐ {}", super::release::step_noun(*step))),
        (None, phase) => Line::plain(phase.name()),
    }
}
