//! What is found, on which line, and how much it matters.

use super::*;
use crate::migration::format::by_name;
use crate::migration::{Folder, History, PendingOptions, plan_pending};
use expect_test::expect;

/// The migrations of goose files with that text.
fn parsed(files: &[(&str, &str)]) -> Vec<Migration> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let folder = Folder::read(by_name("goose").unwrap(), files, &|_| None).unwrap();
    folder.migrations()
}

const POSTGRES: LintOptions = LintOptions { dialect: Dialect::Postgres, postgres_version: Some(15) };

/// `2 warning ban-drop-column drop-column: loses the data of a column of users`.
fn said(findings: &[Finding]) -> String {
    let say = |finding: &Finding| {
        let severity = serde_json::to_value(finding.severity).unwrap();
        let danger = finding.danger.map(|kind| format!(" {}", kind.name())).unwrap_or_default();
        let allowed = finding.allowed.as_ref().map(|why| format!(" (allowed: {why})")).unwrap_or_default();
        let message: String = finding.message.chars().take(60).collect();
        format!("{} {} {}{danger}: {message}{allowed}\n", finding.line, severity.as_str().unwrap(), finding.rule)
    };
    findings.iter().map(say).collect()
}

fn of(text: &str) -> String {
    said(&lint_all(&parsed(&[("1_a.sql", text)]), &POSTGRES))
}

#[test]
fn each_finding_has_its_line_in_the_file() {
    let text = "-- +goose Up\n-- a comment\nALTER TABLE users\n    ADD COLUMN age int,\n    DROP COLUMN bio;\n\nCREATE INDEX i\n    ON users (age);\n\
                -- +goose StatementBegin\nDO $$\nBEGIN\n  UPDATE users SET age = 1;\n  TRUNCATE likes;\nEND $$;\n-- +goose StatementEnd\n\
                ALTER TABLE users ALTER COLUMN age DROP NOT NULL;\n";
    expect![[r#"
        4 advice prefer-bigint-over-int: Using 32-bit integer fields can result in hitting the max `i
        5 warning ban-drop-column drop-column: loses the data of a column of users
        7 warning require-concurrent-index-creation blocking-index: builds an index of users
        12 warning update-all update-all: changes every row of users
        13 warning truncate truncate: empties likes
        16 warning ban-drop-not-null: Dropping a `NOT NULL` constraint may break existing clients.
    "#]]
    .assert_eq(&of(text));
}

#[test]
fn what_cannot_run_in_a_transaction_is_an_error_in_one() {
    let concurrently = "CREATE INDEX CONCURRENTLY i ON users (age);\nVACUUM users;\nDROP INDEX CONCURRENTLY j;\n";
    expect![[r#"
        2 error ban-concurrent-index-creation-in-transaction: CREATE INDEX CONCURRENTLY cannot run inside a transaction
        3 error needs-no-transaction: VACUUM cannot run inside a transaction
        4 error needs-no-transaction: DROP INDEX CONCURRENTLY cannot run inside a transaction
    "#]]
    .assert_eq(&of(&format!("-- +goose Up\n{concurrently}")));
    expect![[""]].assert_eq(&of(&format!("-- +goose NO TRANSACTION\n-- +goose Up\n{concurrently}")));
}

#[test]
fn an_allowed_finding_is_still_shown() {
    let drop = "-- +goose Up\nALTER TABLE users DROP COLUMN bio;\n";
    for name in ["drop-column", "ban-drop-column"] {
        let findings =
            lint_all(&parsed(&[("1_a.sql", &format!("-- slipway:allow {name} unread since May\n{drop}"))]), &POSTGRES);
        assert_eq!(findings[0].allowed.as_deref(), Some("unread since May"), "{name}");
    }
    let other = lint_all(&parsed(&[("1_a.sql", &format!("-- slipway:allow drop-table x\n{drop}"))]), &POSTGRES);
    assert_eq!(other[0].allowed, None);
}

#[test]
fn squawks_comments_silence_squawk_but_not_the_card() {
    let text = "-- +goose Up\n-- squawk-ignore-file\nALTER TABLE users DROP COLUMN bio;\nCREATE TABLE a (x int);\n";
    expect![[r#"
        3 warning ban-drop-column drop-column: loses the data of a column of users
        4 advice prefer-bigint-over-int: Using 32-bit integer fields can result in hitting the max `i
    "#]]
    .assert_eq(&of(text));
    let heard = text.replace("-- squawk-ignore-file\n", "");
    assert!(of(&heard).contains("prefer-bigint-over-int"), "{}", of(&heard));
}

#[test]
fn what_slipway_does_itself_is_not_asked_for() {
    let text = "-- +goose Up\nCREATE TABLE a (id bigint PRIMARY KEY);\nDROP TABLE b;\n";
    let said = of(text);
    for left_out in ["timeout", "robust", "transaction-nesting"] {
        assert!(!said.contains(left_out), "{said}");
    }
}

#[test]
fn tables_of_earlier_migrations_are_new_and_lint_agrees_with_the_plan() {
    let files = [
        ("1_a.sql", "-- +goose Up\nCREATE TABLE likes (id bigint);\n"),
        (
            "2_b.sql",
            "-- +goose Up\nCREATE INDEX i ON likes (id);\nALTER TABLE likes ADD COLUMN x text NOT NULL;\nCREATE INDEX j ON users (id);\n",
        ),
    ];
    let migrations = parsed(&files);
    let dangers = |findings: &[Finding]| {
        let dangers = findings.iter().filter_map(|f| Some((f.danger?, f.table.clone())));
        dangers.collect::<Vec<_>>()
    };
    let index = vec![(DangerKind::BlockingIndex, Some("users".to_owned()))];
    assert_eq!(dangers(&lint_all(&migrations, &POSTGRES)), index);
    assert_eq!(dangers(&lint(&migrations[1], &BTreeSet::from(["likes".to_owned()]), &POSTGRES)), index);
    assert_eq!(dangers(&lint(&migrations[1], &BTreeSet::new(), &POSTGRES)).len(), 3);
    let named = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let folder = Folder::read(by_name("goose").unwrap(), named, &|_| None).unwrap();
    let pending = plan_pending(&folder, &History::default(), &PendingOptions::default()).unwrap();
    let planned = pending.planned(&POSTGRES);
    assert_eq!(planned[0].dangers, []);
    let in_plan: Vec<_> = planned[1].dangers.iter().map(|d| (d.kind, d.table.clone())).collect();
    assert_eq!(in_plan, index);
}

#[test]
fn a_way_back_that_loses_data_is_known() {
    let loses = |down: &str| {
        let text = format!("-- +goose Up\nALTER TABLE users ADD COLUMN x int;\n-- +goose Down\n{down}\n");
        down_loses_data(&parsed(&[("1_a.sql", &text)])[0], &POSTGRES)
    };
    assert!(loses("ALTER TABLE users DROP COLUMN x;"));
    assert!(loses("DROP TABLE users;"));
    assert!(!loses("ALTER TABLE users ALTER COLUMN x DROP NOT NULL;"));
    assert!(!loses("DROP INDEX i;"));
}

#[test]
fn constant_defaults_are_dear_on_old_servers_only() {
    let migrations = parsed(&[("1_a.sql", "-- +goose Up\nALTER TABLE users ADD COLUMN x int DEFAULT 0;\n")]);
    let dear = |postgres_version| {
        let options = LintOptions { postgres_version, ..POSTGRES };
        lint_all(&migrations, &options).iter().any(|f| f.danger == Some(DangerKind::ComputedColumn))
    };
    assert!(dear(Some(10)));
    assert!(!dear(Some(15)));
    assert!(!dear(None));
}

#[test]
fn secrets_are_masked() {
    let source = "-- +goose Up\n-- +goose ENVSUB ON\nDROP TABLE ${NAME};\n";
    let files = [("1_a.sql".to_owned(), source.as_bytes().to_vec())];
    let folder = Folder::read(by_name("goose").unwrap(), files, &|_| Some("hunter2".to_owned())).unwrap();
    let findings = lint_all(&folder.migrations(), &POSTGRES);
    assert!(!findings.is_empty());
    assert!(!serde_json::to_string(&findings).unwrap().contains("hunter2"), "{findings:?}");
}

#[test]
fn every_rule_of_squawk_that_names_a_danger_agrees_with_the_tree() {
    for (rule, statement) in [
        ("adding-field-with-default", "ALTER TABLE a ADD COLUMN x uuid DEFAULT gen_random_uuid()"),
        ("adding-foreign-key-constraint", "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES b (id)"),
        ("adding-not-nullable-field", "ALTER TABLE a ALTER COLUMN x SET NOT NULL"),
        ("adding-required-field", "ALTER TABLE a ADD COLUMN x int NOT NULL"),
        ("adding-serial-primary-key-field", "ALTER TABLE a ADD PRIMARY KEY (id)"),
        ("ban-drop-column", "ALTER TABLE a DROP COLUMN x"),
        ("ban-drop-database", "DROP DATABASE a"),
        ("ban-drop-schema", "DROP SCHEMA a"),
        ("ban-drop-table", "DROP TABLE a"),
        ("ban-truncate-cascade", "TRUNCATE a CASCADE"),
        ("changing-column-type", "ALTER TABLE a ALTER COLUMN x TYPE bigint"),
        ("constraint-missing-not-valid", "ALTER TABLE a ADD CONSTRAINT c CHECK (x > 0)"),
        ("disallowed-unique-constraint", "ALTER TABLE a ADD CONSTRAINT u UNIQUE (x)"),
        ("renaming-column", "ALTER TABLE a RENAME COLUMN x TO y"),
        ("renaming-table", "ALTER TABLE a RENAME TO b"),
        ("require-concurrent-index-creation", "CREATE INDEX i ON a (x)"),
        ("require-concurrent-partition-detach", "ALTER TABLE a DETACH PARTITION b"),
        ("require-concurrent-reindex", "REINDEX TABLE a"),
    ] {
        let findings = lint_all(&parsed(&[("1_a.sql", &format!("-- +goose Up\n{statement};\n"))]), &POSTGRES);
        let dangers: Vec<_> = findings.iter().filter(|f| f.danger.is_some()).collect();
        assert!(dangers.iter().any(|f| f.rule == rule), "{statement}: {}", said(&findings));
        // Those of the tree know what they are about; one that only squawk found would not.
        assert!(dangers.iter().all(|f| f.table.is_some()), "{statement}: {}", said(&findings));
    }
}
