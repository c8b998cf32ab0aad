//! One card for several services that are deployed together: the card of the one that it is about at the moment, with
//! the others under it.

use super::super::super::{Action, Block, Line, Mark, Message, Verb};
use super::super::ReleaseView;
use super::super::history::outcome;
use super::super::words::{self, DOT};
use super::plan::{self, When};
use super::{approved, migrations, paths, release_card, stands};
use crate::ids::ServiceName;
use crate::plan::PlanKind;
use crate::release::{Outcome, Phase, Release};
use crate::together::how_it_ended;

/// How many commits are listed of each of the others.
const COMMITS_SHOWN_LIMIT: usize = 3;

/// The parts of a card that are about one service alone.
const OF_ONE_SERVICE: [&str; 5] = ["What ships", "What shipped", "Image", "Migrations", "Configuration"];

/// The card of a group. The view is of the release that [`current`](crate::together::current) gives; the members are in
/// their order.
#[must_use]
pub fn together_card(view: &ReleaseView<'_>, members: &[Release]) -> Message {
    let release = view.release;
    let mut card = release_card(view);
    let (mark, stands) = first_line(view, members, card.mark, stands(&card));
    let services: Vec<_> = members.iter().map(|member| member.request.key.service.as_str()).collect();
    let title = format!("{} → {}", services.join(", "), release.request.key.environment);
    (card.mark, card.headline) = (mark, Line::plain(title).text(DOT).join(stands));
    let service = &release.request.key.service;
    card.body = card.body.into_iter().map(|block| named(service, block)).collect();
    if let Some(lead) = members.first().filter(|lead| lead.id != release.id) {
        card.body.extend(approved(lead));
    }
    for member in members.iter().filter(|member| member.id != release.id) {
        card.body.extend(beside(view, member, members));
    }
    card.body.extend(rest(release, members));
    // They would be about one service alone.
    card.actions.retain(|Action { verb, .. }| !matches!(verb, Verb::Lock | Verb::Promote));
    card
}

/// Says which service a part of the card is about.
fn named(service: &ServiceName, block: Block) -> Block {
    match block {
        Block::Field { label, lines } if OF_ONE_SERVICE.contains(&label.as_str()) => {
            Block::Field { label: format!("{service}: {}", label.to_lowercase()), lines }
        }
        other => other,
    }
}

fn first_line(view: &ReleaseView<'_>, members: &[Release], mark: Mark, stands: Line) -> (Mark, Line) {
    let release = view.release;
    if members.iter().all(Release::ended_well) {
        return all_well(members, mark, stands);
    }
    if release.stopped_its_group() {
        return (mark, Line::default().untrusted(how_it_ended(release)).text(DOT).join(others_stand(release, members)));
    }
    if members.iter().all(|member| member.phase.is_end()) {
        // Somebody stopped them while one ran that could not be stopped any more.
        let by = members.iter().find_map(|member| match &member.outcome {
            Some(Outcome::Cancelled { by, .. }) => Some(by),
            _ => None,
        });
        let line = by.map_or(Line::plain("stopped"), |by| Line::plain("stopped by ").person(by));
        return (Mark::Ended, line.text(DOT).text(in_words(members.iter())));
    }
    let had_nothing_to_do = |member: &Release| member.outcome == Some(Outcome::NothingToDo);
    let idle = members.iter().filter(|member| had_nothing_to_do(member)).count();
    let has_begun =
        |member: &Release| member.started_at.is_some() || (member.phase.is_end() && !had_nothing_to_do(member));
    let begun = members.iter().any(has_begun);
    let waits = matches!(release.phase, Phase::AwaitingApproval | Phase::Queued);
    if !begun && waits && release.leads().is_some() {
        return (mark, stands);
    }
    let of_one = Line::plain(format!("{}: ", release.request.key.service)).join(stands);
    if !begun {
        return (mark, of_one);
    }
    let live = members.iter().filter(|member| member.ended_well()).count().saturating_sub(idle);
    let head = format!("{live} of {} live{DOT}", members.len().saturating_sub(idle));
    // It waits between two that run: the whole goes on.
    let mark =
        if mark == Mark::Waiting && members.iter().any(|m| m.started_at.is_some()) { Mark::Running } else { mark };
    (mark, Line::plain(head).join(of_one))
}

fn all_well(members: &[Release], mark: Mark, stands: Line) -> (Mark, Line) {
    let live = members.iter().filter(|member| member.outcome == Some(Outcome::Live)).count();
    let idle = members.iter().filter(|member| member.outcome == Some(Outcome::NothingToDo)).count();
    if live == 0 {
        let untouched = members.iter().any(|member| paths::had_nothing_to_do(member).is_some());
        let why = if untouched { "nothing that concerns them has changed" } else { "all run already" };
        let line = if idle == members.len() { Line::plain(format!("nothing to do: {why}")) } else { stands };
        return (if idle == members.len() { Mark::Ended } else { mark }, line);
    }
    let line = match idle {
        0 => "all live".to_owned(),
        idle => format!("{live} of {} live, {idle} had nothing to do", members.len()),
    };
    let start = members.iter().filter_map(|member| member.started_at).min();
    let end = members.iter().filter(|member| member.started_at.is_some()).filter_map(|member| member.ended_at).max();
    let took = start.zip(end).map(|(start, end)| format!("{DOT}{}", words::exact(words::seconds(start, end))));
    (Mark::Live, Line::plain(line).text(took.unwrap_or_default()))
}

/// `api is live, jobs was not started`, beside the one that stopped them.
fn others_stand(stopped: &Release, members: &[Release]) -> Line {
    let none_started = members.iter().all(|member| member.started_at.is_none());
    if none_started {
        return Line::plain("nothing was started");
    }
    Line::plain(in_words(members.iter().filter(|member| member.id != stopped.id)))
}

fn in_words<'a>(members: impl Iterator<Item = &'a Release>) -> String {
    members.map(stands_in_words).collect::<Vec<_>>().join(", ")
}

fn stands_in_words(member: &Release) -> String {
    let service = &member.request.key.service;
    match &member.outcome {
        Some(Outcome::Live | Outcome::Migrated) => format!("{service} is live"),
        Some(Outcome::NothingToDo | Outcome::DryRun) => format!("{service} had nothing to do"),
        _ if member.left_out.is_some() => format!("{service} was not started"),
        Some(_) => how_it_ended(member),
        None => format!("{service} goes on"),
    }
}

/// One of the others: where it stands, what it ships, what its migrations may cost.
fn beside(view: &ReleaseView<'_>, member: &Release, members: &[Release]) -> Vec<Block> {
    let service = &member.request.key.service;
    let mut blocks = Vec::new();
    if !member.phase.is_end() {
        blocks.extend(plan::warnings(member).into_iter().map(|block| match block {
            Block::Warning(line) => Block::Warning(Line::plain(format!("{service}: ")).join(line)),
            other => other,
        }));
    }
    let mut lines = vec![stands_beside(member, members)];
    let ships = member.plan.as_ref().filter(|plan| plan.kind == PlanKind::Deploy && !is_idle(member));
    if let Some(plan) = ships {
        let when = match view.release.phase {
            Phase::Running { .. } | Phase::Planning { .. } => When::Redrawn(view.now),
            _ if member.phase.is_end() => When::Past,
            _ => When::Standing,
        };
        lines.extend(plan::ships(plan, when, COMMITS_SHOWN_LIMIT));
        lines.extend(migrations::lines(plan));
    }
    blocks.push(Block::Field { label: service.to_string(), lines });
    blocks
}

/// Whether nothing of it ships.
fn is_idle(member: &Release) -> bool {
    member.left_out.is_some() || member.outcome == Some(Outcome::NothingToDo)
}

fn stands_beside(member: &Release, members: &[Release]) -> Line {
    let line = match &member.phase {
        Phase::AwaitingApproval | Phase::Queued => {
            let before = members.iter().take_while(|other| other.id != member.id).find(|other| !other.ended_well());
            match before {
                Some(before) => Line::plain(format!("○ after {}", before.request.key.service)),
                None => outcome(member),
            }
        }
        _ => paths::had_nothing_to_do(member).map_or_else(|| outcome(member), |why| Line::plain("– ").join(why)),
    };
    words::release(line.text(DOT), &member.id)
}

/// How what was not started is brought after all.
fn rest(release: &Release, members: &[Release]) -> Option<Block> {
    let left: Vec<_> = members.iter().filter(|member| member.left_out.is_some()).collect();
    if left.is_empty() || !release.phase.is_end() {
        return None;
    }
    let environment = &release.request.key.environment;
    let line = Line::plain("What is left comes with ").code(format!("/deploy {environment} all"));
    Some(Block::Line(line.text(": what is live has nothing to do then.")))
}
