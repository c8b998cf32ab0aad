//! What GitHub shows of a pull request's migrations.

use slipway_core::migration::{Finding, LintOptions, Review, Severity, TouchedFile, format::Dialect};
use slipway_deploy::github::{Annotation, ChangedFile, Opinion, Verdict};
use std::collections::BTreeSet;

/// How many findings the summary lists.
const LISTED_LIMIT: usize = 100;
/// Keeps what follows from being a mention, a link or a reference to an issue. Nobody sees it.
const JOINER: char = '\u{2060}';

/// What was looked at, and how.
pub(super) struct Looked<'a> {
    /// What it is about: `migrations`, with the service before it where several share the repository.
    pub(super) about: String,
    /// The folder in the repository.
    pub(super) dir: &'a str,
    /// The branch that the pull request is for. Untrusted text.
    pub(super) branch: &'a str,
    /// The files of the folder at its head.
    pub(super) there: BTreeSet<String>,
    /// What the statements were read for.
    pub(super) options: LintOptions,
    /// Slipway's own page.
    pub(super) page: Option<String>,
}

/// The files directly in a folder that are changed, by their names in it.
pub(super) fn touched(changed: &[ChangedFile], dir: &str) -> Vec<TouchedFile> {
    let within = |path: &str| {
        let name = match dir {
            "." | "" => path,
            dir => path.strip_prefix(dir)?.strip_prefix('/')?,
        };
        (!name.contains('/')).then(|| name.to_owned())
    };
    let file = |changed: &ChangedFile| {
        let was = changed.was.as_deref().and_then(within);
        match within(&changed.path) {
            Some(name) => Some(TouchedFile { name, was, removed: changed.removed }),
            // Moved to somewhere else.
            None => was.map(|name| TouchedFile { name, was: None, removed: true }),
        }
    };
    changed.iter().filter_map(file).collect()
}

/// Of a pull request that has nothing to do with migrations. It is said all the same, so that the check can be required.
pub(super) fn nothing(looked: Looked<'_>) -> Opinion {
    let summary = format!("This pull request changes nothing in `{}`.", looked.dir);
    opinion(looked, Verdict::Fine, "changes no migrations".to_owned(), summary, vec![])
}

/// Of one that cannot be looked at: what is not known is not fine.
pub(super) fn not_looked(looked: Looked<'_>, why: &str) -> Opinion {
    let title = format!("the migrations could not be looked at: {why}");
    let summary = format!("The migrations could not be looked at: {}", markdown(why));
    opinion(looked, Verdict::Wrong, title, summary, vec![])
}

/// Of one that was looked at.
pub(super) fn found(looked: Looked<'_>, review: &Review) -> Opinion {
    let (errors, warnings) = (review.count(Severity::Error), review.count(Severity::Warning));
    let verdict = match (errors, warnings) {
        (0, 0) => Verdict::Fine,
        (0, _) => Verdict::Doubtful,
        _ => Verdict::Wrong,
    };
    let of = match (review.files.len(), verdict) {
        // The folder as a whole is wrong, or something is gone.
        (0, Verdict::Fine) => "no migrations".to_owned(),
        (0, _) => "the migrations".to_owned(),
        (files, _) => count(files, "migration"),
    };
    let sum = match verdict {
        Verdict::Fine => format!("{of}, no findings"),
        Verdict::Doubtful => format!("{} in {of}", count(warnings, "warning")),
        Verdict::Wrong if warnings == 0 => format!("{} in {of}", count(errors, "error")),
        Verdict::Wrong => format!("{}, {} in {of}", count(errors, "error"), count(warnings, "warning")),
    };
    let counted = |finding: &&Finding| finding.allowed.is_none() && finding.severity != Severity::Advice;
    // A commit status has nothing but its words: the worst is in them.
    let worst = review.findings.iter().filter(counted).max_by_key(|finding| finding.severity);
    let title = match worst {
        Some(worst) => format!("{sum} · {}:{} {}", worst.file, worst.line, worst.rule),
        None => sum.clone(),
    };
    let dialect = match (looked.options.dialect, looked.options.postgres_version) {
        (Dialect::Sqlite, _) => "SQLite".to_owned(),
        (Dialect::Postgres, Some(version)) => format!("PostgreSQL {version}"),
        (Dialect::Postgres, None) => "PostgreSQL".to_owned(),
    };
    let mut summary =
        format!("**{}**, read as {dialect} and beside what is on {}.\n", markdown(&sum), markdown(looked.branch));
    for finding in review.findings.iter().take(LISTED_LIMIT) {
        summary.push_str(&listed(finding));
    }
    if review.findings.len() > LISTED_LIMIT {
        summary.push_str(&format!("\nand {} more\n", review.findings.len() - LISTED_LIMIT));
    }
    if warnings > 0 {
        summary.push_str("\nA comment in the file allows a warning: `-- slipway:allow RULE why it is fine here`.\n");
    }
    let there = |finding: &&Finding| finding.allowed.is_none() && looked.there.contains(&finding.file);
    let annotations = review.findings.iter().filter(there).map(|finding| annotation(finding, looked.dir)).collect();
    opinion(looked, verdict, title, summary, annotations)
}

fn opinion(
    looked: Looked<'_>,
    verdict: Verdict,
    title: String,
    summary: String,
    annotations: Vec<Annotation>,
) -> Opinion {
    Opinion { about: looked.about, verdict, title: plain(&title), summary, annotations, page: looked.page }
}

fn listed(finding: &Finding) -> String {
    let word = match finding.severity {
        _ if finding.allowed.is_some() => "allowed",
        Severity::Error => "✖ error",
        Severity::Warning => "▲ warning",
        Severity::Advice => "advice",
    };
    let place = format!("{}:{}", finding.file, finding.line);
    let more = match (&finding.allowed, &finding.help) {
        (Some(why), _) => format!("  \n  allowed by the file: {}", markdown(why)),
        (None, Some(help)) => format!("  \n  {}", markdown(help)),
        (None, None) => String::new(),
    };
    format!("\n- **{}** {word}: {} ({}){more}\n", markdown(&place), markdown(&finding.message), markdown(&finding.rule))
}

fn annotation(finding: &Finding, dir: &str) -> Annotation {
    let path = match dir {
        "." | "" => finding.file.clone(),
        dir => format!("{dir}/{}", finding.file),
    };
    let help = finding.help.as_ref().map_or(String::new(), |help| format!("\n{help}"));
    Annotation {
        path,
        line: finding.line.max(1),
        verdict: match finding.severity {
            Severity::Error => Verdict::Wrong,
            Severity::Warning => Verdict::Doubtful,
            Severity::Advice => Verdict::Fine,
        },
        title: plain(&finding.rule),
        message: plain(&format!("{}{help}", finding.message)),
    }
}

fn count(number: usize, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}

/// Text without controls but line ends, and without what turns it around. GitHub shows it as it is.
fn plain(text: &str) -> String {
    let is_hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| *c == '\n' || !(c.is_control() || is_hidden(*c))).collect()
}

/// Text that is nothing but text in GitHub's Markdown: no mark-up, no mention, no link, no reference.
fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            '\n' => out.push(' '),
            // What GitHub turns into links it finds after the Markdown was read, so that escaping is not enough.
            '@' | '#' => out.extend(['\\', c, JOINER]),
            c if c.is_ascii_punctuation() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use slipway_core::migration::{Folder, format::by_name, review};

    fn looked() -> Looked<'static> {
        Looked {
            about: "migrations".into(),
            dir: "db/migrations",
            branch: "main",
            there: BTreeSet::from(["00002_bio.sql".to_owned()]),
            options: LintOptions { dialect: Dialect::Postgres, postgres_version: Some(16) },
            page: None,
        }
    }

    fn folder(files: &[(&str, &str)]) -> Folder<'static> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        Folder::read(by_name("goose").unwrap(), files, &|_| None).unwrap()
    }

    #[test]
    fn what_is_found_is_said_with_its_place_and_the_way_out() {
        let after = folder(&[("00002_bio.sql", "-- +goose Up\nALTER TABLE users DROP COLUMN bio;\n")]);
        let before = folder(&[("00003_a.sql", "-- +goose Up\nSELECT 1;\n")]);
        let touched = [TouchedFile { name: "00002_bio.sql".into(), was: None, removed: false }];
        let opinion = found(looked(), &review(Some(&before), &after, &touched, "main", &looked().options));
        expect![[r#"
            Wrong 1 error, 1 warning in 1 migration · 00002_bio.sql:1 late-version
            **1 error\, 1 warning in 1 migration**, read as PostgreSQL 16 and beside what is on main.

            - **00002\_bio\.sql\:1** ✖ error: version 2 is older than 3\, which is on main already\: goose refuses it (late\-version)  
              Give it a newer version number\.

            - **00002\_bio\.sql\:2** ▲ warning: loses the data of a column of users (ban\-drop\-column)  
              Ship a version that does not use the column\, and drop it one release later\.

            A comment in the file allows a warning: `-- slipway:allow RULE why it is fine here`.
        "#]].assert_eq(&format!("{:?} {}\n{}", opinion.verdict, opinion.title, opinion.summary));
        let places: Vec<_> = opinion.annotations.iter().map(|a| (a.path.as_str(), a.line, a.verdict)).collect();
        assert_eq!(places[0], ("db/migrations/00002_bio.sql", 1, Verdict::Wrong));
    }

    #[test]
    fn nothing_from_elsewhere_is_markdown() {
        let said = markdown("<b>*x*</b> [a](https://evil.example) @everyone #12 | `c`\n# head\u{202e}");
        expect![[r#"\<b\>\*x\*\<\/b\> \[a\]\(https\:\/\/evil\.example\) \@~everyone \#~12 \| \`c\` \#~ head"#]]
            .assert_eq(&said.replace(JOINER, "~"));
        assert_eq!(plain("a\u{1b}[31m\u{200b}b\nc"), "a[31mb\nc");
    }

    #[test]
    fn files_count_by_the_folder_that_they_are_in() {
        let file = |path: &str, was: Option<&str>, removed| ChangedFile {
            path: path.into(),
            was: was.map(str::to_owned),
            removed,
        };
        let changed = [
            file("db/migrations/1_a.sql", None, false),
            file("db/migrations/old/1_b.sql", None, false),
            file("db/migrations2/1_c.sql", None, false),
            file("attic/1_d.sql", Some("db/migrations/1_d.sql"), false),
            file("db/migrations/1_e.sql", Some("attic/1_e.sql"), false),
        ];
        let found: Vec<_> =
            touched(&changed, "db/migrations").into_iter().map(|f| (f.name, f.was, f.removed)).collect();
        let expected = [("1_a.sql", false), ("1_d.sql", true), ("1_e.sql", false)];
        assert_eq!(found, expected.map(|(name, removed)| (name.to_owned(), None, removed)));
        assert_eq!(touched(&[file("1_a.sql", None, false)], ".").len(), 1);
    }
}
