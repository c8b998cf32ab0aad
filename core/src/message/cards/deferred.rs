//! A deployment that is to be asked for later: its one message in the channels, and what is told of it.

use super::super::{Block, Line, Mark, Message, Verb};
use super::first;
use super::release::action;
use super::words::{self, DOT};
use crate::environment::{Environment, PASSED_LIMIT};
use crate::ids::{CommitSha, EnvironmentKey, IntentId, PersonId, ReleaseId};
use crate::intent::{
    Condition, Held, Intent, Note, PER_ENVIRONMENT_LIMIT, PER_PERSON_LIMIT, State, Unsettled, said, said_briefly,
};
use jiff::Timestamp;

/// How many of those that fit a prefix are named.
const CANDIDATES_SHOWN_LIMIT: usize = 5;

/// The message of one in a channel, as it stands. `page`: where the release that it began can be read about.
#[must_use]
pub fn deferred(intent: &Intent, page: Option<&str>) -> Message {
    let lead = Line::plain(intent.key.to_string()).text(DOT);
    let (mark, (headline, rest)) = match &intent.state {
        State::Waiting => return waiting(lead, intent),
        State::Begun { release, .. } => {
            let line = lead.text("deferred deployment began: release ");
            let line = match page {
                Some(page) => words::link(line, page, release.short()),
                None => line.code(release.short()),
            };
            (Mark::Live, (line, None))
        }
        State::Cancelled { by, .. } => (Mark::Ended, (lead.text("deferred deployment cancelled by ").person(by), None)),
        State::Expired { why, .. } => {
            (Mark::Ended, with_why(&lead.text("deferred deployment expired"), &lower_first(why)))
        }
        State::Refused { why, .. } => (Mark::Failed, with_why(&lead.text("deferred deployment refused"), why)),
    };
    let was = what(Line::plain("was to deploy "), intent.reference.as_deref());
    let was = when(was.text(" "), &intent.condition).text(DOT).text("asked by ").person(&intent.requester);
    let body = rest.into_iter().chain([was]).map(Block::Line).collect();
    Message { mark, headline, progress: None, body, actions: vec![] }
}

/// Why, in the first line if there is room.
fn with_why(lead: &Line, why: &str) -> (Line, Option<Line>) {
    let whole = Line::plain(": ").untrusted(words::phrase(why));
    let (line, rest) = first::or_short(lead, whole, Line::default());
    (line, rest.map(|_| Line::default().untrusted(why)))
}

/// `waits for green CI of main`.
fn green(lead: &Line, reference: Option<&str>) -> Line {
    let waits = Line::plain("waits for green CI");
    let of = reference.map(|reference| what(waits.clone().text(" of "), Some(reference)));
    of.filter(|of| first::fits(&lead.clone().join(of.clone()))).unwrap_or(waits)
}

/// `waits until it is known who is in developers`.
fn unknown(lead: &Line, held: &Held) -> Line {
    let named = Line::plain("waits until it is known who is in ").untrusted(held.team_names());
    let short = Line::plain("waits until it is known who is in its teams");
    if first::fits(&lead.clone().join(named.clone())) { named } else { short }
}

fn waiting(lead: Line, intent: &Intent) -> Message {
    let waits = match (&intent.held, &intent.condition) {
        (Some(held), _) => unknown(&lead, held),
        (None, Condition::Green) => green(&lead, intent.reference.as_deref()),
        (None, Condition::Unlocked) => Line::plain("waits until it is unlocked"),
        (None, Condition::At { at, timezone }) => {
            Line::plain(format!("waits for {}", said_briefly(*at, timezone, intent.asked_at)))
        }
    };
    let headline = lead.join(waits).text(DOT).text("asked by ").person(&intent.requester);
    let actions = vec![action(Verb::Cancel)];
    // What is held had its moment.
    let deploys = Line::plain(if intent.held.is_some() { "was to deploy " } else { "deploys " });
    let deploys = what(deploys, intent.reference.as_deref()).text(" ");
    let mut body = vec![Block::Line(when(deploys, &intent.condition))];
    body.extend(intent.reason.as_ref().map(|reason| Block::Line(Line::plain("reason: ").untrusted(reason))));
    if let Some(held) = &intent.held {
        body.extend(held.why.iter().map(|why| Block::Line(Line::default().untrusted(why.as_str()))));
        let line = Line::plain("Asked for as soon as it is known, given up at ").time(intent.expires_at).text(DOT);
        body.push(Block::Line(line.text("deferred ").code(intent.id.short())));
        return first::fitted(Message { mark: Mark::Waiting, headline, progress: None, body, actions });
    }
    let line = Line::plain("Rules, votes and the queue are asked then, not before").text(DOT);
    let line = line.text("deferred ").code(intent.id.short());
    body.push(Block::Line(match &intent.condition {
        Condition::At { .. } => line,
        Condition::Green | Condition::Unlocked => line.text(DOT).text("expires ").time(intent.expires_at),
    }));
    first::fitted(Message { mark: Mark::Waiting, headline, progress: None, body, actions })
}

/// The message of one that cannot be read any more, in place of what it said.
#[must_use]
pub fn deferred_unreadable(key: &EnvironmentKey, id: &IntentId) -> Message {
    let headline =
        Line::plain(key.to_string()).text(DOT).text("deferred deployment given up: it cannot be read any more");
    let line =
        Line::plain("Nothing was started").text(DOT).text("deferred ").code(id.short()).text(DOT).text("to ask now: ");
    let line = line.code(format!("/deploy {} {}", key.environment, key.service));
    let body = vec![Block::Line(line)];
    first::fitted(Message { mark: Mark::Failed, headline, progress: None, body, actions: vec![] })
}

/// What whoever has nothing else to cancel may have meant.
#[must_use]
pub fn deferred_could_be_cancelled(waiting: &[Intent]) -> Option<Block> {
    let first = waiting.first()?;
    let line = Line::plain(format!("{} for later. To take one back: ", words::count(waiting.len(), "deployment")));
    Some(Block::Line(line.code(format!("/release cancel {}", first.id.short()))))
}

/// One in a list that shows plain text, as [`super::brief`] says a release:
/// `01JD7Q4N · goals → staging · waits for 9:00 (Mon, UTC)`.
#[must_use]
pub fn deferred_brief(intent: &Intent) -> String {
    let until = match &intent.condition {
        Condition::Green => "for green CI".to_owned(),
        Condition::Unlocked => "until it is unlocked".to_owned(),
        Condition::At { at, timezone } => format!("for {}", said_briefly(*at, timezone, intent.asked_at)),
    };
    format!("{} · {} · waits {until}", intent.id.short(), intent.key)
}

fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// `the newest of main`, `4c1f9e2`.
fn what(line: Line, reference: Option<&str>) -> Line {
    match reference {
        None => line.text("the newest of the default branch"),
        Some(reference) => match CommitSha::parse(reference) {
            Ok(commit) => words::commit(line, &commit),
            Err(_) => line.untrusted(reference),
        },
    }
}

/// `on Monday 2026-11-30 at 9:00 (Europe/Berlin)`.
fn when(line: Line, condition: &Condition) -> Line {
    match condition {
        Condition::Green => line.text("when its CI is green"),
        Condition::Unlocked => line.text("when it is unlocked"),
        Condition::At { at, timezone } => line.text(format!("on {} ({timezone})", said(*at, timezone))),
    }
}

/// What whoever asked is answered.
#[must_use]
pub fn deferred_answer(intent: &Intent, note: Option<Note>, now: Timestamp) -> Message {
    let line = Line::plain(format!("Deploys {} to {} ", intent.key.service, intent.key.environment));
    let (line, then) = match &intent.condition {
        Condition::At { at, timezone } => {
            // The next line has the moment whole.
            let brief = Line::plain(format!("at {}.", said_briefly(*at, timezone, now)));
            let (line, _) = first::or_short(&line, brief, Line::plain("later."));
            (line, format!("Asked for on {}, in {}: ", said(*at, timezone), left(now, *at)))
        }
        Condition::Green => (line.text("when its CI is green."), "Asked for then: ".to_owned()),
        Condition::Unlocked => (line.text("when it is unlocked."), "Asked for then: ".to_owned()),
    };
    let then = what(Line::plain(then), intent.reference.as_deref()).text(", if policy allows it.");
    let mut rest = vec![then];
    rest.extend(note.map(|note| Line::plain(noted(note))));
    rest.extend(looked_up(intent).map(Line::plain));
    if let Condition::Green | Condition::Unlocked = intent.condition {
        rest.push(Line::plain(format!("Given up after {} without that.", left(now, intent.expires_at))));
    }
    rest.push(Line::plain("To cancel it: ").code(format!("/release cancel {}", intent.id.short())));
    Message::answer(line, rest)
}

fn left(now: Timestamp, at: Timestamp) -> String {
    words::rough(words::seconds(now, at))
}

fn noted(note: Note) -> &'static str {
    match note {
        Note::Tomorrow => "That time has passed today, so it is tomorrow.",
        Note::NextWeek => "That time has passed today, so it is next week.",
        Note::Skipped => "There is no such time on that day, because clocks go forward: it is the one above.",
        Note::Twice => "Clocks go back over that time on that day, so it comes twice: it is the first.",
    }
}

/// What a name stands for may change until then.
fn looked_up(intent: &Intent) -> Option<&'static str> {
    match (&intent.reference, &intent.condition) {
        (Some(reference), _) if CommitSha::parse(reference).is_ok() => None,
        (_, Condition::Green) => Some("Deployed is exactly the commit that is found green."),
        _ => Some("Which commit that is, is looked up at that moment."),
    }
}

/// What whoever asked is told when it ended without their doing.
#[must_use]
pub fn deferred_news(intent: &Intent) -> Message {
    let line = Line::plain(format!("Your deferred deployment to {} ", intent.key));
    const NOTHING: &str = "Nothing was started.";
    let (line, more, why) = match &intent.state {
        State::Waiting => (line.text("waits."), None, None),
        State::Begun { release, .. } => (words::release(line.text("began: "), release).text("."), None, None),
        State::Cancelled { by, .. } => {
            let whole = Line::plain(" by ").person(by).text(".");
            let (line, more) = first::or_short(&line.text("was cancelled"), whole, Line::plain("."));
            (line, more.map(|_| Line::plain("Cancelled by ").person(by).text(".")), None)
        }
        State::Expired { why, .. } | State::Refused { why, .. } => {
            let expired = matches!(intent.state, State::Expired { .. });
            let line = line.text(if expired { "has expired." } else { "was refused." });
            let (line, more) = first::or_short(&line, Line::plain(format!(" {NOTHING}")), Line::default());
            (line, more.map(|_| Line::plain(NOTHING)), Some(why))
        }
    };
    let why_line = why.map(|why| Line::default().untrusted(why));
    let mut rest: Vec<_> = more.into_iter().chain(why_line).collect();
    rest.push(was_to_bring(intent));
    if why.is_some() {
        let what = intent.reference.as_deref().map_or(String::new(), |reference| format!(" {reference}"));
        let line = format!("/deploy {}{what} {}", intent.key.environment, intent.key.service);
        rest.push(Line::plain("To ask now: ").code(line));
    }
    Message::answer(line, rest)
}

/// What it was to wait for is so already.
#[must_use]
pub fn begins_now(key: &EnvironmentKey) -> Message {
    Message::answer(Line::plain(format!("{key} is not locked, so the deployment is asked for now.")), [])
}

/// There is no such moment.
#[must_use]
pub fn cannot_be_deferred(why: Unsettled) -> Message {
    Message::answer(Line::plain(format!("That is no time to wait for: {why}. Nothing was started.")), [])
}

/// So many wait already.
#[must_use]
pub fn too_many_deferred(key: Option<&EnvironmentKey>) -> Message {
    let line = Line::plain(match key {
        Some(key) => format!("{PER_ENVIRONMENT_LIMIT} deployments to {key} are deferred already."),
        None => format!("{PER_PERSON_LIMIT} deployments of yours are deferred already."),
    });
    let way = Line::plain("Cancel one first: ").code("/release queue").text(".");
    let (line, more) = first::or_short(&line, Line::plain(" Nothing was started."), Line::default());
    Message::answer(line, more.map(|_| Line::plain("Nothing was started.")).into_iter().chain([way]))
}

/// It is cancelled.
#[must_use]
pub fn deferral_cancelled(intent: &Intent) -> Message {
    let line = Line::plain(format!("Cancelled: the deferred deployment to {}.", intent.key));
    Message::answer(line, [was_to_bring(intent)])
}

/// `It was to bring main when its CI is green.`
fn was_to_bring(intent: &Intent) -> Line {
    let line = what(Line::plain("It was to bring "), intent.reference.as_deref()).text(" ");
    when(line, &intent.condition).text(".")
}

/// It cannot be cancelled any more.
#[must_use]
pub fn deferral_ended(intent: &Intent) -> Message {
    let line = Line::plain("Deferred ").code(intent.id.short());
    let line = match &intent.state {
        State::Waiting => line.text(" waits."),
        State::Begun { release, .. } => {
            let line = words::release(line.text(" has begun as "), release).text(". To stop that: ");
            return Message::answer(line.code(format!("/release cancel {}", release.short())), []);
        }
        State::Cancelled { by, .. } => line.text(" was cancelled by ").person(by).text(" already."),
        State::Expired { .. } => line.text(" has expired already."),
        State::Refused { .. } => line.text(" was refused already."),
    };
    Message::answer(line.text(" Nothing was changed."), [])
}

/// What is to be cancelled fits several.
#[must_use]
pub fn cancel_fits_several(prefix: &str, releases: &[&ReleaseId], intents: &[&Intent]) -> Message {
    let line = Line::plain("\"").untrusted(prefix).text("\" fits several. Which one?");
    let of_release = releases.iter().map(|id| Line::default().code(id.as_str()).text("  release"));
    let of_intent = intents.iter().map(|intent| {
        let line = Line::default().code(intent.id.as_str()).text("  deferred to ");
        line.text(intent.key.to_string()).text(DOT).person(&intent.requester)
    });
    let all = of_release.chain(of_intent).take(CANDIDATES_SHOWN_LIMIT).collect();
    Message::answer(line, words::with_rest(all, releases.len() + intents.len()))
}

/// What waits for its moment, for the queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueIntents<'a>(pub &'a [Intent]);

impl QueueIntents<'_> {
    /// Those of one environment: `01JD7Q4N  ana, the newest of main · on Monday 2026-11-30 at 9:00 (Europe/Berlin)`.
    pub(super) fn lines(&self, environment: &Environment, limit: usize) -> Vec<Line> {
        let theirs: Vec<_> = self.0.iter().filter(|intent| intent.key == environment.key).collect();
        let line = |intent: &&Intent| {
            let line = Line::plain("later: ").code(intent.id.short()).text("  ").person(&intent.requester).text(", ");
            when(what(line, intent.reference.as_deref()).text(DOT), &intent.condition)
        };
        words::with_rest(theirs.iter().take(limit).map(line).collect(), theirs.len())
    }
}

/// Says in a status what waits for its moment.
pub fn note_deferred(status: &mut Message, intents: QueueIntents<'_>) {
    let count = intents.0.len();
    if count == 0 {
        return;
    }
    status.headline = std::mem::take(&mut status.headline).text(format!("{DOT}{count} for later"));
    let mut keys: Vec<_> = intents.0.iter().map(|intent| intent.key.to_string()).collect();
    keys.sort_unstable();
    keys.dedup();
    let line = Line::plain(format!("for later: {}", words::count(count, "deployment")));
    status.body.push(Block::Line(line.text(format!(" ({}). See ", keys.join(", "))).code("/release queue").text(".")));
}

/// A release was put before others.
#[must_use]
pub fn bumped(on: &str, release: &ReleaseId, passed: usize) -> Message {
    let line = words::release(Line::plain(format!("{on}: ")), release);
    let others = words::count(passed, "other");
    let told = Line::plain("Who asked for them has been told.");
    let line = line.text(format!(" goes before {others}"));
    let (line, _) = first::or_short(&line, Line::plain(" now."), Line::plain("."));
    Message::answer(line, [told])
}

/// What those are told who wait behind it now, and whoever asked for it. `place`: 1 is the first.
#[must_use]
pub fn bumped_before(
    on: &str,
    (release, requester): (&ReleaseId, &PersonId),
    by: &PersonId,
    yours: &[(usize, ReleaseId)],
) -> Message {
    let line = Line::default().person(by).text(" has put ");
    let line = words::release(line, release).text(" of ").person(requester).text(" first");
    let (line, where_) = first::or_short(&line, Line::plain(format!(" on {on}.")), Line::plain("."));
    let where_ = where_.map(|_| Line::plain(format!("It is for {on}.")));
    let place = |(place, release): &(usize, ReleaseId)| {
        let line = words::release(Line::plain("Your "), release);
        line.text(format!(" is number {place} of those that wait now. It is passed {PASSED_LIMIT} times at most."))
    };
    Message::answer(line, where_.into_iter().chain(yours.iter().map(place)))
}
