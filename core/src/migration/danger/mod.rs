//! What a migration may cost: data that is lost, tables that are locked or written anew.

mod read;
#[cfg(test)]
mod tests;

pub(super) use read::{allowed, created, dangers};

use serde::{Deserialize, Serialize};

/// A table with this many rows or bytes is big: a lock on it is felt.
pub const BIG_ROWS: i64 = 100_000;
/// See [`BIG_ROWS`].
pub const BIG_BYTES: i64 = 100 * 1024 * 1024;

/// A kind of danger. Its name in `snake-case` is what a file allows: `-- slipway:allow drop-column nobody reads it`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DangerKind {
    /// `DROP TABLE`, `DROP MATERIALIZED VIEW`.
    DropTable,
    /// `DROP SCHEMA`, `DROP DATABASE`, and whatever is dropped with `CASCADE`.
    DropOthers,
    /// `ALTER TABLE … DROP COLUMN`.
    DropColumn,
    /// `TRUNCATE`.
    Truncate,
    /// `DELETE`, with or without a condition.
    Delete,
    /// `UPDATE` without a condition.
    UpdateAll,
    /// `ALTER … RENAME`: the version that runs until the deployment knows only the old name.
    Rename,
    /// `ALTER COLUMN … TYPE`.
    ChangeType,
    /// `SET NOT NULL`, and constraints that are checked at once.
    Validate,
    /// A unique constraint or primary key that is not made from an index.
    UniqueConstraint,
    /// `ADD COLUMN … NOT NULL` without a default: fails where there are rows.
    NeedsValue,
    /// `ADD COLUMN` with something to be computed for each row.
    ComputedColumn,
    /// `CREATE INDEX` or `REINDEX` without `CONCURRENTLY`.
    BlockingIndex,
    /// `VACUUM FULL`, `CLUSTER`, `SET TABLESPACE`, `SET LOGGED`, `REFRESH MATERIALIZED VIEW` without `CONCURRENTLY`.
    WriteAnew,
    /// `LOCK TABLE`, `CREATE TRIGGER`, `DISABLE TRIGGER`, `ATTACH PARTITION`.
    LockTable,
    /// A block that nobody can read beforehand.
    Unreadable,
}

/// What a statement locks out while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    Writes,
    Everything,
}

impl DangerKind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::DropTable,
        Self::DropOthers,
        Self::DropColumn,
        Self::Truncate,
        Self::Delete,
        Self::UpdateAll,
        Self::Rename,
        Self::ChangeType,
        Self::Validate,
        Self::UniqueConstraint,
        Self::NeedsValue,
        Self::ComputedColumn,
        Self::BlockingIndex,
        Self::WriteAnew,
        Self::LockTable,
        Self::Unreadable,
    ];

    /// As a file names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DropTable => "drop-table",
            Self::DropOthers => "drop-others",
            Self::DropColumn => "drop-column",
            Self::Truncate => "truncate",
            Self::Delete => "delete",
            Self::UpdateAll => "update-all",
            Self::Rename => "rename",
            Self::ChangeType => "change-type",
            Self::Validate => "validate",
            Self::UniqueConstraint => "unique-constraint",
            Self::NeedsValue => "needs-value",
            Self::ComputedColumn => "computed-column",
            Self::BlockingIndex => "blocking-index",
            Self::WriteAnew => "write-anew",
            Self::LockTable => "lock-table",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether data is lost.
    #[must_use]
    pub fn is_destructive(self) -> bool {
        matches!(
            self,
            Self::DropTable | Self::DropOthers | Self::DropColumn | Self::Truncate | Self::Delete | Self::Unreadable
        )
    }

    /// Whether every row is written anew.
    #[must_use]
    pub fn rewrites_rows(self) -> bool {
        matches!(self, Self::UpdateAll | Self::ChangeType | Self::ComputedColumn | Self::WriteAnew | Self::Unreadable)
    }

    /// What is locked out for as long as the table is big.
    fn lock(self) -> Option<Lock> {
        match self {
            Self::ChangeType
            | Self::Validate
            | Self::UniqueConstraint
            | Self::ComputedColumn
            | Self::WriteAnew
            | Self::LockTable
            | Self::Unreadable => Some(Lock::Everything),
            Self::BlockingIndex | Self::UpdateAll => Some(Lock::Writes),
            _ => None,
        }
    }

    /// What it does, for somebody who is no database administrator, up to the table's name.
    fn sentence(self) -> &'static str {
        match self {
            Self::DropTable => "loses all data of",
            Self::DropOthers => "drops what depends on it, and its data, with",
            Self::DropColumn => "loses the data of a column of",
            Self::Truncate => "empties",
            Self::Delete => "deletes rows of",
            Self::UpdateAll => "changes every row of",
            Self::Rename => "renames something that the running version still uses in",
            Self::ChangeType => "changes the type of a column of",
            Self::Validate => "checks every row of",
            Self::UniqueConstraint => "makes something unique in",
            Self::NeedsValue => "fails if there are rows in",
            Self::ComputedColumn => "computes a new column for every row of",
            Self::BlockingIndex => "builds an index of",
            Self::WriteAnew => "writes anew all of",
            Self::LockTable => "locks",
            Self::Unreadable => "runs a block that cannot be judged",
        }
    }
}

/// How big a table is, as the database estimates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSize {
    /// Rows; `None` where the database has never counted them.
    pub rows: Option<i64>,
    /// With indexes.
    pub bytes: i64,
}

impl TableSize {
    fn is_big(self) -> bool {
        self.bytes >= BIG_BYTES || self.rows.is_some_and(|rows| rows >= BIG_ROWS)
    }
}

/// One thing that a migration may cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Danger {
    /// What.
    pub kind: DangerKind,
    /// The table as the file writes it. Untrusted text.
    pub table: Option<String>,
    /// Why the file says that this is fine, from a comment that was reviewed with it. Untrusted text.
    #[serde(default)]
    pub allowed: Option<String>,
    /// How big the table is; `None`: not known.
    #[serde(default)]
    pub size: Option<TableSize>,
}

impl Danger {
    /// Whether data is lost.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        self.allowed.is_none() && self.kind.is_destructive()
    }

    /// Whether every row is written anew.
    #[must_use]
    pub fn rewrites_rows(&self) -> bool {
        self.allowed.is_none() && self.kind.rewrites_rows()
    }

    /// Whether it locks others out of a table that is big, or of which nobody knows how big it is.
    #[must_use]
    pub fn locks(&self) -> bool {
        self.allowed.is_none() && self.kind.lock().is_some() && self.size.is_none_or(TableSize::is_big)
    }

    /// Whether somebody who decides should read of it.
    #[must_use]
    pub fn is_worth_a_warning(&self) -> bool {
        let breaks = self.allowed.is_none() && matches!(self.kind, DangerKind::Rename | DangerKind::NeedsValue);
        breaks || self.is_destructive() || self.locks()
    }

    /// For whoever decides: `loses the data of a column of users`. Untrusted text.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.table {
            Some(table) if self.kind != DangerKind::Unreadable => format!("{} {table}", self.kind.sentence()),
            _ => self.kind.sentence().to_owned(),
        }
    }

    /// For a database administrator: `nobody reads or writes it meanwhile, about 1.2 M rows, 340 MB`.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        let lock = match self.kind.lock()? {
            Lock::Everything => "nobody can use it meanwhile",
            Lock::Writes => "nobody can write to it meanwhile",
        };
        let size = match self.size {
            None => "size unknown".to_owned(),
            Some(TableSize { rows: Some(rows), bytes }) => format!("about {} rows, {}", count(rows), size(bytes)),
            Some(TableSize { rows: None, bytes }) => size(bytes),
        };
        Some(format!("{lock}, {size}"))
    }

    /// What of it a vote is about: the size itself changes with every row that is added.
    pub(crate) fn digested(&self) -> (&'static str, Option<&str>, bool, bool) {
        (self.kind.name(), self.table.as_deref(), self.allowed.is_some(), self.locks())
    }

    /// Whether it is one on SQLite too, which locks the whole file for every write and has none of PostgreSQL's ways
    /// around that.
    #[must_use]
    pub fn concerns_sqlite(&self) -> bool {
        self.kind.is_destructive() || matches!(self.kind, DangerKind::UpdateAll | DangerKind::Rename)
    }
}

fn count(rows: i64) -> String {
    match rows {
        ..10_000 => rows.to_string(),
        10_000..1_000_000 => format!("{} k", rows / 1_000),
        _ => format!("{}.{} M", rows / 1_000_000, rows % 1_000_000 / 100_000),
    }
}

fn size(bytes: i64) -> String {
    const KB: i64 = 1024;
    match bytes {
        ..1_048_576 => format!("{} kB", bytes / KB),
        1_048_576..1_073_741_824 => format!("{} MB", bytes / KB / KB),
        _ => format!("{}.{} GB", bytes / KB / KB / KB, bytes / KB / KB % KB * 10 / KB),
    }
}
