//! `slipway migrate lint`.

use super::failed::Failed;
use super::out::{Out, clean, count};
use super::place::{DatabaseArgs, FolderArgs, Place, secret};
use super::plan::mark;
use clap::Args;
use secrecy::SecretString;
use serde_json::{Value, json};
use slipway_core::migration::format::Dialect;
use slipway_core::migration::{Finding, LintOptions, Migration, MigrationFile, Severity, Survey, lint, lint_all};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Arguments of `slipway migrate lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Only these files of the folder
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// Which folder.
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Only what is pending on this database. Without --database all files are looked at; the variables tell only what they run on
    #[arg(long, value_name = "URL", value_parser = secret)]
    pub database: Option<SecretString>,
    /// What the migrations run on [default: that of --database or the variables, or postgres]
    #[arg(long, value_name = "DATABASE", value_parser = ["postgres", "sqlite"])]
    pub dialect: Option<String>,
    /// PostgreSQL's major version, which some rules depend on
    #[arg(long, value_name = "N", value_parser = postgres_version)]
    pub postgres_version: Option<u32>,
    /// Fail with warnings that no comment in the file allows, too
    #[arg(long)]
    pub strict: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Nothing older is known to any rule, and goose's history table needs it.
const POSTGRES_MIN: u32 = 10;
/// Two digits: `1504` and `150004` are ways in which the server writes a whole version.
const POSTGRES_MAX: u32 = 99;

fn postgres_version(text: &str) -> Result<u32, String> {
    let version = text.parse().ok().filter(|version| (POSTGRES_MIN..=POSTGRES_MAX).contains(version));
    version.ok_or_else(|| format!("PostgreSQL's major version, {POSTGRES_MIN} or newer, as in --postgres-version 15"))
}

pub(super) async fn run(args: &LintArgs, out: Out) -> Result<Value, Failed> {
    let mut guessed = false;
    let (survey, pending, mut options) = match &args.database {
        None => {
            let dialect = DatabaseArgs { database: None }.dialect();
            guessed = dialect.is_none() && args.dialect.is_none();
            (
                args.folder.survey()?,
                None,
                LintOptions { dialect: dialect.unwrap_or(Dialect::Postgres), ..LintOptions::default() },
            )
        }
        Some(url) => {
            let database = DatabaseArgs { database: Some(url.clone()) };
            let (place, beside, problems) = Place::survey(&args.folder, &database).await?;
            let options = place.lint_options().await?;
            (Survey { folder: place.folder, beside, problems }, Some(place.history), options)
        }
    };
    match args.dialect.as_deref() {
        Some("sqlite") => options.dialect = Dialect::Sqlite,
        Some(_) => options.dialect = Dialect::Postgres,
        None => {}
    }
    options.postgres_version = args.postgres_version.or(options.postgres_version);
    let named = named(&args.files, &survey, &args.folder.dir)?;
    let wanted = |file: &MigrationFile| {
        named.as_ref().is_none_or(|named| named.contains(&file.up.file))
            && pending.as_ref().is_none_or(|history| !history.contains(&file.version))
    };
    let (findings, looked_at) = findings(&survey, &options, pending.is_some(), wanted);
    let of = |severity| findings.iter().filter(|f| f.severity == severity && f.allowed.is_none()).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    for finding in &findings {
        lines(finding, &args.folder.dir, out).iter().for_each(|line| out.line(line));
    }
    let read = if guessed { ", read as PostgreSQL (--dialect sqlite for the other)" } else { "" };
    let sum = format!(
        "{}{read}: {}, {}",
        count(looked_at, "migration", "migrations"),
        count(errors, "error", "errors"),
        count(warnings, "warning", "warnings")
    );
    let document = json!({
        "format": survey.folder.format().name(),
        "dialect": if options.dialect == Dialect::Sqlite { "sqlite" } else { "postgres" },
        "migrations": looked_at,
        "errors": errors,
        "warnings": warnings,
        "findings": findings,
    });
    if errors > 0 || (args.strict && warnings > 0) {
        let why = if errors > 0 { "" } else { ", and --strict wants none" };
        return Err(Failed::new(format!("{sum}{why}.")).beside(document));
    }
    out.line(&format!("{sum}."));
    Ok(document)
}

/// The names that somebody typed, as the folder has them: the up file of the migration.
fn named(files: &[PathBuf], survey: &Survey<'_>, dir: &Path) -> Result<Option<Vec<String>>, Failed> {
    if files.is_empty() {
        return Ok(None);
    }
    let found = files.iter().map(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let elsewhere = parent.is_some_and(|parent| parent.canonicalize().ok() != dir.canonicalize().ok());
        let is =
            |file: &&MigrationFile| file.up.file == name || file.down.as_ref().is_some_and(|down| down.file == name);
        let known = survey.folder.files().chain(&survey.beside).find(is).map(|file| &file.up.file);
        // What is wrong with it is said whatever is named.
        let wrong = survey.problems.iter().map(Finding::of_folder).find(|finding| finding.file == name);
        match known.or(wrong.as_ref().map(|finding| &finding.file)).filter(|_| !elsewhere) {
            Some(file) => Ok(file.clone()),
            None => Err(Failed::new(format!(
                "{} is no migration of {}. Name the folder with --dir.",
                clean(&path.to_string_lossy()),
                dir.display()
            ))),
        }
    });
    found.collect::<Result<Vec<_>, _>>().map(Some)
}

/// What is to be said about the folder and the wanted files, in order, and how many they are. Where they are what is pending (`together`),
/// a table that one of them creates is empty for those after it; else nobody knows what is applied already.
fn findings(
    survey: &Survey<'_>,
    options: &LintOptions,
    together: bool,
    wanted: impl Fn(&MigrationFile) -> bool,
) -> (Vec<Finding>, usize) {
    let (mut migrations, mut looked_at) = (Vec::<Migration>::new(), 0);
    // The tool would refuse all of the folder, so this is said whatever is wanted.
    let mut unreadable: Vec<_> = survey.problems.iter().map(Finding::of_folder).collect();
    let mut files: Vec<_> = survey.folder.files().chain(&survey.beside).filter(|file| wanted(file)).collect();
    if !survey.beside.is_empty() {
        files.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| a.up.file.cmp(&b.up.file)));
    }
    for file in files {
        looked_at += 1;
        match survey.folder.parse(file) {
            Ok(migration) => migrations.push(migration),
            Err(problem) => unreadable.push(Finding::unreadable(&file.up.file, &problem)),
        }
    }
    let down_problems = migrations.iter().filter_map(|m| Some(Finding::unreadable(&m.file, m.down_problem.as_ref()?)));
    unreadable.extend(down_problems);
    let mut findings = match together {
        true => lint_all(&migrations, options),
        false => migrations.iter().flat_map(|migration| lint(migration, &BTreeSet::new(), options)).collect(),
    };
    findings.extend(unreadable);
    (findings, looked_at)
}

fn lines(finding: &Finding, dir: &Path, out: Out) -> Vec<String> {
    let place = clean(&dir.join(&finding.file).to_string_lossy());
    let word = match finding.severity {
        _ if finding.allowed.is_some() => "allowed",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "advice",
    };
    let head = format!(
        "{place}:{}  {} {word}  {} ({})",
        finding.line,
        mark(finding, out),
        clean(&finding.message),
        finding.rule
    );
    let more =
        finding.allowed.as_ref().map(|why| format!("allowed by the file: {why}")).or_else(|| finding.help.clone());
    std::iter::once(head).chain(more.map(|more| format!("  {}", clean(&more)))).collect()
}
