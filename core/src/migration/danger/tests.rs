//! What is dangerous, and its harmless twin.

use super::*;
use crate::migration::format::Dialect;
use crate::migration::{LintOptions, Migration, Statement, Substituted, lint};
use proptest::prelude::*;

/// A migration of these statements, one a line, and what its file allows.
pub(in crate::migration) fn migration(statements: &[&str], source: &str) -> Migration {
    let mut line = 1;
    let up = statements.iter().map(|text| {
        let statement = Statement { text: (*text).to_owned(), line };
        line += text.lines().count();
        statement
    });
    Migration {
        version: 1.into(),
        description: "a".to_owned(),
        file: "1_a.sql".to_owned(),
        checksum: String::new(),
        tool_checksum: None,
        up: up.collect(),
        down: vec![],
        transactional: true,
        down_transactional: true,
        reversible: true,
        summary: String::new(),
        allowed: allowed(source),
        down_problem: None,
        substituted: Substituted::default(),
    }
}

fn dangers_on(dialect: Dialect, statements: &[&str], source: &str) -> Vec<Danger> {
    let options = LintOptions { dialect, postgres_version: Some(15) };
    lint::dangers(&migration(statements, source), &mut Tables::default(), &options)
}

/// The dangers of one statement: `drop-column users`.
fn of(statement: &str) -> Vec<String> {
    of_all(&[statement])
}

/// The same of several.
fn of_all(statements: &[&str]) -> Vec<String> {
    let found = dangers_on(Dialect::Postgres, statements, "");
    let say = |danger: &Danger| match &danger.table {
        Some(table) => format!("{} {table}", danger.kind.name()),
        None => danger.kind.name().to_owned(),
    };
    found.iter().map(say).collect()
}

#[test]
fn each_kind_and_its_harmless_twin() {
    for (dangerous, kinds, harmless) in [
        ("DROP TABLE IF EXISTS a, public.b;", "drop-table a, drop-table public.b", "-- DROP TABLE a\nSELECT 1;"),
        ("drop materialized view v", "drop-table v", "DROP VIEW v;"),
        ("DROP SCHEMA old CASCADE;", "drop-others old", "CREATE SCHEMA old;"),
        ("DROP TYPE mood CASCADE;", "drop-others mood", "DROP TYPE mood;"),
        ("ALTER TABLE users DROP COLUMN IF EXISTS x;", "drop-column users", "ALTER TABLE users DROP CONSTRAINT x;"),
        ("ALTER TABLE users DROP x;", "drop-column users", "ALTER TABLE users ALTER x DROP DEFAULT;"),
        ("TRUNCATE a, ONLY b;", "truncate a, truncate b", "INSERT INTO a SELECT 'TRUNCATE b';"),
        ("DELETE FROM ONLY a USING b;", "delete a", "INSERT INTO a VALUES ('DELETE FROM b');"),
        ("DELETE FROM a WHERE x;", "delete a", "SELECT 1 /* DELETE FROM a */;"),
        ("UPDATE ONLY a SET x = 1;", "update-all a", "UPDATE a SET x = 1 WHERE y;"),
        (
            "WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone;",
            "delete a",
            "WITH x AS (SELECT 1) SELECT 1;",
        ),
        ("ALTER TABLE a RENAME COLUMN x TO y;", "rename a", "ALTER INDEX i RENAME TO j;"),
        ("ALTER TABLE a ALTER COLUMN x SET DATA TYPE bigint;", "change-type a", "ALTER TABLE a ALTER x SET DEFAULT 1;"),
        ("ALTER TABLE a ALTER x SET NOT NULL;", "validate a", "ALTER TABLE a ALTER x DROP NOT NULL;"),
        (
            "ALTER TABLE a ADD CONSTRAINT c CHECK (x > 0);",
            "validate a",
            "ALTER TABLE a ADD CONSTRAINT c CHECK (x > 0) NOT VALID;",
        ),
        ("ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b;", "validate a", "ALTER TABLE a VALIDATE CONSTRAINT c;"),
        (
            "ALTER TABLE a ADD UNIQUE (x);",
            "unique-constraint a",
            "ALTER TABLE a ADD CONSTRAINT u UNIQUE USING INDEX i;",
        ),
        ("ALTER TABLE a ADD x int NOT NULL;", "needs-value a", "ALTER TABLE a ADD x int NOT NULL DEFAULT 0;"),
        (
            "ALTER TABLE a ADD x uuid DEFAULT gen_random_uuid();",
            "computed-column a",
            "ALTER TABLE a ADD x timestamptz DEFAULT now();",
        ),
        ("ALTER TABLE a ADD COLUMN id bigserial;", "computed-column a", "ALTER TABLE a ADD COLUMN id bigint;"),
        (
            "CREATE UNIQUE INDEX i ON ONLY public.\"My Table\" (x);",
            "blocking-index public.\"My Table\"",
            "CREATE INDEX CONCURRENTLY i ON a (x);",
        ),
        ("REINDEX TABLE a;", "blocking-index a", "REINDEX TABLE CONCURRENTLY a;"),
        ("VACUUM FULL a;", "write-anew a", "VACUUM a;"),
        ("REFRESH MATERIALIZED VIEW v;", "write-anew v", "REFRESH MATERIALIZED VIEW CONCURRENTLY v;"),
        ("ALTER TABLE a SET TABLESPACE fast;", "write-anew a", "ALTER TABLE a SET (fillfactor = 70);"),
        ("LOCK TABLE a IN EXCLUSIVE MODE;", "lock-table a", "SELECT 'LOCK TABLE a';"),
        (
            "CREATE TRIGGER t BEFORE UPDATE ON a EXECUTE FUNCTION f();",
            "lock-table a",
            "CREATE FUNCTION f() RETURNS int AS $$ DROP TABLE a $$;",
        ),
        ("DO $$ BEGIN DROP TABLE a; END $$;", "unreadable", "COMMENT ON TABLE a IS 'DO';"),
    ] {
        assert_eq!(of(dangerous).join(", "), kinds, "{dangerous}");
        assert_eq!(of(harmless), [""; 0], "{harmless}");
    }
}

#[test]
fn every_action_of_one_statement_is_looked_at() {
    let statement = "ALTER TABLE users ADD COLUMN price numeric(10, 2), DROP COLUMN b, ALTER COLUMN c TYPE text;";
    assert_eq!(of(statement), ["drop-column users", "change-type users"]);
}

#[test]
fn a_block_of_statements_is_looked_at_one_by_one() {
    assert_eq!(of("SELECT 1; DROP TABLE a; SELECT ';'; TRUNCATE b"), ["drop-table a", "truncate b"]);
}

#[test]
fn what_is_new_is_empty() {
    assert_eq!(of_all(&["CREATE TABLE IF NOT EXISTS likes (id int);", "CREATE INDEX i ON likes (id);"]), [""; 0]);
}

#[test]
fn a_reviewed_comment_allows_a_kind_if_it_says_why() {
    let allow = |comment: &str| {
        let statement = format!("{comment}\nALTER TABLE a DROP COLUMN x;");
        let found = dangers_on(Dialect::Postgres, &[&statement], &statement);
        (found[0].allowed.clone(), found[0].is_destructive())
    };
    let why = "nobody has read it since May".to_owned();
    assert_eq!(allow(&format!("-- slipway:allow drop-column {why}")), (Some(why), false));
    for nothing in [
        "-- slipway:allow drop-column",
        "-- slipway:allow drop-table x",
        "-- slipway:allow",
        "/* slipway:allow drop-column x */",
    ] {
        assert_eq!(allow(nothing), (None, true), "{nothing}");
    }
}

#[test]
fn a_lock_counts_where_the_table_is_big_or_nobody_knows() {
    let users = || Danger::new(DangerKind::ChangeType, Some("users".into()));
    let with = |rows, bytes| Danger { size: Some(TableSize { rows, bytes }), ..users() };
    assert!(!with(Some(99_999), 8_192).locks());
    assert!(with(Some(100_000), 8_192).locks());
    assert!(with(None, BIG_BYTES).locks());
    assert!(!with(None, BIG_BYTES - 1).locks());
    let unknown = Danger { size: None, ..with(None, 0) };
    assert!(unknown.locks());
    assert_eq!(unknown.sentence(), "changes the type of a column of users");
    assert_eq!(unknown.detail().unwrap(), "nobody can use it meanwhile, size unknown");
    let big = with(Some(12_340_000), 9 * 1024 * 1024 * 1024);
    assert_eq!(big.detail().unwrap(), "nobody can use it meanwhile, about 12.3 M rows, 9.0 GB");
    let drop = Danger { kind: DangerKind::DropColumn, ..unknown };
    assert_eq!((drop.detail(), drop.locks(), drop.is_destructive()), (None, false, true));
}

#[test]
fn the_size_is_no_part_of_what_a_vote_is_about_but_whether_it_is_big_is() {
    let users = || Danger::new(DangerKind::ChangeType, Some("users".into()));
    let with = |rows| Danger { size: Some(TableSize { rows: Some(rows), bytes: 0 }), ..users() };
    assert_eq!(with(1).digested(), with(2).digested());
    assert_ne!(with(1).digested(), with(BIG_ROWS).digested());
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in "(?s).{0,400}", words in proptest::collection::vec("alter|table|drop|add|column|create|index|on|[(),;'\"$.]|a|update|with|delete|from", 0..60)) {
        for statement in [text, words.join(" ")] {
            for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                prop_assert!(dangers_on(dialect, &[&statement], &statement).len() <= 51);
            }
        }
    }
}
