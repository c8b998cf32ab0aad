//! One card for several services that are deployed together: the card of the one that it is about at the moment, with
//! the others under it.

use super::super::super::{Action, Block, Line, Mark, Message, Verb};
use super::super::ReleaseView;
use super::super::first;
use super::super::history::outcome;
use super::super::words::{self, DOT};
use super::plan::{self, When};
use super::{approved, migrations, paths, stands, whole_card};
use crate::ids::{EnvironmentKey, EnvironmentName, ServiceName};
use crate::plan::PlanKind;
use crate::release::{Outcome, Phase, Release, Step};
use crate::together::how_it_ended;

/// How many commits are listed of each of the others.
const COMMITS_SHOWN_LIMIT: usize = 3;

/// The parts of a card that are about one service alone.
const OF_ONE_SERVICE: [&str; 6] = ["What ships", "What shipped", "Image", "Migrations", "Configuration", "Would ship"];

/// The card of a group. The view is of the release that [`current`](crate::together::current) gives; the members are in
/// their order.
#[must_use]
pub fn together_card(view: &ReleaseView<'_>, members: &[Release]) -> Message {
    let release = view.release;
    // What is next is next for all of them, once all are live.
    let next = view.next.filter(|_| is_live(members));
    let view = &ReleaseView { next: None, ..*view };
    let mut card = whole_card(view);
    let (mark, stands) = first_line(view, members, card.mark, stands(&card));
    let then = next.map_or(String::new(), |next| format!("{DOT}next: {next}"));
    (card.mark, card.headline) = (mark, title(members, release).join(stands).text(then));
    let service = &release.request.key.service;
    card.body = card.body.into_iter().map(|block| named(service, block)).collect();
    if let Some(lead) = members.first().filter(|lead| lead.id != release.id) {
        card.body.extend(approved(lead));
    }
    for member in members.iter().filter(|member| member.id != release.id) {
        card.body.extend(beside(view, member, members));
    }
    card.body.extend(rest(release, members));
    card.body.extend(next.map(|next| Block::Line(Line::plain("Next: ").code(for_all(release, next)))));
    // They would be about one service alone.
    card.actions.retain(|Action { verb, .. }| !matches!(verb, Verb::Lock | Verb::Promote));
    first::fitted(card)
}

fn title(members: &[Release], release: &Release) -> Line {
    let services = members.iter().map(|member| member.request.key.service.as_str());
    Line::plain(words::services_in(services, &release.request.key.environment)).text(DOT)
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
        return (mark, stopped(release, members));
    }
    if members.iter().all(|member| member.phase.is_end()) {
        // Somebody stopped them while one ran that could not be stopped any more.
        let by = members.iter().find_map(|member| match &member.outcome {
            Some(Outcome::Cancelled { by, .. }) => Some(by),
            _ => None,
        });
        let line = by.map_or(Line::plain("stopped"), |by| Line::plain("stopped by ").person(by));
        let lead = line.text(DOT);
        let title = title(members, release).join(lead.clone());
        return (Mark::Ended, lead.text(others_in_words(&title, members.iter().collect())));
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
    let of_one = Line::plain(format!("{}: ", release.request.key.service)).join(stands.clone());
    if !begun {
        let has_room = first::fits(&title(members, release).join(of_one.clone()));
        return (mark, if has_room { of_one } else { stands });
    }
    let live = members.iter().filter(|member| member.ended_well()).count().saturating_sub(idle);
    let head = format!("{live} of {} live{DOT}", members.len().saturating_sub(idle));
    // It waits between two that run: the whole goes on.
    let mark =
        if mark == Mark::Waiting && members.iter().any(|m| m.started_at.is_some()) { Mark::Running } else { mark };
    (mark, Line::plain(head).join(of_one))
}

/// Whether all are there that were to be brought.
fn is_live(members: &[Release]) -> bool {
    members.iter().all(Release::ended_well) && members.iter().any(|member| member.outcome == Some(Outcome::Live))
}

/// `/deploy production v1.8.0 all`: what asks for all services again, or for the next environment, as it was asked for.
pub(super) fn for_all(release: &Release, environment: &EnvironmentName) -> String {
    let reference = release.request.reference.as_deref().map_or(String::new(), |reference| format!(" {reference}"));
    format!("/deploy {environment}{reference} all")
}

/// A way out of a failure of one of a group: there are several services, so that it has to say which it is for.
pub(super) fn way_out(release: &Release, way: &str) -> String {
    let EnvironmentKey { service, environment } = &release.request.key;
    if release.request.together.is_none() {
        return way.to_owned();
    }
    if way == format!("/deploy {environment}") {
        return for_all(release, environment);
    }
    let names_no_service = ["rollback", "migrate"].iter().any(|command| {
        let rest = way.strip_prefix(&format!("/{command} {environment}"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    if names_no_service { format!("{way} {service}") } else { way.to_owned() }
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
        idle => format!("{live} live, {idle} had nothing to do"),
    };
    let start = members.iter().filter_map(|member| member.started_at).min();
    let end = members.iter().filter(|member| member.started_at.is_some()).filter_map(|member| member.ended_at).max();
    let took = start.zip(end).map(|(start, end)| format!("{DOT}{}", words::exact(words::seconds(start, end))));
    (Mark::Live, Line::plain(line).text(took.unwrap_or_default()))
}

/// `web failed in migrate · api is live, jobs was not started`.
fn stopped(release: &Release, members: &[Release]) -> Line {
    let title = title(members, release);
    let service = &release.request.key.service;
    let whole = Line::default().untrusted(how_it_ended(release)).text(DOT);
    // Its card has all of what went wrong under the first line.
    let short = match &release.outcome {
        _ if first::fits(&title.clone().join(whole.clone())) => None,
        // It never came to its turn: what it was to run is not there.
        Some(Outcome::Failed { step: Some(Step::Image), .. }) if release.started_at.is_none() => {
            Some(format!("{service} has no image"))
        }
        Some(Outcome::Failed { .. }) => Some(format!("{service} failed")),
        Some(Outcome::Superseded { .. }) => Some(format!("{service} was superseded")),
        Some(Outcome::Cancelled { .. }) => Some(format!("{service} was cancelled")),
        _ => None,
    };
    // Who has cancelled it stands nowhere else.
    let by = short.as_ref().and_then(|_| match &release.outcome {
        Some(Outcome::Cancelled { by, .. }) => Some(Line::plain(format!("{DOT}cancelled by ")).person(by)),
        _ => None,
    });
    let lead = short.map_or(whole, |short| Line::plain(short).text(DOT));
    let others: Vec<_> = members.iter().filter(|member| member.id != release.id).collect();
    let stand = match members.iter().all(|member| member.started_at.is_none()) {
        true => "nothing was started".to_owned(),
        false => others_in_words(&title.join(lead.clone()), others),
    };
    lead.text(stand).join(by.unwrap_or_default())
}

/// `api is live, jobs was not started`; where that is too long, `1 is live, 8 were not started`: the card has each of them.
fn others_in_words(lead: &Line, members: Vec<&Release>) -> String {
    let each = members.iter().map(|member| stands_in_words(member)).collect::<Vec<_>>().join(", ");
    if first::fits(&lead.clone().text(each.as_str())) {
        return each;
    }
    let mut counts = [0; 4];
    for member in &members {
        let kind = match &member.outcome {
            Some(Outcome::Live | Outcome::Migrated) => 0,
            Some(Outcome::NothingToDo | Outcome::DryRun) => 1,
            _ if member.left_out.is_some() => 2,
            _ => 3,
        };
        counts[kind] += 1;
    }
    let words = |n: usize, one: &str, many: &str| (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }));
    let parts = [
        words(counts[0], "is live", "are live"),
        words(counts[1], "had nothing to do", "had nothing to do"),
        words(counts[2], "was not started", "were not started"),
        words(counts[3], "ended otherwise", "ended otherwise"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
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
    let line = Line::plain("What is left comes with ").code(for_all(release, environment));
    Some(Block::Line(line.text(": what is live has nothing to do then.")))
}

#[cfg(test)]
mod tests {
    use super::way_out;
    use crate::message::cards::tests::asked;
    use crate::release::Release;
    use crate::together::Together;

    #[test]
    fn ways_out_of_one_of_several_say_which_and_of_all_say_so() {
        let alone = asked();
        let ways = |release: &Release| {
            ["/deploy production", "/rollback production", "/migrate production down 1", "look at the run's log"]
                .map(|way| way_out(release, way))
        };
        assert_eq!(ways(&alone)[..2], ["/deploy production", "/rollback production"]);
        let mut one = alone.clone();
        one.request.together = Some(Together { all: vec![one.id.clone(), "01X".into()] });
        one.request.reference = Some("v1.8.0".into());
        let expected = [
            "/deploy production v1.8.0 all",
            "/rollback production goals",
            "/migrate production down 1 goals",
            "look at the run's log",
        ];
        assert_eq!(ways(&one), expected);
        assert_eq!(way_out(&one, "/deploy production-eu"), "/deploy production-eu");
    }
}
