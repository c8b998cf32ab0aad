//! Applying the planned migrations, each once.

use super::{Done, Job, Trouble};
use crate::engine::Incoming;
use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use slipway_core::ids::CommitSha;
use slipway_core::migration::format::{self, Dialect, Format};
use slipway_core::migration::{Folder, Migration, Pending, PendingOptions, Version, plan_pending};
use slipway_core::release::{Event, Failure, Step};
use slipway_deploy::database::{
    Cancel, Database, JournalError, MigrateError, Run, RunJournal, RunOptions, connect, sqlite_cannot_run,
};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// A folder at a commit, the database, and which versions that kind of database cannot run.
pub(super) struct FolderAndDatabase {
    pub(super) folder: Folder<'static>,
    pub(super) database: Box<dyn Database>,
    pub(super) cannot_run: BTreeMap<Version, String>,
}

impl FolderAndDatabase {
    /// What is pending now.
    pub(super) async fn pending(&self) -> Result<Pending, Trouble> {
        let history = self.database.history(self.folder.format()).await?;
        let options = PendingOptions { cannot_run: self.cannot_run.clone(), ..PendingOptions::default() };
        plan_pending(&self.folder, &history, &options).map_err(|error| Trouble::lasting(&error))
    }
}

/// `None` when the service or the environment has no migrations.
pub(super) async fn folder_and_database(
    job: &Job<'_>,
    commit: &CommitSha,
) -> Result<Option<FolderAndDatabase>, Trouble> {
    let (service, environment) = (job.service()?, job.environment()?);
    let (Some(migrations), Some((secret, key))) = (&service.migrations, &environment.database) else { return Ok(None) };
    let outside = &job.executor.outside;
    let files = outside.github.folder_at(&service.repository, commit, &migrations.dir).await?.files;
    let files: Vec<_> = files.into_iter().map(|file| (file.name, file.bytes)).collect();
    if !files.iter().any(|(name, _)| name.ends_with("sql")) {
        return Ok(None);
    }
    let url = outside.secrets.value(secret, key).await?;
    let database = connect(url.expose_secret()).await?;
    let format = format_of(migrations.format, &files, database.as_ref()).await?;
    // Variables of the bot's own environment are nothing that a migration may read.
    let folder = Folder::read(format, files, &|_| None).map_err(|error| Trouble::lasting(&error))?;
    if folder.is_empty() {
        return Ok(None);
    }
    let cannot_run = match database.dialect() {
        Dialect::Sqlite => sqlite_cannot_run(&folder.migrations()).await?,
        Dialect::Postgres => BTreeMap::new(),
    };
    Ok(Some(FolderAndDatabase { folder, database, cannot_run }))
}

/// The format that the configuration names, or the one that files and database speak for.
async fn format_of(
    configured: &str,
    files: &[(String, Vec<u8>)],
    database: &dyn Database,
) -> Result<&'static dyn Format, Trouble> {
    if configured == format::AUTO {
        return format::detect(files, &database.formats().await?).map_err(|error| Trouble::lasting(&error));
    }
    format::by_name(configured).ok_or_else(|| Trouble::lasting(&"The migrations' format is unknown."))
}

/// Recorded before the first statement, and again as the run goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct MigrateIntent {
    /// What this release has applied.
    applied: Vec<Version>,
}

pub(super) async fn migrate(job: &Job<'_>) -> Result<Done, Trouble> {
    let plan = job.plan()?;
    let Some(at_hand) = folder_and_database(job, &plan.commit).await? else {
        let failure = Failure::new("The migrations of the plan are not there any more.").next("/release retry");
        return Ok(job.failed(Step::Migrate, failure));
    };
    let before: Option<MigrateIntent> = job.intent()?;
    let pending = at_hand.pending().await?.to_run();
    // After a crash some of the planned ones are applied; nothing else may differ from what was approved.
    let planned = |m: &Migration| plan.migrations.iter().any(|p| p.version == m.version && p.checksum == m.checksum);
    if let Some(unplanned) = pending.iter().find(|m| !planned(m)) {
        let what = format!("{} is pending but was not in the plan that was approved.", unplanned.file);
        let failure = Failure::new(what).detail("Nothing was run.").next("/release retry makes a new plan");
        return Ok(job.failed(Step::Migrate, failure));
    }
    let applied_before = before.as_ref().map_or(0, |intent| intent.applied.len());
    let total = plan.migrations.iter().filter(|m| m.not_run.is_none()).count();
    let begun = job.now();
    let journal = Journal { job, total, intent: Mutex::new(before.unwrap_or_default()) };
    journal.begin(|_| {}).await?;
    let run = Run { options: &RunOptions::default(), journal: &journal, cancel: Cancel::never() };
    let run = at_hand.database.up(&at_hand.folder, &pending, &run).await;
    let applied = journal.read().applied;
    match run {
        Ok(report) => {
            let seconds = (job.now() - begun).total(jiff::Unit::Second).unwrap_or_default();
            let elsewhere = total.saturating_sub(applied.len());
            let mut detail = format!("{} in {seconds:.1} s", applied.len());
            if elsewhere > 0 {
                detail = format!("{detail}, {elsewhere} found applied");
            }
            for warning in &report.warnings {
                detail = format!("{detail}; {warning}");
            }
            Ok(job.succeeded(Step::Migrate, detail))
        }
        // What an earlier process applied is no reason to give up on a lock that its session still holds.
        Err(error) if passes(&error) && applied.len() == applied_before => Err(error.into()),
        Err(error) => Ok(job.failed(Step::Migrate, failure(job, &error, &applied))),
    }
}

/// Whether nothing has been begun and trying again may help.
fn passes(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Connect { .. } | MigrateError::Locked { .. })
}

fn failure(job: &Job<'_>, error: &MigrateError, applied: &[Version]) -> Failure {
    let environment = &job.release.request.key.environment;
    let file = |version: &Version| {
        let planned = job.release.plan.as_ref().and_then(|p| p.migrations.iter().find(|m| m.version == *version));
        planned.map_or_else(|| version.to_string(), |migration| migration.file.clone())
    };
    let mut failure = Failure::new(error.to_string());
    failure = match applied {
        [] => failure.detail("No migration of this release was applied."),
        some => {
            let list: Vec<_> = some.iter().map(file).collect();
            failure.detail(format!("Applied and still there: {}.", list.join(", ")))
        }
    };
    failure.next("mend the migration and push").next(format!("/deploy {environment}"))
}

/// Keeps in the effect's intent how far the run has come, so that it survives the process.
struct Journal<'a> {
    job: &'a Job<'a>,
    total: usize,
    intent: Mutex<MigrateIntent>,
}

impl Journal<'_> {
    fn read(&self) -> MigrateIntent {
        self.intent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut MigrateIntent)) -> serde_json::Value {
        let mut intent = self.intent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut intent);
        serde_json::json!(*intent)
    }

    /// Something is begun: the run, or a file.
    async fn begin(&self, change: impl FnOnce(&mut MigrateIntent)) -> Result<(), Trouble> {
        let intent = self.change(change);
        self.job.intend(&intent).await
    }

    /// How far it has come.
    async fn write_down(&self, change: impl FnOnce(&mut MigrateIntent)) -> Result<(), JournalError> {
        let intent = self.change(change);
        self.job.note(&intent).await.map_err(journal_error)
    }
}

fn journal_error(trouble: Trouble) -> JournalError {
    JournalError(trouble.to_string())
}

#[async_trait]
impl RunJournal for Journal<'_> {
    async fn starting(&self, _migration: &Migration) -> Result<(), JournalError> {
        self.begin(|_| {}).await.map_err(journal_error)
    }

    async fn done(&self, migration: &Migration, _millis: u64) -> Result<(), JournalError> {
        self.write_down(|intent| intent.applied.push(migration.version.clone())).await?;
        self.applied(&migration.version).await;
        Ok(())
    }
}

impl Journal<'_> {
    /// Shows how far it has come. A courtesy: without it the run goes on.
    async fn applied(&self, version: &Version) {
        let done = self.read().applied.len();
        let permille = u16::try_from(done * 1000 / self.total.max(1)).ok();
        let event = Event::Progress { step: Step::Migrate, detail: format!("{done} of {}", self.total), permille };
        let news = Incoming::Happened { release: self.job.release.id.clone(), event };
        let key = format!("effect/{}/applied/{version}", self.job.row.id);
        let executor = self.job.executor;
        if let Err(error) = executor.store.deliver(&key, &news, &executor.clock).await {
            tracing::warn!(%error, "progress was not stored");
        }
        executor.signals.inbox.notify_one();
    }
}
