//! The card of a release: one message, updated in place, from the first second to the last.

mod back;
mod configuration;
mod cut_over;
mod ends;
mod failure;
mod migrating;
mod migrations;
mod paths;
mod plan;
mod planning;
mod run;
mod shipping;
mod taken_out;
mod targets;
mod together;
mod waiting;

pub(super) use back::{known_bad as known_bad_line, one as between_line};
pub(super) use configuration::{
    command as config_command, how as key_stands, lines as config_lines, names as config_names,
};
pub(super) use migrating::migrated;
pub(super) use migrations::migration as migration_line;
pub(super) use migrations::{data_not_brought_back, lines as migration_lines, warnings as migration_warnings};
pub(super) use plan::{When, ships};
pub(super) use run::noun as step_noun;
pub(super) use taken_out::warning as taken_out_warning;
pub(super) use targets::{all_dry, dry};
pub use together::together_card;
pub(super) use waiting::is_held;

use super::super::{Action, Block, Line, Mark, Message, Verb};
use super::ReleaseView;
use super::first;
use super::overriding;
use super::words::{self, DOT};
use crate::ids::CommitSha;
use crate::policy::{Reason, Stance};
use crate::release::{KnownBad, Outcome, Phase, Release, RequestKind, StepState};

/// The card of a release, whatever it is at.
#[must_use]
pub fn release_card(view: &ReleaseView<'_>) -> Message {
    first::fitted(whole_card(view))
}

/// The same with a first line of whatever length, whose pieces are as [`TITLE_SPANS`] says.
fn whole_card(view: &ReleaseView<'_>) -> Message {
    let card = match (&view.release.phase, &view.release.outcome) {
        (Phase::Planning { stage }, _) => planning::card(view, *stage),
        (Phase::AwaitingApproval, _) => waiting::awaiting(view),
        (Phase::Queued, _) => waiting::queued(view),
        (Phase::Running { step }, _) => with_mark(view, run::card(view, *step)),
        // That is why it was refused.
        (_, Some(Outcome::Denied)) if ends::is_refused_for_mark(view) => ends::denied(view),
        (_, Some(outcome)) => with_mark(view, ended(view, outcome)),
        // Only a stored state of another version can be an end without an outcome.
        (phase, None) => message(view, Mark::Ended, Line::plain(format!("ended: {}", phase.name()))),
    };
    shipping::with_merge(view.release, card)
}

fn ended(view: &ReleaseView<'_>, outcome: &Outcome) -> Message {
    match outcome {
        Outcome::Live => ends::live(view),
        Outcome::Migrated => migrating::ended(view),
        Outcome::DryRun => ends::dry_run(view),
        Outcome::NothingToDo => ends::nothing_to_do(view),
        Outcome::Denied => ends::denied(view),
        Outcome::Failed { step, failure } => failure::failed(view, *step, failure),
        Outcome::RolledBack { failure } => failure::rolled_back(view, failure),
        Outcome::Cancelled { by, details } => ends::cancelled(view, by, details),
        Outcome::Expired => ends::expired(view),
        Outcome::Superseded { by } => ends::superseded(view, by),
    }
}

/// Once somebody has said that what it brings is bad, of whichever release that was said, nobody reads of it without that.
fn with_mark(view: &ReleaseView<'_>, mut card: Message) -> Message {
    const KNOWN_BAD: &str = "known bad";
    let Some(mark) = mark(view) else { return card };
    let last = card.headline.clone().text(DOT).text(KNOWN_BAD);
    card.headline = match first::fits(&last) {
        true => last,
        // It is not what is left out.
        false => Line(card.headline.0[..TITLE_SPANS].to_vec()).text(KNOWN_BAD).text(DOT).join(stands(&card)),
    };
    card.body.insert(0, Block::Warning(back::known_bad(mark)));
    card
}

/// The mark on the release, else on another one of the same commit. What only migrates brings no commit.
pub(super) fn mark<'a>(view: &ReleaseView<'a>) -> Option<&'a KnownBad> {
    let of_commit = view.marked.filter(|_| !view.release.request.kind.plan_kind().only_migrates());
    view.release.known_bad.as_ref().or_else(|| of_commit?.known_bad.as_ref())
}

/// How many pieces of a card's first line say what it is about; [`title`] makes them.
const TITLE_SPANS: usize = 3;

/// What a card's first line says of how things stand.
fn stands(card: &Message) -> Line {
    Line(card.headline.0.iter().skip(TITLE_SPANS).cloned().collect())
}

/// A card with its first line and who asked for what.
fn message(view: &ReleaseView<'_>, mark: Mark, stands: Line) -> Message {
    let whole = title(view).join(stands.clone());
    let headline = match first::fits(&whole) || !configuration::is_only(view.release) {
        true => whole,
        // How it stands is more than that it is no new version.
        false => subject(view, "").join(stands).text(DOT).text(configuration::ONLY),
    };
    Message { mark, headline, progress: None, body: asked(view), actions: Vec::new() }
}

/// The pieces of a first line that say what it is about: [`TITLE_SPANS`] of them.
fn title(view: &ReleaseView<'_>) -> Line {
    let only =
        if configuration::is_only(view.release) { format!("{}{DOT}", configuration::ONLY) } else { String::new() };
    subject(view, &only)
}

fn subject(view: &ReleaseView<'_>, only: &str) -> Line {
    Line::plain(view.release.request.key.to_string()).text(DOT).text(only)
}

/// `refused: Only developers may ask for a release`, or without the reason where the first line has no room for it: the card
/// has it anyway.
fn because(view: &ReleaseView<'_>, how: &'static str, reason: &Reason) -> Line {
    let whole = Line::plain(format!("{how}: ")).untrusted(words::phrase(&reason.why));
    if first::fits(&title(view).join(whole.clone())) { whole } else { Line::plain(how) }
}

/// `asked by ana · plan 5b3e91 · release 01JD7Q4N`, and the reason given.
fn asked(view: &ReleaseView<'_>) -> Vec<Block> {
    let release = view.release;
    let by_itself = matches!(release.request.kind, RequestKind::Rollback { because_of: Some(_), .. });
    let requester = &release.request.requester;
    let reason = release.request.reason.as_ref();
    // Nobody asked for it, and its reason says why it is there.
    let (mut line, reason) = match (requester.is_slipway(), by_itself) {
        (true, _) => (super::flow::started_by_itself(reason.map(String::as_str)), None),
        (false, true) => (Line::plain("asked by Slipway for ").person(requester), reason),
        (false, false) => (Line::plain("asked by ").person(requester), reason),
    };
    match &release.request.kind {
        RequestKind::Deploy => {}
        RequestKind::Rollback { to, because_of, .. } => {
            if let Some(failed) = because_of {
                line = words::release(line.text(DOT), failed).text(" could not be verified");
            }
            let lead = match release.brings_what_ran_before() {
                true => "brings back what ran before Slipway's first release, ",
                false => "back to ",
            };
            line = words::release(line.text(DOT).text(lead), to);
        }
        RequestKind::Retry { of, .. }
        | RequestKind::Migrate { again: Some(of), .. }
        | RequestKind::Config { again: Some(of), .. } => {
            line = words::release(line.text(DOT).text("retry of "), of);
        }
        RequestKind::Migrate { again: None, .. } | RequestKind::Config { again: None, .. } => {}
        RequestKind::Ship { pull, again } => {
            line = line.text(format!("{DOT}ships #{pull}"));
            if let Some(of) = again {
                line = words::release(line.text(DOT).text("retry of "), of);
            }
        }
    }
    if let Some(digest) = release.digest() {
        line = line.text(DOT).text("plan ").code(digest.short());
    }
    line = words::release(line.text(DOT), &release.id);
    let reason = reason.map(|reason| Block::Line(Line::plain("reason: ").untrusted(reason.as_str())));
    let overridden = release.waiver.as_ref().map(|waiver| Block::Line(overriding::line(waiver)));
    [Block::Line(line)].into_iter().chain(reason).chain(overridden).collect()
}

/// A button as all cards have it.
#[must_use]
pub fn action(verb: Verb) -> Action {
    let label = match verb {
        Verb::Approve => "Approve",
        Verb::Veto => "Veto",
        Verb::Cancel => "Cancel",
        Verb::Retry => "Retry",
        Verb::Why => "Why?",
        Verb::Details => "Details",
        Verb::Lock => "Lock",
        Verb::Unlock => "Unlock",
        Verb::Rerun => "Re-run failed jobs",
        Verb::Promote => "Promote",
        Verb::NotNow => "Not now",
        Verb::Resume => "Resume",
    };
    Action { verb, label: label.to_owned() }
}

fn actions(verbs: impl IntoIterator<Item = Verb>) -> Vec<Action> {
    verbs.into_iter().map(action).collect()
}

/// A block with a label, unless there is nothing to say.
fn field(label: &str, lines: Vec<Line>) -> Option<Block> {
    (!lines.is_empty()).then(|| Block::Field { label: label.to_owned(), lines })
}

fn reasons(release: &Release) -> &[Reason] {
    release.verdict.as_ref().map_or(&[], |verdict| verdict.reasons())
}

/// The commit that the release brings, as far as it is known.
fn commit(release: &Release) -> Line {
    match &release.commit {
        Some(commit) => words::commit(Line::default(), commit),
        None => Line::plain("the commit"),
    }
}

fn base(release: &Release) -> Option<&CommitSha> {
    release.plan.as_ref()?.base.as_ref()
}

/// `9a77d01 keeps serving`: only for ends at which no target has been touched or the platform put it back, or after which
/// what it brought serves.
fn keeps_serving(release: &Release) -> Line {
    match base(release) {
        _ if release.brought_live() == Some(true) => commit(release).text(" is live and verified"),
        Some(base) => words::commit(Line::default(), base).text(" keeps serving"),
        None => Line::plain("the old version keeps serving"),
    }
}

/// What a run that did not get to its end leaves in the database.
fn applied(release: &Release) -> Option<Line> {
    let record = release.steps.get(crate::release::Step::Migrate);
    let plan = release.plan.as_ref()?;
    let ran: Vec<_> = plan.migrations.iter().filter(|m| m.not_run.is_none()).collect();
    if !plan.taken_back.is_empty() {
        return migrating::taken_back(plan, record.state);
    }
    match record.state {
        StepState::Succeeded if !ran.is_empty() => {
            let what = if ran.len() == 1 { "migration" } else { "migrations" };
            let mut line = Line::plain(format!("Applied and still there: {what} "));
            for (i, migration) in ran.iter().take(migrations::MIGRATIONS_SHOWN_LIMIT).enumerate() {
                line = if i > 0 { line.text(", ") } else { line }.code(words::stem(migration));
            }
            let more = ran.len().saturating_sub(migrations::MIGRATIONS_SHOWN_LIMIT);
            Some(if more > 0 { line.text(format!(" and {more} more")) } else { line })
        }
        // Where it was broken off, its own words say what is there.
        StepState::Failed if ran.len() > 1 && release.cancel_requested.is_none() => {
            Some(Line::plain("Migrations that ran before the failing one are applied and stay."))
        }
        StepState::Pending | StepState::Running | StepState::Succeeded | StepState::Failed | StepState::Skipped => None,
    }
}

/// `approved by bob, dora`.
fn approved(release: &Release) -> Option<Block> {
    let votes = release.votes.iter().filter(|v| v.stance == Stance::Approve);
    let voters: Vec<_> = votes.map(|v| v.person.clone()).collect();
    (!voters.is_empty()).then(|| Block::Line(words::people(Line::plain("approved by "), &voters, ", ")))
}
