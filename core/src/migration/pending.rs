//! What a database has of a folder, and what it lacks.

use super::danger;
use super::{Folder, FolderError, Migration};
use crate::plan::PlannedMigration;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// A row of the history table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppliedRow {
    /// The row's own number; newer rows have greater ones.
    pub id: i64,
    /// The migration's version. The first row has 0, which is no migration.
    pub version: i64,
    /// Old goose wrote rows with `false` when it took a migration back.
    pub is_applied: bool,
}

/// What the rows of the history table mean: a version counts as applied by what its newest row says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    applied: BTreeSet<i64>,
    current: Option<i64>,
}

impl History {
    /// Reads the rows, in any order.
    #[must_use]
    pub fn of(rows: &[AppliedRow]) -> Self {
        let mut newest: BTreeMap<i64, AppliedRow> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.version > 0) {
            let kept = newest.entry(row.version).or_insert(*row);
            if row.id > kept.id {
                *kept = *row;
            }
        }
        newest.retain(|_, row| row.is_applied);
        let current = newest.values().max_by_key(|row| row.id).map(|row| row.version);
        Self { applied: newest.into_keys().collect(), current }
    }

    /// Whether the version is applied.
    #[must_use]
    pub fn contains(&self, version: i64) -> bool {
        self.applied.contains(&version)
    }

    /// The applied versions, ascending.
    pub fn versions(&self) -> impl Iterator<Item = i64> {
        self.applied.iter().copied()
    }

    /// The version that was applied last, which is the one to be taken back first.
    #[must_use]
    pub fn current(&self) -> Option<i64> {
        self.current
    }

    /// The greatest applied version.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.applied.last().copied()
    }
}

/// What would be applied.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// All pending migrations, in order, also those that will not be run.
    pub migrations: Vec<Migration>,
    /// Why some of them will not be run here, by version.
    pub not_run: BTreeMap<i64, String>,
    /// Applied in the database but unknown to the folder, ascending.
    pub unknown_applied: Vec<i64>,
}

impl Pending {
    /// The migrations that will be run, in order.
    #[must_use]
    pub fn to_run(&self) -> Vec<Migration> {
        self.migrations.iter().filter(|m| !self.not_run.contains_key(&m.version)).cloned().collect()
    }

    /// What a plan says about them.
    #[must_use]
    pub fn planned(&self) -> Vec<PlannedMigration> {
        let mut new = BTreeSet::new();
        let planned = self.migrations.iter().map(|migration| {
            new.extend(danger::created(&migration.up));
            migration.planned(self.not_run.get(&migration.version).cloned(), &new)
        });
        planned.collect()
    }
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
        newest: i64,
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

/// What of the folder is pending, by goose's rules.
///
/// # Errors
/// When a file is older than the newest applied version, or a pending file cannot be read.
pub fn plan_pending(folder: &Folder, rows: &[AppliedRow]) -> Result<Pending, PendingError> {
    plan_pending_without(folder, rows, &BTreeMap::new())
}

/// The same, where some versions cannot be run on this kind of database. They stay pending for ever, whatever is
/// applied after them.
///
/// # Errors
/// As [`plan_pending`].
pub fn plan_pending_without(
    folder: &Folder,
    rows: &[AppliedRow],
    cannot_run: &BTreeMap<i64, String>,
) -> Result<Pending, PendingError> {
    let history = History::of(rows);
    let known: BTreeSet<i64> = folder.files().map(|file| file.version).collect();
    let mut pending = Pending {
        unknown_applied: history.versions().filter(|version| !known.contains(version)).collect(),
        ..Pending::default()
    };
    let newest = history.newest().unwrap_or(0);
    let mut late = Vec::new();
    for file in folder.files().filter(|file| !history.contains(file.version)) {
        if let Some(reason) = cannot_run.get(&file.version) {
            pending.not_run.insert(file.version, reason.clone());
        } else if file.version < newest {
            late.push(file.file.clone());
        }
        match folder.get(file.version) {
            Some(Ok(migration)) => pending.migrations.push(migration.clone()),
            Some(Err(problem)) => return Err(problem.clone().into()),
            None => {}
        }
    }
    if late.is_empty() { Ok(pending) } else { Err(PendingError::OutOfOrder { files: late, newest }) }
}
