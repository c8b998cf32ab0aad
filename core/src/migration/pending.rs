//! What a database has of a folder, and what it lacks.

use super::danger::Tables;
use super::format::{Format, LateRule};
use super::{
    Folder, FolderError, History, LintOptions, Migration, MigrationFile, Outlook, Record, Version, statements_done,
};
use crate::plan::PlannedMigration;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// What would be applied.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// All pending migrations, in order, also those that will not be run.
    pub migrations: Vec<Migration>,
    /// Why some of them will not be run here, by version.
    pub not_run: BTreeMap<Version, String>,
    /// Which of them are older than the newest applied one, and will be applied all the same.
    pub late: BTreeSet<Version>,
    /// Which of them an earlier run without a transaction left half done. Whoever runs them looks whether it can go on.
    pub half_done: Vec<HalfDoneMigration>,
    /// Applied in the database but unknown to the folder, ascending.
    pub unknown_applied: Vec<Version>,
    /// The files that were edited after they were applied, in order.
    pub edited: Vec<String>,
}

/// A migration that an earlier run without a transaction left half done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfDoneMigration {
    /// Its version.
    pub version: Version,
    /// Its file.
    pub file: String,
    /// How many statements are known to be done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// What the database said, if one failed.
    pub error: Option<String>,
    /// What a run will do about it, if somebody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
}

impl HalfDoneMigration {
    /// Whether a run goes on with it only when somebody has looked: a statement failed, and what came of it before
    /// that cannot be seen. Otherwise the run looks by itself, and may still have to stop.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let stops = self.outlook.as_ref().is_none_or(|outlook| matches!(outlook, Outlook::Stops { .. }));
        self.error.is_some() && self.done < self.total && stops
    }

    /// Whether somebody has looked and seen that a run can go on with it.
    #[must_use]
    pub fn is_foreseen(&self) -> bool {
        matches!(self.outlook, Some(Outlook::GoesOn { .. } | Outlook::Rebuilds { .. }))
    }

    /// `00002_steps.sql was left half done by an earlier run: 1 of 3 statements is done. …`: for somebody who decides
    /// about a run.
    #[must_use]
    pub fn warning(&self, goes_on: bool) -> String {
        let next = self.done + 1;
        let stops = "the run stops without having run anything";
        // Without an error that run may be going on right now, and what it leaves is not to be seen yet.
        let may_go_on = |outlook: &&Outlook| self.error.is_some() || !matches!(outlook, Outlook::Stops { .. });
        let rest = match self.outlook.as_ref().filter(may_go_on) {
            _ if self.done >= self.total => "only the record is missing".to_owned(),
            Some(Outlook::GoesOn { statement }) if *statement > self.total => "only the record is missing".to_owned(),
            Some(Outlook::GoesOn { statement }) => format!("the run goes on with statement {statement}"),
            Some(Outlook::Rebuilds { index }) => format!("the run drops the invalid index {index} and builds it anew"),
            _ if goes_on => format!("the run goes on with statement {next}"),
            Some(Outlook::Stops { index: Some(index) }) => {
                format!("{stops}: the invalid index {index} is there, and whose it is cannot be seen")
            }
            Some(Outlook::Stops { index: None }) => {
                format!("{stops}: what became of statement {next} cannot be seen")
            }
            None => format!(
                "the run looks what became of statement {next}, and stops without having run anything if that cannot be \
                 seen"
            ),
        };
        let are_done = statements_done(self.done, self.total);
        format!("{} was left half done by an earlier run: {are_done}; {rest}", self.file)
    }
}

impl PendingError {
    /// Whether the files would be applied if [`Late::Apply`] was asked for.
    #[must_use]
    pub fn may_be_applied_late(&self) -> bool {
        matches!(self, Self::OutOfOrder { format, .. } if !late_is_refused(*format, Late::Apply))
    }
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
            let planned = match self.not_run.get(&migration.version) {
                // It creates nothing for those after it.
                Some(why) => migration.planned(Some(why.clone()), &mut tables.clone(), options),
                None => migration.planned(None, &mut tables, options),
            };
            PlannedMigration { late: self.late.contains(&migration.version), ..planned }
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

/// Whether a file that is older than the newest applied one must not be applied. A tool that keeps only the newest
/// version cannot write it down, so there is no way to apply it.
#[must_use]
pub fn late_is_refused(format: &dyn Format, late: Late) -> bool {
    let as_the_tool = late == Late::AsTheTool && format.late_rule() != LateRule::Applies;
    as_the_tool || format.history().keeps_newest_only()
}

/// Why nothing can be applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PendingError {
    /// Files are older than what is applied already.
    #[error("{} not applied, but older than version {newest}, which is applied. {}", list(files), late_advice(*format, files.len()))]
    OutOfOrder {
        /// The team's tool.
        format: &'static dyn Format,
        /// The files, in order.
        files: Vec<String>,
        /// The newest applied version.
        newest: Version,
    },
    /// The tool began a migration and did not see it end, as its history says.
    #[error(
        "{} began version {version}{} and did not see it end. Nothing can be applied until that is settled: look at what \
         is done of it. {}", format.name(), file.as_ref().map_or(String::new(), |file| format!(" ({file})")),
        format.dirty_advice()
    )]
    Dirty {
        /// The team's tool.
        format: &'static dyn Format,
        /// The version that its history names.
        version: Version,
        /// The file of that version, if the folder has it.
        file: Option<String>,
    },
    /// An earlier run of a file without a transaction did not come to its end.
    #[error("{}", half_done(migration, *taking_back))]
    HalfDone {
        /// Which, and how far it came.
        migration: HalfDoneMigration,
        /// Whether it was being taken back.
        taking_back: bool,
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

fn late_advice(format: &dyn Format, files: usize) -> String {
    let (it, number) = if files == 1 { ("it", "a newer version number") } else { ("them", "newer version numbers") };
    match format.late_rule() {
        LateRule::Skips => format!("{} would leave {it} out for ever. Give {it} {number}.", format.name()),
        LateRule::Refuses | LateRule::Applies => format!("Give {it} {number}."),
    }
}

fn half_done(migration: &HalfDoneMigration, taking_back: bool) -> String {
    let HalfDoneMigration { file, done, total, error, .. } = migration;
    let what = if taking_back { "is being taken back" } else { "runs" };
    let (next, are_done) = (done + 1, statements_done(*done, *total));
    let stopped = match error {
        Some(error) => format!("{are_done}, statement {next} failed: {error}"),
        None if done >= total => "all statements are done, but that is not recorded".to_owned(),
        None => format!("{are_done}, statement {next} may have run or not"),
    };
    format!(
        "{file} {what} without a transaction, and an earlier run did not come to its end: {stopped}. Look at the database. \
         Let a run go on where it stopped, or finish it by hand and record that."
    )
}

/// What of the folder is pending, by the rules of its tool. Files that are applied are not parsed.
///
/// # Errors
/// When a file is older than the newest applied version and must not be applied then, a pending file cannot be read, or
/// an earlier run has to be settled first.
pub fn plan_pending(folder: &Folder<'_>, history: &History, options: &PendingOptions) -> Result<Pending, PendingError> {
    let format = folder.format();
    let unfinished = unfinished(folder, history)?;
    let mut pending = Pending { unknown_applied: missing(folder, history), ..Pending::default() };
    let mut refused = Vec::new();
    for file in folder.files() {
        if history.contains(&file.version) {
            if is_edited(folder, history, file) {
                pending.edited.push(file.up.file.clone());
            }
            continue;
        }
        if let Some(reason) = options.cannot_run.get(&file.version) {
            pending.not_run.insert(file.version.clone(), reason.clone());
        } else if is_late(history, file) {
            if late_is_refused(format, options.late) {
                refused.push(file.up.file.clone());
                continue;
            }
            pending.late.insert(file.version.clone());
        }
        pending.migrations.push(folder.parse(file)?);
    }
    if let Some(newest) = history.newest().filter(|_| !refused.is_empty()) {
        return Err(PendingError::OutOfOrder { format, files: refused, newest: newest.clone() });
    }
    pending.half_done = unfinished;
    Ok(pending)
}

/// The migrations that Slipway began to apply without a transaction and did not see end.
fn unfinished(folder: &Folder<'_>, history: &History) -> Result<Vec<HalfDoneMigration>, PendingError> {
    if let Some(record) = history.taking_back() {
        return Err(PendingError::HalfDone { migration: half_done_migration(record), taking_back: true });
    }
    let records: Vec<_> = history.records().filter(|record| history.is_half_done(record)).collect();
    if let Some(dirty) = history.dirty().filter(|dirty| records.iter().all(|record| record.version != **dirty)) {
        let file = folder.file(dirty).map(|file| file.up.file.clone());
        return Err(PendingError::Dirty { format: folder.format(), version: dirty.clone(), file });
    }
    let known = records.into_iter().filter(|record| folder.file(&record.version).is_some());
    Ok(known.map(half_done_migration).collect())
}

fn half_done_migration(record: &Record) -> HalfDoneMigration {
    HalfDoneMigration {
        version: record.version.clone(),
        file: record.file.clone(),
        done: record.statements_done,
        total: record.statements,
        error: record.error.clone(),
        outlook: None,
    }
}

/// What is applied but unknown to the folder, ascending.
pub(super) fn missing(folder: &Folder<'_>, history: &History) -> Vec<Version> {
    history.all_versions().into_iter().filter(|version| folder.file(version).is_none()).cloned().collect()
}

/// Whether the file is older than the newest applied migration.
pub(super) fn is_late(history: &History, file: &MigrationFile) -> bool {
    history.newest().is_some_and(|newest| file.version < *newest)
}

/// Whether an applied file is not what it was when it was applied, by Slipway's own record or the tool's checksum.
pub(super) fn is_edited(folder: &Folder<'_>, history: &History, file: &MigrationFile) -> bool {
    let recorded = history.record(&file.version).filter(|record| record.state.is_settled());
    if recorded.is_some_and(|record| record.checksum != file.up.checksum) {
        return true;
    }
    let kept = history.row(&file.version).and_then(|row| row.checksum.as_deref());
    kept.is_some_and(|kept| folder.format().checksum(file).is_some_and(|now| hex::encode(now) != kept))
}
