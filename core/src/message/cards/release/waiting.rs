//! Planned, but not started: people, time, a lock or another release is in the way.

use super::super::super::{Block, Line, Mark, Message, Verb};
use super::super::words::{self, DOT};
use super::super::{ApproverLine, ReleaseView};
use super::plan::{self, When};
use super::{actions, back, because, field, message, reasons, run};
use crate::environment::Waiting;
use crate::facts::CiState;
use crate::ids::TeamName;
use crate::policy::{self, Clears, Decision, OWN_POLICY_CHANGE, Reason, Slot, Stance};
use crate::release::{Release, Voided};

/// How many votes a card shows.
const VOTES_SHOWN_LIMIT: usize = 12;
/// How many changes of a plan a card shows.
const CHANGES_SHOWN_LIMIT: usize = 8;
/// How many people who cannot approve a line names.
const CANNOT_SHOWN_LIMIT: usize = 4;

pub(super) fn awaiting(view: &ReleaseView<'_>) -> Message {
    let release = view.release;
    let mut message = message(view, Mark::Waiting, awaits(view));
    message.body.extend(plan::warnings(release));
    message.body.extend(nobody_can(view));
    message.body.extend(own_changes(release));
    message.body.extend(changed(release));
    message.body.extend(plan::fields(release, When::Standing));
    message.body.push(Block::Line(run::steps(release)));
    message.body.extend(votes(view));
    message.body.extend(field("Who can approve", who_can(view)));
    let others: Vec<_> = reasons(release).iter().filter(|r| !is_about_votes(r)).cloned().collect();
    message.body.extend(field("Also waits for", words::reasons(&others, false, None)));
    message.body.extend(field("Known bad", marked(view)));
    message.body.extend(field("Queue", place(view)));
    message.body.extend(reading_again(release));
    message.body.push(expires(release));
    message.actions = actions([Verb::Approve, Verb::Veto, Verb::Why, Verb::Details, Verb::Cancel]);
    message
}

pub(super) fn queued(view: &ReleaseView<'_>) -> Message {
    let release = view.release;
    let mut message = message(view, Mark::Waiting, queued_for(view));
    message.body.extend(plan::warnings(release));
    message.body.extend(changed(release));
    message.body.extend(field("Waits for", words::reasons(reasons(release), false, None)));
    message.body.extend(field("Known bad", marked(view)));
    message.body.extend(field("Queue", place(view)));
    message.body.extend(plan::fields(release, When::Standing));
    message.body.push(Block::Line(run::steps(release)));
    message.body.extend(votes(view));
    message.body.extend(reading_again(release));
    message.body.push(expires(release));
    message.actions = actions([Verb::Why, Verb::Cancel, Verb::Details]);
    message
}

fn awaits(view: &ReleaseView<'_>) -> Line {
    let vetoed: Vec<_> = reasons(view.release)
        .iter()
        .filter_map(|r| match &r.clears {
            Clears::Withdrawal { by } => Some(by),
            _ => None,
        })
        .flatten()
        .cloned()
        .collect();
    if !vetoed.is_empty() {
        return words::people(Line::plain("vetoed by "), &vetoed, " and ")
            .text(DOT)
            .text("waits until that is withdrawn");
    }
    let missing = missing(view);
    let slots = if missing.is_empty() { String::new() } else { format!(": {missing}") };
    let lost = view.release.voided.as_ref().is_some_and(|v| !v.voters.is_empty());
    if lost && view.release.votes.is_empty() {
        let why = if mark_was_taken_away(view.release) { "" } else { "the plan changed, " };
        return Line::plain(format!("{why}votes are void{slots}"));
    }
    Line::plain(format!("waiting for approval{slots}"))
}

/// `1 of release, 1 of dba`: what the gate misses, else what the lines about approvers say.
fn missing(view: &ReleaseView<'_>) -> String {
    let by_gate = words::missing(reasons(view.release));
    if !by_gate.is_empty() {
        return words::slots_or(&by_gate);
    }
    let asked = view.approvers.iter().filter(|line| line.missing > 0 && !line.instead);
    words::slots(asked.map(|line| (&line.team, line.missing)))
}

fn is_about_votes(reason: &Reason) -> bool {
    matches!(reason.clears, Clears::Votes { .. })
}

/// The first thing in the way, and how many more there are.
fn queued_for(view: &ReleaseView<'_>) -> Line {
    let release = view.release;
    let Some(first) = reasons(release).first() else {
        let next = if release.gathering { "queued: reading again what would ship" } else { "queued: starts next" };
        return Line::plain(next);
    };
    if let Some(held) = held_by(release) {
        return refused(view, held);
    }
    let line = match &first.clears {
        Clears::Release { id } => words::release(Line::plain("queued behind "), id).join(ahead(view)),
        Clears::Unlock { owner, until } => {
            let line = Line::plain("queued: locked by ").person(owner);
            until.map_or(line.clone(), |at| line.text(" until ").time(at))
        }
        Clears::Time { at: Some(at) } => Line::plain("queued until ").time(*at),
        Clears::Time { at: None }
        | Clears::Facts
        | Clears::Soak { .. }
        | Clears::Nothing
        | Clears::Votes { .. }
        | Clears::Withdrawal { .. } => because(view, "queued", first),
    };
    match reasons(release).len() {
        1 => line,
        n => line.text(format!("{DOT}and {}", words::count(n - 1, "more reason"))),
    }
}

/// Whether no vote and no time clears it: somebody has to mend something, or to override it.
fn holds_for_good(release: &Release, reason: &Reason) -> bool {
    match reason.clears {
        Clears::Nothing => true,
        // With green CI it is the ways around the gate that a rule looks at.
        Clears::Facts => release
            .facts
            .as_ref()
            .is_some_and(|facts| facts.ci.value.state == CiState::Green && !facts.bypasses().is_empty()),
        _ => false,
    }
}

/// Whether it waits for nothing that comes by itself.
pub(in super::super) fn is_held(release: &Release) -> bool {
    held_by(release).is_some()
}

/// The first reason that holds it, where no other one is but that and votes that would change nothing.
fn held_by(release: &Release) -> Option<&Reason> {
    let mending = reasons(release).iter().find(|reason| reason.needs_mending());
    let holds = |reason: &Reason| {
        let is_in_vain = mending.is_some() && matches!(reason.clears, Clears::Votes { .. });
        is_in_vain || reason.needs_mending() || holds_for_good(release, reason)
    };
    let first = mending.or(reasons(release).first())?;
    reasons(release).iter().all(holds).then_some(first)
}

/// It does not run as things are; the way out stays.
fn refused(view: &ReleaseView<'_>, first: &Reason) -> Line {
    let release = view.release;
    if let Clears::Soak { environment, ahead: Some(ahead) } = &first.clears {
        let line = words::commit(Line::plain(format!("refused: {environment} has moved on to ")), &ahead.commit);
        return line.text(DOT).text(if first.overridable { "deploy that, or override" } else { "deploy that" });
    }
    let line = because(view, "refused", first);
    let line = match reasons(release).len() {
        1 => line,
        n => line.text(format!("{DOT}and {}", words::count(n - 1, "more reason"))),
    };
    let overridable = reasons(release).iter().all(|reason| reason.overridable);
    let way = if overridable {
        "does not run until that is mended or overridden"
    } else {
        "does not run until that is mended"
    };
    line.text(DOT).text(way)
}

/// Who has marked what it would bring, and what takes that back.
fn marked(view: &ReleaseView<'_>) -> Vec<Line> {
    let Some((marked, mark)) = view.marked.and_then(|marked| Some((marked, marked.known_bad.as_ref()?))) else {
        return vec![];
    };
    let undo = format!("/release bad {} --undo", marked.id.short());
    let has_approvals =
        view.release.waiver.is_some() || view.release.votes.iter().any(|vote| vote.stance == Stance::Approve);
    let then = match reasons(view.release) {
        _ if has_approvals => "votes are then asked for again",
        reasons if reasons.iter().any(is_about_votes) => "it then waits for approval",
        [] | [_] => "it then goes on by itself",
        _ => "it then waits for the rest",
    };
    vec![back::known_bad(mark), Line::default().code(undo).text(format!(" takes that back; {then}"))]
}

/// How many wait before it, where that is more than one.
fn ahead(view: &ReleaseView<'_>) -> Line {
    let Some(environment) = view.environment else { return Line::default() };
    let before = environment.queue.iter().take_while(|w| w.release != view.release.id);
    let before = before.filter(|w| !w.brings_nothing).count();
    let ahead = before + usize::from(environment.running.is_some());
    if ahead > 1 { Line::plain(format!(", {ahead} ahead")) } else { Line::default() }
}

/// `2nd of 3, behind release 01JD7Q4N (ana)`; nothing of the only one that waits.
fn place(view: &ReleaseView<'_>) -> Vec<Line> {
    let Some(environment) = view.environment else { return vec![] };
    let is_counted = |waiting: &&Waiting| !waiting.brings_nothing || waiting.release == view.release.id;
    let queue: Vec<_> = environment.queue.iter().filter(is_counted).collect();
    let Some(at) = queue.iter().position(|waiting| waiting.release == view.release.id) else { return vec![] };
    let own = queue[at];
    if queue.len() == 1 && own.bumped.is_none() {
        return vec![];
    }
    let mut line = Line::plain(format!("{} of {}", words::ordinal(at + 1), queue.len()));
    if let Some(before) = at.checked_sub(1).map(|before| queue[before]) {
        line = words::release(line.text(", behind "), &before.release).text(" (").person(&before.requester);
        line = match &before.bumped {
            Some(bumped) => line.text(", put first by ").person(&bumped.by).text(")"),
            None => line.text(")"),
        };
    }
    if let Some(bumped) = &own.bumped {
        line = line.text(DOT).text("put first by ").person(&bumped.by);
    }
    match own.passed {
        0 => vec![line],
        1 => vec![line.text(DOT).text("passed once")],
        n => vec![line.text(format!("{DOT}passed {n} times"))],
    }
}

/// What changed, and whose votes that made void.
fn changed(release: &Release) -> Vec<Block> {
    let Some(voided) = &release.voided else { return Vec::new() };
    let changes = voided.changes.iter().take(CHANGES_SHOWN_LIMIT).map(|change| {
        let line = Line::plain(change.what.as_str()).text(" ");
        line.untrusted(change.from.as_str()).text(" → ").untrusted(change.to.as_str())
    });
    let changes = words::with_rest(changes.collect(), voided.changes.len());
    let mut blocks: Vec<_> = field("Changed", changes).into_iter().collect();
    if !voided.voters.is_empty() {
        blocks.extend(field("Void", vec![void(release, voided)]));
    }
    if let Some(by) = &voided.override_by {
        let line = Line::plain("The override of ").person(by);
        let line = line.text(match mark_was_taken_away(release) {
            true => " was made before the mark of known bad was taken away and is void too.",
            false => " was for the plan before and is void too.",
        });
        blocks.push(Block::Line(line));
    }
    blocks
}

/// Where votes are void on the very plan that they were for.
fn mark_was_taken_away(release: &Release) -> bool {
    release.voided.as_ref().is_some_and(|voided| Some(&voided.digest) == release.digest().as_ref())
}

fn void(release: &Release, voided: &Voided) -> Line {
    let one = voided.voters.len() == 1;
    let line = Line::plain(if one { "the vote of " } else { "the votes of " });
    let line = words::people(line, &voided.voters, " and ").text(" on plan ").code(voided.digest.short());
    let line = match release.digest() {
        _ if mark_was_taken_away(release) => line.text(", given before the mark of known bad was taken away"),
        Some(digest) => line.text("; the plan is now ").code(digest.short()),
        None => line,
    };
    line.text(if one {
        ". They have been told, and can vote again."
    } else {
        ". All have been told, and can vote again."
    })
}

/// `✔ bob (release)   ✖ chen vetoes`.
fn votes(view: &ReleaseView<'_>) -> Option<Block> {
    let votes = &view.release.votes;
    if votes.is_empty() {
        return None;
    }
    let mut line = Line::default();
    for (i, vote) in votes.iter().take(VOTES_SHOWN_LIMIT).enumerate() {
        line = if i > 0 { line.text("   ") } else { line };
        line = match vote.stance {
            Stance::Approve => line.text("✔ ").person(&vote.person).text(teams(view, vote)),
            Stance::Veto => line.text("✖ ").person(&vote.person).text(" vetoes"),
        };
    }
    let more = votes.len().saturating_sub(VOTES_SHOWN_LIMIT);
    Some(Block::Line(if more > 0 { line.text(format!("   and {more} more")) } else { line }))
}

/// The teams of a voter that the plan needs.
fn teams(view: &ReleaseView<'_>, vote: &policy::Vote) -> String {
    let Some(person) = view.people.get(&vote.person) else { return String::new() };
    let needed = view.approvers.iter().map(|line| &line.team).filter(|team| person.teams.contains(*team));
    let names: Vec<_> = needed.map(TeamName::as_str).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

/// One line a team: who can, and who cannot and why.
fn who_can(view: &ReleaseView<'_>) -> Vec<Line> {
    if view.approvers.iter().all(|line| line.missing == 0) {
        let by_gate = words::missing(reasons(view.release));
        return by_gate.iter().map(|slot| words::slots_with_who(Line::default(), [slot])).collect();
    }
    view.approvers.iter().filter(|line| line.missing > 0).map(who_can_line).collect()
}

fn who_can_line(approvers: &ApproverLine) -> Line {
    let ApproverLine { team, can, cannot, missing: _, instead } = approvers;
    let line = Line::plain(format!("{}{team}: ", if *instead { "or " } else { "" }));
    let mut line = if can.is_empty() { line.text("nobody") } else { words::people(line, can, ", ") };
    if cannot.is_empty() {
        return line;
    }
    line = line.text(" (not ");
    for (i, (person, why)) in cannot.iter().take(CANNOT_SHOWN_LIMIT).enumerate() {
        line = if i > 0 { line.text("; not ") } else { line };
        line = line.person(person).text(": ").untrusted(why.as_str());
    }
    let more = cannot.len().saturating_sub(CANNOT_SHOWN_LIMIT);
    if more > 0 { line.text(format!("; nor {more} more)")) } else { line.text(")") }
}

/// Approvals that nobody is left to give, however people are placed, with the ways out that there are.
fn nobody_can(view: &ReleaseView<'_>) -> Vec<Block> {
    let reasons = reasons(view.release);
    let open = policy::nobody_can(&Decision::Deny { reasons: reasons.to_vec() }).unwrap_or_default();
    let overridable = reasons.iter().any(|reason| reason.overridable && is_about_votes(reason));
    let way = if overridable { ", or break the glass with /release override." } else { "." };
    let warn = |slot: &Slot| {
        let who = match slot.who.len() {
            0 => format!("Nobody is left to approve for {}", slot.team),
            n => format!("No more than {n} can approve for {}, and {} more must", slot.team, slot.missing),
        };
        Block::Warning(Line::plain(format!("{who}. Add somebody to the team who may{way}")))
    };
    open.iter().map(warn).collect()
}

/// What keeps waiting only because whoever asked has loosened a rule.
fn own_changes(release: &Release) -> impl Iterator<Item = Block> {
    let own = reasons(release).iter().filter(|reason| reason.id == OWN_POLICY_CHANGE);
    own.map(|reason| Block::Warning(Line::default().untrusted(reason.why.as_str())))
}

fn reading_again(release: &Release) -> Option<Block> {
    release.gathering.then(|| Block::Line(Line::plain("What runs and what would ship is being read again.")))
}

fn expires(release: &Release) -> Block {
    let expires = release.request.expires_at;
    let latest = reasons(release).iter().filter_map(|reason| match reason.clears {
        Clears::Time { at } => at,
        _ => None,
    });
    match latest.max().filter(|opens| *opens >= expires) {
        // It would wait in vain.
        Some(opens) => Block::Warning(
            Line::plain("expires ").time(expires).text(", before it could start: ask again ").time(opens),
        ),
        None => Block::Line(Line::plain("expires ").time(expires)),
    }
}
