//! What is dangerous, and what only looks like it.

mod twins;

use super::*;
use crate::migration::format::Dialect;
use crate::migration::{FILE_LIMIT_BYTES, LintOptions, Migration, Statement, Substituted, lint};
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
        ignored: ignored(source),
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
    for (dangerous, kinds, harmless) in twins::TWINS {
        assert_eq!(of(dangerous).join(", "), *kinds, "{dangerous}");
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
fn blocks_are_looked_into() {
    for (body, kinds) in [
        ("IF x THEN ALTER TABLE users DROP COLUMN a; END IF;", "drop-column users"),
        ("FOR r IN SELECT 1 LOOP UPDATE users SET a = 1; END LOOP;", "update-all users"),
        ("EXECUTE 'TRUNCATE users';", "truncate users"),
        ("EXECUTE $q$ DO $d$ BEGIN DELETE FROM users; END $d$ $q$;", "delete users"),
        ("EXECUTE format('DROP TABLE %I', r);", "unreadable"),
        ("FOR r IN EXECUTE q LOOP NULL; END LOOP;", "unreadable"),
        ("BEGIN NULL; EXCEPTION WHEN others THEN DROP TABLE users; END;", "drop-table users"),
        ("CREATE TABLE users (x int); TRUNCATE users;", "truncate users"),
        ("WITH d AS (DELETE FROM users RETURNING *) INSERT INTO b SELECT * FROM d;", "delete users"),
        ("what is this; DROP TABLE users;", "drop-table users, unreadable"),
        ("CALL f();", "unreadable"),
        ("RAISE NOTICE 'DROP TABLE users'; -- DROP TABLE users\n", ""),
        ("PERFORM 1; x := 'TRUNCATE users'; NULL;", ""),
        ("IF NOT EXISTS (SELECT 1) THEN CREATE TABLE users (x int); END IF;", ""),
    ] {
        let mut found = of(&format!("DO $body$ BEGIN {body} END $body$;"));
        found.sort();
        assert_eq!(found.join(", "), kinds, "{body}");
    }
    assert_eq!(of("DO LANGUAGE plpython3u $$ DROP $$;"), ["unreadable"]);
    assert_eq!(of("DO 'BEGIN DROP TABLE \"a\"\"b\"; END';"), ["drop-table \"a\"\"b\""]);
    assert_eq!(of("DO E'BEGIN\\n DROP TABLE a; END';"), ["drop-table a"]);
}

#[test]
fn what_only_looks_dangerous_is_not() {
    for harmless in [
        "SELECT 'DROP TABLE a', $$TRUNCATE b$$, E'\\'; DELETE FROM c; --';",
        "/* DROP TABLE a; /* DELETE FROM b */ */ SELECT 1;",
        "SELECT \"drop\" FROM \"table\"; -- TRUNCATE a",
        "INSERT INTO log (what) VALUES ('ALTER TABLE a DROP COLUMN b');",
        "COMMENT ON COLUMN a.b IS 'UPDATE a SET x = 1';",
        "CREATE TABLE \"delete\" (\"update\" int, \"truncate\" text DEFAULT 'VACUUM FULL a');",
    ] {
        assert_eq!(of(harmless), [""; 0], "{harmless}");
    }
}

#[test]
fn an_open_quote_hides_nothing_that_follows() {
    for open in
        ["SELECT 'open;", "/* open", "SELECT $x$ open;", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;"]
    {
        assert!(of_all(&[open, "DROP TABLE a;"]).contains(&"drop-table a".to_owned()), "{open}");
    }
}

#[test]
fn new_is_what_was_created_before_and_is_still_that() {
    for (statements, kinds) in [
        ("DROP TABLE users; CREATE TABLE users (x int); CREATE INDEX i ON users (x)", "drop-table users"),
        ("CREATE TABLE a (x int); DROP TABLE a; TRUNCATE a", "truncate a"),
        ("CREATE TABLE IF NOT EXISTS users (x int); ALTER TABLE users DROP COLUMN x", "drop-column users"),
        ("CREATE TABLE Users (x int); TRUNCATE public.users; TRUNCATE \"Users\"", "truncate \"Users\""),
        ("CREATE TABLE app.users (x int); TRUNCATE users", "truncate users"),
        ("CREATE TABLE users (x int); TRUNCATE app.users", "truncate app.users"),
        ("CREATE TEMP TABLE users (x int); DELETE FROM users; DELETE FROM public.users", "delete public.users"),
        ("CREATE TABLE b (x int); ALTER TABLE b RENAME TO c; TRUNCATE c; TRUNCATE b", "truncate b"),
        ("ALTER TABLE users RENAME TO old; CREATE TABLE users (x int); TRUNCATE old", "rename users, truncate old"),
        ("CREATE TABLE users (x int); SET search_path TO other; TRUNCATE users", "truncate users"),
        ("SELECT set_config('search_path', '', false); CREATE TABLE a (x int); TRUNCATE a", ""),
        ("CREATE TABLE b AS SELECT 1; CREATE INDEX ON b (x); SELECT 1 INTO c; TRUNCATE c", ""),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1; CREATE INDEX ON v (x); REFRESH MATERIALIZED VIEW v", ""),
    ] {
        let together = of(&format!("{statements};"));
        assert_eq!(together.join(", "), kinds, "{statements}");
        let one_by_one: Vec<_> = statements.split_inclusive("; ").collect();
        assert_eq!(of_all(&one_by_one), together, "{statements}");
    }
}

#[test]
fn what_the_parser_does_not_know_is_read_word_by_word() {
    assert_eq!(of("ALTER TABLE a FROBNICATE, DROP COLUMN b;"), ["drop-column a"]);
    assert_eq!(of_all(&["WIBBLE;", "TRUNCATE a;"]), ["truncate a"]);
    let sqlite = |statement| {
        let found = dangers_on(Dialect::Sqlite, &[statement], "");
        found.iter().map(|d| format!("{} {:?}", d.kind.name(), d.table.as_deref())).collect::<Vec<_>>()
    };
    assert_eq!(sqlite("UPDATE OR REPLACE a SET x = 1"), ["update-all Some(\"a\")"]);
    assert_eq!(sqlite("DROP TABLE a"), ["drop-table Some(\"a\")"]);
    assert_eq!(sqlite("CREATE INDEX i ON a (x)"), [""; 0]);
    assert_eq!(sqlite("PRAGMA foreign_keys = off"), [""; 0]);
}

#[test]
fn the_lock_is_named_as_postgresql_names_it() {
    let line = |statement: &str| {
        let mut danger = dangers_on(Dialect::Postgres, &[statement], "").remove(0);
        danger.size = Some(TableSize { rows: Some(12_000_000), bytes: 9 << 30 });
        danger.lock_line().unwrap()
    };
    for (statement, expected) in [
        ("ALTER TABLE users ALTER x TYPE text;", "ACCESS EXCLUSIVE on users, rewrites about 12.0 M rows (9.0 GB)"),
        ("CREATE INDEX ON users (x);", "SHARE on users, indexes about 12.0 M rows (9.0 GB)"),
        (
            "ALTER TABLE users ADD FOREIGN KEY (x) REFERENCES b;",
            "SHARE ROW EXCLUSIVE on users, reads about 12.0 M rows (9.0 GB)",
        ),
        ("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE;", "SHARE ROW EXCLUSIVE on users"),
        ("UPDATE users SET x = 1;", "ROW EXCLUSIVE on users, rewrites about 12.0 M rows (9.0 GB)"),
    ] {
        assert_eq!(line(statement), expected, "{statement}");
    }
    assert_eq!(dangers_on(Dialect::Sqlite, &["DROP TABLE a"], "")[0].lock_line(), None);
}

#[test]
fn whatever_it_is_it_ends_soon() {
    let nested = |step: &str| format!("DO $$ BEGIN {} $$;", step.repeat(5_000));
    for deep in [format!("SELECT {}1", "(".repeat(100_000)), nested("BEGIN "), nested("IF x THEN "), "[".repeat(50_000)]
    {
        of(&deep);
    }
    let long = format!("INSERT INTO a VALUES {}(1); DROP TABLE b;", "(1, 'abc'),".repeat(FILE_LIMIT_BYTES / 11));
    assert_eq!(of(&long), ["drop-table b"]);
    let unread = format!("SELECT {} 1;", "1 +".repeat(FILE_LIMIT_BYTES / 3));
    assert_eq!(of(&unread), ["unreadable"]);
    let backslashes = "\\".repeat(FILE_LIMIT_BYTES);
    of(&format!("x {backslashes}"));
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
