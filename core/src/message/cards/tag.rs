//! What is said where somebody moves a tag past Slipway that others read.

use super::super::{Block, Line, Mark, Message};
use super::first;
use super::words::{self, DOT};
use crate::environment::{FollowedTag, Live, TagNames};
use crate::ids::EnvironmentKey;
use crate::plan::Plan;
use jiff::Timestamp;

/// `sha256:1f2e…9b, tagged 7d3a1c0 too`: more than its other tags nobody can know of it.
fn image(line: Line, names: &TagNames) -> Line {
    let line = line.code(names.digest.short());
    match &names.commit {
        Some(commit) => words::commit(line.text(", tagged "), commit).text(" too"),
        None => line.text(", tagged with no commit"),
    }
}

/// What every channel of the service reads, once, also when it is moved on. `runs`: what Slipway had brought, where all targets
/// still run that. `moves`: whether releases move the tag.
#[must_use]
pub fn tag_moved(key: &EnvironmentKey, tag: &FollowedTag, runs: Option<&Live>, moves: bool) -> Message {
    let lead = Line::plain(format!("{key}{DOT}"));
    let whole = Line::default().untrusted(tag.names.tag.as_str()).text(" was moved past Slipway");
    let (headline, rest) = first::or_short(&lead, whole, Line::plain("a tag was moved past Slipway"));
    let mut body: Vec<_> = rest.into_iter().map(|line| line.text(".")).collect();
    body.push(image(Line::plain("Now it names "), &tag.names).text("."));
    if let Some(live) = runs {
        let line = words::commit(Line::plain("Nothing was deployed by that: "), &live.commit);
        body.push(line.text(" runs, which Slipway had brought."));
    }
    if moves {
        let EnvironmentKey { service, environment } = key;
        let line = Line::plain("Whoever reads the tag gets that image until a release is live that moves it: ");
        body.push(line.code(format!("/deploy {environment} {service}")));
    }
    let body = body.into_iter().map(Block::Line).collect();
    Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() }
}

/// The same message once it names what Slipway knows of.
#[must_use]
pub fn tag_is_back(key: &EnvironmentKey, tag: &FollowedTag, moved_at: Timestamp, at: Timestamp) -> Message {
    let for_ = words::rough(words::seconds(moved_at, at));
    let line = Line::plain(format!("{key}{DOT}")).untrusted(tag.names.tag.as_str());
    let headline = line.text(format!(" is back after {for_}"));
    let body = vec![Block::Line(image(Line::plain("It was moved past Slipway. Now it names "), &tag.names).text("."))];
    Message { mark: Mark::None, headline, progress: None, body, actions: Vec::new() }
}

/// `latest was moved past Slipway to sha256:1f2e…9b, tagged 7d3a1c0 too`, in a plan.
pub(super) fn in_plan(plan: &Plan) -> Option<Line> {
    let names = plan.past_slipway.tag.as_ref()?;
    Some(image(Line::default().untrusted(names.tag.as_str()).text(" was moved past Slipway to "), names))
}
