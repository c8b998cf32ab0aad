//! What a database says of the migrations that were run on it.

use super::Version;
use super::format::Format;
use std::collections::{BTreeMap, BTreeSet};

/// A row of a tool's history table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRow {
    /// The row's place; newer rows have greater ones.
    pub ordinal: i64,
    /// The migration's version.
    pub version: Version,
    /// Old goose wrote rows with `false` when it took a migration back.
    pub is_applied: bool,
    /// The tool began it and did not see it end.
    pub is_dirty: bool,
    /// The checksum that the tool keeps, in lower-case hex.
    pub checksum: Option<String>,
    /// When, as the database writes it.
    pub applied_at: Option<String>,
}

/// How a migration stands in Slipway's own record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// Slipway applied it.
    Applied,
    /// It was applied when Slipway first saw it.
    Found,
    /// It runs without a transaction; of its end nothing is known.
    Running,
    /// It ran without a transaction, and a statement failed.
    Failed,
    /// It is being taken back without a transaction; of the end nothing is known.
    TakingBack,
}

impl RecordState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Applied, Self::Found, Self::Running, Self::Failed, Self::TakingBack];

    /// Whether it is applied, and nothing is under way.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Applied | Self::Found)
    }

    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Found => "found",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::TakingBack => "taking back",
        }
    }
}

/// What Slipway itself keeps in the database beside the tool's history, in the table `slipway_migrations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The migration's version.
    pub version: Version,
    /// Its file.
    pub file: String,
    /// SHA-256 of the file that applied it, in hex.
    pub checksum: String,
    /// How it stands.
    pub state: RecordState,
    /// How many statements it has.
    pub statements: usize,
    /// How many of them are done for good.
    pub statements_done: usize,
    /// What the database said when one failed.
    pub error: Option<String>,
}

/// What the rows of the history table mean: a version counts as applied by what its newest row says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    applied: BTreeMap<Version, AppliedRow>,
    current: Option<Version>,
    dirty: Option<Version>,
    /// The newest version stands for all before it.
    newest_only: bool,
    records: BTreeMap<Version, Record>,
}

impl History {
    /// Reads the rows, in any order.
    #[must_use]
    pub fn of(format: &dyn Format, rows: Vec<AppliedRow>) -> Self {
        let mut newest: BTreeMap<Version, AppliedRow> = BTreeMap::new();
        for row in rows {
            match newest.get_mut(&row.version) {
                Some(kept) if kept.ordinal >= row.ordinal => {}
                Some(kept) => *kept = row,
                None => {
                    newest.insert(row.version.clone(), row);
                }
            }
        }
        newest.retain(|_, row| row.is_applied);
        let dirty = newest.values().find(|row| row.is_dirty).map(|row| row.version.clone());
        newest.retain(|_, row| !row.is_dirty || format.history().keeps_newest_only());
        let current = newest.values().max_by_key(|row| row.ordinal).map(|row| row.version.clone());
        let newest_only = format.history().keeps_newest_only();
        Self { applied: newest, current, dirty, newest_only, records: BTreeMap::new() }
    }

    /// The same with Slipway's own record.
    #[must_use]
    pub fn with_records(mut self, records: Vec<Record>) -> Self {
        self.records = records.into_iter().map(|record| (record.version.clone(), record)).collect();
        self
    }

    /// Whether the version is applied.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        if self.newest_only {
            let older = self.newest().is_some_and(|newest| version <= newest);
            return older && Some(version) != self.dirty.as_ref() && !self.was_left_out(version);
        }
        self.applied.contains_key(version)
    }

    /// Whether Slipway's own record names it: otherwise something else has applied it, or it was before Slipway came.
    #[must_use]
    pub fn is_recorded(&self, version: &Version) -> bool {
        self.records.contains_key(version)
    }

    /// Whether a tool that keeps only the newest version went past this one: newer ones have a record, and this one,
    /// which would have got its record with them or before them, has none.
    fn was_left_out(&self, version: &Version) -> bool {
        let Some(newest) = self.newest() else { return false };
        // A record of something newer than the history is no more true: the tool has taken it back.
        let mut known = self.records.range(..=newest.clone()).rev().filter(|(_, record)| record.state.is_settled());
        known.next().is_some_and(|(known, _)| version < known) && !self.records.contains_key(version)
    }

    /// The same history after a migration was applied.
    pub fn now_applied(&mut self, version: &Version) {
        if self.newest_only {
            self.applied.clear();
        }
        let ordinal = self.applied.values().map(|row| row.ordinal).max().unwrap_or_default() + 1;
        let row = AppliedRow {
            ordinal,
            version: version.clone(),
            is_applied: true,
            is_dirty: false,
            checksum: None,
            applied_at: None,
        };
        self.applied.insert(version.clone(), row);
        self.current = Some(version.clone());
    }

    /// The same history after a migration was taken back; `before` is the version that is then the newest where the
    /// table keeps only that.
    pub fn now_taken_back(&mut self, version: &Version, before: Option<&Version>) {
        self.applied.remove(version);
        self.records.remove(version);
        match before {
            Some(before) if self.newest_only => self.now_applied(before),
            _ => self.current = self.applied.values().max_by_key(|row| row.ordinal).map(|row| row.version.clone()),
        }
    }

    /// The applied versions that the table names, ascending.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.applied.keys().filter(|version| Some(*version) != self.dirty.as_ref())
    }

    /// The applied versions that are known by name, ascending: where the table keeps only the newest, with those that
    /// Slipway's own record names.
    #[must_use]
    pub fn all_versions(&self) -> BTreeSet<&Version> {
        let recorded = self.records.values().filter(|record| {
            self.newest_only
                && record.state.is_settled()
                && self.newest().is_some_and(|newest| record.version < *newest)
        });
        self.versions().chain(recorded.map(|record| &record.version)).collect()
    }

    /// Whether the record tells of a file that was begun and not ended, and the table does not say otherwise.
    #[must_use]
    pub fn is_half_done(&self, record: &Record) -> bool {
        matches!(record.state, RecordState::Running | RecordState::Failed) && !self.contains(&record.version)
    }

    /// What is being taken back without a transaction, and not gone from the table.
    #[must_use]
    pub fn taking_back(&self) -> Option<&Record> {
        let mut records = self.records.values().filter(|record| record.state == RecordState::TakingBack);
        // A table of one row names the version before it from the beginning, and is dirty until the end.
        records.find(|record| self.contains(&record.version) || (self.newest_only && self.dirty.is_some()))
    }

    /// What the table says of a version.
    #[must_use]
    pub fn row(&self, version: &Version) -> Option<&AppliedRow> {
        self.applied.get(version)
    }

    /// The version that was applied last, which is the one to be taken back first.
    #[must_use]
    pub fn current(&self) -> Option<&Version> {
        self.current.as_ref()
    }

    /// The greatest applied version.
    #[must_use]
    pub fn newest(&self) -> Option<&Version> {
        self.applied.last_key_value().map(|(version, _)| version)
    }

    /// The version that the tool began and did not see end.
    #[must_use]
    pub fn dirty(&self) -> Option<&Version> {
        self.dirty.as_ref()
    }

    /// What Slipway's own record says of a version.
    #[must_use]
    pub fn record(&self, version: &Version) -> Option<&Record> {
        self.records.get(version)
    }

    /// Slipway's own record, ascending.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }
}
