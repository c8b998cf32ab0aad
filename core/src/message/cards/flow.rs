//! Continuous delivery: its pauses, as one message each, and how it stands, in one phrase.

use super::super::{Block, Line, Mark, Message, Verb};
use super::action;
use super::words::{self, DOT};
use crate::facts::CiState;
use crate::flow::{Flow, How, Pause, Resumption, Standing, Why};
use crate::ids::EnvironmentKey;
use jiff::Timestamp;

/// How many paused environments an answer lists.
const PAUSED_SHOWN_LIMIT: usize = 10;

/// The rule that lets Slipway release what nobody asked for, as it is by default.
const BY_ITSELF: &str = "@id(\"by-itself\") permit (principal == Person::\"slipway\", \
     action in [Action::\"request\", Action::\"rollback\", Action::\"execute\"], resource);";

/// What the channels read from the moment on from which nothing begins by itself.
#[must_use]
pub fn flow_paused(key: &EnvironmentKey, pause: &Pause) -> Message {
    let headline = Line::plain(format!("{key}{DOT}nothing starts by itself: ")).join(why(&pause.why));
    let actions = if pause.why.needs_somebody() { vec![action(Verb::Resume)] } else { vec![] };
    let body = way_out(key, &pause.why).into_iter().map(Block::Line).collect();
    Message { mark: Mark::Waiting, headline, progress: None, body, actions }
}

/// The same message after the pause.
#[must_use]
pub fn flow_resumed(key: &EnvironmentKey, pause: &Pause, how: &Resumption, now: Timestamp) -> Message {
    let line = Line::plain(format!("{key}{DOT}starts by itself again"));
    let headline = match how {
        Resumption::Over => line.text(match pause.why {
            Why::Locked { .. } => ": it is not locked any more",
            Why::Frozen { .. } => ": the freeze is over",
            Why::Refused { .. } => ": policy lets Slipway release here",
            Why::Gone { .. } => ": the branch is there",
            Why::PastSlipway { .. } => ": what was deployed past Slipway is gone",
            Why::Diverged { .. } | Why::Ended { .. } | Why::WentBack { .. } => "",
        }),
        Resumption::Said { by } => line.text(": resumed by ").person(by),
        Resumption::Succeeded { release, by } => {
            words::release(line.text(": "), release).text(" of ").person(by).text(" is live")
        }
    };
    let held = words::rough(words::seconds(pause.since, now));
    let was = Line::plain(format!("It had stopped for {held}: ")).join(why(&pause.why));
    Message { mark: Mark::Ended, headline, progress: None, body: vec![Block::Line(was)], actions: vec![] }
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
        Why::Refused { what } => Line::plain("policy does not let Slipway: ").untrusted(words::phrase(what)),
        Why::Ended { release, commit, how } => {
            let line = words::commit(Line::default(), commit);
            let line = match how {
                How::RolledBack => line.text(" was rolled back by AWS"),
                How::Denied => line.text(" was refused"),
                How::Expired => line.text(" was not approved in time"),
                How::Cancelled { by } => line.text(" was cancelled by ").person(by),
                How::Live | How::Nothing | How::Superseded | How::Failed => line.text(" failed"),
            };
            words::release(line.text(" ("), release).text(")")
        }
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

fn way_out(key: &EnvironmentKey, why: &Why) -> Vec<Line> {
    match why {
        Why::Locked { .. } => vec![Line::plain("Goes on by itself when it is unlocked: ").code(words::unlock(key))],
        Why::Frozen { .. } => vec![Line::plain("Goes on by itself when that is over.")],
        Why::Refused { .. } => vec![
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
            let line = line.code(format!("/deploy {} {}", key.environment, key.service)).text(" or ");
            vec![line.code(format!("/rollback {} {}", key.environment, key.service))]
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

/// To whoever resumed it.
#[must_use]
pub fn flow_goes_on(key: &EnvironmentKey) -> Message {
    Message::answer(Line::plain(format!("{key} starts by itself again, with the newest green commit.")), [])
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
pub fn flow_cannot_be_resumed(key: &EnvironmentKey, pause: &Pause) -> Message {
    let line = Line::plain(format!("That does not help on {key}: ")).join(why(&pause.why));
    Message::answer(line.text(". Nothing was started."), way_out(key, &pause.why))
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
