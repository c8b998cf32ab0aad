//! What somebody who tries it meets: a build that failed and is mended, what a dry run promises, names and comments that are
//! wrong.

use super::*;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

const TWICE: (&str, &str) =
    ("00001_twice.sql", "-- +goose Up\nCREATE TABLE likes (id int);\nINSERT INTO likes VALUES (1), (1);\n");
const UNIQUE: (&str, &str) = (
    "00002_unique.sql",
    "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE UNIQUE INDEX CONCURRENTLY one ON likes (id);\n",
);

async fn ask(desk: &Desk, sql: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(&desk.url).await.unwrap();
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

const IS_VALID: &str = "SELECT indisvalid::text FROM pg_index WHERE indexrelid = to_regclass('one')";

#[tokio::test]
async fn an_index_that_could_not_be_built_is_built_anew_once_the_rows_are_mended() {
    let desk = Desk::on_postgres(&[TWICE, UNIQUE]).await;
    let mut session = desk.badly("up");
    assert_eq!(ask(&desk, IS_VALID).await, ["false"]);
    let address = regex::Regex::new(r"postgres://\S+").unwrap();
    let hide = |text: &str| address.replace_all(text, "DATABASE").into_owned();
    for words in ["status", "plan", "up --dry-run"] {
        session.push_str(&format!("$ slipway migrate {words}\n{}", hide(&desk.well(words))));
    }
    assert_eq!(ask(&desk, IS_VALID).await, ["false"], "a look changes nothing");
    ask(&desk, "DELETE FROM likes WHERE ctid = (SELECT min(ctid) FROM likes)").await;
    session.push_str(&format!("$ slipway migrate up\n{}", hide(&desk.well("up"))));
    assert_eq!(ask(&desk, IS_VALID).await, ["true"]);
    check(
        &expect![[r#"
        migrations/00002_unique.sql:3
        00002_unique.sql: statement 1 of 1 failed: could not create unique index "one" (23505). What the file did before stays in the database. 0 of 1 statement is done. It left the invalid index public.one, which no query uses; the next run drops it and builds it anew.
          CREATE UNIQUE INDEX CONCURRENTLY one ON likes (id);
        See to what the database says, and run it again; the file need not change.
        Applied in this run: 1, up to 1; 1 not applied.
        $ slipway migrate status
        applied     1  00001_twice.sql  DATE
        half done   2  00002_unique.sql
                    0 of 1 statement is done; statement 1 failed: could not create unique index "one"; it left the invalid index public.one
        2 migrations on DATABASE (goose): 1 applied, 0 pending, 1 half done
        $ slipway migrate plan
        ▲ 00002_unique.sql was left half done by an earlier run: 0 of 1 statement is done; the run drops the invalid index public.one and builds it anew.
        1 migration is pending on DATABASE (goose):
          00002_unique.sql  creates an index · without a transaction · no way back
        Nothing was changed. To apply: slipway migrate up
        $ slipway migrate up --dry-run
        ▲ 00002_unique.sql was left half done by an earlier run: 0 of 1 statement is done; the run drops the invalid index public.one and builds it anew.
        Would apply 1 of 1 pending on DATABASE (goose):
          00002_unique.sql  creates an index
        Nothing was changed. slipway migrate plan shows more.
        $ slipway migrate up
        ▲ 00002_unique.sql was left half done by an earlier run: 0 of 1 statement is done; the run drops the invalid index public.one and builds it anew.
        ✔ 00002_unique.sql  TIME
        Applied 1 migration in TIME on DATABASE (goose).
    "#]],
        &session,
    );
}

#[tokio::test]
async fn an_invalid_index_of_which_nobody_knows_whose_it_is_is_left_alone() {
    let desk = Desk::on_postgres(&[TWICE, UNIQUE]).await;
    desk.badly("up");
    // As a version of Slipway that did not keep it has written it.
    ask(&desk, "UPDATE slipway_migrations SET error = 'no' WHERE version = '2'").await;
    ask(&desk, "TRUNCATE likes").await;
    let says = desk.badly("up");
    check(
        &expect![[r#"
        00002_unique.sql runs without a transaction and an earlier run did not come to its end: 0 of 1 statement is done, and statement 1 failed: no. Look at the database. The invalid index public.one is there, which no query uses, and this statement may not be what left it. Let the run go on with statement 1: it drops that index and builds it anew. Or undo by hand what is done, with DROP INDEX CONCURRENTLY public.one, and forget it: DELETE FROM public.slipway_migrations WHERE version = '2'. Or finish the file by hand, until that index is valid, and record it: INSERT INTO public.goose_db_version (version_id, is_applied) VALUES (2, true). To go on: slipway migrate up --continue.
        Applied in this run: nothing; 1 not applied.
    "#]],
        &says,
    );
    assert_eq!(desk.badly("up --dry-run"), says, "a dry run says what the run says");
    let (code, document) = desk.json("up --dry-run");
    assert_eq!((code, &document["would_apply"]), (Some(1), &Value::Array(vec![])), "{document}");
    assert_eq!(ask(&desk, IS_VALID).await, ["false"]);
    assert!(desk.well("up --dry-run --continue").contains("Would apply 1 of 1"));
    desk.well("up --continue");
    assert_eq!(ask(&desk, IS_VALID).await, ["true"]);
}

#[tokio::test]
async fn what_would_run_is_rehearsed_and_a_late_file_is_said_to_be_left_out() {
    let desk = Desk::on_postgres(&[("00002_notes.sql", "-- +goose Up\nCREATE TABLE notes (id int);\n")]).await;
    let other = Desk::on_postgres(&[]).await;
    let plan = format!("plan --rehearse {}", other.url);
    desk.well("up");
    desk.write(LIKES.0, LIKES.1.as_bytes());
    desk.write("00003_more.sql", b"-- +goose Up\nCREATE TABLE more (id int);\n-- +goose Down\nDROP TABLE more;\n");
    let (code, said, error) = desk.say(&plan);
    assert_eq!(code, Some(1), "{said}");
    assert!(error.contains("slipway migrate up --allow-late"), "{error}");
    assert!(said.contains("  not rehearsed 00001_likes.sql: refused, as it is older than version 2"), "{said}");
    assert!(said.contains("  rehearsed 3: goes up, back and up again"), "{said}");
    let (_, document) = desk.json(&plan);
    assert_eq!(document["rehearsal"][0]["version"], 3, "{document}");
    desk.write("00003_more.sql", b"-- +goose Up\nALTER TABLE nowhere ADD x int;\n");
    let said = desk.badly(&plan);
    assert!(said.contains("--allow-late") && said.contains("Without what is refused: "), "{said}");
}

#[test]
fn all_that_is_wrong_with_a_folder_is_told_at_once_with_what_can_be_read() {
    let desk = Desk::new(&[
        LIKES,
        ("00001_again.sql", "-- +goose Up\nDROP TABLE gone;\n"),
        ("00002_drop.sql", "-- +goose Up\nDROP TABLE likes;\n"),
        ("00003_meta.sql", "-- +goose Up\n\\d likes\n;\n"),
        ("readme.sql", "-- how to\n"),
    ]);
    let (code, out, error) = desk.with("lint", &[]);
    assert_eq!(code, Some(1));
    check(
        &expect![[r#"
        migrations/00001_again.sql:2  ▲ warning  loses all data of gone (ban-drop-table)
          Rename it first, and drop it some releases later when nobody missed it.
        migrations/00001_likes.sql:2  · advice  Using 32-bit integer fields can result in hitting the max `int` limit. (prefer-bigint-over-int)
          Use 64-bit integer values instead to prevent hitting this limit.
        migrations/00002_drop.sql:2  ▲ warning  loses all data of likes (ban-drop-table)
          Rename it first, and drop it some releases later when nobody missed it.
        migrations/00001_likes.sql:1  ✖ error  00001_again.sql and 00001_likes.sql have the same version 1. Give one of them another number. (unreadable)
        migrations/readme.sql:1  ✖ error  readme.sql: the name has no "_" after its version number. Name it like 00001_create_users.sql. (unreadable)
        migrations/00003_meta.sql:2  ✖ error  \d is a command for psql, not SQL. Take it out of the migration (unreadable)
        4 migrations, read as PostgreSQL (--dialect sqlite for the other): 3 errors, 2 warnings.
    "#]],
        &format!("{out}{error}"),
    );
    let (code, document) = desk.json("lint");
    assert_eq!((code, &document["errors"]), (Some(1), &Value::from(3)), "{document}");
    assert_eq!(document["findings"].as_array().unwrap().len(), 5, "{document}");
    assert_eq!(desk.with("lint migrations/readme.sql", &[]).0, Some(1));
    assert!(desk.badly("plan").contains("have the same version 1"), "nothing of it is run");
}

#[test]
fn comments_that_allow_nothing_are_told_by_file_and_line() {
    let text = "-- +goose Up\n-- slipway:allow drop-column\n-- slipway:allow drop-colum nobody reads it\n\
                ALTER TABLE likes DROP COLUMN note;\n";
    let desk = Desk::new(&[("00001_drop.sql", text)]);
    let (code, out, error) = desk.with("lint", &[]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    check(
        &expect![[r#"
        migrations/00001_drop.sql:2  ▲ warning  slipway:allow drop-column needs a reason, which is shown to whoever decides: slipway:allow drop-column why it is fine (ignored-comment)
        migrations/00001_drop.sql:3  ▲ warning  there is no rule "drop-colum", so this allows nothing. Did you mean drop-column? (ignored-comment)
        migrations/00001_drop.sql:4  ▲ warning  loses the data of a column of likes (ban-drop-column)
          Ship a version that does not use the column, and drop it one release later.
        1 migration, read as PostgreSQL (--dialect sqlite for the other): 0 errors, 3 warnings.
    "#]],
        &out,
    );
    assert!(desk.well("plan").contains("▲ line 3: there is no rule \"drop-colum\""));
}

#[test]
fn a_new_file_that_the_folder_cannot_have_is_not_made() {
    let desk = Desk::new(&[LIKES]);
    let said = desk.badly("new tags --format dbmate");
    check(
        &expect![[r#"
        The migrations in migrations are those of goose, so none of dbmate was created among them. Leave --format out, or name another folder with --dir.
    "#]],
        &said,
    );
    assert!(desk.badly("new äöü").contains("The name \"äöü\" has none of the letters a to z and no digits"));
    let long = desk.badly(&format!("new {}", "x".repeat(150)));
    assert!(long.contains("The name has 150 characters, and a migration's may have 100."), "{long}");
    assert_eq!(fs::read_dir(desk.folder.path().join("migrations")).unwrap().count(), 1);
    desk.well("new tags --format goose");
}

#[test]
fn a_version_of_postgres_is_one_that_there_is() {
    let desk = Desk::new(&[LIKES]);
    for version in ["abc", "3", "150004", ""] {
        let (code, _, error) = desk.with(&format!("lint --postgres-version={version}"), &[]);
        assert_eq!(code, Some(2), "{version}");
        assert!(error.contains("PostgreSQL's major version, 10 or newer"), "{error}");
    }
    desk.well("lint --postgres-version 15");
}
