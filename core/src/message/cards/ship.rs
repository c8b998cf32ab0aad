//! Answers to `/release ship` that begin nothing.

use super::super::{Line, Message};
use super::words;
use crate::ids::{EnvironmentName, ServiceName};
use crate::release::Release;

/// How many names an answer lists.
const LISTED_LIMIT: usize = 20;

const NOTHING: &str = " Nothing was started.";

/// Another release ships it.
#[must_use]
pub fn ships_already(first: &Release, pull: u64) -> Message {
    let line = Line::plain(format!("#{pull} is on its way to {}: ", first.request.key.environment));
    let line = words::release(line, &first.id).text(" of ").person(&first.request.requester);
    let show = Line::plain("To see it: ").code(format!("/release show {}", first.id.short()));
    Message::answer(line.text(format!(".{NOTHING}")), [show])
}

/// No service has this repository.
#[must_use]
pub fn another_repository(repository: &str, known: &[String]) -> Message {
    let line = Line::plain("No service that is meant has the repository ").untrusted(repository);
    let known = known.iter().take(LISTED_LIMIT).cloned().collect::<Vec<_>>().join(", ");
    Message::answer(line.text(format!(".{NOTHING}")), [Line::plain(format!("There are: {known}."))])
}

/// Several services may be meant.
#[must_use]
pub fn which_service(pull: u64, services: &[ServiceName]) -> Message {
    let names: Vec<_> = services.iter().take(LISTED_LIMIT).map(ServiceName::as_str).collect();
    let there = Line::plain(format!("There are: {}.", names.join(", ")));
    let first = names.first().copied().unwrap_or_default();
    let example = Line::plain("For example ").code(format!("/release ship {pull} --service {first}"));
    Message::answer(Line::plain(format!("Which service?{NOTHING}")), [there, example])
}

/// The service has no such environment, or none that what is merged could go to first.
#[must_use]
pub fn no_such_environment(
    pull: u64,
    service: &ServiceName,
    named: Option<&EnvironmentName>,
    has: &[EnvironmentName],
) -> Message {
    let names: Vec<_> = has.iter().take(LISTED_LIMIT).map(EnvironmentName::as_str).collect();
    let line = match named {
        Some(named) => format!("{service} has no environment {named}."),
        None => format!("Which environment of {service}?"),
    };
    let there = Line::plain(format!("There are: {}.", names.join(", ")));
    // Production comes before staging in the order of names.
    let last = names.last().copied().unwrap_or_default();
    let example = Line::plain("For example ").code(format!("/release ship {pull} {last} --service {service}"));
    Message::answer(Line::plain(format!("{line}{NOTHING}")), [there, example])
}
