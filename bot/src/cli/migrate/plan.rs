//! `slipway migrate plan`.

use super::failed::Failed;
use super::out::{Out, clean, count};
use super::place::{DatabaseArgs, FolderArgs, Place, secret};
use super::up::{merged, warn};
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use slipway_core::migration::{
    DownTrial, Finding, Late, Migration, MigrationTrial, Pending, PendingError, PendingOptions, Severity, lint_all,
    plan_pending,
};
use slipway_core::plan::PlannedMigration;
use slipway_deploy::database::{DatabaseUrl, RehearsalError, RehearsalOptions, RunOptions, foresee, measure, rehearse};

/// Arguments of `slipway migrate plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Which folder.
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Also try it on a copy of the schema, made on this server (for SQLite in memory, whatever is named)
    #[arg(long, value_name = "URL", value_parser = secret)]
    pub rehearse: Option<SecretString>,
    /// Plan files that are older than what is applied already, also where the tool would refuse them
    #[arg(long)]
    pub allow_late: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(args: &PlanArgs, out: Out) -> Result<Value, Failed> {
    let on = args.rehearse.as_ref().map(|url| DatabaseUrl::parse(url.expose_secret())).transpose()?;
    let place = Place::open(&args.folder, &args.database).await?;
    let late = if args.allow_late { Late::Apply } else { Late::AsTheTool };
    let (mut pending, refused) = pending(&place, late)?;
    foresee(&*place.database, &place.folder, &mut pending, &RunOptions { late, ..RunOptions::default() }).await?;
    let options = place.lint_options().await?;
    let mut planned = pending.planned(&options);
    measure(&*place.database, &mut planned).await?;
    let findings = lint_all(&pending.migrations, &options);
    warn(&pending, place.folder.format(), false, out);
    let head = match planned.len() {
        0 => format!("Nothing is pending on {}.", place.shown()),
        n => format!("{} on {}:", count(n, "migration is pending", "migrations are pending"), place.shown()),
    };
    out.line(&head);
    place.say_if_absent(out);
    for migration in &planned {
        show(migration, &findings, &place, out);
    }
    let document = json!({
        "database": place.database.shown(),
        "dialect": place.dialect_name(),
        "format": place.folder.format().name(),
        "pending": planned,
        "findings": findings,
        "edited": pending.edited,
        "missing": pending.unknown_applied,
        "half_done": pending.half_done.iter().map(|half| json!({
            "version": half.version, "file": half.file, "done": half.done, "total": half.total, "error": half.error,
        })).collect::<Vec<_>>(),
    });
    let held = match &on {
        Some(on) => rehearsed(&place, on, &pending, out).await,
        None => Ok(Value::Null),
    };
    let trials = held.as_ref().ok().cloned().unwrap_or_default();
    if let Some(failed) = both(refused, held.err()) {
        return Err(failed.beside(merged(document, json!({ "rehearsal": trials }))));
    }
    if !planned.is_empty() {
        out.line(&format!("Nothing was changed. {}", next(args, &place, &pending, &findings)));
    }
    Ok(merged(document, json!({ "rehearsal": trials })))
}

/// What is pending, and why `up` would refuse it all the same: a file that is too old is listed as one that is not run.
fn pending(place: &Place, late: Late) -> Result<(Pending, Option<Failed>), Failed> {
    let mut options = PendingOptions { late, ..PendingOptions::default() };
    let error = match plan_pending(&place.folder, &place.history, &options) {
        Ok(pending) => return Ok((pending, None)),
        Err(error) => error,
    };
    if let PendingError::OutOfOrder { files, newest, .. } = &error {
        let refused = place.folder.files().filter(|file| files.contains(&file.up.file));
        let why = format!("refused, as it is older than version {newest}, which is applied");
        options.cannot_run = refused.map(|file| (file.version.clone(), why.clone())).collect();
        return Ok((plan_pending(&place.folder, &place.history, &options)?, Some(error.into())));
    }
    Err(error.into())
}

/// What to do now.
fn next(args: &PlanArgs, place: &Place, pending: &Pending, findings: &[Finding]) -> String {
    let mut up = format!("slipway migrate up{}", place.typed);
    if args.allow_late {
        up.push_str(" --allow-late");
    }
    if pending.half_done.iter().any(|half| !half.is_foreseen()) {
        let left = if pending.half_done.len() == 1 { "It was" } else { "Some were" };
        return format!("{left} left half done: {up} says how to go on.");
    }
    let fails = |file: &str| {
        let errors = findings.iter().filter(|f| f.severity == Severity::Error && f.allowed.is_none());
        errors.into_iter().any(|finding| finding.file == file)
    };
    match pending.to_run().iter().filter(|migration| fails(&migration.file)).count() {
        0 => format!("To apply: {up}"),
        1 => "1 of them will fail as it is; mend it first.".to_owned(),
        n => format!("{n} of them will fail as they are; mend them first."),
    }
}

fn show(migration: &PlannedMigration, findings: &[Finding], place: &Place, out: Out) {
    let mut facts = vec![clean(&migration.summary)];
    if migration.late {
        facts.push(out.paint.doubtful("late: older than what is applied"));
    }
    if let Some(why) = &migration.not_run {
        facts.push(out.paint.doubtful(&clean(why)));
    }
    facts.push(if migration.transactional { "in a transaction" } else { "without a transaction" }.to_owned());
    facts.push(match (migration.reversible, migration.down_loses_data) {
        (true, false) => "reversible".to_owned(),
        (true, true) => "its way back loses data".to_owned(),
        (false, _) => "no way back".to_owned(),
    });
    out.line(&format!("  {}  {}", clean(&migration.file), facts.join(" · ")));
    let down = place.folder.file(&migration.version).and_then(|file| file.down.as_ref()).map(|down| &down.file);
    for finding in findings.iter().filter(|f| f.file == migration.file || Some(&f.file) == down) {
        finding_lines(finding, migration, out).iter().for_each(|line| out.line(line));
    }
}

/// The sentence, what it means for the database, and the way out.
fn finding_lines(finding: &Finding, migration: &PlannedMigration, out: Out) -> Vec<String> {
    let mark = mark(finding, out);
    let mut lines = vec![format!("    {mark} line {}: {} ({})", finding.line, clean(&finding.message), finding.rule)];
    let same = |danger: &&slipway_core::migration::Danger| {
        Some(danger.kind) == finding.danger && danger.table == finding.table
    };
    let danger = migration.dangers.iter().find(same);
    lines.extend(danger.and_then(|danger| danger.lock_line()).map(|line| format!("      {}", clean(&line))));
    match (&finding.allowed, &finding.help) {
        (Some(why), _) => lines.push(format!("      allowed by the file: {}", clean(why))),
        (None, Some(help)) => lines.push(format!("      {}", clean(help))),
        (None, None) => {}
    }
    lines
}

pub(super) fn mark(finding: &Finding, out: Out) -> String {
    match finding.severity {
        _ if finding.allowed.is_some() => out.paint.faint("·"),
        Severity::Error => out.paint.bad("✖"),
        Severity::Warning => out.paint.doubtful("▲"),
        Severity::Advice => out.paint.faint("·"),
    }
}

/// Tries what can be tried, and says what is left out and why.
async fn rehearsed(place: &Place, on: &DatabaseUrl, pending: &Pending, out: Out) -> Result<Value, Failed> {
    for migration in &pending.migrations {
        if let Some(why) = pending.not_run.get(&migration.version) {
            out.line(&format!("  not rehearsed {}: {}", clean(&migration.file), clean(why)));
        }
    }
    // From its first statement on such a file fails, as it would not where it is continued.
    if let Some(half) = pending.half_done.first() {
        out.line(&format!("  Not rehearsed: an earlier run left {} half done.", clean(&half.file)));
        return Ok(Value::Null);
    }
    let wanted = pending.to_run();
    Ok(if wanted.is_empty() { json!([]) } else { json!(tried(place, on, &wanted, out).await?) })
}

/// One failure that says what both do.
fn both(refused: Option<Failed>, rehearsal: Option<Failed>) -> Option<Failed> {
    match (refused, rehearsal) {
        (Some(refused), Some(rehearsal)) => {
            Some(Failed::new(format!("{}\nWithout what is refused: {}", refused.words, rehearsal.words)))
        }
        (one, other) => one.or(other),
    }
}

/// What a trial on a copy of the schema shows.
async fn tried(
    place: &Place,
    on: &DatabaseUrl,
    pending: &[Migration],
    out: Out,
) -> Result<Vec<MigrationTrial>, Failed> {
    // Whoever names a server at the terminal has chosen it.
    let options = RehearsalOptions { same_server: true };
    let trials = rehearse(&*place.database, &place.url, on, &place.folder, pending, &options).await;
    let trials = trials.map_err(|error| match error {
        RehearsalError::Failed(_) => {
            Failed::new(format!("{error}. It would fail on the database too. Nothing was changed."))
        }
        RehearsalError::Unavailable(_) => Failed::new(format!("The rehearsal could not be held: {error}.")),
    })?;
    for trial in &trials {
        let mark = match &trial.down {
            DownTrial::Fails { .. } | DownTrial::Leaves { .. } => format!("{} ", out.paint.doubtful("▲")),
            DownTrial::None | DownTrial::Restores | DownTrial::NotTried { .. } => String::new(),
        };
        out.line(&format!("  {mark}rehearsed {}: {}", trial.version, clean(&way_back(&trial.down))));
        for touched in &trial.touched {
            let mut line = format!("    {} on {}", touched.lock.name(), clean(&touched.table));
            if touched.rewritten {
                line.push_str(", rewrites every row");
            }
            if touched.scanned {
                line.push_str(", reads every row");
            }
            if let Some(rows) = touched.size.and_then(|size| size.rows) {
                line.push_str(&format!(", about {rows} rows"));
            }
            out.line(&line);
        }
    }
    if !trials.is_empty() {
        out.line("  The copy has no rows: what fails only because of rows was not tried.");
    }
    Ok(trials)
}

fn way_back(down: &DownTrial) -> String {
    match down {
        DownTrial::None => "goes up; no way back".to_owned(),
        DownTrial::Restores => "goes up, back and up again".to_owned(),
        DownTrial::Leaves { differences } => format!("its way back leaves a difference: {}", differences.join("; ")),
        DownTrial::NotTried { why } => format!("goes up; its way back was not tried: {why}"),
        DownTrial::Fails { message } => format!("goes up, but its way back fails: {message}"),
    }
}
