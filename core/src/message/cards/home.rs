//! The page of one person: a title for each part, releases in short, environments in short.

use super::super::{Block, Line, Mark, Message, Verb};
use super::action;
use super::by_hand;
use super::history::outcome;
use super::status::locked;
use super::words::{self, DOT};
use crate::environment::Environment;
use crate::ids::EnvironmentKey;
use crate::release::{Phase, Release};
use jiff::Timestamp;

/// Why a release is on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeRelease {
    /// It waits for this person.
    Waiting,
    /// This person asked for it.
    Own,
}

fn title(text: String, rest: &[&str]) -> Message {
    Message::answer(Line::default().strong(text), rest.iter().map(|line| Line::plain(*line)))
}

/// Above what waits for the person.
#[must_use]
pub fn waiting_title(count: usize) -> Message {
    match count {
        0 => title("Waiting for you".to_owned(), &["Nothing waits for your approval."]),
        _ => title(
            format!("Waiting for you: {count}"),
            &["Approve or veto on the card in its channel, where the plan is."],
        ),
    }
}

/// Above the person's own releases.
#[must_use]
pub fn own_title(count: usize) -> Message {
    let none = ["None lately. Type /deploy <environment> in a channel."];
    title("Your releases".to_owned(), if count == 0 { &none } else { &[] })
}

/// Above the environments.
#[must_use]
pub fn environments_title() -> Message {
    title("Environments".to_owned(), &[])
}

/// A release in short.
#[must_use]
pub fn release(release: &Release, why: HomeRelease, now: Timestamp) -> Message {
    let ends = release.phase.is_end();
    let failed = matches!(release.phase, Phase::Failed | Phase::RolledBack);
    let headline = Line::plain(release.request.key.to_string()).text(DOT).join(outcome(release));
    let age = words::rough(words::seconds(release.request.at, now));
    let mut line = words::release(Line::default(), &release.id);
    if why == HomeRelease::Waiting {
        line = line.text(DOT).text("asked by ").person(&release.request.requester);
    }
    line = line.text(format!("{DOT}{age} ago"));
    let verbs: &[Verb] = match why {
        HomeRelease::Waiting => &[Verb::Details, Verb::Why],
        HomeRelease::Own if failed => &[Verb::Details, Verb::Retry],
        HomeRelease::Own if ends => &[Verb::Details],
        HomeRelease::Own => &[Verb::Details, Verb::Why, Verb::Cancel],
    };
    let actions = verbs.iter().map(|verb| action(*verb)).collect();
    Message { mark: Mark::None, headline, progress: None, body: vec![Block::Line(line)], actions }
}

/// An environment in short.
#[must_use]
pub fn environment(key: &EnvironmentKey, environment: &Environment, now: Timestamp) -> Message {
    let mut headline = Line::plain(key.to_string());
    headline = match (&environment.by_hand, &environment.live) {
        (Some(by_hand), _) => by_hand::version(headline.text(DOT), by_hand).text(", past Slipway"),
        (None, Some(live)) => {
            let since = words::rough(words::seconds(live.since, now));
            words::commit(headline.text(DOT), &live.commit).text(format!(" for {since}, by ")).person(&live.by)
        }
        (None, None) => headline.text(DOT).text("not known what runs"),
    };
    let mut body = Vec::new();
    if let Some(id) = &environment.running {
        body.push(Block::Line(words::release(Line::plain("now: "), id)));
    }
    if !environment.queue.is_empty() {
        body.push(Block::Line(Line::plain(format!("queue: {}", environment.queue.len()))));
    }
    let lock = environment.lock(now);
    body.extend(lock.map(|lock| Block::Line(locked(lock, now))));
    let actions = vec![action(if lock.is_some() { Verb::Unlock } else { Verb::Lock })];
    Message { mark: Mark::None, headline, progress: None, body, actions }
}
