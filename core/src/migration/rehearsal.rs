//! What a trial on a copy of the schema showed.

use super::sql::{self, Token};
use super::{Statement, TableSize, Version};
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

/// What a migration does to a table that the database has; those that the plan itself creates do not count.
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
    /// Whether it may do more on the database itself than what was seen, so that what its statements say counts too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl Statement {
    /// Whether this is sent as one piece but is several statements, or may be.
    #[must_use]
    pub fn is_several(&self) -> bool {
        let end = Token::Symbol(';');
        sql::tokens(&self.text).skip_while(|token| *token == end).skip_while(|token| *token != end).any(|t| t != end)
    }

    /// Whether the statement alone, or the only one of the piece, is of this sort: `TRUNCATE`, say.
    #[must_use]
    pub fn is_one(&self, first_word: &str) -> bool {
        !self.is_several() && sql::words(&self.text).next().is_some_and(|word| word.eq_ignore_ascii_case(first_word))
    }

    /// Whether this is one statement that works beside others, as it says by `CONCURRENTLY`.
    #[must_use]
    pub fn is_one_concurrently(&self) -> bool {
        !self.is_several() && sql::words(&self.text).any(|word| word == "concurrently")
    }

    /// Whether it runs code that may do one thing on an empty copy and another on the database itself.
    #[must_use]
    pub fn runs_code(&self) -> bool {
        let code = |word: &str| ["do", "call", "execute"].iter().any(|other| word.eq_ignore_ascii_case(other));
        let mut begins = true;
        sql::tokens(&self.text).any(|token| {
            let first = std::mem::replace(&mut begins, token == Token::Symbol(';'));
            matches!(token, Token::Word(word) if first && code(word))
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_tells_what_a_trial_cannot_see_through() {
        let piece = |text: &str| Statement { text: text.to_owned(), line: 1 };
        assert!(piece("-- why\nTRUNCATE a;").is_one("truncate"));
        assert!(!piece("TRUNCATE a; ALTER TABLE b ALTER c TYPE bigint;").is_one("truncate"));
        assert!(piece("CREATE INDEX CONCURRENTLY i ON a (b);").is_one_concurrently());
        assert!(!piece("VACUUM a -- concurrently").is_one_concurrently());
        assert!(!piece("DROP INDEX CONCURRENTLY i; ALTER TABLE a ADD b int").is_one_concurrently());
        for code in ["DO $$ BEGIN END $$", "-- a\ncall p()", "SELECT 1; EXECUTE p;", "BEGIN; Do $$ $$; COMMIT"] {
            assert!(piece(code).runs_code(), "{code}");
        }
        for plain in [
            "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
            "CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f()",
            "SELECT '; DO'",
        ] {
            assert!(!piece(plain).runs_code(), "{plain}");
        }
    }

    #[test]
    fn whole_trials_are_written_as_before_there_were_partial_ones() {
        let trial = |partial| MigrationTrial { version: 1.into(), touched: vec![], down: DownTrial::None, partial };
        for partial in [false, true] {
            let written = serde_json::to_string(&trial(partial)).unwrap();
            assert_eq!(written.contains("partial"), partial);
            assert_eq!(serde_json::from_str::<MigrationTrial>(&written).unwrap(), trial(partial));
        }
    }
}
