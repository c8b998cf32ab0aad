//! `slipway migrate baseline`.

use super::failed::Failed;
use super::out::{Out, clean, count};
use super::place::{DatabaseArgs, FolderArgs, Place, as_known, secret};
use super::up::{Limits, merged, version};
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use slipway_core::migration::format::Dialect;
use slipway_core::migration::{FolderError, Migration, SchemaDifference, Version};
use slipway_deploy::database::{DatabaseUrl, RehearsalError, RehearsalOptions, Run, reproduce};

/// The database that migrations are tried in for SQLite.
const IN_MEMORY: &str = "sqlite::memory:";
/// How many differences people are shown.
const SHOWN_LIMIT: usize = 50;

/// Arguments of `slipway migrate baseline`.
#[derive(Debug, Args)]
pub struct BaselineArgs {
    /// The newest migration that the database already has [default: the newest of the folder]
    #[arg(value_name = "VERSION", value_parser = version)]
    pub up_to: Option<Version>,
    /// Which folder.
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// A server where the migrations are run in a database of their own, to compare; SQLite needs none
    #[arg(long, value_name = "URL", value_parser = secret)]
    pub rehearse: Option<SecretString>,
    /// Record them although the schema differs
    #[arg(long)]
    pub accept_differences: bool,
    /// Compare, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to run.
    #[command(flatten)]
    pub limits: Limits,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(args: &BaselineArgs, out: Out) -> Result<Value, Failed> {
    let rehearse = args.rehearse.as_ref().map(|url| DatabaseUrl::parse(url.expose_secret())).transpose()?;
    let place = Place::open(&args.folder, &args.database).await?;
    let on = match (rehearse, place.database.dialect()) {
        (Some(url), _) => url,
        (None, Dialect::Sqlite) => DatabaseUrl::parse(IN_MEMORY)?,
        (None, Dialect::Postgres) => {
            return Err(Failed::new(
                "The schema is compared with what the migrations give in an empty database. Name a server for that with \
                 --rehearse URL; any where you may create databases will do. Nothing was changed.",
            ));
        }
    };
    let migrations = up_to(args, &place)?;
    let new: Vec<Migration> =
        migrations.iter().filter(|migration| !place.history.contains(&migration.version)).cloned().collect();
    let about = json!({
        "database": place.database.shown(),
        "format": place.folder.format().name(),
        "dry_run": args.dry_run,
        "differences": [],
        "recorded": [],
        "warnings": [],
    });
    if new.is_empty() {
        out.line(&format!("Nothing to record: all of them are applied on {}.", place.shown()));
        return Ok(if args.dry_run { merged(about, json!({ "would_record": [] })) } else { about });
    }
    // Whoever names a server at the terminal has chosen it.
    let options = RehearsalOptions { same_server: true };
    let expected = reproduce(&on, &place.folder, &migrations, &options).await;
    let expected = expected.map_err(|error| not_compared(&error).beside(about.clone()))?;
    let differences = place.database.schema().await?.differences_from(&expected);
    show(&differences, new.len(), &place, out);
    let about = merged(about, json!({ "differences": differences.iter().map(document).collect::<Vec<_>>() }));
    if !differences.is_empty() && !args.accept_differences {
        let n = count(differences.len(), "difference", "differences");
        let words = format!(
            "{n} between the database and {} up to {}. Nothing was recorded. Mend the schema, name an older version, or \
             record it all the same with --accept-differences.",
            count(migrations.len(), "migration", "migrations"),
            migrations.last().map(|m| m.version.to_string()).unwrap_or_default(),
        );
        return Err(Failed::new(words).beside(about));
    }
    let versions: Vec<_> = new.iter().map(|migration| migration.version.clone()).collect();
    if args.dry_run {
        out.line(&format!("Would record {}. Nothing was changed.", count(new.len(), "migration", "migrations")));
        return Ok(merged(about, json!({ "would_record": versions })));
    }
    let run_options = args.limits.options();
    let report = place.database.baseline(&place.folder, &new, &Run::quiet(&run_options)).await?;
    for warning in &report.warnings {
        out.line(&format!("{} {}", out.paint.doubtful("▲"), clean(warning)));
    }
    let n = count(report.done.len(), "migration", "migrations");
    out.line(&format!("Recorded {n} as applied on {}, without running anything.", place.shown()));
    Ok(merged(about, json!({ "recorded": report.done, "warnings": report.warnings })))
}

fn not_compared(error: &RehearsalError) -> Failed {
    Failed::new(match error {
        RehearsalError::Failed(_) => {
            format!("The migrations cannot be run in an empty database, so nothing was compared or recorded: {error}.")
        }
        RehearsalError::Unavailable(_) => {
            format!(
                "There was no empty database to run the migrations in, so nothing was compared or recorded: {error}."
            )
        }
    })
}

/// The folder's migrations up to the version that was named.
fn up_to(args: &BaselineArgs, place: &Place) -> Result<Vec<Migration>, Failed> {
    let mut files: Vec<_> = place.folder.files().collect();
    if let Some(version) = &args.up_to {
        let known = as_known(version, files.iter().map(|file| &file.version)).cloned();
        let Some(at) = files.iter().position(|file| Some(&file.version) == known.as_ref()) else {
            let dir = args.folder.dir.display();
            return Err(Failed::new(format!("{dir} has no migration of version {version}. Nothing was changed.")));
        };
        files.truncate(at + 1);
    }
    let read: Result<Vec<_>, FolderError> = files.into_iter().map(|file| place.folder.parse(file)).collect();
    Ok(read?)
}

fn show(differences: &[SchemaDifference], new: usize, place: &Place, out: Out) {
    if differences.is_empty() {
        let what = count(new, "migration", "migrations");
        out.line(&format!("The schema of {} is what the migrations give; {what} to record.", place.shown()));
        return;
    }
    out.line(&format!("{} differs from what the migrations give:", place.shown()));
    for difference in differences.iter().take(SHOWN_LIMIT) {
        let (kind, name) = (&difference.object.kind, clean(&difference.object.name));
        match (&difference.expected, &difference.found) {
            (Some(_), None) => out.line(&format!("  {} {kind} {name}", out.paint.bad("missing"))),
            (None, _) => out.line(&format!("  {} {kind} {name}", out.paint.doubtful("extra  "))),
            (Some(expected), Some(found)) => {
                out.line(&format!("  {} {kind} {name}", out.paint.doubtful("differs")));
                out.line(&format!("            migrations: {}", clean(expected)));
                out.line(&format!("            database:   {}", clean(found)));
            }
        }
    }
    if differences.len() > SHOWN_LIMIT {
        out.line(&format!("  and {} more; --json has them all", differences.len() - SHOWN_LIMIT));
    }
}

fn document(difference: &SchemaDifference) -> Value {
    json!({
        "kind": difference.object.kind,
        "name": difference.object.name,
        "expected": difference.expected,
        "found": difference.found,
    })
}
