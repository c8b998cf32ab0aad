//! Which migrations would be taken back.

use super::{Folder, FolderError, History, Migration, Version};
use thiserror::Error;

/// Why nothing can be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackError {
    /// Nothing is applied.
    #[error("No migration is applied, so there is nothing to take back.")]
    Nothing,
    /// Fewer are applied than should be taken back.
    #[error("Only {applied} can be taken back: no more are applied.")]
    TooFew {
        /// How many are applied.
        applied: usize,
    },
    /// A run did not come to its end.
    #[error(
        "Version {version} was begun and not finished, so nothing is taken back. Finish it by hand first, and record it."
    )]
    Dirty {
        /// The version.
        version: Version,
    },
    /// The folder does not have the file.
    #[error("Version {version} is applied, but this commit has no file for it, so nothing is taken back.")]
    NoFile {
        /// The version.
        version: Version,
    },
    /// The file has no way back.
    #[error("{file} has no way back: {why}. Nothing is taken back; a new migration can undo what it did.")]
    NoWayBack {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// The applied versions, the one that was applied last first. Where the history keeps only the newest version, the
/// folder's files up to it.
#[must_use]
pub fn applied_newest_first(folder: &Folder<'_>, history: &History) -> Vec<Version> {
    if folder.format().history().keeps_newest_only() {
        let files = folder.files().rev().map(|file| &file.version);
        return files.filter(|version| history.contains(version)).cloned().collect();
    }
    let mut applied: Vec<_> = history.versions().filter_map(|version| history.row(version)).collect();
    applied.sort_by_key(|row| std::cmp::Reverse(row.ordinal));
    applied.into_iter().map(|row| row.version.clone()).collect()
}

/// The migrations that were applied last, in the order in which they are taken back. `only` are those that may be among
/// them; empty for any.
///
/// # Errors
/// When there are not so many, or one of them has no way back.
pub fn plan_back(
    folder: &Folder<'_>,
    history: &History,
    count: usize,
    only: &[Version],
) -> Result<Vec<Migration>, BackError> {
    if let Some(version) = history.dirty() {
        return Err(BackError::Dirty { version: version.clone() });
    }
    let applied = applied_newest_first(folder, history);
    let wanted: Vec<_> = match only {
        [] if applied.is_empty() => return Err(BackError::Nothing),
        [] if applied.len() < count => return Err(BackError::TooFew { applied: applied.len() }),
        [] => applied.into_iter().take(count).collect(),
        only => applied.into_iter().filter(|version| only.contains(version)).collect(),
    };
    wanted.iter().map(|version| back(folder, version)).collect()
}

fn back(folder: &Folder<'_>, version: &Version) -> Result<Migration, BackError> {
    let migration = folder.get(version).ok_or_else(|| BackError::NoFile { version: version.clone() })??;
    let no_way = |why: String| BackError::NoWayBack { file: migration.file.clone(), why };
    if let Some(problem) = &migration.down_problem {
        return Err(no_way(format!("it cannot be read ({problem})")));
    }
    if !migration.reversible {
        return Err(no_way("it has no statements that take it back".to_owned()));
    }
    Ok(migration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::AppliedRow;
    use crate::migration::format::by_name;

    const ONE: &str = "-- +goose Up\nCREATE TABLE one (id int);\n-- +goose Down\nDROP TABLE one;\n";
    const TWO: &str = "-- +goose Up\nALTER TABLE one ADD COLUMN bio text;\n";

    fn folder() -> Folder<'static> {
        let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        let files = vec![file("1_one.sql", ONE), file("2_two.sql", TWO), file("3_three.sql", ONE)];
        Folder::read(by_name("goose").unwrap(), files, &|_| None).unwrap()
    }

    /// The versions in the order in which they were applied.
    fn history(applied: &[u64]) -> History {
        let row = |(ordinal, version): (i64, &u64)| AppliedRow {
            ordinal,
            version: (*version).into(),
            is_applied: true,
            is_dirty: false,
            checksum: None,
            applied_at: None,
        };
        History::of(by_name("goose").unwrap(), (1..).zip(applied).map(row).collect())
    }

    fn back(applied: &[u64], count: usize, only: &[u64]) -> Result<Vec<String>, String> {
        let only: Vec<Version> = only.iter().map(|version| (*version).into()).collect();
        let back = plan_back(&folder(), &history(applied), count, &only);
        back.map(|back| back.into_iter().map(|m| m.file).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_applied_last_is_taken_back_first() {
        assert_eq!(back(&[1, 3], 2, &[]).unwrap(), ["3_three.sql", "1_one.sql"]);
        assert_eq!(back(&[3, 1], 1, &[]).unwrap(), ["1_one.sql"], "by the order of applying, not of the versions");
        assert_eq!(back(&[1, 3], 2, &[3]).unwrap(), ["3_three.sql"], "a retry goes no further");
        assert_eq!(back(&[1], 2, &[3]).unwrap(), [""; 0], "and where all of it is done there is nothing to do");
    }

    #[test]
    fn why_nothing_is_taken_back_is_said() {
        let refused = |applied: &[u64], count| back(applied, count, &[]).unwrap_err();
        let said =
            [refused(&[], 1), refused(&[1], 2), refused(&[1, 7], 1), refused(&[1, 2], 1), refused(&[1, 2, 3], 2)];
        expect_test::expect![[r#"
            No migration is applied, so there is nothing to take back.
            Only 1 can be taken back: no more are applied.
            Version 7 is applied, but this commit has no file for it, so nothing is taken back.
            2_two.sql has no way back: it has no statements that take it back. Nothing is taken back; a new migration can undo what it did.
            2_two.sql has no way back: it has no statements that take it back. Nothing is taken back; a new migration can undo what it did."#]].assert_eq(&said.join("\n"));
    }

    #[test]
    fn what_is_planned_is_the_way_back() {
        let migration = folder().get(&1.into()).unwrap().unwrap();
        let planned = migration.planned_back(Some("ab".into()), &crate::migration::LintOptions::default());
        assert_eq!(planned.statements, "DROP TABLE one;");
        assert_eq!(planned.down_checksum.as_deref(), Some("ab"));
        assert!(planned.dangers.iter().any(crate::migration::Danger::is_destructive), "{:?}", planned.dangers);
    }
}
