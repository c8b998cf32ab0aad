//! `slipway migrate status`.

use super::failed::Failed;
use super::out::{Out, clean, count};
use super::place::{DatabaseArgs, FolderArgs, Place};
use clap::Args;
use serde_json::{Value, json};
use slipway_core::migration::{PendingOptions, StandingEntry, StandingState, standing, statements_done};

/// Arguments of `slipway migrate status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Which folder.
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(args: &StatusArgs, out: Out) -> Result<Value, Failed> {
    let place = Place::open(&args.folder, &args.database).await?;
    let entries = standing(&place.folder, &place.history, &PendingOptions::default());
    if !out.json {
        out.line(lines(&entries, &place.shown(), out).trim_end());
        place.say_if_absent(out);
        return Ok(Value::Null);
    }
    Ok(json!({
        "database": place.database.shown(),
        "dialect": place.dialect_name(),
        "format": place.folder.format().name(),
        "current": place.history.current(),
        "pending": entries.iter().filter(|entry| is_pending(entry)).count(),
        "migrations": entries,
    }))
}

fn is_pending(entry: &StandingEntry) -> bool {
    matches!(entry.state, StandingState::Pending | StandingState::Late)
}

/// One line for each migration, and one that sums them up.
fn lines(entries: &[StandingEntry], shown: &str, out: Out) -> String {
    let width = entries.iter().map(|entry| entry.version.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for entry in entries {
        let (word, note) = words(entry);
        let word = match &entry.state {
            StandingState::Applied => out.paint.good(&format!("{word:<10}")),
            StandingState::Pending => format!("{word:<10}"),
            StandingState::HalfDone { .. } | StandingState::Dirty | StandingState::Unreadable { .. } => {
                out.paint.bad(&format!("{word:<10}"))
            }
            _ => out.paint.doubtful(&format!("{word:<10}")),
        };
        let file = clean(entry.file.as_deref().unwrap_or("(no file)"));
        let version = entry.version.as_str();
        let at = entry.applied_at.as_deref().map_or(String::new(), |at| format!("  {}", out.paint.faint(seconds(at))));
        text.push_str(&format!("{word}  {version:>width$}  {file}{at}\n"));
        if let Some(note) = note {
            text.push_str(&format!("            {}\n", clean(&note)));
        }
    }
    text + &summary(entries, shown)
}

/// The time without what is smaller than a second.
fn seconds(at: &str) -> &str {
    at.split_once('.').map_or(at, |(seconds, _)| seconds)
}

fn words(entry: &StandingEntry) -> (&'static str, Option<String>) {
    match &entry.state {
        StandingState::Applied => ("applied", None),
        StandingState::Pending => ("pending", None),
        StandingState::Late => ("late", Some("older than what is applied".into())),
        StandingState::Missing => ("missing", Some("applied, but the folder does not have it".into())),
        StandingState::Edited => (
            "edited",
            Some(
                "the file is not what was applied; put the old text back, and write the change as a new migration"
                    .into(),
            ),
        ),
        StandingState::NotRun { reason } => ("not run", Some(reason.clone())),
        StandingState::HalfDone { done, total, error } => {
            let said =
                error.as_ref().map_or(String::new(), |error| format!("; statement {} failed: {error}", done + 1));
            ("half done", Some(format!("{}{said}", statements_done(*done, *total))))
        }
        StandingState::Dirty => ("dirty", Some("begun, and its end was not seen".into())),
        StandingState::Unreadable { problem } => ("unreadable", Some(problem.clone())),
    }
}

fn summary(entries: &[StandingEntry], shown: &str) -> String {
    if entries.is_empty() {
        return format!("No migrations, and none applied on {shown}.\n");
    }
    let of = |word: &str| entries.iter().filter(|entry| words(entry).0 == word).count();
    let applied = of("applied") + of("edited") + of("missing");
    let mut parts = vec![format!("{applied} applied"), format!("{} pending", of("pending"))];
    for word in ["late", "edited", "missing", "half done", "dirty", "unreadable", "not run"] {
        if of(word) > 0 {
            parts.push(format!("{} {word}", of(word)));
        }
    }
    format!("{} on {shown}: {}\n", count(entries.len(), "migration", "migrations"), parts.join(", "))
}
