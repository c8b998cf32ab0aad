//! What is said where somebody deploys past Slipway.

use super::super::{Block, Line, Mark, Message};
use super::first;
use super::words::{self, DOT};
use crate::environment::{ByHand, Environment, Live};
use crate::ids::{CommitSha, EnvironmentKey};
use crate::plan::Plan;
use jiff::Timestamp;

/// How many migrations one line names.
const NAMED_LIMIT: usize = 3;

/// What runs, as well as it can be named: by commit, by content, by the words that the target was told.
pub(super) fn version(line: Line, by_hand: &ByHand) -> Line {
    match (&by_hand.runs.commit, &by_hand.runs.digest) {
        (Some(commit), _) => words::commit(line, commit),
        (None, Some(_)) => line.code(by_hand.runs.name()),
        (None, None) => line.untrusted(by_hand.runs.name()),
    }
}

/// What every channel of the service reads, once; and what becomes of it when that is over. `back`: what a rollback would go
/// back to, where there is something.
#[must_use]
pub fn brought_by_hand(key: &EnvironmentKey, live: &Live, by_hand: &ByHand, back: Option<&CommitSha>) -> Message {
    let lead = Line::plain(format!("{key}{DOT}"));
    let whole = version(Line::default(), by_hand).text(" was deployed past Slipway");
    let (lead, named) = first::or_short(&lead, whole, Line::plain("another version was deployed past Slipway"));
    let named = named.map(|line| line.text("."));
    let had = words::commit(Line::plain(", which had brought "), &live.commit);
    let (headline, rest) = first::or_short(&lead, had, Line::default());
    let had = rest.map(|_| words::commit(Line::plain("Slipway had brought "), &live.commit));
    let seen = Line::default().untrusted(by_hand.runs.target.as_str());
    let seen = match &by_hand.runs.operation {
        Some(operation) => seen.text(": ").untrusted(operation.as_str()),
        None => seen.text(" is told to run it"),
    };
    let next = "The next plan starts from what runs there, and what waited is planned again.";
    let EnvironmentKey { service, environment } = key;
    let way = match back {
        Some(back) => {
            let line = words::commit(Line::plain("Back to "), back).text(": ");
            line.code(format!("/rollback {environment} {service}")).text(DOT)
        }
        None => Line::plain("No way back: nothing good that ran before is known. "),
    };
    let way = way.text(if back.is_some() { "forward: " } else { "Forward: " });
    let way = way.code(format!("/deploy {environment} {service}"));
    let body = named.into_iter().chain(had).chain([seen, Line::plain(next), way]).map(Block::Line).collect();
    Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() }
}

/// The same message once a release, or somebody's hand, has ended it.
#[must_use]
pub fn by_hand_is_over(key: &EnvironmentKey, was: &ByHand, runs: &CommitSha, at: Timestamp) -> Message {
    let for_ = words::rough(words::seconds(was.noticed_at, at));
    let lead = words::commit(Line::plain(format!("{key}{DOT}")), runs).text(" runs: ");
    let whole = version(Line::default(), was).text(", deployed past Slipway, is gone");
    let (headline, _) = first::or_short(&lead, whole, Line::plain("what was deployed past Slipway is gone"));
    let body = vec![Block::Line(version(Line::default(), was).text(format!(" ran for {for_}.")))];
    Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() }
}

/// `Slipway had brought 9a77d01`, where something else runs.
pub(super) fn had_brought(environment: &Environment) -> Option<Line> {
    let (Some(_), Some(live)) = (&environment.by_hand, &environment.live) else { return None };
    Some(words::commit(Line::plain("Slipway had brought "), &live.commit))
}

/// `, which was deployed past Slipway; it had brought 9a77d01`.
pub(super) fn base(line: Line, plan: &Plan) -> Line {
    match &plan.past_slipway.brought {
        Some(brought) => words::commit(line.text(", which was deployed past Slipway; it had brought "), brought),
        None => line,
    }
}

/// `applied already, and not by Slipway: likes.sql`.
pub(super) fn migrations(plan: &Plan) -> Option<Line> {
    let files = &plan.past_slipway.migrations;
    if files.is_empty() {
        return None;
    }
    let line = Line::plain("applied already, and not by Slipway: ");
    let line = words::untrusted_list(line, files.iter().take(NAMED_LIMIT), ", ");
    let more = files.len().saturating_sub(NAMED_LIMIT);
    Some(if more > 0 { line.text(format!(" and {more} more")) } else { line })
}
