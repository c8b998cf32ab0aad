//! What the channels read of a commit on its way to the next environment.

use super::super::{Action, Block, Line, Mark, Message, Verb};
use super::first;
use super::release::{When, migration_lines, migration_warnings, ships};
use super::words::{self, DOT};
use crate::environment::Live;
use crate::ids::{CommitSha, EnvironmentKey, EnvironmentName};
use crate::plan::Plan;
use crate::policy::Reason;
use crate::promotion::{Hindrance, Outlook, Promotion, Standing, Stop};
use crate::release::Release;

/// How many commits a suggestion lists.
const COMMITS_SHOWN_LIMIT: usize = 10;

/// A commit that could go on.
#[derive(Clone, Copy, Debug)]
pub struct SuggestionView<'a> {
    /// Where to.
    pub key: &'a EnvironmentKey,
    /// Where it runs.
    pub before: &'a EnvironmentName,
    /// What runs there.
    pub live: &'a Live,
    /// For how many seconds this image has served there.
    pub soaked_s: i64,
    /// What would ship, as far as the releases before tell.
    pub plan: &'a Plan,
    /// What the gate misses: approvals.
    pub reasons: &'a [Reason],
    /// What runs there, if nobody knows whether the commit contains it.
    pub unrelated: Option<&'a CommitSha>,
    /// Whether the service has migrations.
    pub migrates: bool,
}

fn subject(key: &EnvironmentKey, commit: &CommitSha) -> Line {
    words::commit(Line::plain(key.to_string()).text(DOT), commit)
}

/// `4c1f9e2 has run on staging for 31 min`: also why a release began by itself.
#[must_use]
pub fn soaked_for(commit: &CommitSha, before: &EnvironmentName, soaked_s: i64) -> String {
    let served = words::rough(u64::try_from(soaked_s).unwrap_or(0));
    format!("{} has run on {before} for {served}", commit.short())
}

/// The suggestion:
/// `○ goals → production · 4c1f9e2 is ready to deploy · 31 min on staging · 3 commits, 1 migration`.
#[must_use]
pub fn suggestion(view: &SuggestionView<'_>) -> Message {
    let SuggestionView { key, before, live, soaked_s, plan, reasons, unrelated, migrates } = view;
    let total = plan.commits.len().max(usize::try_from(plan.commits_total).unwrap_or(usize::MAX));
    // From where nothing is known, there may be more.
    let least = if plan.base.is_none() || unrelated.is_some() { "at least " } else { "" };
    let mut what = format!("{least}{}", words::count(total, "commit"));
    if !plan.migrations.is_empty() {
        what = format!("{what}, {}", words::count(plan.migrations.len(), "migration"));
    }
    let served = words::rough(u64::try_from(*soaked_s).unwrap_or(0));
    let headline = subject(key, &live.commit).text(format!(" is ready to deploy{DOT}{served} on {before}{DOT}{what}"));
    let since = Line::plain(format!("on {before} since ")).time(live.since).text(DOT);
    let since = match live.by.is_slipway() {
        true => since.text("started by itself"),
        false => since.text("asked by ").person(&live.by),
    };
    let mut body = vec![Block::Line(words::release(since.text(DOT), &live.release))];
    body.extend(unrelated.map(|runs| {
        let line = words::commit(Line::default(), runs)
            .text(format!(" runs on {} and has not been on {before}, ", key.environment));
        Block::Warning(
            words::commit(line.text("as far as is known: look whether "), &live.commit).text(" contains it."),
        )
    }));
    body.extend(migration_warnings(plan).into_iter().map(Block::Warning));
    body.push(Block::Gap);
    body.push(field("What ships", ships(plan, When::Standing, COMMITS_SHOWN_LIMIT)));
    let mut migrations = migration_lines(plan);
    if !plan.migrations.is_empty() {
        let seen = format!(
            "as planned for {before}; what is pending on {}, and who has to approve that, is known when it is asked for",
            key.environment
        );
        migrations.push(Line::plain(seen));
    }
    body.push(field("Migrations", migrations));
    let missing = words::missing(reasons);
    let approvals = match missing.is_empty() {
        true if *migrates => Line::plain("none is needed as far as it is known"),
        true => Line::plain("none is needed"),
        false => words::slots_with_who(Line::default(), &missing),
    };
    // Beside the migrations it is said already.
    let unseen = *migrates && plan.migrations.is_empty();
    let unseen = unseen.then(|| Line::plain(format!("not looked at: {}", super::MIGRATIONS_UNSEEN)));
    body.push(field("Approvals", [approvals].into_iter().chain(unseen).collect()));
    let deploy = Action { verb: Verb::Promote, label: format!("Deploy to {}", key.environment) };
    let actions = vec![deploy, super::action(Verb::NotNow)];
    first::fitted(Message { mark: Mark::Waiting, headline, progress: None, body, actions })
}

fn field(label: &str, lines: Vec<Line>) -> Block {
    Block::Field { label: label.to_owned(), lines }
}

/// A promotion that is no suggestion any more. `page`: the address of the page of the release that it names.
#[must_use]
pub fn promotion(key: &EnvironmentKey, promotion: &Promotion, before: &EnvironmentName, page: Option<&str>) -> Message {
    let Promotion { commit, standing, .. } = promotion;
    let line = subject(key, commit);
    let by_hand = |line: Line| line.code(format!("/deploy {} {} {}", key.environment, commit.short(), key.service));
    let (mark, headline, rest) = match standing {
        Standing::Suggested => (Mark::Ended, line.text(" is not suggested any more"), None),
        Standing::Held { by } => (Mark::Ended, line.text(" is held: known bad, marked by ").person(by), None),
        Standing::Left { live, newer: true } => {
            let lead = words::commit(line.text(" superseded by "), live);
            let (line, rest) = first::or_short(&lead, Line::plain(format!(" on {before}")), Line::default());
            (Mark::Ended, line, rest.map(|_| words::commit(Line::default(), live).text(format!(" is on {before}"))))
        }
        Standing::Left { live, newer: false } => {
            let line = line.text(format!(" is no longer on {before}: back to "));
            (Mark::Ended, words::commit(line, live), None)
        }
        Standing::Taken { release, by } => {
            (Mark::Ended, words::release(line.text(" asked for by ").person(by).text(": "), release), None)
        }
        Standing::Declined { by } => {
            let rest = by_hand(Line::plain("To ask for it all the same: "));
            (Mark::Ended, line.text(" not now, says ").person(by), Some(rest))
        }
        Standing::Begun { release } | Standing::Over { release } => {
            (Mark::Ended, words::release(line.text(" started by itself: "), release), None)
        }
        Standing::Stopped { how, .. } => {
            let line = line.text(stop(*how)).text(DOT).text("does not start by itself again");
            let rest = Line::plain("A newer commit on ").text(before.to_string());
            (Mark::Failed, line, Some(by_hand(rest.text(" does. To ask for this one all the same: "))))
        }
        Standing::Closed { why } => return closed(key, commit, before, why),
    };
    let named = standing.led_to().map(|release| match page {
        Some(url) => words::link(Line::default(), url, &format!("Release {}", release.short())),
        None => Line::plain("Release ").code(release.short()),
    });
    // Without a link it is named once.
    let is_said = !matches!(standing, Standing::Stopped { .. });
    let page = named.filter(|_| page.is_some() || !is_said);
    let body = rest.into_iter().chain(page).map(Block::Line).collect();
    first::fitted(Message { mark, headline, progress: None, body, actions: vec![] })
}

/// Something is in its way for now: what, and that it comes back.
fn closed(key: &EnvironmentKey, commit: &CommitSha, before: &EnvironmentName, why: &Hindrance) -> Message {
    let lead = subject(key, commit).text(" not now: ");
    let (whole, short) = in_the_way(key, before, why);
    let (headline, rest) = first::or_short(&lead, whole, short);
    let environment = &key.environment;
    let back = Line::plain("Suggested again here, by itself, ");
    let back = match why {
        Hindrance::Locked { .. } => back.text("when it is unlocked: ").code(words::unlock(key)),
        Hindrance::Policy { .. } => back.text("when policy allows it."),
        Hindrance::Refused { .. } => back.text("when somebody may ask for it."),
        Hindrance::PastSlipway { environment } => {
            back.text(format!("when {environment} runs what Slipway has brought there."))
        }
        Hindrance::Unverified => back.text("when it is."),
        Hindrance::Newer { .. } => back.text(format!("if {environment} goes back.")),
        Hindrance::Off => back.text(format!("when suggest of {environment} in slipway.toml is true.")),
    };
    let body = rest.into_iter().chain([back]).map(Block::Line).collect();
    Message { mark: Mark::Waiting, headline, progress: None, body, actions: vec![] }
}

/// What is in the way: whole, and in so few words that they fit every first line.
fn in_the_way(key: &EnvironmentKey, before: &EnvironmentName, why: &Hindrance) -> (Line, Line) {
    let same = |line: Line| (line.clone(), line);
    match why {
        Hindrance::Locked { owner, reason, until } => {
            let short = Line::plain("locked by ").person(owner);
            let line = short.clone().text(" \"").untrusted(reason.as_str()).text("\"");
            (until.map_or(line.clone(), |at| line.text(" until ").time(at)), short)
        }
        Hindrance::Policy { what, until } => {
            let line = Line::default().untrusted(words::phrase(what));
            let whole = until.map_or(line.clone(), |at| line.text(" (until ").time(at).text(")"));
            let short = until.map(|at| Line::plain("policy allows it from ").time(at));
            (whole, short.unwrap_or_else(|| Line::plain("policy does not allow it")))
        }
        Hindrance::Refused { what: Some(what) } => {
            (Line::default().untrusted(words::phrase(what)), Line::plain("nobody may ask for it"))
        }
        Hindrance::Refused { what: None } => same(Line::plain("nobody may ask for it")),
        Hindrance::PastSlipway { environment } => {
            let whole = Line::plain(format!("{environment} runs what was deployed past Slipway"));
            (whole, Line::plain("deployed past Slipway"))
        }
        Hindrance::Unverified => {
            let whole = Line::plain(format!("its health on {before} is not confirmed"));
            (whole, Line::plain("its health is not confirmed"))
        }
        Hindrance::Newer { live } => {
            let whole = words::commit(Line::default(), live).text(format!(" on {} is newer", key.environment));
            (whole, words::commit(Line::default(), live).text(" there is newer"))
        }
        Hindrance::Off => same(Line::plain("suggestions are switched off")),
    }
}

fn stop(how: Stop) -> &'static str {
    match how {
        Stop::Failed => " failed",
        Stop::Cancelled => " was cancelled",
        Stop::Expired => " expired",
        Stop::RolledBack => " was rolled back",
    }
}

/// Somebody pressed a button of what is no suggestion any more.
#[must_use]
pub fn no_longer_suggested(key: &EnvironmentKey, now: &Promotion, before: &EnvironmentName) -> Message {
    let Message { headline, body, .. } = promotion(key, now, before, None);
    let message = Message::answer(headline, [Line::plain("Nothing was started.")]);
    Message { body: message.body.into_iter().chain(body).collect(), ..message }
}

/// It is asked for already, by this release.
#[must_use]
pub fn asked_for_already(asked: &Release, commit: &CommitSha) -> Message {
    let line = subject(&asked.request.key, commit).text(" is asked for already: ");
    let line = words::release(line, &asked.id).text(" of ").person(&asked.request.requester);
    first::fitted(Message::answer(line, [Line::plain("Nothing was started.")]))
}

/// The suggestion is withdrawn.
#[must_use]
pub fn declined(key: &EnvironmentKey, commit: &CommitSha) -> Message {
    let line = subject(key, commit).text(" is not suggested again. A newer commit is.");
    let way = Line::plain("To ask for it all the same: ").code(format!(
        "/deploy {} {} {}",
        key.environment,
        commit.short(),
        key.service
    ));
    Message::answer(line, [way])
}

/// Nothing comes after this environment, or the release did not end live.
#[must_use]
pub fn goes_nowhere(release: &Release) -> Message {
    let line = Line::plain("Release ").code(release.id.short()).text(" brought nothing that could go on.");
    Message::answer(line.text(" Nothing was started."), [])
}

/// In the status of the environment before: `ready for production`, `for production from 15:22`.
#[must_use]
pub(super) fn phrase(next: &EnvironmentName, outlook: Outlook) -> Option<Line> {
    match outlook {
        Outlook::Ready => Some(Line::plain(format!("ready for {next}"))),
        Outlook::From(at) => Some(Line::plain(format!("for {next} from ")).time(at)),
        Outlook::Closed => None,
    }
}
