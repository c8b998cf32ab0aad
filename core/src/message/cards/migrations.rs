//! What `/migrate` answers when it only looks: what is applied, what is pending.

use super::super::{Block, Line, Message};
use super::release::migration_line;
use super::words::{self, DOT};
use crate::ids::{CommitSha, EnvironmentKey};
use crate::plan::PlannedMigration;

/// How many applied migrations one answer lists.
const APPLIED_SHOWN_LIMIT: usize = 10;
/// How many pending ones.
const PENDING_SHOWN_LIMIT: usize = 20;
/// How many files or versions that want attention one line names.
const NAMED_LIMIT: usize = 5;

/// What is pending, as far as it can be told.
#[derive(Clone, Debug, Default)]
pub struct PendingView {
    /// The pending migrations, in order.
    pub planned: Vec<PlannedMigration>,
    /// Applied versions that the commit has no file for.
    pub unknown: Vec<String>,
    /// Files that were edited after they were applied.
    pub edited: Vec<String>,
    /// Files that an earlier run left half done, with how far it came.
    pub half_done: Vec<String>,
    /// Why nothing can be applied. May quote the outside: untrusted.
    pub refused: Option<String>,
}

/// What a database has of the migrations at a commit.
#[derive(Clone, Debug)]
pub struct MigrationsView<'a> {
    /// Where.
    pub key: &'a EnvironmentKey,
    /// Whose files.
    pub commit: &'a CommitSha,
    /// Whether that commit runs; else it is the newest of the default branch.
    pub runs: bool,
    /// The applied ones, newest first: the file, and when as the database writes it.
    pub applied: Vec<(String, Option<String>)>,
    /// What is pending.
    pub pending: PendingView,
}

/// `goals → staging · 12 migrations applied · 2 pending`.
#[must_use]
pub fn migration_status(view: &MigrationsView<'_>) -> Message {
    let MigrationsView { key, commit, runs, applied, pending } = view;
    let headline = format!("{key}{DOT}{} applied{DOT}{}", words::count(applied.len(), "migration"), waiting(pending));
    let whose = words::commit(Line::plain("by the files of "), commit);
    let whose =
        whose.text(if *runs { ", which runs" } else { ", the newest of the default branch; what runs is not known" });
    let mut message = Message::answer(Line::plain(headline), [whose]);
    message.body.extend(attention(pending));
    let shown = applied.iter().take(APPLIED_SHOWN_LIMIT).map(|(file, at)| {
        let line = Line::default().untrusted(file.as_str());
        at.as_ref().map_or(line.clone(), |at| moment(line.text("  at "), at))
    });
    message.body.extend(field("Applied, newest first", words::with_rest(shown.collect(), applied.len())));
    message.body.extend(field("Pending", pending_lines(pending)));
    message
}

/// What `up` would apply.
#[must_use]
pub fn migration_plan(
    key: &EnvironmentKey,
    commit: &CommitSha,
    reference: Option<&str>,
    pending: &PendingView,
) -> Message {
    let headline = Line::plain(format!("{key}{DOT}{}", waiting(pending)));
    let whose = words::commit(Line::plain("by the files of "), commit);
    let whose = match reference {
        Some(typed) => whose.text(", which is ").untrusted(typed),
        None => whose.text(", the newest of the default branch"),
    };
    let mut message = Message::answer(headline, [whose]);
    message.body.extend(attention(pending));
    message.body.extend(dangers(&pending.planned).map(Block::Warning));
    message.body.extend(field("Pending", pending_lines(pending)));
    if pending.planned.iter().any(|migration| migration.not_run.is_none()) {
        let command = reference.map_or(format!("/migrate {} up", key.environment), |typed| {
            format!("/migrate {} up {typed}", key.environment)
        });
        let line = Line::plain("To apply them: ").code(command).text(", or ");
        message.body.push(Block::Line(
            line.code(format!("/deploy {}", key.environment)).text(" with the version that needs them"),
        ));
    }
    message
}

/// The commit has no migrations.
#[must_use]
pub fn no_migration_files(key: &EnvironmentKey, commit: &CommitSha) -> Message {
    let line = words::commit(Line::plain(format!("{} has no migration files at ", key.service)), commit);
    Message::answer(line.text("."), [])
}

/// Something outside could not be read; `why` may quote it: untrusted.
#[must_use]
pub fn could_not_look(what: &str, why: &str) -> Message {
    let line = Line::plain(format!("It could not be read how {what} stand. Nothing was changed."));
    Message::answer(line, [Line::default().untrusted(why)])
}

/// A moment as other messages have it, where the database says in which zone it is; else as it writes it, in seconds.
fn moment(line: Line, at: &str) -> Line {
    match at.parse::<jiff::Timestamp>() {
        Ok(moment) => line.time(moment),
        Err(_) => line.untrusted(at.split_once('.').map_or(at, |(seconds, _)| seconds)),
    }
}

fn waiting(pending: &PendingView) -> String {
    match (pending.planned.len(), &pending.refused) {
        (_, Some(_)) => "nothing can be applied".to_owned(),
        (0, None) => "none pending".to_owned(),
        (n, None) => format!("{n} pending"),
    }
}

/// What somebody should look at.
fn attention(pending: &PendingView) -> impl Iterator<Item = Block> {
    let refused = pending.refused.as_ref().map(|why| Line::default().untrusted(why.as_str()));
    refused
        .into_iter()
        .chain(named("Edited after they were applied: ", &pending.edited))
        .chain(named("Left half done by an earlier run: ", &pending.half_done))
        .chain(named("Applied, but this commit has no file for ", &pending.unknown))
        .map(Block::Warning)
}

fn named(lead: &str, names: &[String]) -> Option<Line> {
    if names.is_empty() {
        return None;
    }
    let line = words::untrusted_list(Line::plain(lead), names.iter().take(NAMED_LIMIT), ", ");
    let more = names.len().saturating_sub(NAMED_LIMIT);
    Some(if more > 0 { line.text(format!(" and {more} more")) } else { line })
}

fn dangers(planned: &[PlannedMigration]) -> impl Iterator<Item = Line> {
    let run = planned.iter().filter(|migration| migration.not_run.is_none());
    let all = run.flat_map(|migration| migration.dangers.iter().map(move |danger| (migration, danger)));
    all.filter(|(_, danger)| danger.is_worth_a_warning()).take(NAMED_LIMIT).map(|(migration, danger)| {
        let line = Line::default().code(words::stem(migration)).text(" ").untrusted(danger.sentence());
        danger.detail().map_or(line.clone(), |detail| line.text(": ").text(detail)).text(".")
    })
}

fn pending_lines(pending: &PendingView) -> Vec<Line> {
    let shown = pending.planned.iter().take(PENDING_SHOWN_LIMIT).map(migration_line);
    words::with_rest(shown.collect(), pending.planned.len())
}

fn field(label: &str, lines: Vec<Line>) -> Option<Block> {
    (!lines.is_empty()).then(|| Block::Field { label: label.to_owned(), lines })
}
