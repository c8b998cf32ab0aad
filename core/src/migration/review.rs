//! What a proposed change of a migrations folder does: what the new and changed files cost, and whether their order still
//! holds beside what is on the branch that they are meant for.

use super::format::LateRule;
use super::lint::{Finding, LintOptions, Severity, lint, lint_all};
use super::{Folder, FolderError, Late, Migration, MigrationFile, late_is_refused};
use std::collections::{BTreeMap, BTreeSet};

/// The rule of a file that cannot be read as a migration.
const UNREADABLE_RULE: &str = "unreadable";
/// The rule of a new file that is older than what is on the branch already.
const LATE_RULE: &str = "late-version";
/// The rule of a file that is changed although it is on the branch already.
const EDITED_RULE: &str = "edited-migration";
/// The rule of a file that is taken away although it is on the branch already.
const REMOVED_RULE: &str = "removed-migration";
/// The rule of a new file with a version that is taken on the branch by another one.
const TAKEN_RULE: &str = "version-taken";

/// A file that the change touches, by its name in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchedFile {
    /// Its name after the change; of one that is taken away, before it. Untrusted text.
    pub name: String,
    /// Its name before, where it was another. Untrusted text.
    pub was: Option<String>,
    /// Whether it is taken away.
    pub removed: bool,
}

/// What is to be said of the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// The migrations that it adds or changes, in order. Untrusted text.
    pub files: Vec<String>,
    /// What was found, in the order of the files; of migrations that are gone last.
    pub findings: Vec<Finding>,
}

impl Review {
    /// One that says that the folder cannot be read as it would be after the change.
    #[must_use]
    pub fn unreadable(error: &FolderError) -> Self {
        Self { files: vec![], findings: vec![Finding::unreadable(file_of(error), error)] }
    }

    /// How many findings of a severity no comment in the file allows.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity && finding.allowed.is_none()).count()
    }
}

/// Looks at a change. `after` is the folder with it, `before` the folder at the head of the branch that it is meant for,
/// where that can be read: what is there is taken for applied. `branch` is shown only.
#[must_use]
pub fn review(
    before: Option<&Folder<'_>>,
    after: &Folder<'_>,
    touched: &[TouchedFile],
    branch: &str,
    options: &LintOptions,
) -> Review {
    let names: BTreeSet<&str> = touched.iter().filter(|file| !file.removed).map(|file| file.name.as_str()).collect();
    let concerned = |file: &&MigrationFile| {
        names.contains(file.up.file.as_str()) || file.down.as_ref().is_some_and(|down| names.contains(&*down.file))
    };
    let gone: BTreeSet<&str> = touched
        .iter()
        .filter_map(|file| if file.removed { Some(file.name.as_str()) } else { file.was.as_deref() })
        .collect();
    let mut review = Review::default();
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for file in after.files().filter(concerned) {
        review.files.push(file.up.file.clone());
        let known = before.and_then(|before| before.file(&file.version));
        let order = known.map_or_else(
            || before.and_then(|before| late(before, file, branch)),
            |known| differs(known, file, &gone, branch),
        );
        let migration = match after.parse(file) {
            Ok(migration) => migration,
            Err(error) => {
                review.findings.extend(order);
                review.findings.push(Finding::unreadable(&file.up.file, &error));
                continue;
            }
        };
        if let Some(order) = order {
            // A file may say why it was changed; no comment makes a tool apply what it refuses.
            let allowed = migration.allowed.get(&order.rule).filter(|_| order.rule == EDITED_RULE).cloned();
            review.findings.push(Finding { allowed, ..order });
        }
        review.findings.extend(migration.down_problem.iter().map(|error| Finding::unreadable(&file.up.file, error)));
        if known.is_some() { changed.push(migration) } else { new.push(migration) }
    }
    // What the change adds runs together: a table that one of its files creates is empty for those after it. What was on
    // the branch before has run without them.
    review.findings.extend(lint_all(&new, options));
    review.findings.extend(changed.iter().flat_map(|migration: &Migration| lint(migration, &BTreeSet::new(), options)));
    let place: BTreeMap<_, _> =
        (0..).zip(&review.files).map(|(at, file)| (file.as_str(), at)).collect::<BTreeMap<_, usize>>();
    review.findings.sort_by_key(|finding| (place.get(finding.file.as_str()).copied(), finding.line));
    if let Some(before) = before {
        review.findings.extend(removed(before, after, &gone, branch));
    }
    review
}

/// A new file that is older than the newest of the branch.
fn late(before: &Folder<'_>, file: &MigrationFile, branch: &str) -> Option<Finding> {
    let newest = before.files().map(|known| &known.version).max().filter(|newest| file.version < **newest)?;
    let format = before.format();
    let then = match format.late_rule() {
        LateRule::Skips => format!("{} leaves it out for ever", format.name()),
        LateRule::Refuses => format!("{} refuses it", format.name()),
        LateRule::Applies => format!("{} applies it after newer ones", format.name()),
    };
    let severity = if late_is_refused(format, Late::AsTheTool) { Severity::Error } else { Severity::Warning };
    let message = format!("version {} is older than {newest}, which is on {branch} already: {then}", file.version);
    Some(of_order(LATE_RULE, &file.up.file, severity, message, "Give it a newer version number."))
}

/// A file with a version that the branch has.
fn differs(known: &MigrationFile, file: &MigrationFile, gone: &BTreeSet<&str>, branch: &str) -> Option<Finding> {
    let (name, was) = (&file.up.file, &known.up.file);
    if name != was && !gone.contains(was.as_str()) {
        let message = format!("version {} is taken: {was} is on {branch} already", file.version);
        return Some(of_order(TAKEN_RULE, name, Severity::Error, message, "Give it a newer version number."));
    }
    let down = |file: &MigrationFile| file.down.as_ref().map(|down| down.checksum.clone());
    if file.up.checksum == known.up.checksum {
        let changes_down = down(file) != down(known);
        let message = format!("it is on {branch} already, and its way back is changed");
        let help = "See that it takes back what was applied.";
        return changes_down.then(|| of_order(EDITED_RULE, name, Severity::Advice, message, help));
    }
    let message = format!("it is on {branch} already, and where it is applied the change is not");
    Some(of_order(EDITED_RULE, name, Severity::Error, message, "Leave it as it is, and write another migration."))
}

/// Migrations of the branch that are gone after the change.
fn removed(before: &Folder<'_>, after: &Folder<'_>, gone: &BTreeSet<&str>, branch: &str) -> Vec<Finding> {
    let lacks = |file: &&MigrationFile| gone.contains(file.up.file.as_str()) && after.file(&file.version).is_none();
    let say = |file: &MigrationFile| {
        let message =
            format!("it is on {branch} already, and where it is applied nothing can take it back without the file");
        of_order(REMOVED_RULE, &file.up.file, Severity::Error, message, "Keep it, and write another migration.")
    };
    before.files().filter(lacks).map(say).collect()
}

fn of_order(rule: &str, file: &str, severity: Severity, message: String, help: &str) -> Finding {
    Finding { file: file.to_owned(), message, help: Some(help.to_owned()), ..Finding::new(rule, severity) }
}

impl Finding {
    /// Why a folder as a whole cannot be used.
    #[must_use]
    pub fn of_folder(error: &FolderError) -> Self {
        Self::unreadable(file_of(error), error)
    }
}

/// The file that an error is about.
fn file_of(error: &FolderError) -> &str {
    match error {
        FolderError::Name { file, .. }
        | FolderError::NotText { file, .. }
        | FolderError::Parse { file, .. }
        | FolderError::PsqlCommand { file, .. } => file,
        FolderError::Duplicate { second, .. } => second,
        FolderError::TooLarge { what, .. } => what,
    }
}

impl Finding {
    /// A file that cannot be read as a migration.
    #[must_use]
    pub fn unreadable(file: &str, error: &FolderError) -> Self {
        let (line, message) = match error {
            FolderError::Parse { problem, .. } => (problem.line, problem.message.clone()),
            FolderError::PsqlCommand { line, command, .. } => {
                (*line, format!("{command} is a command for psql, not SQL. Take it out of the migration"))
            }
            FolderError::NotText { line, .. } => (*line, error.to_string()),
            other => (1, other.to_string()),
        };
        Self { file: file.to_owned(), line, message, ..Self::new(UNREADABLE_RULE, Severity::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::{Format, by_name};
    use super::*;

    fn folder(tool: &'static str, files: &[(&str, &str)]) -> Result<Folder<'static>, FolderError> {
        let format: &'static dyn Format = by_name(tool).unwrap();
        Folder::read(format, files.iter().map(|(name, text)| ((*name).into(), text.as_bytes().to_vec())), &|_| None)
    }

    fn touched(names: &[&str]) -> Vec<TouchedFile> {
        names.iter().map(|name| TouchedFile { name: (*name).into(), was: None, removed: false }).collect()
    }

    fn said(review: &Review) -> Vec<String> {
        let say = |f: &Finding| format!("{}:{} {:?} {} {}", f.file, f.line, f.severity, f.rule, f.message);
        review.findings.iter().map(say).collect()
    }

    const ONE: (&str, &str) = ("00001_likes.sql", "-- +goose Up\nCREATE TABLE likes (id bigint);\n");
    const THREE: (&str, &str) = ("00003_bio.sql", "-- +goose Up\nCREATE TABLE bios (id bigint);\n");

    #[test]
    fn only_what_the_change_touches_is_looked_at_and_new_tables_are_empty() {
        let old = ("00002_old.sql", "-- +goose Up\nALTER TABLE likes DROP COLUMN gone;\n");
        let new = [
            ("00004_notes.sql", "-- +goose Up\nCREATE TABLE notes (id bigint);\n"),
            (
                "00005_index.sql",
                "-- +goose Up\nCREATE INDEX notes_id ON notes (id);\nCREATE INDEX bios_id ON bios (id);\n",
            ),
        ];
        let before = folder("goose", &[ONE, old, THREE]).unwrap();
        let after = folder("goose", &[ONE, old, THREE, new[0], new[1]]).unwrap();
        let names = touched(&["00004_notes.sql", "00005_index.sql"]);
        let found = review(Some(&before), &after, &names, "main", &LintOptions::default());
        assert_eq!(found.files, ["00004_notes.sql", "00005_index.sql"]);
        let dangers: Vec<_> =
            found.findings.iter().filter(|f| f.danger.is_some()).map(|f| (f.line, f.table.clone())).collect();
        assert_eq!(dangers, [(3, Some("bios".into()))], "{:?}", said(&found));
    }

    #[test]
    fn a_version_that_is_late_is_what_the_tool_makes_of_it() {
        let late = |tool, one: (&'static str, &'static str), name: &'static str, text: &'static str| {
            let before = folder(tool, &[one]).unwrap();
            let after = folder(tool, &[one, (name, text)]).unwrap();
            let found = review(Some(&before), &after, &touched(&[name]), "main", &LintOptions::default());
            said(&found).into_iter().filter(|line| line.contains(LATE_RULE)).collect::<Vec<_>>()
        };
        expect_test::expect![[r#"
            00002_late.sql:1 Error late-version version 2 is older than 3, which is on main already: goose refuses it
            2_late.up.sql:1 Error late-version version 2 is older than 3, which is on main already: golang-migrate leaves it out for ever
            2_late.sql:1 Warning late-version version 2 is older than 3, which is on main already: dbmate applies it after newer ones"#]]
        .assert_eq(
            &[
                late("goose", THREE, "00002_late.sql", "-- +goose Up\nSELECT 1;\n"),
                late("golang-migrate", ("3_a.up.sql", "SELECT 1;"), "2_late.up.sql", "SELECT 1;"),
                late(
                    "dbmate",
                    ("3_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
                    "2_late.sql",
                    "-- migrate:up\nSELECT 1;\n-- migrate:down\n",
                ),
            ]
            .concat()
            .join("\n"),
        );
    }

    #[test]
    fn what_is_on_the_branch_stays_as_it_is() {
        let edited = (ONE.0, "-- +goose Up\nCREATE TABLE likes (id bigint, at date);\n");
        let renamed = ("00001_like.sql", ONE.1);
        let other = ("00003_other.sql", "-- +goose Up\nSELECT 1;\n");
        let before = folder("goose", &[ONE, THREE]).unwrap();
        let of = |files: &[(&str, &str)], touched: &[TouchedFile]| {
            said(&review(Some(&before), &folder("goose", files).unwrap(), touched, "main", &LintOptions::default()))
                .into_iter()
                .filter(|line| [EDITED_RULE, REMOVED_RULE, TAKEN_RULE].iter().any(|rule| line.contains(rule)))
                .collect::<Vec<_>>()
                .join("\n")
        };
        expect_test::expect![
            "00001_likes.sql:1 Error edited-migration it is on main already, and where it is applied the change is not"
        ]
        .assert_eq(&of(&[edited, THREE], &touched(&[ONE.0])));
        expect_test::expect!["00003_bio.sql:1 Error removed-migration it is on main already, and where it is applied nothing can take it back without the file"]
            .assert_eq(&of(&[ONE], &[TouchedFile { name: THREE.0.into(), was: None, removed: true }]));
        let rename = TouchedFile { name: renamed.0.into(), was: Some(ONE.0.into()), removed: false };
        assert_eq!(of(&[renamed, THREE], &[rename]), "", "the tool knows it by its version");
        // Two pull requests took the same number; the other one was merged first.
        expect_test::expect![
            "00003_other.sql:1 Error version-taken version 3 is taken: 00003_bio.sql is on main already"
        ]
        .assert_eq(&of(&[ONE, other], &touched(&[other.0])));
        assert_eq!(of(&[ONE], &[]), "", "the branch went on, and this change has nothing to do with it");
    }

    #[test]
    fn what_a_comment_allows_is_counted_as_allowed() {
        let edited =
            (ONE.0, "-- slipway:allow edited-migration it never ran\n-- +goose Up\nCREATE TABLE likes (id int8);\n");
        let before = folder("goose", &[ONE]).unwrap();
        let after = folder("goose", &[edited]).unwrap();
        let found = review(Some(&before), &after, &touched(&[ONE.0]), "main", &LintOptions::default());
        assert_eq!(found.count(Severity::Error), 0, "{:?}", said(&found));
        assert!(found.findings.iter().any(|f| f.allowed.as_deref() == Some("it never ran")));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        let broken = ("00004_x.sql", "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n");
        let after = folder("goose", &[ONE, broken]).unwrap();
        let found = review(None, &after, &touched(&[broken.0]), "main", &LintOptions::default());
        assert_eq!((found.findings[0].rule.as_str(), found.count(Severity::Error)), (UNREADABLE_RULE, 1));
        let twice = folder("goose", &[ONE, ("1_again.sql", ONE.1)]).unwrap_err();
        let found = Review::unreadable(&twice);
        assert_eq!(
            said(&found),
            [
                "1_again.sql:1 Error unreadable 00001_likes.sql and 1_again.sql have the same version 1. Give one of them another number."
            ]
        );
    }
}
