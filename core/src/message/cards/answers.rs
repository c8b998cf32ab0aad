//! Short answers to the person who typed or clicked. The fact first, the way out last.

use super::super::{Block, Line, Message, Verb};
use super::lock::only_yours;
use super::status::locked as lock_line;
use super::words::{self, DOT};
use crate::environment;
use crate::ids::{EnvironmentKey, PersonId};
use crate::membership::SourceState;
use crate::person::Identity;
use crate::policy::{Slot, Stance};
use crate::release::{Illegal, Release, Step, StepState};
use jiff::Timestamp;

/// How many releases are named when a prefix fits several.
const CANDIDATES_SHOWN_LIMIT: usize = 5;
/// How many releases that fit what was typed are counted.
pub const FITTING_LIMIT: usize = 20;
/// How much of what somebody typed is said back, in characters.
const TYPED_SHOWN_CHARS: usize = 80;

fn answer(headline: Line) -> Message {
    Message::answer(headline, [])
}

/// `goals → production · release 01JD7Q4N`.
fn which(release: &Release) -> Line {
    words::release(Line::plain(release.request.key.to_string()).text(DOT), &release.id)
}

fn typed(line: Line, text: &str) -> Line {
    let shown: String = text.chars().take(TYPED_SHOWN_CHARS).collect();
    line.text("\"").untrusted(shown).text("\"")
}

fn still_missing<'a>(line: Line, missing: impl IntoIterator<Item = &'a Slot>) -> Line {
    let mut missing = missing.into_iter().peekable();
    if missing.peek().is_none() {
        return line.text(" No approval is missing.");
    }
    words::slots_with_who(line.text(" Waiting for "), missing).text(".")
}

/// The vote does not count; `why` says so to the voter ("you asked for this release"). It may hold words of the
/// outside.
#[must_use]
pub fn vote_does_not_count(release: &Release, why: &str, missing: &[Slot]) -> Message {
    let line = Line::plain("Your vote does not count here: ").untrusted(why).text(".");
    Message::answer(still_missing(line, missing), [which(release)])
}

/// The vote came when the release could not take it: too late, or on a plan that has changed.
#[must_use]
pub fn vote_came_late(release: &Release, illegal: &Illegal) -> Message {
    let line = match illegal.why {
        Some(why) => Line::plain(format!("Your vote was not taken: {why}.")),
        None => Line::plain("Your vote was not taken: the release ").text(standing(release)).text("."),
    };
    Message::answer(line.text(" Nothing was changed."), [which(release)])
}

/// The vote is taken back.
#[must_use]
pub fn vote_withdrawn(release: &Release) -> Message {
    Message::answer(Line::plain("Your vote is taken back."), [which(release)])
}

/// Where a release stands, as the end of a sentence.
fn standing(release: &Release) -> &'static str {
    use crate::release::Phase;
    match release.phase {
        Phase::Planning { .. } => "has no plan yet",
        Phase::AwaitingApproval => "waits for approval",
        Phase::Queued => "is queued",
        Phase::Running { .. } => "is running",
        Phase::Denied => "was refused",
        Phase::Succeeded => "is live already",
        Phase::Failed => "has failed",
        Phase::RolledBack => "was rolled back",
        Phase::Cancelled => "has been cancelled or needed no run",
        Phase::Expired => "has expired",
        Phase::Superseded => "was superseded",
    }
}

/// The release is stopped, or will be after the running step.
#[must_use]
pub fn cancelled(release: &Release) -> Message {
    let live = release.steps.get(Step::Verify).state == StepState::Succeeded;
    let line = match (&release.cancel_requested, release.phase.is_end()) {
        (_, true) if live => "Cancelled. The older version is live and verified; no migration was taken back.",
        (Some(_), false) if release.phase == (crate::release::Phase::Running { step: Step::Verify }) => {
            "The older version is live and stays; no migration will be taken back."
        }
        (Some(_), false) => {
            "The migration that runs is broken off and taken back, as far as it can be; those before it stay."
        }
        _ if release.started_at.is_none() => "Cancelled. Nothing was started.",
        _ if release.steps.get(Step::Migrate).state == StepState::Succeeded => {
            "Cancelled. No target was touched; migrations that have run stay applied."
        }
        _ => "Cancelled. No target was touched.",
    };
    Message::answer(Line::plain(line), [which(release)])
}

/// The override came when the release could not take it.
#[must_use]
pub fn override_came_late(release: &Release, illegal: &Illegal) -> Message {
    let line = match illegal.why {
        Some(why) => Line::plain(format!("Your override was not taken: {why}.")),
        None => Line::plain("There is nothing to override: the release ").text(standing(release)).text("."),
    };
    Message::answer(line.text(" Nothing was changed."), [which(release)])
}

/// It cannot be stopped any more, or has ended.
#[must_use]
pub fn cancel_came_late(release: &Release, illegal: &Illegal) -> Message {
    let line = match illegal.why {
        Some(why) => Line::plain(format!("It cannot be cancelled now: {why}.")),
        None => Line::plain("There is nothing to cancel: the release ").text(standing(release)).text("."),
    };
    Message::answer(line, [which(release)])
}

/// Adds to an answer which others of a group are not started any more.
#[must_use]
pub fn and_not_started(mut answer: Message, others: &[Release]) -> Message {
    let names: Vec<_> = others.iter().map(|other| other.request.key.service.as_str()).collect();
    if !names.is_empty() {
        answer.body.push(Block::Line(Line::plain(format!("Not started any more: {}.", names.join(", ")))));
    }
    answer
}

/// The lock holds.
#[must_use]
pub fn locked(key: &EnvironmentKey, lock: &environment::Lock, now: Timestamp) -> Message {
    Message::answer(Line::plain(format!("{key} is ")).join(lock_line(lock, now)).text("."), [only_yours(key)])
}

/// The lock holds, and takes the place of one that its owner had.
#[must_use]
pub fn lock_replaced(
    key: &EnvironmentKey,
    before: &environment::Lock,
    lock: &environment::Lock,
    now: Timestamp,
) -> Message {
    let mut message = locked(key, lock, now);
    let line = Line::plain("Before it was ").join(lock_line(before, now)).text(".");
    message.body.insert(0, Block::Line(line));
    message
}

/// The lock is another's now, and they have been told.
#[must_use]
pub fn lock_handed_over(key: &EnvironmentKey, lock: &environment::Lock, now: Timestamp) -> Message {
    let line = Line::plain(format!("{key} is now ")).join(lock_line(lock, now)).text(".");
    answer(line.text(" They have been told."))
}

/// The one who was to get the lock may not have one; `why` is the policy's sentence.
#[must_use]
pub fn lock_not_for(person: &PersonId, why: &str) -> Message {
    let line = Line::default().person(person).text(" may not hold this lock: ").untrusted(why);
    answer(line.text(" Nothing was changed."))
}

/// Nobody is known by this mention.
#[must_use]
pub fn nobody_mentioned() -> Message {
    let line = Line::plain("Slipway does not know whom you mention. Nothing was changed.");
    Message::answer(line, [Line::plain("Write their name in slipway.toml instead: ").code("--to bob")])
}

/// The lock is gone; `waiting` releases go on.
#[must_use]
pub fn unlocked(key: &EnvironmentKey, waiting: usize) -> Message {
    let line = Line::plain(format!("{key} is unlocked."));
    answer(if waiting > 0 { line.text(format!(" {} can go on.", words::count(waiting, "release"))) } else { line })
}

/// Somebody else holds it. `may_end`: whoever reads this may end that lock too.
#[must_use]
pub fn locked_by_another(key: &EnvironmentKey, owner: &PersonId, may_end: bool) -> Message {
    let line = Line::plain(format!("{key}: it is locked by ")).person(owner);
    let line = line.text(if may_end { ". You can end that too, with " } else { ", who can end that with " });
    answer(line.code(words::unlock(key)).text("."))
}

/// The environment cannot do what was asked.
#[must_use]
pub fn environment_refuses(key: &EnvironmentKey, illegal: &environment::Illegal) -> Message {
    use environment::Illegal;
    let line = Line::plain(format!("{key}: "));
    answer(match illegal {
        Illegal::Locked(owner) => return locked_by_another(key, owner, false),
        Illegal::NotLocked => line.text("it is not locked. Nothing was changed."),
        Illegal::Owned(owner) => line.person(owner).text(" holds its lock already. Nothing was changed."),
        Illegal::NotDue => line.text("nothing is due. Nothing was changed."),
        Illegal::Busy(other) => words::release(line, other).text(" is running here. Wait for its end."),
        Illegal::NotItsTurn => line.text("another release was asked for before. See ").code("/release queue").text("."),
        Illegal::QueueFull => line
            .text(format!("{} releases wait here already. Cancel one first: ", environment::QUEUE_LIMIT))
            .code("/release queue")
            .text("."),
        Illegal::NotQueued(release) => words::release(line, release)
            .text(" does not wait in the queue: it is planned, runs or has ended. Nothing was changed."),
        Illegal::First(release) => words::release(line, release)
            .text(" is the first of those that wait, except for rollbacks, which are not passed. Nothing was changed."),
        Illegal::PassedOften(release) => words::release(line, release).text(format!(
            " was passed {} times already, and is not passed again. Nothing was changed.",
            environment::PASSED_LIMIT
        )),
    })
}

/// What was typed fits several releases: these, or with more than [`FITTING_LIMIT`] more than these.
#[must_use]
pub fn ambiguous_release(prefix: &str, candidates: &[&Release]) -> Message {
    let n = match candidates.len() {
        n if n > FITTING_LIMIT => format!("more than {FITTING_LIMIT}"),
        n => n.to_string(),
    };
    let line = typed(Line::default(), prefix).text(format!(" fits {n} releases. Which one?"));
    let one = |release: &&Release| {
        let line = Line::default().code(release.id.as_str()).text("  ").text(release.request.key.to_string());
        line.text(DOT).person(&release.request.requester).text(" at ").time(release.request.at)
    };
    let shown = candidates.iter().take(CANDIDATES_SHOWN_LIMIT).map(one);
    Message::answer(line, words::with_rest(shown.collect(), candidates.len()))
}

/// No release was named, and several could be meant. `what` completes "releases that …": "wait for approval".
#[must_use]
pub fn which_release(what: &'static str, candidates: &[&Release]) -> Message {
    let n = candidates.len();
    let mut message = ambiguous_release("", candidates);
    message.headline = Line::plain(format!("There are {n} releases that {what}. Which one?"));
    message
}

/// What was typed fits no release.
#[must_use]
pub fn no_such_release(prefix: &str) -> Message {
    let line = typed(Line::plain("There is no release "), prefix);
    answer(line.text(". See ").code("/release history").text(". Nothing was changed."))
}

/// No release was named, and none could be meant. `what` completes "No release …": "waits for approval".
#[must_use]
pub fn no_release(what: &'static str) -> Message {
    answer(Line::plain(format!("No release {what}. See ")).code("/release history").text("."))
}

/// Slipway does not know who typed this.
#[must_use]
pub fn unknown_person(identity: &Identity) -> Message {
    let id: String = identity.id().chars().take(TYPED_SHOWN_CHARS).collect();
    let way = Line::plain("To be added, ask for this line in your [person.NAME] section of slipway.toml: ")
        .code(format!("{} = \"{id}\"", identity.platform().key()));
    let link = Line::plain("Or, where Slipway knows you in another chat, type ").code("/release link");
    let link = link.text(" there, and here what you are given.");
    Message::answer(Line::plain("Slipway does not know you. Nothing was started."), [way, link])
}

/// Somebody wants to hold an environment and has not said why, where the chat has no form to ask with.
#[must_use]
pub fn lock_needs_a_reason(key: &EnvironmentKey) -> Message {
    let line = Line::plain("A lock needs a reason. Nothing was changed.");
    let way = Line::plain("Type ").code(format!("/release lock {} \"why\" --for 2h", key.environment));
    Message::answer(line, [way])
}

/// What somebody asked for is done, and nothing else is to be said.
#[must_use]
pub fn done() -> Message {
    Message::answer(Line::plain("Done: the card shows it."), [])
}

/// A reaction that is no vote by itself here: the button is.
#[must_use]
pub fn confirm_vote(release: &Release, stance: Stance) -> Message {
    let (does, verb) = match stance {
        Stance::Approve => ("approves", Verb::Approve),
        Stance::Veto => ("vetoes", Verb::Veto),
    };
    let line = Line::plain(format!("A reaction is no vote on {}: this button {does} ", release.request.key));
    let line = match release.digest() {
        Some(digest) => line.text("plan ").code(digest.short()).text(" of "),
        None => line,
    };
    let headline = words::release(line, &release.id).text(".");
    Message { actions: vec![super::action(verb)], ..Message::answer(headline, []) }
}

/// A release was asked for in a thread.
#[must_use]
pub fn card_is_in_the_channel(release: &Release) -> Message {
    answer(which(release).text(" has begun. Its card is in the channel."))
}

/// A ✅ of somebody whose ❌ is there as well.
#[must_use]
pub fn veto_stands(release: &Release) -> Message {
    let line = Line::plain("Your ❌ stands, so this approval does not count. Take ❌ away first.");
    Message::answer(line, [which(release)])
}

/// Adds to a refusal for which of the person's teams Slipway cannot tell who is in them, why, and the way out.
#[must_use]
pub fn members_unknown<'a>(mut refusal: Message, sources: impl IntoIterator<Item = &'a SourceState>) -> Message {
    let unknown = sources.into_iter().filter(|source| !source.counts);
    refusal.body.extend(unknown.map(|source| Block::Line(member_unknown(source))));
    refusal
}

fn member_unknown(state: &SourceState) -> Line {
    let SourceState { team, source, seen_at, trouble, counts: _ } = state;
    let line = Line::plain(format!("Nobody counts as a member of {team} by ")).untrusted(source.to_string());
    if trouble.as_ref().is_some_and(|trouble| trouble.tries == 0) {
        return line.text(", which cannot be looked up. It is being read again. Try again in a minute.");
    }
    let line = match seen_at {
        Some(at) => line.text(", which was last read at ").time(*at),
        None => line.text(", which has never been read"),
    };
    let Some(trouble) = trouble else { return line.text(". It is being read. Try again in a minute.") };
    let line = line.text(" and cannot be read since ").time(trouble.since).text(": ").untrusted(trouble.what.as_str());
    line.text(" Whoever runs Slipway finds out more with ").code("slipway check").text(".")
}

/// There is nothing to migrate: no folder, or no database.
#[must_use]
pub fn no_migrations(key: &EnvironmentKey, has_files: bool) -> Message {
    let line = match has_files {
        true => format!("{key} has no database in the configuration, so there is nothing to migrate."),
        false => format!("{} has no migrations in the configuration.", key.service),
    };
    answer(Line::plain(line).text(" Nothing was started."))
}

/// Too much is being looked up outside already.
#[must_use]
pub fn too_many_questions() -> Message {
    answer(Line::plain("Too many questions wait for an answer already. Ask again in a minute."))
}

/// The person may not do this; `why` is the policy's sentence.
#[must_use]
pub fn not_allowed(why: &str) -> Message {
    answer(Line::plain("Not allowed: ").untrusted(why).text(" Nothing was changed."))
}
