//! What a migration may cost: data that is lost, tables that are locked or written anew.

mod allow;
mod alter;
mod block;
mod bounds;
mod kind;
mod script;
mod tables;
#[cfg(test)]
mod tests;
mod tree;
mod words;

pub use allow::IgnoredComment;
pub(super) use allow::{allowed, ignored};
pub(super) use bounds::with_room;
pub use kind::DangerKind;
pub(super) use script::Script;
pub(super) use tables::Tables;
pub(crate) use tables::key;
pub(super) use tree::{Event, Found};

use super::LockMode;
use serde::{Deserialize, Serialize};

/// Functions whose value is the same for all rows of one statement.
const STABLE: [&str; 9] = [
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "localtime",
    "current_user",
];

/// The rule that finds a kind of danger, by the name that it has elsewhere, if it has one there.
fn rule(kind: DangerKind) -> &'static str {
    match kind {
        DangerKind::DropTable => "ban-drop-table",
        DangerKind::DropColumn => "ban-drop-column",
        DangerKind::TruncateOthers => "ban-truncate-cascade",
        DangerKind::ChangeType => "changing-column-type",
        DangerKind::UniqueConstraint => "disallowed-unique-constraint",
        DangerKind::NeedsValue => "adding-required-field",
        DangerKind::ComputedColumn => "adding-field-with-default",
        DangerKind::BlockingIndex => "require-concurrent-index-creation",
        other => other.name(),
    }
}

/// A table with this many rows or bytes is big: a lock on it is felt.
pub const BIG_ROWS: i64 = 100_000;
/// See [`BIG_ROWS`].
pub const BIG_BYTES: i64 = 100 * 1024 * 1024;

/// How big a table is, as the database estimates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSize {
    /// Rows; `None` where the database has never counted them.
    pub rows: Option<i64>,
    /// With indexes.
    pub bytes: i64,
}

impl TableSize {
    /// Whether a lock on it is felt.
    #[must_use]
    pub fn is_big(self) -> bool {
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
    /// The strongest lock that PostgreSQL takes for it; `None`: not known, or another database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockMode>,
}

impl Danger {
    /// A danger of which no more is known.
    #[must_use]
    pub fn new(kind: DangerKind, table: Option<String>) -> Self {
        Self { kind, table, allowed: None, size: None, lock: None }
    }

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
        self.allowed.is_none() && self.kind.long_lock().is_some() && self.size.is_none_or(TableSize::is_big)
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
            None if self.kind != DangerKind::Unreadable => format!("{} something without a name", self.kind.sentence()),
            _ => self.kind.sentence().to_owned(),
        }
    }

    /// What it means for whoever uses the table: `nobody can use it meanwhile, about 1.2 M rows, 340 MB`.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        let lock = self.meanwhile()?;
        let size = match self.size {
            None => "size unknown".to_owned(),
            Some(TableSize { rows: Some(rows), bytes }) => format!("about {} rows, {}", count(rows), size(bytes)),
            Some(TableSize { rows: None, bytes }) => size(bytes),
        };
        Some(format!("{lock}, {size}"))
    }

    /// Who has to wait while it runs.
    #[must_use]
    pub fn meanwhile(&self) -> Option<&'static str> {
        let long = self.kind.long_lock()?;
        Some(match self.lock.unwrap_or(long).keeps_readers_out() {
            true => "nobody can use it meanwhile",
            false => "nobody can write to it meanwhile",
        })
    }

    /// For a database administrator: `ACCESS EXCLUSIVE on users, rewrites about 1.2 M rows (340 MB)`. Untrusted text.
    #[must_use]
    pub fn lock_line(&self) -> Option<String> {
        let (lock, table) = (self.lock?, self.table.as_ref()?);
        let line = format!("{} on {table}", lock.name());
        Some(match self.kind.work() {
            Some(work) => format!("{line}, {work} {}", amount(self.size)),
            None => line,
        })
    }

    /// How to get there with less danger, as a sentence.
    #[must_use]
    pub fn safer(&self) -> &'static str {
        self.kind.safer()
    }

    /// What of it a vote is about: the size itself changes with every row that is added.
    pub(crate) fn digested(&self) -> (&'static str, Option<&str>, bool, bool) {
        (self.kind.name(), self.table.as_deref(), self.allowed.is_some(), self.locks())
    }
}

/// `about 1.2 M rows (340 MB)`.
pub(crate) fn amount(table: Option<TableSize>) -> String {
    match table {
        None => "all rows, size unknown".to_owned(),
        Some(TableSize { rows: Some(rows), bytes }) => format!("about {} rows ({})", count(rows), size(bytes)),
        Some(TableSize { rows: None, bytes }) => format!("all rows ({})", size(bytes)),
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
