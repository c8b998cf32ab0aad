//! What is said around marks of what is known to be bad.

use super::super::{Block, Line, Mark, Message};
use super::first;
use super::release::known_bad_line;
use super::words::{self, DOT};
use crate::ids::{EnvironmentKey, EnvironmentName, PersonId};
use crate::release::{KnownBad, Release};

/// How many releases that wait the news names.
const WAITING_SHOWN_LIMIT: usize = 8;

/// What a release brought and where: `4c1f9e2 of release 01JD7Q4N`.
fn brought(line: Line, release: &Release) -> Line {
    let line = match &release.commit {
        Some(commit) => words::commit(line, commit),
        None => line.text("the commit"),
    };
    words::release(line.text(" of "), &release.id)
}

fn named(release: &Release) -> Line {
    Line::plain("Release ").code(release.id.short())
}

fn undo(release: &Release) -> Line {
    Line::plain("To take the mark away: ").code(format!("/release bad {} --undo", release.id.short()))
}

/// The mark is on it. `live_on`: the environments where that commit runs, each with whether it has a way back. `under_way`:
/// the releases that are bringing it somewhere.
#[must_use]
pub fn marked(release: &Release, live_on: &[(EnvironmentName, bool)], under_way: &[Release]) -> Message {
    let line = brought(Line::plain("Known to be bad from now on: "), release);
    let line = line.text(". No rollback goes back to it, and nothing else brings it anywhere.");
    let runs = |(environment, way_back): &(EnvironmentName, bool)| {
        let line = Line::plain(format!("It runs on {environment}: "));
        match way_back {
            true => line.code(format!("/rollback {environment}")),
            false => line.text(super::NO_WAY_BACK),
        }
    };
    let comes = |running: &Release| {
        let environment = &running.request.key.environment;
        let line = words::release(Line::plain(format!("It is on its way to {environment} with ")), &running.id);
        line.text(": ").code(format!("/release cancel {}", running.id.short()))
    };
    Message::answer(line, live_on.iter().map(runs).chain(under_way.iter().map(comes)).chain([undo(release)]))
}

/// The mark is gone. `again`: the releases that wait for new votes.
#[must_use]
pub fn mark_removed(release: &Release, again: &[Release]) -> Message {
    let line = brought(Line::plain("No longer known to be bad: "), release).text(".");
    Message::answer(line, again.iter().take(WAITING_SHOWN_LIMIT).map(asks_again))
}

/// What everybody reads who reads of the service's releases.
#[must_use]
pub fn mark_news(release: &Release, mark: &KnownBad) -> Message {
    let line = brought(Line::plain(format!("{}: ", release.request.key.service)), release);
    let whole = line.clone().text(" is ").join(known_bad_line(mark));
    let (headline, body) = match (first::fits(&whole), &mark.reason) {
        (true, _) | (false, None) => (whole, vec![]),
        (false, Some(reason)) => {
            let line = line.text(" is marked as known to be bad by ").person(&mark.by);
            (line, vec![Block::Line(Line::plain("reason: ").untrusted(reason.as_str()))])
        }
    };
    Message { mark: Mark::None, headline, progress: None, body, actions: vec![] }
}

/// What was said of the mark, once it is gone.
#[must_use]
pub fn mark_was(release: &Release, mark: &KnownBad, by: &PersonId) -> Message {
    let line = brought(Line::plain(format!("{}: ", release.request.key.service)), release);
    let lead = line.text(" is not known to be bad any more");
    let whole = Line::plain(": taken back by ").person(by);
    let (headline, _) = first::or_short(&lead, whole, Line::plain(", says ").person(by));
    let body = vec![Block::Line(Line::plain("It was ").join(known_bad_line(mark)))];
    Message { mark: Mark::None, headline, progress: None, body, actions: vec![] }
}

/// What everybody reads then. `again`: the releases that wait for new votes.
#[must_use]
pub fn mark_removed_news(release: &Release, by: &PersonId, again: &[Release]) -> Message {
    let line = brought(Line::plain(format!("{}: ", release.request.key.service)), release);
    let headline = line.text(" is no longer known to be bad, says ").person(by);
    let body = again.iter().take(WAITING_SHOWN_LIMIT).map(asks_again).map(Block::Line).collect();
    Message { mark: Mark::None, headline, progress: None, body, actions: vec![] }
}

fn asks_again(release: &Release) -> Line {
    let line = words::release(Line::plain(format!("{}{DOT}", release.request.key)), &release.id);
    line.text(" asks for approval again: votes from before that are void")
}

/// There is no mark to take away. `other`: the release of the same commit that has one.
#[must_use]
pub fn not_marked(release: &Release, other: Option<&Release>) -> Message {
    let line = named(release).text(" is not marked.");
    Message::answer(line, other.map(undo))
}

/// It has not ended, or brought no commit.
#[must_use]
pub fn cannot_be_marked(release: &Release) -> Message {
    let line = named(release);
    if !release.phase.is_end() {
        let way = Line::plain("To stop it: ").code(format!("/release cancel {}", release.id.short()));
        return Message::answer(line.text(" has not ended yet, so nothing is said of it."), [way]);
    }
    Message::answer(line.text(" was to bring no version that could be bad."), [])
}

/// Nothing of Slipway's runs there.
#[must_use]
pub fn nothing_is_live(key: &EnvironmentKey) -> Message {
    let history = Line::plain("See ").code(format!("/release history {}", key.environment)).text(".");
    Message::answer(Line::plain(format!("No release of Slipway's is live on {key}.")), [history])
}

/// The release that a rollback should go back to is known to be bad; `marked` is the one with the mark.
#[must_use]
pub fn goes_back_to_nothing_bad(release: &Release, marked: &Release) -> Message {
    let line = brought(Line::plain("No rollback goes back to "), release).text(". Nothing was started.");
    let mark = marked.known_bad.as_ref().map(|mark| known_bad_line(mark).text("."));
    Message::answer(line, mark.into_iter().chain([undo(marked)]))
}
