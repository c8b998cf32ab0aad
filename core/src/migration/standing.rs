//! How each migration stands: what `slipway migrate status` lists.

use super::pending::{is_edited, is_late, missing};
use super::{Folder, History, MigrationFile, PendingOptions, Record, Version};
use serde::Serialize;

/// One migration of the folder or of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StandingEntry {
    /// Its version.
    pub version: Version,
    /// Its file. Of one that the folder lacks, the file that Slipway once applied, if it did. Untrusted text.
    pub file: Option<String>,
    /// The description in the file's name. Untrusted text.
    pub description: String,
    /// SHA-256 of the file, in hex.
    pub checksum: Option<String>,
    /// How it stands.
    #[serde(flatten)]
    pub state: StandingState,
    /// When it was applied, as the database writes it, where the tool keeps that.
    pub applied_at: Option<String>,
}

/// How a migration stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StandingState {
    /// Applied.
    Applied,
    /// Not applied; the next run applies it.
    Pending,
    /// Not applied, and older than the newest that is.
    Late,
    /// Applied, but not in the folder.
    Missing,
    /// Applied, and the file is not what it was then.
    Edited,
    /// Not applied, and it will not be here.
    NotRun {
        /// Why.
        reason: String,
    },
    /// It runs without a transaction, and an earlier run did not come to its end.
    HalfDone {
        /// How many statements are known to be done.
        done: usize,
        /// How many there are.
        total: usize,
        /// What the database said, if one failed. Untrusted text.
        error: Option<String>,
    },
    /// The tool began it and did not see it end.
    Dirty,
    /// Not applied, and the tool would refuse the file.
    Unreadable {
        /// What is wrong. Untrusted text.
        problem: String,
    },
}

/// How each migration stands, in the order of the folder; those that the folder lacks stand where their version belongs.
/// Only files that are not applied are parsed.
#[must_use]
pub fn standing(folder: &Folder<'_>, history: &History, options: &PendingOptions) -> Vec<StandingEntry> {
    let looked = Looked { folder, history, options, taking_back: history.taking_back() };
    let mut entries: Vec<_> = folder.files().map(|file| looked.entry(file)).collect();
    let dirty = history.dirty().filter(|dirty| folder.file(dirty).is_none());
    for version in missing(folder, history).iter().chain(dirty) {
        let record = history.record(version);
        let entry = StandingEntry {
            version: version.clone(),
            file: record.map(|record| record.file.clone()),
            description: String::new(),
            checksum: record.map(|record| record.checksum.clone()),
            state: if Some(version) == dirty { StandingState::Dirty } else { StandingState::Missing },
            applied_at: history.row(version).and_then(|row| row.applied_at.clone()),
        };
        let place = entries.iter().position(|other| other.version > *version).unwrap_or(entries.len());
        entries.insert(place, entry);
    }
    entries
}

/// What each file is held against.
struct Looked<'a> {
    folder: &'a Folder<'a>,
    history: &'a History,
    options: &'a PendingOptions,
    /// Looked for once: it is found among all records.
    taking_back: Option<&'a Record>,
}

impl Looked<'_> {
    fn entry(&self, file: &MigrationFile) -> StandingEntry {
        StandingEntry {
            version: file.version.clone(),
            file: Some(file.up.file.clone()),
            description: file.description.clone(),
            checksum: Some(file.up.checksum.clone()),
            state: self.state(file),
            applied_at: self.history.row(&file.version).and_then(|row| row.applied_at.clone()),
        }
    }

    fn state(&self, file: &MigrationFile) -> StandingState {
        let Self { folder, history, options, taking_back } = self;
        let is_taken_back = |record: &Record| taking_back.is_some_and(|taken| taken.version == record.version);
        let record = history.record(&file.version);
        if let Some(record) = record.filter(|record| history.is_half_done(record) || is_taken_back(record)) {
            let (done, total, error) = (record.statements_done, record.statements, record.error.clone());
            return StandingState::HalfDone { done, total, error };
        }
        if history.dirty() == Some(&file.version) {
            // While the one after it is taken back, the table of one row names this one, which is applied.
            return if taking_back.is_some() { StandingState::Applied } else { StandingState::Dirty };
        }
        if history.contains(&file.version) {
            return if is_edited(folder, history, file) { StandingState::Edited } else { StandingState::Applied };
        }
        if let Some(reason) = options.cannot_run.get(&file.version) {
            return StandingState::NotRun { reason: reason.clone() };
        }
        match folder.parse(file) {
            Err(problem) => StandingState::Unreadable { problem: problem.to_string() },
            Ok(_) if is_late(history, file) => StandingState::Late,
            Ok(_) => StandingState::Pending,
        }
    }
}
