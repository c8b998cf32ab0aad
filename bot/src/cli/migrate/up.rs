//! `slipway migrate up`.

use super::failed::Failed;
use super::out::{Out, clean, count, duration};
use super::place::{DatabaseArgs, FolderArgs, Place, as_known};
use super::watch::{Watch, stopper};
use clap::Args;
use jiff::SignedDuration;
use serde_json::{Value, json};
use slipway_core::migration::format::{Direction, Format};
use slipway_core::migration::{Late, Migration, Pending, PendingOptions, Version, plan_pending};
use slipway_deploy::database::{HalfDone, Run, RunOptions, foresee};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// Arguments of `slipway migrate up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Which folder.
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// A number without a flag.
    #[arg(hide = true, value_name = "N", value_parser = neither)]
    pub number: Option<String>,
    /// Apply none after this version
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub to: Option<Version>,
    /// Apply so many and no more
    #[arg(long, value_name = "N", conflicts_with = "to", value_parser = steps)]
    pub steps: Option<NonZeroUsize>,
    /// Show what would be applied, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to run.
    #[command(flatten)]
    pub limits: Limits,
    /// Go on with a file without a transaction that an earlier run left half done: you have looked at the database
    #[arg(long)]
    pub r#continue: bool,
    /// Apply files that are older than what is applied already, also where the tool would refuse them
    #[arg(long)]
    pub allow_late: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// How long things may take.
#[derive(Clone, Debug, Args)]
pub struct Limits {
    /// How long a statement waits for a lock before it gives way and is tried again
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = time)]
    pub lock_timeout: Duration,
    /// How long one statement may take, as 30s, 10m or 1h [default: as long as it needs]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub statement_timeout: Option<Duration>,
    /// How long to wait for another run to end
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time)]
    pub wait: Duration,
}

impl Limits {
    pub(super) fn options(&self) -> RunOptions {
        RunOptions {
            lock_timeout: self.lock_timeout,
            statement_timeout: self.statement_timeout,
            run_lock_wait: self.wait,
            ..RunOptions::default()
        }
    }
}

pub(super) fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).ok_or_else(|| "a version is made of digits, like 20251104120000".to_owned())
}

pub(super) fn steps(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a whole number above zero")
}

/// Other tools take a number here, some a count and some a version, so neither is guessed.
pub(super) fn neither(_: &str) -> Result<String, &'static str> {
    Err("say how many with --steps N, or which version with --to VERSION")
}

fn time(text: &str) -> Result<Duration, String> {
    let parsed: Option<SignedDuration> = text.parse().ok();
    let time = parsed.and_then(|time| Duration::try_from(time).ok()).filter(|time| time.as_millis() > 0);
    time.ok_or_else(|| "a time above zero, like 500ms, 30s, 10m or 1h".to_owned())
}

pub(super) async fn run(args: &UpArgs, out: Out) -> Result<Value, Failed> {
    let place = Place::open(&args.folder, &args.database).await?;
    let late = if args.allow_late { Late::Apply } else { Late::AsTheTool };
    let mut pending =
        plan_pending(&place.folder, &place.history, &PendingOptions { late, ..PendingOptions::default() })?;
    let options = RunOptions {
        late,
        half_done: if args.r#continue { HalfDone::Continue } else { HalfDone::Refuse },
        ..args.limits.options()
    };
    foresee(&*place.database, &place.folder, &mut pending, &options).await?;
    let (all, chosen) = (pending.migrations.len(), chosen(args, &place, &pending)?);
    warn(&pending, place.folder.format(), args.r#continue, out);
    let about = json!({
        "database": place.database.shown(),
        "format": place.folder.format().name(),
        "dry_run": args.dry_run,
        "edited": pending.edited,
        "missing": pending.unknown_applied,
        "applied": [],
        "found_applied": [],
        "still_pending": all,
        "warnings": [],
    });
    if args.dry_run && !chosen.is_empty() {
        // What the run itself would stop at is no answer to be glad of.
        let seen = place.database.foresee(&place.folder, &chosen, Direction::Up, &options).await;
        seen.map_err(|error| {
            let failed = Failed::of_run(&error, &args.folder.dir, &place.folder, chosen.len(), false);
            failed.beside(merged(about.clone(), json!({ "would_apply": [] })))
        })?;
    }
    if args.dry_run || chosen.is_empty() {
        let would = dry(&place, &chosen, all, out);
        return Ok(if args.dry_run { merged(about, would) } else { about });
    }
    let watch = Watch::new(out, chosen.len());
    let (_listening, cancel) = stopper();
    let begun = Instant::now();
    let run = Run { options: &options, journal: &watch, cancel };
    let ended = place.database.up(&place.folder, &chosen, &run).await;
    let applied = watch.finish();
    let report = ended.map_err(|error| {
        let failed = Failed::of_run(&error, &args.folder.dir, &place.folder, chosen.len(), false);
        failed.beside(merged(about.clone(), json!({ "applied": applied, "still_pending": all - applied.len() })))
    })?;
    for warning in &report.warnings {
        out.line(&format!("{} {}", out.paint.doubtful("▲"), clean(warning)));
    }
    if !report.found_applied.is_empty() {
        let n = count(report.found_applied.len(), "migration", "migrations");
        out.line(&format!("{n} had been applied by another run meanwhile."));
    }
    let (n, left) = (report.done.len(), all - chosen.len());
    let rest = if left > 0 { format!(" {left} still pending.") } else { String::new() };
    let took = duration(begun.elapsed());
    out.line(&format!("Applied {} in {took} on {}.{rest}", count(n, "migration", "migrations"), place.shown()));
    Ok(merged(
        about,
        json!({
            "applied": applied,
            "found_applied": report.found_applied,
            "still_pending": left,
            "warnings": report.warnings,
        }),
    ))
}

/// Those that `--to` and `--steps` leave.
fn chosen(args: &UpArgs, place: &Place, pending: &Pending) -> Result<Vec<Migration>, Failed> {
    let mut chosen = pending.to_run();
    if let Some(to) = &args.to {
        let Some(to) = as_known(to, place.folder.files().map(|file| &file.version)) else {
            let dir = args.folder.dir.display();
            return Err(Failed::new(format!(
                "{dir} has no migration of version {to}. slipway migrate status{} lists them.",
                place.typed
            )));
        };
        match chosen.iter().position(|migration| migration.version == *to) {
            Some(at) => chosen.truncate(at + 1),
            None => chosen.retain(|migration| migration.version < *to),
        }
    }
    chosen.truncate(args.steps.map_or(usize::MAX, NonZeroUsize::get));
    Ok(chosen)
}

/// What somebody should know before anything is run.
pub(super) fn warn(pending: &Pending, format: &dyn Format, goes_on: bool, out: Out) {
    let mark = out.paint.doubtful("▲");
    // The one tool that keeps checksums itself stops at such a file.
    let tool = if format.name() == "sqlx" { " sqlx migrate run refuses until then." } else { "" };
    for file in &pending.edited {
        out.line(&format!(
            "{mark} {} was edited after it was applied. What it says now is not in the database. Put the old text back, \
             and write the change as a new migration.{tool}",
            clean(file)
        ));
    }
    if !pending.unknown_applied.is_empty() {
        let versions: Vec<_> = pending.unknown_applied.iter().map(ToString::to_string).collect();
        out.line(&format!("{mark} Applied, but not in the folder: {}.", versions.join(", ")));
    }
    for half in &pending.half_done {
        out.line(&format!("{mark} {}.", clean(&half.warning(goes_on))));
    }
}

fn dry(place: &Place, chosen: &[Migration], all: usize, out: Out) -> Value {
    if chosen.is_empty() {
        let words = if all == 0 { "Nothing is pending" } else { "Nothing to apply" };
        out.line(&format!("{words} on {}.", place.shown()));
    } else {
        out.line(&format!("Would apply {} of {all} pending on {}:", chosen.len(), place.shown()));
        for migration in chosen {
            out.line(&format!("  {}  {}", clean(&migration.file), clean(&migration.summary)));
        }
        out.line(&format!("Nothing was changed. slipway migrate plan{} shows more.", place.typed));
    }
    let would: Vec<_> = chosen.iter().map(|m| json!({ "version": m.version, "file": m.file })).collect();
    json!({ "would_apply": would })
}

/// The fields of both.
pub(super) fn merged(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Object(mut first), Value::Object(second)) => {
            first.extend(second);
            Value::Object(first)
        }
        (first, _) => first,
    }
}
