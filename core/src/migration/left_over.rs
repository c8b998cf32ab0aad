//! What a run of a file without a transaction left when it did not come to its end, and what the next one does about it.

use super::Record;
use serde::{Deserialize, Serialize};

/// Stands between what the database said and the index that the statement left. It is read back from the database.
const LEFT_INDEX: &str = "; it left the invalid index ";

/// What was seen beforehand of a run that meets a file which an earlier one left half done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// It goes on.
    GoesOn {
        /// With this statement, from 1; one more than there are where only the record is missing.
        statement: usize,
    },
    /// The statement builds an index, and the attempt before left it invalid: it is dropped and built anew.
    Rebuilds {
        /// The index with its schema, as SQL has it. Untrusted text.
        index: String,
    },
    /// It stops without having run anything.
    Stops {
        /// The invalid index that the statement would build and that may be somebody else's, as SQL has it. Untrusted text.
        index: Option<String>,
    },
}

impl Record {
    /// The index that a failed statement left invalid and that was not there before, with its schema, as SQL has it.
    #[must_use]
    pub fn left_index(&self) -> Option<&str> {
        self.error.as_deref()?.rsplit_once(LEFT_INDEX).map(|(_, index)| index)
    }

    /// What is kept of a statement that failed, with the index that it left.
    #[must_use]
    pub fn error_with_index(error: &str, left: Option<&str>) -> String {
        left.map_or_else(|| error.to_owned(), |index| format!("{error}{LEFT_INDEX}{index}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HalfDoneMigration, RecordState};
    use super::*;

    #[test]
    fn the_index_that_a_statement_left_is_read_back_from_what_is_kept_of_its_failure() {
        let record = |error: String| Record {
            version: 2.into(),
            file: "2_a.sql".into(),
            checksum: String::new(),
            state: RecordState::Failed,
            statements: 1,
            statements_done: 0,
            error: Some(error),
        };
        let said = "could not create unique index \"one\"";
        let kept = Record::error_with_index(said, Some("public.one"));
        assert_eq!(kept, "could not create unique index \"one\"; it left the invalid index public.one");
        assert_eq!(record(kept).left_index(), Some("public.one"));
        assert_eq!(record(Record::error_with_index(said, None)).left_index(), None);
    }

    #[test]
    fn what_was_seen_decides_whether_a_run_stops_and_is_told() {
        let half = |outlook| HalfDoneMigration {
            version: 2.into(),
            file: "2_a.sql".into(),
            done: 0,
            total: 2,
            error: Some("no".into()),
            outlook,
        };
        let index = || "public.one".to_owned();
        let seen = [
            None,
            Some(Outlook::GoesOn { statement: 1 }),
            Some(Outlook::GoesOn { statement: 3 }),
            Some(Outlook::Rebuilds { index: index() }),
            Some(Outlook::Stops { index: Some(index()) }),
            Some(Outlook::Stops { index: None }),
        ];
        let told = seen.map(|outlook| {
            let half = half(outlook);
            format!("{} {}", half.is_stuck(), half.warning(false).split_once("; ").unwrap().1)
        });
        expect_test::expect![[r"
            true the run looks what became of statement 1, and stops without having run anything if that cannot be seen
            false the run goes on with statement 1
            false only the record is missing
            false the run drops the invalid index public.one and builds it anew
            true the run stops without having run anything: the invalid index public.one is there, and whose it is cannot be seen
            true the run stops without having run anything: what became of statement 1 cannot be seen"]]
        .assert_eq(&told.join("\n"));
        let old = r#"{"version":2,"file":"2_a.sql","done":0,"total":2,"error":"no"}"#;
        assert_eq!(serde_json::from_str::<HalfDoneMigration>(old).unwrap(), half(None));
    }
}
