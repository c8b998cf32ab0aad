//! What runs where, and what is in the way.

use super::super::{Block, Line, Mark, Message};
use super::by_hand;
use super::words::{self, DOT};
use crate::configuration::Drift;
use crate::environment::{Environment, Lock, Waiting};
use crate::ids::{EnvironmentKey, EnvironmentName, ServiceName};
use crate::promotion::Outlook;
use crate::release::{Phase, Release};
use jiff::Timestamp;

/// How many environments one answer shows.
const ENVIRONMENTS_SHOWN_LIMIT: usize = 25;
/// How many waiting releases one environment names.
const WAITING_SHOWN_LIMIT: usize = 3;
/// How many names of changed keys one environment shows.
const CONFIG_NAMES_SHOWN_LIMIT: usize = 4;
/// A look at the configuration that is older says so. Regular looks are closer together.
const CONFIG_FRESH_S: u64 = 10 * 60;

/// One environment with what is known around it.
#[derive(Clone, Debug)]
pub struct StatusRow<'a> {
    /// Its key, lock, queue and what is live.
    pub environment: &'a Environment,
    /// The release that runs there.
    pub running: Option<&'a Release>,
    /// The environment that it comes after, and how many commits it is behind that one.
    pub behind: Option<(EnvironmentName, u32)>,
    /// What differs of its configuration since what runs was started, and when that was seen last.
    pub drift: Option<(Drift, Timestamp)>,
    /// Whether somebody has marked the commit that runs there as bad.
    pub bad: bool,
    /// The environment that comes next, and whether what runs here can go on to it.
    pub next: Option<(EnvironmentName, Outlook)>,
}

/// The environments as a table, one line more for each lock and queue.
#[must_use]
pub fn status(rows: &[StatusRow<'_>], now: Timestamp) -> Message {
    let shown = &rows[..rows.len().min(ENVIRONMENTS_SHOWN_LIMIT)];
    let service = only_service(rows);
    let name = service.map_or("environment", ServiceName::as_str);
    let head = [name, "version", "since", "by", "health", "waiting"].map(str::to_owned).into();
    let cells = |row| cells(row, service.is_some(), now);
    let (head, cells) = without_empty_end(head, shown.iter().map(cells).collect());
    let table = Block::Table { head, rows: cells };
    let notes = shown.iter().filter_map(|row| note(row, service.is_some(), now)).map(Block::Line);
    let rest = rows.len() - shown.len();
    let more = (rest > 0).then(|| Block::Line(Line::plain(format!("and {rest} more: /release status <environment>"))));
    let body = if rows.is_empty() { vec![] } else { [table].into_iter().chain(notes).chain(more).collect() };
    Message { mark: Mark::None, headline: headline(rows, now), progress: None, body, actions: Vec::new() }
}

/// A last column with nothing in it is only a title.
fn without_empty_end(mut head: Vec<String>, mut rows: Vec<Vec<Line>>) -> (Vec<String>, Vec<Vec<Line>>) {
    let nothing = Line::plain("–");
    if rows.iter().all(|row| row.last() == Some(&nothing)) {
        head.pop();
        rows.iter_mut().for_each(|row| drop(row.pop()));
    }
    (head, rows)
}

/// `2 environments · 1 release runs · 1 locked · 1 waits`.
fn headline(rows: &[StatusRow<'_>], now: Timestamp) -> Line {
    if rows.is_empty() {
        return Line::plain("No environment is configured.");
    }
    let mut parts = vec![words::count(rows.len(), "environment")];
    let running = rows.iter().filter(|r| r.environment.running.is_some()).count();
    let locked = rows.iter().filter(|r| r.environment.lock(now).is_some()).count();
    let waiting: usize = rows.iter().map(|r| r.environment.queue.len()).sum();
    for (n, what) in [(running, "running"), (locked, "locked"), (waiting, "waiting")] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    if running + locked + waiting == 0 {
        parts.push("nothing runs, nothing waits".to_owned());
    }
    Line::plain(parts.join(DOT))
}

/// The service, where all rows are of one: then it is named once, above them.
fn only_service<'a>(rows: &'a [StatusRow<'_>]) -> Option<&'a ServiceName> {
    let first = &rows.first()?.environment.key.service;
    rows.iter().all(|row| row.environment.key.service == *first).then_some(first)
}

fn name(key: &EnvironmentKey, alone: bool) -> String {
    if alone { key.environment.to_string() } else { key.to_string() }
}

fn cells(row: &StatusRow<'_>, alone: bool, now: Timestamp) -> Vec<Line> {
    let name = Line::default().strong(name(&row.environment.key, alone));
    let dash = || Line::plain("–");
    let mut cells = vec![name];
    match (&row.environment.by_hand, &row.environment.live) {
        (Some(by_hand), Some(_)) => cells.extend([
            by_hand::version(Line::default(), by_hand),
            Line::plain(words::rough(words::seconds(by_hand.noticed_at, now))),
            Line::plain("past Slipway"),
            Line::plain("not verified"),
        ]),
        (_, Some(live)) => cells.extend([
            words::commit(Line::default(), &live.commit).text(if row.bad { ", known bad" } else { "" }),
            Line::plain(words::rough(words::seconds(live.since, now))),
            Line::default().person(&live.by),
            Line::plain(if live.verified { "ok" } else { "not verified" }),
        ]),
        (_, None) => cells.extend([Line::plain("not known"), dash(), dash(), dash()]),
    }
    let goes_on = row.next.as_ref().and_then(|(next, outlook)| super::promotion::phrase(next, *outlook));
    let all = [doing(row), drifted(row, now), goes_on].into_iter().flatten();
    cells.push(all.reduce(|all, one| all.text(DOT).join(one)).unwrap_or_else(dash));
    cells
}

/// `config changed: SMTP_HOST`; an older look says how old it is.
fn drifted(row: &StatusRow<'_>, now: Timestamp) -> Option<Line> {
    let (drift, seen_at) = row.drift.as_ref()?;
    let age_s = words::seconds(*seen_at, now);
    let age = (age_s > CONFIG_FRESH_S).then(|| words::rough(age_s));
    let names = super::release::config_names(drift);
    if names.is_empty() {
        return age.map(|age| Line::plain(format!("config last seen {age} ago")));
    }
    let shown = names.iter().take(CONFIG_NAMES_SHOWN_LIMIT).copied();
    let line = words::untrusted_list(Line::plain("config changed: "), shown, ", ");
    let more = names.len().saturating_sub(CONFIG_NAMES_SHOWN_LIMIT);
    let line = if more > 0 { line.text(format!(" and {more} more")) } else { line };
    Some(age.map_or(line.clone(), |age| line.text(format!(" (seen {age} ago)"))))
}

/// What goes on there, else how far it is behind.
fn doing(row: &StatusRow<'_>) -> Option<Line> {
    match (row.running, &row.environment.running) {
        (Some(release), _) => return Some(running(release)),
        (None, Some(id)) => return Some(words::release(Line::default(), id).text(" runs")),
        (None, None) => {}
    }
    match &row.behind {
        Some((before, n)) if *n > 0 => {
            let n = words::count(usize::try_from(*n).unwrap_or(usize::MAX), "commit");
            Some(Line::plain(format!("{n} behind {before}")))
        }
        _ => None,
    }
}

fn running(release: &Release) -> Line {
    let line = words::release(Line::default(), &release.id);
    let line = match &release.commit {
        Some(commit) => words::commit(line.text(" brings "), commit),
        None => line.text(" runs"),
    };
    match release.phase {
        Phase::Running { step } => {
            let order = release.order();
            let number = order.iter().position(|s| *s == step).unwrap_or(0) + 1;
            line.text(format!(", step {number} of {}", order.len()))
        }
        _ => line,
    }
}

/// `production: locked by chen "load test" for 40 more min · queue: 1 (ana, 4c1f9e2, for 12 min)`.
fn note(row: &StatusRow<'_>, alone: bool, now: Timestamp) -> Option<Line> {
    let lock = row.environment.lock(now).map(|lock| locked(lock, now));
    let queue = (!row.environment.queue.is_empty()).then(|| queue(&row.environment.queue, now));
    let line = Line::plain(format!("{}: ", name(&row.environment.key, alone)));
    let parts = [by_hand::had_brought(row.environment), lock, queue].into_iter().flatten();
    Some(line.join(parts.reduce(|one, other| one.text(DOT).join(other))?))
}

/// `locked by chen "load test" for 40 more min`.
pub(super) fn locked(lock: &Lock, now: Timestamp) -> Line {
    Line::plain("locked by ").person(&lock.owner).text(" ").join(held(lock, now))
}

/// `"load test" for 40 more min`.
pub(super) fn held(lock: &Lock, now: Timestamp) -> Line {
    let line = Line::plain("\"").untrusted(lock.reason.as_str()).text("\"");
    match lock.until {
        Some(until) => line.text(format!(" for {}", words::more(words::seconds(now, until)))),
        None => line.text(" until unlocked"),
    }
}

fn queue(waiting: &[Waiting], now: Timestamp) -> Line {
    let mut line = Line::plain(format!("queue: {} (", waiting.len()));
    for (i, one) in waiting.iter().take(WAITING_SHOWN_LIMIT).enumerate() {
        line = if i > 0 { line.text("; ") } else { line };
        line = words::commit(line.person(&one.requester).text(", "), &one.commit);
        line = line.text(format!(", for {}", words::rough(words::seconds(one.asked_at, now))));
    }
    line.text(if waiting.len() > WAITING_SHOWN_LIMIT { "; …)" } else { ")" })
}
