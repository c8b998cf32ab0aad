//! The migrations at a commit, and the database that they are for.

use crate::executor::{Executor, Trouble, no_longer_configured};
use secrecy::ExposeSecret as _;
use slipway_core::ids::{CommitSha, EnvironmentKey, ServiceName};
use slipway_core::migration::format::{self, Dialect, Format};
use slipway_core::migration::{
    Folder, History, LintOptions, Migration, Pending, PendingOptions, Version, plan_pending,
};
use slipway_core::plan::FilesFrom;
use slipway_deploy::database::{Database, DatabaseUrl, open, sqlite_cannot_run};
use slipway_deploy::github::Resolution;
use std::collections::{BTreeMap, BTreeSet};

/// How far back it is looked for the release that applied a migration.
const APPLIED_LOOK_BACK_LIMIT: u32 = 200;

/// Files by name.
type Files = Vec<(String, Vec<u8>)>;

/// A folder at a commit, the database, and which versions that kind of database cannot run.
pub(in crate::executor) struct FolderAndDatabase {
    pub(in crate::executor) folder: Folder<'static>,
    pub(in crate::executor) database: Box<dyn Database>,
    pub(in crate::executor) url: DatabaseUrl,
    pub(in crate::executor) cannot_run: BTreeMap<Version, String>,
}

impl FolderAndDatabase {
    /// What the database says.
    pub(in crate::executor) async fn history(&self) -> Result<History, Trouble> {
        Ok(self.database.history(self.folder.format()).await?)
    }

    /// What the statements will run on.
    pub(in crate::executor) async fn lint_options(&self) -> Result<LintOptions, Trouble> {
        let postgres_version = self.database.postgres_version().await?;
        Ok(LintOptions { dialect: self.database.dialect(), postgres_version })
    }

    /// What is pending now.
    pub(in crate::executor) async fn pending(&self) -> Result<Pending, Trouble> {
        self.pending_by(&self.history().await?)
    }

    /// What is pending by a history that is at hand.
    pub(in crate::executor) fn pending_by(&self, history: &History) -> Result<Pending, Trouble> {
        let options = PendingOptions { cannot_run: self.cannot_run.clone(), ..PendingOptions::default() };
        plan_pending(&self.folder, history, &options).map_err(|error| Trouble::lasting(&error))
    }
}

/// `None` when the service or the environment has no migrations.
pub(in crate::executor) async fn folder_and_database(
    executor: &Executor,
    key: &EnvironmentKey,
    commit: &CommitSha,
) -> Result<Option<FolderAndDatabase>, Trouble> {
    let Some((configured, files)) = files_at(executor, key, commit).await? else { return Ok(None) };
    let Some((url, database)) = connected(executor, key).await? else { return Ok(None) };
    let format = format_of(configured, &files, database.as_ref()).await?;
    // Variables of the bot's own environment are nothing that a migration may read.
    let folder = Folder::read(format, files, &|_| None).map_err(|error| Trouble::lasting(&error))?;
    if folder.is_empty() {
        return Ok(None);
    }
    let cannot_run = match database.dialect() {
        Dialect::Sqlite => sqlite_cannot_run(&folder.migrations()).await?,
        Dialect::Postgres => BTreeMap::new(),
    };
    Ok(Some(FolderAndDatabase { folder, database, url, cannot_run }))
}

/// The name of the configured format, and the files of the folder at a commit; `None` when there are no migrations among
/// them.
async fn files_at(
    executor: &Executor,
    key: &EnvironmentKey,
    commit: &CommitSha,
) -> Result<Option<(&'static str, Files)>, Trouble> {
    let service = executor.setup.service(&key.service).ok_or_else(|| no_longer_configured(key))?;
    let Some(migrations) = &service.migrations else { return Ok(None) };
    let files = executor.outside.github.folder_at(&service.repository, commit, &migrations.dir).await?.files;
    let files: Vec<_> = files.into_iter().map(|file| (file.name, file.bytes)).collect();
    let is_migration = |name: &str| format::ALL.iter().any(|format| !matches!(format.file_name(name), Ok(None)));
    let any = files.iter().any(|(name, _)| is_migration(name));
    Ok(any.then_some((migrations.format, files)))
}

/// The versions that a commit has files of.
pub(in crate::executor) async fn versions_at(
    executor: &Executor,
    key: &EnvironmentKey,
    commit: &CommitSha,
    format: &'static dyn Format,
) -> Result<BTreeSet<Version>, Trouble> {
    let Some((_, files)) = files_at(executor, key, commit).await? else { return Ok(BTreeSet::new()) };
    let folder = Folder::read(format, files, &|_| None).map_err(|error| Trouble::lasting(&error))?;
    Ok(folder.files().map(|file| file.version.clone()).collect())
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

/// `None` when the environment has no database.
async fn connected(
    executor: &Executor,
    key: &EnvironmentKey,
) -> Result<Option<(DatabaseUrl, Box<dyn Database>)>, Trouble> {
    let environment = executor.setup.environment(key).ok_or_else(|| no_longer_configured(key))?;
    let Some((secret, entry)) = &environment.database else { return Ok(None) };
    let url = executor.outside.secrets.value(secret, entry).await?;
    let url = DatabaseUrl::parse(url.expose_secret())?;
    let database = open(&url).await?;
    Ok(Some((url, database)))
}

/// The version that was applied last, as far as that can be told without the files.
async fn applied_last(executor: &Executor, key: &EnvironmentKey) -> Result<Option<Version>, Trouble> {
    let service = executor.setup.service(&key.service).ok_or_else(|| no_longer_configured(key))?;
    let Some(migrations) = &service.migrations else { return Ok(None) };
    let Some((_, database)) = connected(executor, key).await? else { return Ok(None) };
    let format = match format::by_name(migrations.format) {
        Some(format) => Some(format),
        None => database.formats().await?.into_iter().next(),
    };
    let Some(format) = format else { return Ok(None) };
    Ok(database.history(format).await?.current().cloned())
}

/// The checksum of the file that takes a migration back.
pub(in crate::executor) fn down_checksum(folder: &Folder<'_>, migration: &Migration) -> Option<String> {
    let file = folder.file(&migration.version)?;
    Some(file.down.as_ref().unwrap_or(&file.up).checksum.clone())
}

/// Whose files take migrations back, and how that is known.
pub(in crate::executor) struct Whose {
    pub(in crate::executor) commit: CommitSha,
    pub(in crate::executor) from: FilesFrom,
}

/// The commit whose files take back what was applied last: the newest release that applied it knows; else it is the commit
/// that runs, else the newest of the default branch. `None`: the default branch cannot be found.
pub(in crate::executor) async fn whose_files(
    executor: &Executor,
    key: &EnvironmentKey,
) -> Result<Option<Whose>, Trouble> {
    if let Some(version) = applied_last(executor, key).await?
        && let Some(whose) = applied_by(executor, key, &version).await?
    {
        return Ok(Some(whose));
    }
    if let Some(live) = executor.store.environment(key).await?.live {
        return Ok(Some(Whose { commit: live.commit, from: FilesFrom::Running }));
    }
    let service = executor.setup.service(&key.service).ok_or_else(|| no_longer_configured(key))?;
    Ok(match executor.outside.github.resolve(&service.repository, None).await? {
        Resolution::Resolved(found) => Some(Whose { commit: found.commit, from: FilesFrom::DefaultBranch }),
        Resolution::Unresolved(_) => None,
    })
}

/// The newest release that set out to apply a version here.
async fn applied_by(executor: &Executor, key: &EnvironmentKey, version: &Version) -> Result<Option<Whose>, Trouble> {
    let mut tx = executor.store.begin().await?;
    let newest = executor.store.releases_newest(&mut tx, key, APPLIED_LOOK_BACK_LIMIT).await?;
    drop(tx);
    let whose = newest.into_iter().filter(|release| release.started_at.is_some()).find_map(|release| {
        let plan = release.plan?;
        let applies = plan.migrations.iter().any(|m| m.version == *version && m.not_run.is_none());
        applies.then_some(Whose { commit: plan.commit, from: FilesFrom::Release { id: release.id } })
    });
    Ok(whose)
}

/// What a service's migrations run on, and the tools whose history tables are there: by the first of its databases that
/// tells. Without one they are taken for PostgreSQL's.
pub(in crate::executor) async fn runs_on(
    executor: &Executor,
    service: &ServiceName,
) -> (LintOptions, Vec<&'static dyn Format>) {
    let keys = executor.setup.environment_keys(None).into_iter().filter(|key| key.service == *service);
    for key in keys {
        match asked(executor, &key).await {
            Ok(Some(found)) => return found,
            Ok(None) => {}
            Err(error) => tracing::info!(%key, %error, "what migrations run on could not be asked"),
        }
    }
    (LintOptions::default(), vec![])
}

async fn asked(
    executor: &Executor,
    key: &EnvironmentKey,
) -> Result<Option<(LintOptions, Vec<&'static dyn Format>)>, Trouble> {
    let Some((_, database)) = connected(executor, key).await? else { return Ok(None) };
    let postgres_version = database.postgres_version().await?;
    let options = LintOptions { dialect: database.dialect(), postgres_version };
    Ok(Some((options, database.formats().await?)))
}
