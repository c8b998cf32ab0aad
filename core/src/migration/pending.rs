//! What a database has of a folder, and what it lacks.

use super::danger::Tables;
use super::{Folder, FolderError, History, LintOptions, Migration, Version};
use crate::plan::PlannedMigration;
use std::collections::BTreeMap;
use thiserror::Error;

/// What would be applied.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// All pending migrations, in order, also those that will not be run.
    pub migrations: Vec<Migration>,
    /// Why some of them will not be run here, by version.
    pub not_run: BTreeMap<Version, String>,
    /// Applied in the database but unknown to the folder, ascending.
    pub unknown_applied: Vec<Version>,
}

impl Pending {
    /// The migrations that will be run, in order.
    #[must_use]
    pub fn to_run(&self) -> Vec<Migration> {
        self.migrations.iter().filter(|m| !self.not_run.contains_key(&m.version)).cloned().collect()
    }

    /// What a plan says about them.
    #[must_use]
    pub fn planned(&self, options: &LintOptions) -> Vec<PlannedMigration> {
        let mut tables = Tables::default();
        let planned = self.migrations.iter().map(|migration| {
            match self.not_run.get(&migration.version) {
                // It creates nothing for those after it.
                Some(why) => migration.planned(Some(why.clone()), &mut tables.clone(), options),
                None => migration.planned(None, &mut tables, options),
            }
        });
        planned.collect()
    }
}

/// How to plan.
#[derive(Clone, Debug, Default)]
pub struct PendingOptions {
    /// Why some versions cannot be run on this kind of database. They stay pending for ever, whatever is applied after
    /// them.
    pub cannot_run: BTreeMap<Version, String>,
    /// What to do with files that are older than the newest applied one.
    pub late: Late,
}

/// What to do with files that are older than the newest applied one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// What the team's tool does, but never leave one out without a word: where the tool skips it, refuse.
    #[default]
    AsTheTool,
    /// Apply them, where the history can say so.
    Apply,
}

/// Why nothing can be applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PendingError {
    /// Files are older than what is applied already.
    #[error(
        "{} not applied, but older than version {newest}, which is applied. Give {} a newer version number, or apply \
         {} with \"goose up -allow-missing\".",
        list(files), if files.len() == 1 { "it" } else { "them" }, if files.len() == 1 { "it" } else { "them" }
    )]
    OutOfOrder {
        /// The files, in order.
        files: Vec<String>,
        /// The newest applied version.
        newest: Version,
    },
    /// A pending file cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// How many files an error names.
const NAMED_FILES_LIMIT: usize = 5;

fn list(files: &[String]) -> String {
    let named = files.iter().take(NAMED_FILES_LIMIT).cloned().collect::<Vec<_>>().join(", ");
    match files.len() {
        1 => format!("{named} is"),
        n if n > NAMED_FILES_LIMIT => format!("{named} and {} more are", n - NAMED_FILES_LIMIT),
        _ => format!("{named} are"),
    }
}

/// What of the folder is pending, by the rules of its tool.
///
/// # Errors
/// When a file is older than the newest applied version and must not be applied then, or a pending file cannot be read.
pub fn plan_pending(folder: &Folder<'_>, history: &History, options: &PendingOptions) -> Result<Pending, PendingError> {
    let mut pending = Pending {
        unknown_applied: history.versions().filter(|version| folder.file(version).is_none()).cloned().collect(),
        ..Pending::default()
    };
    let newest = history.newest();
    let mut late = Vec::new();
    for file in folder.files().filter(|file| !history.contains(&file.version)) {
        if let Some(reason) = options.cannot_run.get(&file.version) {
            pending.not_run.insert(file.version.clone(), reason.clone());
        } else if newest.is_some_and(|newest| file.version < *newest) {
            late.push(file.up.file.clone());
        }
        pending.migrations.push(folder.parse(file)?);
    }
    match newest {
        Some(newest) if !late.is_empty() => Err(PendingError::OutOfOrder { files: late, newest: newest.clone() }),
        _ => Ok(pending),
    }
}
