//! What a trial on a copy of the schema showed.

use super::{TableSize, Version};
use serde::{Deserialize, Serialize};

/// PostgreSQL's table locks, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMode {
    /// Taken by reading.
    AccessShare,
    /// Taken by `SELECT … FOR UPDATE`.
    RowShare,
    /// Taken by writing.
    RowExclusive,
    /// Taken by `CREATE INDEX CONCURRENTLY` and `VALIDATE CONSTRAINT`.
    ShareUpdateExclusive,
    /// Keeps writers out.
    Share,
    /// Keeps writers out, and others like it.
    ShareRowExclusive,
    /// Keeps all but plain readers out.
    Exclusive,
    /// Keeps everybody out.
    AccessExclusive,
}

impl LockMode {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// As PostgreSQL's manual writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// Whether nobody can write meanwhile.
    #[must_use]
    pub fn keeps_writers_out(self) -> bool {
        self >= Self::Share
    }

    /// Whether nobody can read meanwhile.
    #[must_use]
    pub fn keeps_readers_out(self) -> bool {
        self == Self::AccessExclusive
    }
}

/// What a migration does to a table that was there before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// The table, with its schema where that is not `public`. Untrusted text.
    pub table: String,
    /// The strongest lock that was taken, above those of reading and writing.
    pub lock: LockMode,
    /// Whether every row was written anew.
    pub rewritten: bool,
    /// Whether every row was read while the lock was held.
    pub scanned: bool,
    /// How big the table is in the environment's own database.
    #[serde(default)]
    pub size: Option<TableSize>,
}

/// How the way back went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "down", rename_all = "snake_case")]
pub enum DownTrial {
    /// There is none.
    None,
    /// It works, and the schema was as before.
    Restores,
    /// It works, but the schema was another afterwards.
    Leaves {
        /// What was different, at most a few. Untrusted text.
        differences: Vec<String>,
    },
    /// It failed.
    Fails {
        /// The database's message. Untrusted text.
        message: String,
    },
    /// There is one, but it could not be tried.
    NotTried {
        /// Why, for the end of "not tried: …". Untrusted text.
        why: String,
    },
}

/// The trial of one migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationTrial {
    /// Its version.
    pub version: Version,
    /// The tables that it touches, those that it locks most first.
    pub touched: Vec<Touched>,
    /// How the way back went.
    pub down: DownTrial,
}

/// What became of the rehearsal of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rehearsal", rename_all = "snake_case")]
pub enum Rehearsal {
    /// There was none.
    Not {
        /// Why: no server is configured, it could not be reached, … Untrusted text.
        why: String,
    },
    /// Every pending migration went up on a copy of the schema, back where there is a way, and up again.
    Done {
        /// One for each, in their order.
        trials: Vec<MigrationTrial>,
    },
}
