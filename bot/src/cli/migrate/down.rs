//! `slipway migrate down`.

use super::failed::Failed;
use super::out::{Out, clean, count, duration};
use super::place::{DatabaseArgs, FolderArgs, Place, as_known};
use super::up::{Limits, merged, neither, steps, version};
use super::watch::{Watch, stopper};
use clap::Args;
use serde_json::{Value, json};
use slipway_core::migration::format::Direction;
use slipway_core::migration::{Finding, LintOptions, Migration, Version, lint_all};
use slipway_deploy::database::{HalfDone, Run, RunOptions};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::time::Instant;

/// Arguments of `slipway migrate down`.
#[derive(Debug, Args)]
pub struct DownArgs {
    /// Which folder.
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// A number without a flag.
    #[arg(hide = true, value_name = "N", value_parser = neither)]
    pub number: Option<String>,
    /// Take back so many, the one that was applied last first [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "to", value_parser = steps)]
    pub steps: Option<NonZeroUsize>,
    /// Take back all that were applied after this version, which stays; 0 takes back everything
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub to: Option<Version>,
    /// Show what would be taken back, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask. Without a terminal nobody is asked
    #[arg(long)]
    pub yes: bool,
    /// How to run.
    #[command(flatten)]
    pub limits: Limits,
    /// Go on with a file without a transaction that an earlier run left half done: you have looked at the database
    #[arg(long)]
    pub r#continue: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(args: &DownArgs, out: Out) -> Result<Value, Failed> {
    let place = Place::open(&args.folder, &args.database).await?;
    let back = back(args, &place, out)?;
    let about = json!({
        "database": place.database.shown(),
        "format": place.folder.format().name(),
        "dry_run": args.dry_run,
        "taken_back": [],
        "losses": [],
        "warnings": [],
    });
    if back.is_empty() {
        out.line(&format!("Nothing to take back on {}.", place.shown()));
        return Ok(if args.dry_run { merged(about, json!({ "would_take_back": [] })) } else { about });
    }
    let options = place.lint_options().await?;
    let losses = losses(&back, &place, &options);
    let about = merged(about, json!({ "losses": losses }));
    announce(&back, &losses, &place, out);
    let half_done = if args.r#continue { HalfDone::Continue } else { HalfDone::Refuse };
    let options = RunOptions { half_done, ..args.limits.options() };
    if args.dry_run {
        let seen = place.database.foresee(&place.folder, &back, Direction::Down, &options).await;
        seen.map_err(|error| {
            let failed = Failed::of_run(&error, &args.folder.dir, &place.folder, back.len(), true);
            failed.beside(merged(about.clone(), json!({ "would_take_back": [] })))
        })?;
        out.line("Nothing was changed.");
        let would: Vec<_> = back.iter().map(|m| json!({ "version": m.version, "file": m.file })).collect();
        return Ok(merged(about, json!({ "would_take_back": would })));
    }
    if !args.yes && !args.json && std::io::stdin().is_terminal() && !confirmed() {
        return Err(Failed::new("Nothing was changed."));
    }
    let watch = Watch::new(out, back.len());
    let (_listening, cancel) = stopper();
    let begun = Instant::now();
    let run = Run { options: &options, journal: &watch, cancel };
    let ended = place.database.down(&place.folder, &back, &run).await;
    let taken = watch.finish();
    let report = ended.map_err(|error| {
        let failed = Failed::of_run(&error, &args.folder.dir, &place.folder, back.len(), true);
        failed.beside(merged(about.clone(), json!({ "taken_back": taken })))
    })?;
    for warning in &report.warnings {
        out.line(&format!("{} {}", out.paint.doubtful("▲"), clean(warning)));
    }
    let (n, took) = (count(report.done.len(), "migration", "migrations"), duration(begun.elapsed()));
    out.line(&format!("Took back {n} in {took} on {}.", place.shown()));
    Ok(merged(about, json!({ "taken_back": taken, "warnings": report.warnings })))
}

/// What is to be taken back, in order: what was applied last goes first.
fn back(args: &DownArgs, place: &Place, out: Out) -> Result<Vec<Migration>, Failed> {
    let (history, folder, dir) = (&place.history, &place.folder, args.folder.dir.display());
    let mut applied: Vec<Version> = if folder.format().history().keeps_newest_only() {
        // Its one row stands for everything before it.
        let files = folder.files().map(|file| &file.version).filter(|version| history.contains(version));
        files.chain(history.newest()).cloned().collect()
    } else {
        history.versions().cloned().collect()
    };
    applied.dedup();
    applied.sort_by_key(|version| {
        std::cmp::Reverse((history.row(version).map_or(i64::MIN, |row| row.ordinal), version.clone()))
    });
    match &args.to {
        Some(to) => {
            let everything = to.number() == Some(0);
            let known = as_known(to, applied.iter()).cloned();
            match applied.iter().position(|version| Some(version) == known.as_ref()) {
                Some(at) => applied.truncate(at),
                None if everything => {}
                None => {
                    return Err(Failed::new(format!(
                        "Version {to} is not applied, so nothing can be taken back to it. slipway migrate status{}{} lists \
                         what is; --to 0 takes back everything.",
                        args.folder.as_typed(),
                        args.database.as_typed()
                    )));
                }
            }
        }
        None => {
            let wanted = args.steps.map_or(1, NonZeroUsize::get);
            // Whoever names more than there are may have another database in mind.
            if wanted > applied.len() && !applied.is_empty() {
                let there = count(applied.len(), "migration is applied", "migrations are applied");
                out.line(&format!("Of the {wanted} that are to be taken back, only {there}."));
            }
            applied.truncate(wanted);
        }
    }
    let found = applied.iter().map(|version| match folder.get(version) {
        None => Err(Failed::new(format!(
            "Version {version} is applied, but {dir} does not have it, and without its file nobody knows the way back. \
             Take it back with the folder that has it."
        ))),
        Some(migration) => Ok(migration?),
    });
    let back: Vec<Migration> = found.collect::<Result<_, _>>()?;
    for migration in &back {
        let file = clean(&migration.file);
        if let Some(problem) = &migration.down_problem {
            return Err(Failed::new(format!("{file} cannot be taken back: its way back cannot be read. {problem}")));
        }
        if !migration.reversible {
            return Err(Failed::new(format!(
                "{file} cannot be taken back: it has no statements that do it. Nothing was changed."
            )));
        }
    }
    Ok(back)
}

/// What the ways back destroy.
fn losses(back: &[Migration], place: &Place, options: &LintOptions) -> Vec<Finding> {
    let turned = back.iter().map(|migration| {
        let down = place.folder.file(&migration.version).and_then(|file| file.down.as_ref());
        Migration {
            file: down.map_or_else(|| migration.file.clone(), |down| down.file.clone()),
            up: migration.down.clone(),
            transactional: migration.down_transactional,
            ..migration.clone()
        }
    });
    let mut findings = lint_all(&turned.collect::<Vec<_>>(), options);
    findings.retain(|finding| finding.danger.is_some_and(|danger| danger.is_destructive()));
    findings
}

fn announce(back: &[Migration], losses: &[Finding], place: &Place, out: Out) {
    out.line(&format!("To be taken back on {}:", place.shown()));
    for migration in back {
        out.line(&format!("  {}", clean(&migration.file)));
        let down = place.folder.file(&migration.version).and_then(|file| file.down.as_ref()).map(|down| &down.file);
        let name = down.unwrap_or(&migration.file);
        for loss in losses.iter().filter(|loss| loss.file == *name) {
            let mark = out.paint.doubtful("▲");
            out.line(&format!("    {mark} line {}: {}", loss.line, clean(&loss.message)));
        }
    }
    if !losses.is_empty() {
        out.line("Applying them again does not bring the data back.");
    }
}

fn confirmed() -> bool {
    let _ = write!(std::io::stderr().lock(), "Take back? Type yes: ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}
