//! The kinds of danger.

use crate::migration::LockMode;
use serde::{Deserialize, Serialize};

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
    /// `TRUNCATE … CASCADE`: empties the tables that refer to it as well.
    TruncateOthers,
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

impl DangerKind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::DropTable,
        Self::DropOthers,
        Self::DropColumn,
        Self::Truncate,
        Self::TruncateOthers,
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
            Self::TruncateOthers => "truncate-others",
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
            Self::DropTable
                | Self::DropOthers
                | Self::DropColumn
                | Self::Truncate
                | Self::TruncateOthers
                | Self::Delete
                | Self::Unreadable
        )
    }

    /// Whether every row is written anew.
    #[must_use]
    pub fn rewrites_rows(self) -> bool {
        matches!(self, Self::UpdateAll | Self::ChangeType | Self::ComputedColumn | Self::WriteAnew | Self::Unreadable)
    }

    /// The lock that is held for as long as the table is big; `None`: at most for a moment.
    pub(super) fn long_lock(self) -> Option<LockMode> {
        match self {
            Self::ChangeType
            | Self::Validate
            | Self::UniqueConstraint
            | Self::ComputedColumn
            | Self::WriteAnew
            | Self::LockTable
            | Self::Unreadable => Some(LockMode::AccessExclusive),
            Self::BlockingIndex => Some(LockMode::Share),
            // The table is open, but each of its rows is locked.
            Self::UpdateAll => Some(LockMode::RowExclusive),
            _ => None,
        }
    }

    /// Whether a trial on empty tables cannot tell what it costs.
    #[must_use]
    pub fn is_beyond_a_trial(self) -> bool {
        self.is_destructive() || matches!(self, Self::UpdateAll | Self::NeedsValue | Self::Rename)
    }

    /// Whether it is one on SQLite too, which locks the whole file for every write and has none of PostgreSQL's ways
    /// around that.
    #[must_use]
    pub fn concerns_sqlite(self) -> bool {
        self.is_destructive() || matches!(self, Self::UpdateAll | Self::Rename)
    }

    /// What is done to every row, up to how many there are.
    pub(super) fn work(self) -> Option<&'static str> {
        match self {
            Self::UpdateAll | Self::ChangeType | Self::ComputedColumn | Self::WriteAnew => Some("rewrites"),
            Self::Validate => Some("reads"),
            Self::UniqueConstraint | Self::BlockingIndex => Some("indexes"),
            _ => None,
        }
    }

    /// How to get there with less danger, as a sentence.
    #[must_use]
    pub fn safer(self) -> &'static str {
        match self {
            Self::DropTable => "Rename it first, and drop it some releases later when nobody missed it.",
            Self::DropOthers => "Drop what depends on it by name, without CASCADE, so that the review shows it.",
            Self::DropColumn => "Ship a version that does not use the column, and drop it one release later.",
            Self::Truncate | Self::Delete => "Copy the rows to another table first, so that there is a way back.",
            Self::TruncateOthers => "Name each table, without CASCADE, so that the review shows it.",
            Self::UpdateAll => "Change a few thousand rows at a time, each batch in a transaction of its own.",
            Self::Rename => "Add the new name beside the old one, ship the version that uses it, then drop the old one.",
            Self::ChangeType => "Add a column of the new type, fill it in batches, switch over, then drop the old one.",
            Self::Validate => "Add the constraint NOT VALID, and VALIDATE it in a later migration.",
            Self::UniqueConstraint => {
                "Create a unique index CONCURRENTLY, then add the constraint with USING INDEX."
            }
            Self::NeedsValue => "Give the column a constant default, or add it nullable, fill it, then require it.",
            Self::ComputedColumn => "Add the column without default, fill it in batches, then set the default.",
            Self::BlockingIndex => "Build it CONCURRENTLY, in a file that runs outside a transaction.",
            Self::WriteAnew => "Do it in a maintenance window, or with a tool that copies the table in the background.",
            Self::LockTable => "Do it alone in its migration, so that the lock is held for a moment only.",
            Self::Unreadable => "Write plain statements, so that they can be judged before they run.",
        }
    }

    /// What it does, for somebody who is no database administrator, up to the table's name.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::DropTable => "loses all data of",
            Self::DropOthers => "drops what depends on it, and its data, with",
            Self::DropColumn => "loses the data of a column of",
            Self::Truncate => "empties",
            Self::TruncateOthers => "empties all tables that refer to",
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
