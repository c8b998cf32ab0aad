//! Continuous delivery: its pauses, as one message each, and how it stands, in one phrase.

use super::super::{Block, Line, Mark, Message, Verb};
use super::words::{self, DOT};
use super::{action, first};
use crate::facts::CiState;
use crate::flow::{Flow, How, Pause, Resumption, Standing, Why};
use crate::ids::{CommitSha, EnvironmentKey};
use jiff::Timestamp;

/// How many paused environments an answer lists.
const PAUSED_SHOWN_LIMIT: usize = 10;

/// The rule that lets Slipway release what nobody asked for, as it is by default.
const BY_ITSELF: &str = "@id(\"by-itself\") permit (principal == Person::\"slipway\", \
     action in [Action::\"request\", Action::\"rollback\", Action::\"execute\"], resource);";

/// What the channels read from the moment on from which nothing begins by itself. `way_back`: whether a rollback would find
/// something, where that would end it.
#[must_use]
pub fn flow_paused(key: &EnvironmentKey, pause: &Pause, way_back: bool) -> Message {
    let lead = Line::plain(format!("{key}{DOT}nothing starts by itself"));
    let because = |why: Line| Line::plain(": ").join(why);
    let brief = because(briefly(&pause.why));
    let short = if first::fits(&lead.clone().join(brief.clone())) { brief } else { Line::default() };
    let (headline, rest) = first::or_short(&lead, because(why(&pause.why)), short);
    let rest = rest.map(|_| why(&pause.why));
    let actions = if pause.why.needs_somebody() { vec![action(Verb::Resume)] } else { vec![] };
    let body = rest.into_iter().chain(way_out(key, &pause.why, way_back)).map(Block::Line).collect();
    Message { mark: Mark::Waiting, headline, progress: None, body, actions }
}

/// The same message after the pause.
#[must_use]
pub fn flow_resumed(key: &EnvironmentKey, pause: &Pause, how: &Resumption, now: Timestamp) -> Message {
    let because = match how {
        Resumption::Over => Line::plain(match pause.why {
            Why::Locked { .. } => "it is unlocked",
            Why::Frozen { .. } => "the freeze is over",
            Why::Refused { .. } => "policy permits it",
            Why::Gone { .. } => "the branch is there",
            Why::PastSlipway { .. } => "what was deployed past Slipway is gone",
            Why::Diverged { .. } | Why::Ended { .. } | Why::WentBack { .. } => "",
        }),
        Resumption::Said { by } => Line::plain("resumed by ").person(by),
        Resumption::Succeeded { release, by } => {
            words::release(Line::default(), release).text(" of ").person(by).text(" is live")
        }
    };
    let lead = Line::plain(format!("{key}{DOT}releases start by themselves again"));
    let is_said = first::chars(&because) > 0;
    let (headline, rest) = match is_said {
        true => first::or_short(&lead, Line::plain(": ").join(because.clone()), Line::default()),
        false => (lead, None),
    };
    let held = words::rough(words::seconds(pause.since, now));
    let was = Line::plain(format!("It had stopped for {held}: ")).join(why(&pause.why));
    let body = rest.map(|_| because).into_iter().chain([was]).map(Block::Line).collect();
    Message { mark: Mark::Ended, headline, progress: None, body, actions: vec![] }
}

/// The same in so few words that they fit every first line.
fn briefly(why: &Why) -> Line {
    match why {
        Why::Locked { owner, .. } => Line::plain("locked by ").person(owner),
        Why::Frozen { until, .. } => until.map_or(Line::plain("frozen"), |at| Line::plain("frozen until ").time(at)),
        Why::Refused { .. } => self::why(why),
        Why::Ended { commit, how, .. } => ended(commit, how),
        Why::WentBack { by, .. } => Line::default().person(by).text(" went back"),
        Why::Diverged { live, .. } => words::commit(Line::default(), live).text(" is not on its branch"),
        Why::PastSlipway { .. } => Line::plain("deployed past Slipway"),
        Why::Gone { .. } => Line::plain("its branch is gone"),
    }
}

fn ended(commit: &CommitSha, how: &How) -> Line {
    let line = words::commit(Line::default(), commit);
    match how {
        How::RolledBack => line.text(" was rolled back by AWS"),
        How::Denied => line.text(" was refused"),
        How::Expired => line.text(" was not approved in time"),
        How::Cancelled { by } => line.text(" was cancelled by ").person(by),
        How::Live | How::Nothing | How::Superseded | How::Failed => line.text(" failed"),
    }
}

fn why(why: &Why) -> Line {
    match why {
        Why::Locked { owner, reason, until } => {
            let line = Line::plain("locked by ").person(owner).text(" \"").untrusted(reason.as_str()).text("\"");
            until.map_or(line.clone(), |at| line.text(" until ").time(at))
        }
        Why::Frozen { what, until } => {
            let line = Line::default().untrusted(words::phrase(what));
            until.map_or(line.clone(), |at| line.text(" (until ").time(at).text(")"))
        }
        Why::Refused { .. } => Line::plain("refused by policy"),
        Why::Ended { release, commit, how } => words::release(ended(commit, how).text(" ("), release).text(")"),
        Why::WentBack { release, by } => {
            words::release(Line::default().person(by).text(" went back to an older version ("), release).text(")")
        }
        Why::Diverged { live, branch, .. } => {
            words::commit(Line::default(), live).text(" runs there and is not on ").untrusted(branch.as_str())
        }
        Why::PastSlipway { runs } => Line::default().untrusted(runs.as_str()).text(" was deployed past Slipway"),
        Why::Gone { branch } => Line::plain("there is no branch ").untrusted(branch.as_str()),
    }
}

fn resume(key: &EnvironmentKey) -> String {
    format!("/release resume {} {}", key.environment, key.service)
}

fn way_out(key: &EnvironmentKey, why: &Why, way_back: bool) -> Vec<Line> {
    match why {
        Why::Locked { .. } => vec![Line::plain("Goes on by itself when it is unlocked: ").code(words::unlock(key))],
        Why::Frozen { .. } => vec![Line::plain("Goes on by itself when that is over.")],
        Why::Refused { what, forbidden: true } => {
            let line = Line::plain("Goes on by itself when no rule forbids it any more.");
            vec![Line::default().untrusted(what.as_str()), line]
        }
        Why::Refused { what, forbidden: false } => vec![
            Line::default().untrusted(what.as_str()),
            Line::plain("Goes on by itself when a rule permits it. The one that does by default:"),
            Line::default().code(BY_ITSELF),
        ],
        Why::Ended { .. } => {
            let line =
                Line::plain("Goes on when a release that somebody asks for succeeds, or with ").code(resume(key));
            vec![line.text(": then the newest green commit begins.")]
        }
        Why::WentBack { .. } => {
            let line =
                Line::plain("Goes on when a release that somebody asks for succeeds, or with ").code(resume(key));
            vec![line.text(": then the next green commit newer than those that ran begins.")]
        }
        Why::Diverged { branch, .. } => {
            let line = Line::plain("Goes on by itself once a commit of the branch runs there: ");
            vec![line.code(format!("/deploy {} {branch} {}", key.environment, key.service))]
        }
        Why::PastSlipway { .. } => {
            let line = Line::plain("Goes on by itself once something else runs there: ");
            let line = line.code(format!("/deploy {} {}", key.environment, key.service));
            vec![match way_back {
                true => line.text(" or ").code(format!("/rollback {} {}", key.environment, key.service)),
                false => line,
            }]
        }
        Why::Gone { .. } => {
            vec![Line::plain("Goes on by itself when it is there. Another one is named in slipway.toml: auto_deploy")]
        }
    }
}

/// How it stands: `follows main: up to date`.
#[must_use]
pub fn flow_phrase(flow: Option<&Flow>, branch: &str, now: Timestamp) -> Line {
    let line = Line::plain("follows ").untrusted(branch).text(": ");
    let Some((flow, sight)) = flow.and_then(|flow| Some((flow, flow.seen.as_ref()?))) else {
        return line.text("the branch has not been looked at yet");
    };
    if let Some(pause) = &flow.pause {
        return line.text("paused, ").join(why(&pause.why));
    }
    if let Some(ripe) = &flow.ripe {
        return words::commit(line.text("next "), &ripe.commit);
    }
    let Some(newest) = sight.commits.first() else { return line.text("up to date") };
    if sight.standing == Standing::Behind {
        return line.text("up to date");
    }
    if flow.begun.last().is_some_and(|begun| begun.commit == newest.sha) {
        return words::commit(line, &newest.sha).text(" has begun");
    }
    if let Some(since) = flow.red_since {
        return line.text(format!("red for {}", words::rough(words::seconds(since, now))));
    }
    let newest_says = match newest.ci {
        Some(CiState::Green) if newest.untouched => "does not concern it",
        Some(CiState::Green) => "is green",
        Some(CiState::Red) => "is red",
        Some(CiState::Pending) => "waits for CI",
        Some(CiState::Missing) => "has no CI yet",
        None => "has not been looked at yet",
    };
    words::commit(line, &newest.sha).text(format!(" {newest_says}"))
}

/// Says in a status how each environment that follows a branch stands, and in its first line how many have stopped.
pub fn note_flow(status: &mut Message, flows: &[(EnvironmentKey, Flow, String)], now: Timestamp) {
    let paused = flows.iter().filter(|(_, flow, _)| flow.pause.is_some()).count();
    if paused > 0 {
        status.headline = std::mem::take(&mut status.headline).text(format!("{DOT}{paused} paused"));
    }
    let line = |(key, flow, branch): &(EnvironmentKey, Flow, String)| {
        Block::Line(Line::plain(format!("{key} ")).join(flow_phrase(Some(flow), branch, now)))
    };
    status.body.extend(flows.iter().map(line));
}

/// To whoever resumed it.
#[must_use]
pub fn flow_goes_on(key: &EnvironmentKey) -> Message {
    let line = Line::plain(format!("{key}{DOT}releases start by themselves again."));
    Message::answer(line, [Line::plain("The newest green commit comes first.")])
}

/// Nothing that somebody could resume.
#[must_use]
pub fn flow_is_not_paused(key: Option<&EnvironmentKey>) -> Message {
    let line = match key {
        Some(key) => Line::plain(format!("Nothing has stopped on {key}.")),
        None => Line::plain("Nothing has stopped anywhere."),
    };
    Message::answer(line, [Line::plain("See ").code("/release status").text(".")])
}

/// The environment follows no branch.
#[must_use]
pub fn flow_is_not_set(key: &EnvironmentKey) -> Message {
    let line = Line::plain(format!("Nothing starts by itself on {key}: no branch is set for it."));
    Message::answer(line, [Line::plain("In slipway.toml: ").code("auto_deploy = \"main\"")])
}

/// What holds it up is over only when that is over.
#[must_use]
pub fn flow_cannot_be_resumed(key: &EnvironmentKey, pause: &Pause, way_back: bool) -> Message {
    let line = Line::plain(format!("That does not help on {key}. Nothing was started."));
    let held = Line::plain("Nothing starts by itself there: ").join(why(&pause.why)).text(".");
    Message::answer(line, [held].into_iter().chain(way_out(key, &pause.why, way_back)))
}

/// Which of several is meant?
#[must_use]
pub fn flow_which(keys: &[EnvironmentKey]) -> Message {
    let line = Line::plain("Several environments have stopped. Nothing was started.");
    let shown = keys.iter().take(PAUSED_SHOWN_LIMIT).map(|key| Line::default().code(resume(key))).collect();
    Message::answer(line, words::with_rest(shown, keys.len()))
}

/// `started by itself: main is green at 4c1f9e2 (by ana)`: the line of a card whose release nobody asked for.
pub(super) fn started_by_itself(reason: Option<&str>) -> Line {
    let line = Line::plain("started by itself");
    reason.map_or(line.clone(), |reason| line.text(": ").untrusted(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::built_in;

    #[test]
    fn the_rule_that_is_named_is_the_one_that_there_is() {
        let words = |text: &str| text.split_whitespace().collect::<String>();
        assert!(built_in::FILES.iter().any(|(_, text)| words(text).contains(&words(BY_ITSELF))));
    }
}
