//! `slipway migrate` as people type it: the real binary on folders on the disk, SQLite and PostgreSQL.

mod mended;

use expect_test::{Expect, expect};
use serde_json::Value;
use slipway_sandbox::{bot, postgres};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const LIKES: (&str, &str) =
    ("00001_likes.sql", "-- +goose Up\nCREATE TABLE likes (id int);\n-- +goose Down\nDROP TABLE likes;\n");
const NOTES: (&str, &str) = (
    "00002_notes.sql",
    "-- +goose Up\nALTER TABLE likes ADD COLUMN note text;\n-- +goose Down\nALTER TABLE likes DROP COLUMN note;\n",
);
const BROKEN: (&str, &str) = ("00003_broken.sql", "-- +goose Up\nCREATE TABLE gone (id int);\n\nSELECT nonsense;\n");

/// A folder to type commands in, with a database's address in the environment.
struct Desk {
    folder: TempDir,
    url: String,
}

/// Exit status, standard output, standard error.
type Said = (Option<i32>, String, String);

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("migrations")).unwrap();
        let desk = Self { folder, url: "sqlite:test.db".to_owned() };
        files.iter().for_each(|(name, text)| desk.write(name, text.as_bytes()));
        desk
    }

    async fn on_postgres(files: &[(&str, &str)]) -> Self {
        let server = tokio::task::spawn_blocking(postgres::shared).await.unwrap().unwrap();
        Self { url: server.fresh_database().await.unwrap(), ..Self::new(files) }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join("migrations").join(name), bytes).unwrap();
    }

    fn with(&self, words: &str, variables: &[(&str, &str)]) -> Said {
        let output = Command::new(bot::binary().unwrap())
            .arg("migrate")
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn say(&self, words: &str) -> Said {
        let said = self.with(words, &[("DATABASE_URL", &self.url)]);
        assert!(!said.1.contains('\u{1b}') && !said.2.contains('\u{1b}'), "colours for a pipe: {said:?}");
        said
    }

    /// Must end well; gives standard output.
    fn well(&self, words: &str) -> String {
        let (code, out, error) = self.say(words);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{words}: {out}");
        out
    }

    /// Must be refused or fail; gives standard error.
    fn badly(&self, words: &str) -> String {
        let (code, out, error) = self.say(words);
        assert_eq!(code, Some(1), "{words}: {out}{error}");
        error
    }

    /// The one document that `--json` prints, and the exit status.
    fn json(&self, words: &str) -> (Option<i32>, Value) {
        let (code, out, _) = self.say(&format!("{words} --json"));
        (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{words}: {error}: {out}")))
    }

    fn states(&self) -> Vec<String> {
        let (_, document) = self.json("status");
        let migrations = document["migrations"].as_array().unwrap();
        migrations.iter().map(|entry| format!("{} {}", entry["version"], entry["state"].as_str().unwrap())).collect()
    }
}

/// Times and dates in what is said differ from run to run.
fn check(expected: &Expect, said: &str) {
    let times = regex::Regex::new(r"\d+ ms|\d+\.\d s").unwrap();
    let dates = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    expected.assert_eq(&dates.replace_all(&times.replace_all(said, "TIME"), "DATE"));
}

#[test]
fn a_session_on_a_laptop() {
    let desk = Desk::new(&[LIKES, NOTES]);
    let mut session = String::new();
    for words in ["plan", "up --dry-run", "up --steps 1", "status", "up", "up", "down --dry-run", "down", "status"] {
        session.push_str(&format!("$ slipway migrate {words}\n{}", desk.well(words)));
    }
    check(
        &expect![[r#"
        $ slipway migrate plan
        2 migrations are pending on sqlite:test.db (goose):
        The file is not there yet; slipway migrate up makes it.
          00001_likes.sql  creates table likes · in a transaction · its way back loses data
          00002_notes.sql  alters likes · in a transaction · its way back loses data
        Nothing was changed. To apply: slipway migrate up
        $ slipway migrate up --dry-run
        Would apply 2 of 2 pending on sqlite:test.db (goose):
          00001_likes.sql  creates table likes
          00002_notes.sql  alters likes
        Nothing was changed. slipway migrate plan shows more.
        $ slipway migrate up --steps 1
        ✔ 00001_likes.sql  TIME
        Applied 1 migration in TIME on sqlite:test.db (goose). 1 still pending.
        $ slipway migrate status
        applied     1  00001_likes.sql  DATE
        pending     2  00002_notes.sql
        2 migrations on sqlite:test.db (goose): 1 applied, 1 pending
        $ slipway migrate up
        ✔ 00002_notes.sql  TIME
        Applied 1 migration in TIME on sqlite:test.db (goose).
        $ slipway migrate up
        Nothing is pending on sqlite:test.db (goose).
        $ slipway migrate down --dry-run
        To be taken back on sqlite:test.db (goose):
          00002_notes.sql
            ▲ line 4: loses the data of a column of likes
        Applying them again does not bring the data back.
        Nothing was changed.
        $ slipway migrate down
        To be taken back on sqlite:test.db (goose):
          00002_notes.sql
            ▲ line 4: loses the data of a column of likes
        Applying them again does not bring the data back.
        ✔ 00002_notes.sql  TIME
        Took back 1 migration in TIME on sqlite:test.db (goose).
        $ slipway migrate status
        applied     1  00001_likes.sql  DATE
        pending     2  00002_notes.sql
        2 migrations on sqlite:test.db (goose): 1 applied, 1 pending
    "#]],
        &session,
    );
}

#[test]
fn a_failure_is_told_whole() {
    let desk = Desk::new(&[LIKES, BROKEN]);
    check(
        &expect![[r#"
        migrations/00003_broken.sql:4
        00003_broken.sql: statement 2 of 2 failed: no such column: nonsense (1). Nothing of this file is left in the database.
          SELECT nonsense;
        Mend the file and run it again.
        Applied in this run: 1, up to 1; 1 not applied.
    "#]],
        &desk.badly("up"),
    );
    assert_eq!(desk.states(), ["1 applied", "3 pending"]);
    let (code, document) = desk.json("up");
    assert_eq!(code, Some(1));
    let error = &document["error"];
    assert_eq!((&error["file"], &error["line"]), (&Value::from("00003_broken.sql"), &Value::from(4)));
    assert_eq!((&error["statement"], &error["statements"]), (&Value::from(2), &Value::from(2)));
    assert_eq!(document["applied"], Value::Array(vec![]));
}

#[tokio::test]
async fn on_postgres_up_down_and_plan_with_what_is_dangerous() {
    let index = ("00003_index.sql", "-- +goose Up\nCREATE INDEX likes_note ON likes (note);\n");
    let desk = Desk::on_postgres(&[LIKES, NOTES]).await;
    let (_, document) = desk.json("up");
    assert_eq!(document["applied"].as_array().unwrap().len(), 2);
    assert_eq!(document["applied"][1]["file"], "00002_notes.sql");
    desk.write(index.0, index.1.as_bytes());
    let (code, plan) = desk.json("plan");
    assert_eq!((code, plan["pending"].as_array().unwrap().len()), (Some(0), 1));
    let finding = &plan["findings"][0];
    for field in ["file", "line", "rule", "severity", "message"] {
        assert!(!finding[field].is_null(), "{field}: {finding}");
    }
    assert!(desk.well("plan").contains("likes"));
    assert_eq!(desk.states(), ["1 applied", "2 applied", "3 pending"]);
    desk.well("up");
    assert!(desk.badly("down").contains("00003_index.sql cannot be taken back"));
    let (_, document) = desk.json("up --dry-run");
    assert_eq!(document["would_apply"], Value::Array(vec![]));
}

#[tokio::test]
async fn down_to_nothing_and_what_it_destroys() {
    let desk = Desk::on_postgres(&[LIKES, NOTES]).await;
    desk.well("up");
    let said = desk.well("down --to 0 --dry-run");
    assert!(said.contains("▲ line 4") && said.contains("does not bring the data back"), "{said}");
    assert_eq!(desk.states(), ["1 applied", "2 applied"]);
    assert!(desk.badly("down --to 7").contains("Version 7 is not applied"));
    let (_, document) = desk.json("down --to 1");
    assert_eq!(document["taken_back"][0]["version"], 2);
    desk.well("down --to 0 --yes");
    assert_eq!(desk.states(), ["1 pending", "2 pending"]);
    assert!(desk.well("down").starts_with("Nothing to take back"));
}

#[test]
fn edited_and_missing_files_are_seen() {
    let desk = Desk::new(&[LIKES, NOTES]);
    desk.well("up");
    desk.write(LIKES.0, LIKES.1.replace("id int", "id bigint").as_bytes());
    fs::remove_file(desk.folder.path().join("migrations").join(NOTES.0)).unwrap();
    assert_eq!(desk.states(), ["1 edited", "2 missing"]);
    let said = desk.well("up");
    assert!(said.contains("00001_likes.sql was edited after it was applied"), "{said}");
    assert!(said.contains("Put the old text back, and write the change as a new migration."), "{said}");
    assert!(desk.badly("down").contains("Version 2 is applied, but migrations does not have it"));
}

#[test]
fn late_files_as_the_tool_does() {
    let desk = Desk::new(&[NOTES_ALONE]);
    desk.well("up");
    desk.write(LIKES.0, LIKES.1.as_bytes());
    desk.write("00003_more.sql", b"-- +goose Up\nCREATE TABLE more (id int);\n");
    assert!(desk.badly("up").contains("slipway migrate up --allow-late"));
    let (code, listed, error) = desk.say("plan");
    assert_eq!(code, Some(1));
    assert!(error.contains("00001_likes.sql") && error.contains("slipway migrate up --allow-late"), "{error}");
    assert!(
        listed.contains("00001_likes.sql  creates table likes · refused, as it is older than version 2"),
        "{listed}"
    );
    assert!(listed.contains("  00003_more.sql  creates table more · in a transaction"), "{listed}");
    let (_, document) = desk.json("plan");
    assert!(document["pending"][0]["not_run"].as_str().unwrap().starts_with("refused"), "{document}");
    assert!(document["error"]["message"].is_string() && document["rehearsal"].is_null(), "{document}");
    fs::remove_file(desk.folder.path().join("migrations/00003_more.sql")).unwrap();
    desk.well("up --allow-late");
    assert_eq!(desk.states(), ["1 applied", "2 applied"]);
}

const NOTES_ALONE: (&str, &str) = ("00002_notes.sql", "-- +goose Up\nCREATE TABLE notes (id int);\n");

#[test]
fn lint_needs_no_database() {
    let drop = ("00004_drop.sql", "-- +goose Up\nDROP TABLE likes;\n");
    let meta = ("00005_meta.sql", "-- +goose Up\n\\d likes\n;\n");
    let desk = Desk::new(&[LIKES, drop]);
    let lint = |words: &str| desk.with(words, &[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")]);
    let (code, out, _) = lint("lint");
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("migrations/00004_drop.sql:2"), "{out}");
    assert_eq!(lint("lint --strict").0, Some(1));
    assert_eq!(lint("lint --strict migrations/00001_likes.sql").0, Some(0));
    assert!(lint("lint elsewhere/00001_likes.sql").2.contains("is no migration of migrations"));
    desk.write(meta.0, meta.1.as_bytes());
    let (code, out, error) = lint("lint --json");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &document["errors"]), (Some(1), &Value::from(1)), "{error}");
    let of_meta = |finding: &&Value| finding["file"] == meta.0;
    let finding = document["findings"].as_array().unwrap().iter().find(of_meta).unwrap();
    assert_eq!((&finding["line"], &finding["severity"]), (&Value::from(2), &Value::from("error")));
}

#[test]
fn new_files_as_the_tool_makes_them() {
    let desk = Desk::new(&[LIKES]);
    assert_eq!(desk.well("new Add-Tags"), "migrations/00002_add_tags.sql\n");
    assert_eq!(desk.well("new again"), "migrations/00003_again.sql\n");
    assert!(desk.badly("new x --dir none").contains("say whose format"));
    let (code, made, hint) = desk.say("new likes --dir none --format golang-migrate");
    assert!(code == Some(0) && made.lines().count() == 2 && made.contains("_likes.up.sql"), "{made}");
    assert!(hint.contains("golang-migrate or sqlx") && hint.contains("--format golang-migrate each"), "{hint}");
    let said = desk.badly("plan --dir none");
    assert!(said.contains("Say which: --format golang-migrate or --format sqlx."), "{said}");
    assert!(!said.contains("configuration"), "{said}");
    desk.well("plan --dir none --format golang-migrate");
    assert_eq!(desk.with("new ☃ --format goose", &[]).0, Some(1));
}

#[tokio::test]
async fn a_schema_that_was_pasted_is_compared_and_adopted() {
    let desk = Desk::on_postgres(&[LIKES, NOTES]).await;
    let other = Desk::on_postgres(&[]).await;
    let rehearse = format!("--rehearse {}", other.url);
    // What a colleague pasted by hand: the first migration only.
    let scratch = Desk { url: desk.url.clone(), ..Desk::new(&[("1_paste.sql", "CREATE TABLE likes (id int);")]) };
    scratch.well("up --format sqlx");
    assert!(desk.badly("baseline --format goose").contains("--rehearse"));
    let said = desk.badly(&format!("baseline --format goose {rehearse}"));
    assert!(said.contains("--accept-differences"), "{said}");
    let (code, document) = desk.json(&format!("baseline --format goose {rehearse}"));
    assert_eq!((code, &document["differences"][0]["name"]), (Some(1), &Value::from("public.likes.note")), "{document}");
    desk.well(&format!("baseline 1 --format goose --dry-run {rehearse}"));
    assert!(desk.well(&format!("baseline 1 --format goose {rehearse}")).contains("Recorded 1 migration"));
    desk.well("up --format goose");
    let (_, status) = desk.json("status --format goose");
    assert_eq!(status["pending"], 0, "{status}");
}

#[test]
fn a_secret_is_never_said() {
    let desk = Desk::new(&[LIKES]);
    let url = "postgres://ana:hunter22@127.0.0.1:1/goals?password=hunter22";
    for (words, variables) in [
        ("up", vec![("DATABASE_URL", url)]),
        ("status --json", vec![("GOOSE_DBSTRING", "user=ana password=hunter22 host=127.0.0.1 port=1 dbname=goals")]),
        (&*format!("plan --database {url}"), vec![]),
        ("up", vec![("DATABASE_URL", "mysql://ana:hunter22@db/goals")]),
        ("up", vec![("DATABASE_URL", "hunter22")]),
        ("up --help", vec![("DATABASE_URL", url)]),
    ] {
        let (_, out, error) = desk.with(words, &variables);
        assert!(!format!("{out}{error}").contains("hunter22"), "{words}: {out}{error}");
    }
    let (code, _, error) = desk.with("up", &[("DATABASE_URL", url)]);
    assert_eq!(code, Some(1));
    assert!(error.contains("127.0.0.1:1/goals cannot be reached"), "{error}");
}

/// What the documentation promises of every document, whatever there was to do.
#[test]
fn documents_have_all_their_fields() {
    let desk = Desk::new(&[LIKES]);
    let up = ["edited", "missing", "applied", "found_applied", "warnings"];
    let down = ["taken_back", "losses", "warnings"];
    let baseline = ["differences", "recorded", "warnings"];
    for (words, lists, of_dry_run) in [
        ("up --dry-run", &up[..], Some("would_apply")),
        ("up", &up, None),
        ("up", &up, None),
        ("up --dry-run", &up, Some("would_apply")),
        ("baseline", &baseline, None),
        ("baseline --dry-run", &baseline, Some("would_record")),
        ("down --dry-run", &down, Some("would_take_back")),
        ("down", &down, None),
        ("down", &down, None),
        ("down --dry-run", &down, Some("would_take_back")),
        ("baseline --dry-run --accept-differences", &baseline, Some("would_record")),
        ("baseline --accept-differences", &baseline, None),
    ] {
        let (code, document) = desk.json(words);
        assert_eq!(code, Some(0), "{words}: {document}");
        for field in lists.iter().copied().chain(of_dry_run) {
            assert!(document[field].is_array(), "{words}: {field}: {document}");
        }
        assert_eq!(document["dry_run"], of_dry_run.is_some(), "{words}");
        assert_eq!(document["still_pending"].is_u64(), words.starts_with("up"), "{words}: {document}");
    }
}

#[test]
fn versions_are_found_as_the_files_write_them() {
    let desk = Desk::new(&[LIKES, NOTES, ("00003_more.sql", "-- +goose Up\nCREATE TABLE more (id int);\n")]);
    desk.well("up --to 00002");
    assert_eq!(desk.states(), ["1 applied", "2 applied", "3 pending"]);
    desk.well("down --to 00001");
    assert_eq!(desk.states(), ["1 applied", "2 pending", "3 pending"]);
    desk.well("up --to 2");
    desk.well("baseline 00002");
    let dbmate = Desk::new(&[
        ("0003_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n"),
        ("0004_b.sql", "-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\nDROP TABLE b;\n"),
    ]);
    dbmate.well("up --to 3");
    assert_eq!(dbmate.states(), ["\"0003\" applied", "\"0004\" pending"]);
    assert!(dbmate.badly("up --to 5").contains("no migration of version 5"));
}

#[test]
fn a_plan_does_not_advise_what_will_fail() {
    let desk = Desk::new(&[LIKES]);
    let said = desk.well("plan");
    assert!(said.contains("The file is not there yet; slipway migrate up makes it."), "{said}");
    let said = desk.well("plan --format goose --database sqlite:other.db");
    let up = "slipway migrate up --format goose --database sqlite:other.db";
    assert!(said.contains(&format!("The file is not there yet; {up} makes it.")), "{said}");
    let said = desk.well("up --dry-run --format goose");
    assert!(said.contains("slipway migrate plan --format goose shows more."), "{said}");
    desk.well("up");
    let half = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a (id int);\nSELECT nonsense;\n";
    desk.write("00002_half.sql", half.as_bytes());
    assert!(desk.well("plan").ends_with("To apply: slipway migrate up\n"));
    desk.badly("up");
    let said = desk.well("plan");
    assert!(said.ends_with("It was left half done: slipway migrate up says how to go on.\n"), "{said}");
}

#[tokio::test]
async fn a_plan_counts_what_postgres_refuses() {
    let index = "-- +goose Up\nCREATE INDEX CONCURRENTLY likes_id ON likes (id);\n";
    let desk = Desk::on_postgres(&[LIKES, ("00002_index.sql", index)]).await;
    let said = desk.well("plan");
    assert!(said.contains("✖") && said.ends_with("1 of them will fail as it is; mend it first.\n"), "{said}");
}

#[test]
fn lint_reads_a_folder_as_the_address_says() {
    let index = "-- +goose Up\nCREATE INDEX likes_id ON likes (id);\n";
    let desk = Desk::new(&[LIKES, ("00002_index.sql", index)]);
    let lint = |words: &str, variables: &[(&str, &str)]| desk.with(words, variables).1;
    let dialect = |words: &str, variables: &[(&str, &str)]| {
        serde_json::from_str::<Value>(&lint(&format!("{words} --json"), variables)).unwrap()["dialect"].clone()
    };
    assert_eq!(dialect("lint", &[("DATABASE_URL", "sqlite:test.db")]), "sqlite");
    assert_eq!(dialect("lint", &[("GOOSE_DRIVER", "sqlite3"), ("GOOSE_DBSTRING", "./test.db")]), "sqlite");
    assert_eq!(dialect("lint", &[("DATABASE_URL", "postgres://127.0.0.1:1/none")]), "postgres");
    assert_eq!(dialect("lint --dialect postgres", &[("DATABASE_URL", "sqlite:test.db")]), "postgres");
    assert!(lint("lint", &[]).contains("read as PostgreSQL (--dialect sqlite for the other)"));
    assert!(!lint("lint", &[("DATABASE_URL", "sqlite:test.db")]).contains("read as"));
}

/// How often it is looked whether a statement runs.
const LOOKS_LIMIT: u32 = 1_200;

/// Ctrl-C: the statement ends in the database too, and the words say what happened.
#[tokio::test]
async fn an_interrupt_breaks_the_statement_off() {
    let sleeps = ("00002_sleeps.sql", "-- +goose Up\nCREATE TABLE never (id int);\nSELECT pg_sleep(1000);\n");
    let desk = Desk::on_postgres(&[LIKES, sleeps]).await;
    let mut child = Command::new(bot::binary().unwrap())
        .args(["migrate", "up"])
        .current_dir(desk.folder.path())
        .env_clear()
        .env("DATABASE_URL", &desk.url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pool = sqlx::PgPool::connect(&desk.url).await.unwrap();
    let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
                   AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep(1000)%'";
    let runs = async || sqlx::query_scalar::<_, i64>(running).fetch_one(&pool).await.unwrap() > 0;
    let mut began = runs().await;
    for _ in 0..LOOKS_LIMIT {
        if began {
            break;
        }
        sqlx::query("SELECT pg_sleep(0.05)").execute(&pool).await.unwrap();
        began = runs().await;
    }
    if !began {
        child.kill().unwrap();
        panic!("the statement never ran: {:?}", child.wait_with_output());
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Stopping: the statement that runs is broken off."), "{said}");
    assert!(said.contains("stopped as asked, in 00002_sleeps.sql. Nothing of this file is left"), "{said}");
    assert!(said.contains("Applied in this run: 1, up to 1; 1 not applied."), "{said}");
    assert!(!runs().await, "the statement goes on in the database");
    assert_eq!(desk.states(), ["1 applied", "2 pending"]);
    let left: Option<String> = sqlx::query_scalar("SELECT to_regclass('never')::text").fetch_one(&pool).await.unwrap();
    assert_eq!(left, None);
}

#[test]
fn words_of_other_tools_and_numbers() {
    let desk = Desk::new(&[LIKES]);
    let (code, _, error) = desk.say("up --steps 0");
    assert!(code == Some(2) && error.contains("a whole number above zero"), "{error}");
    for words in ["up 5", "down 1"] {
        let (code, _, error) = desk.say(words);
        assert!(code == Some(2) && error.contains("--steps N"), "{words}: {error}");
    }
    desk.well("up");
    desk.well("rollback");
    assert_eq!(desk.well("create tags"), "migrations/00002_tags.sql\n");
}

#[test]
fn wrong_usage_is_status_2() {
    let desk = Desk::new(&[LIKES]);
    for words in ["upp", "up --too", "up --steps 0", "up --to x", "up --lock-timeout 0s", "up --format flyway", ""] {
        assert_eq!(desk.say(words).0, Some(2), "{words}");
    }
    let (code, _, error) = desk.with("up", &[]);
    assert_eq!(code, Some(2));
    assert!(error.contains("DATABASE_URL"), "{error}");
}

#[test]
fn bad_folders_are_refused_by_name() {
    for (name, bytes, says) in [
        ("00002_bom.sql", &b"\xef\xbb\xbf-- +goose Up\nSELECT 1;\n"[..], "00002_bom.sql"),
        ("00002_binary.sql", b"\x7fELF\x00\xff\xfe", "00002_binary.sql"),
        ("1_again.sql", b"-- +goose Up\nSELECT 1;\n", "00001_likes.sql and 1_again.sql have the same version 1"),
        ("notes.sql", b"SELECT 1;\n", "notes.sql: the name has no"),
        ("00002_psql.sql", b"-- +goose Up\n\\connect x\n;\n", "00002_psql.sql, line 2"),
    ] {
        let desk = Desk::new(&[LIKES]);
        desk.write(name, bytes);
        let said = desk.badly("up --format goose");
        assert!(said.contains(says), "{said}");
        let (code, document) = desk.json("plan --format goose");
        assert_eq!(code, Some(1));
        assert!(document["error"]["message"].is_string(), "{document}");
    }
    let desk = Desk::new(&[LIKES]);
    let huge = fs::File::create(desk.folder.path().join("migrations/00002_huge.sql")).unwrap();
    huge.set_len(50 * 1024 * 1024).unwrap();
    assert!(desk.badly("up").contains("00002_huge.sql has 50 MiB"));
    for (target, says) in [("/etc/hostname", "outside the folder"), ("00002_link.sql", "in a circle")] {
        let desk = Desk::new(&[LIKES]);
        symlink(target, desk.folder.path().join("migrations/00002_link.sql")).unwrap();
        assert!(desk.badly("up").contains(says));
    }
    assert!(desk.badly("up --dir nowhere").contains("There is no folder nowhere"));
}

#[test]
fn gaps_and_line_ends_of_windows_are_fine() {
    let crlf = LIKES.1.replace('\n', "\r\n");
    let desk =
        Desk::new(&[("00001_likes.sql", &crlf), ("00007_more.sql", "-- +goose Up\nCREATE TABLE more (id int);\n")]);
    desk.well("up");
    assert_eq!(desk.states(), ["1 applied", "7 applied"]);
}

#[test]
fn whoever_reads_may_go_away() {
    let desk = Desk::new(&[LIKES]);
    let mut child = Command::new(bot::binary().unwrap())
        .args(["migrate", "status"])
        .current_dir(desk.folder.path())
        .env_clear()
        .env("DATABASE_URL", &desk.url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn what_is_not_as_it_was_meant_is_said() {
    let desk = Desk::new(&[LIKES]);
    desk.well("up");
    let said = desk.well("down --steps 99 --yes");
    assert!(said.starts_with("Of the 99 that are to be taken back, only 1 migration is applied.\n"), "{said}");
    let (code, _, error) = desk.say("new likes");
    assert_eq!(
        (code, error.as_str()),
        (Some(0), "00001_likes.sql has the same name already; this is another migration beside it.\n")
    );
    let nowhere = desk.with("status", &[("DATABASE_URL", "sqlite:nowhere/x.db")]);
    let why = "There is no database nowhere/x.db: its folder nowhere does not exist. Compare the path, or make the folder first.\n";
    assert_eq!((nowhere.0, nowhere.2.trim_start_matches("slipway: ")), (Some(1), why));
}

#[test]
fn a_plan_repeats_the_flags_that_were_given_and_no_password() {
    let desk = Desk::new(&[LIKES]);
    let said = desk.well("plan --dir ./migrations --format goose --database sqlite:other.db");
    let up = "To apply: slipway migrate up --dir ./migrations --format goose --database sqlite:other.db\n";
    assert!(said.ends_with(up), "{said}");
    let said = desk.well("plan --database sqlite:other.db?mode=rwc");
    assert!(said.ends_with("To apply: slipway migrate up --database …\n"), "what is not shown is not repeated: {said}");
}
