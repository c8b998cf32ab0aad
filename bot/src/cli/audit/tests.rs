//! The commands as they are typed, on a real file with every kind of tampering, while another process has it open.

use crate::audit_log::{AuditSource, Export, Format, ROWS_PER_PAGE, Verified, export, verify};
use crate::cli::{Cli, Command};
use crate::store::Store;
use clap::Parser as _;
use jiff::Timestamp;
use serde_json::json;
use slipway_core::audit::{Anchor, Draft};
use std::io::{self, Write};
use std::path::PathBuf;
use tempfile::TempDir;

/// More than a page.
const RECORDS: u64 = 2 * ROWS_PER_PAGE as u64 + 30;
const FIRST_AT: &str = "2026-11-01T00:00:00Z";

/// A bot's store with a record for each hour, and its configuration.
struct Log {
    store: Store,
    folder: TempDir,
}

impl Log {
    async fn of(count: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("slipway.toml"), "[store]\nurl = \"sqlite://slipway.db\"\n").unwrap();
        let log = Self { store: Store::open(&folder.path().join("slipway.db")).await.unwrap(), folder };
        log.goes_on(0, count).await;
        log
    }

    async fn goes_on(&self, from: u64, to: u64) {
        let mut tx = self.store.begin().await.unwrap();
        for hour in from..to {
            let at =
                FIRST_AT.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_hours(hour.try_into().unwrap());
            let body =
                json!({ "person": format!("=p{hour}"), "release": "01A", "reasons": ["a,\"b\"", "line\nbreak"] });
            self.store.audit_append(&mut tx, Draft { at, kind: "vote".into(), body, policy_hash: None }).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `slipway audit …`: what it says, and what it is refused for.
    async fn slipway(&self, line: &str) -> Result<String, String> {
        let config = self.path("slipway.toml");
        let start = ["slipway", "--config", config.to_str().unwrap(), "audit"];
        let cli = Cli::try_parse_from(start.into_iter().chain(line.split_whitespace())).unwrap();
        let Command::Audit(args) = cli.command else { panic!("{line}") };
        let said = super::done(&args, &cli.config).await.map_err(|refused| refused.to_string())?;
        Ok(said.aside.into_iter().chain(said.out).collect::<Vec<_>>().join("\n"))
    }

    async fn tampers(&self, statements: &[&'static str]) {
        let mut tx = self.store.begin().await.unwrap();
        for statement in statements {
            assert!(sqlx::query(*statement).execute(&mut *tx).await.unwrap().rows_affected() > 0, "{statement}");
        }
        tx.commit().await.unwrap();
    }

    async fn anchor(&self) -> Anchor {
        match verify(AuditSource::Store(&self.path("slipway.db")), None).await.unwrap() {
            Verified::Whole(whole) => whole.end,
            Verified::Broken(broken) => panic!("{broken}"),
        }
    }

    async fn exported(&self, line: &str) -> String {
        let file = self.path("export");
        let _ = std::fs::remove_file(&file);
        self.slipway(&format!("export --output {} {line}", file.display())).await.unwrap();
        String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()
    }
}

#[tokio::test]
async fn a_whole_log_is_whole_and_so_is_its_export() {
    let log = Log::of(RECORDS).await;
    let anchor = log.anchor().await;
    let whole = format!("the audit log is whole: 230 records, head {}", anchor.head);
    assert_eq!(log.slipway("verify").await, Ok(whole.clone()));
    assert_eq!(log.slipway("anchor").await, Ok(format!("230:{}", anchor.head)));
    let against = format!("verify --anchor {anchor}");
    assert_eq!(log.slipway(&against).await, Ok(format!("{whole}; the anchor holds, 0 records came after it")));
    log.goes_on(RECORDS, RECORDS + 5).await;
    let said = log.slipway(&against).await.unwrap();
    assert!(said.starts_with("the audit log is whole: 235 records, head "), "{said}");
    assert!(said.ends_with("; the anchor holds, 5 records came after it"), "{said}");
    let file = log.path("log.jsonl");
    let said = log.slipway(&format!("export --output {}", file.display())).await;
    assert_eq!(said, Ok(format!("exported 235 records to {}", file.display())));
    let text = std::fs::read_to_string(&file).unwrap();
    let rows = log.store.audit_rows(1, 1_000).await.unwrap();
    assert!(text.lines().map(str::as_bytes).eq(rows.iter().map(|row| &row.text[..])), "exactly as stored");
    let said = log.slipway(&format!("verify --file {} --anchor {anchor}", file.display())).await.unwrap();
    assert!(said.starts_with("the export is whole: 235 records, head "), "{said}");
}

#[tokio::test]
async fn every_kind_of_tampering_names_the_first_broken_record() {
    let move_2_behind_3: &[&str] = &[
        "UPDATE audit SET seq = -1 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = -1",
    ];
    let cases: [(&[&'static str], &str); 9] = [
        (
            &["UPDATE audit SET record = replace(record, '=p149', 'eve') WHERE seq = 150"],
            "record 150 (vote, 2026-11-07T05:00:00Z): it was changed after it was written",
        ),
        (&["DELETE FROM audit WHERE seq = 150"], "record 150, after vote of 2026-11-07T04:00:00Z: it is missing"),
        (&["DELETE FROM audit WHERE seq <= 150"], "record 1: it is missing"),
        (
            move_2_behind_3,
            "record 2 (vote, 2026-11-01T01:00:00Z): it is not in its place, the records are not in their order",
        ),
        (
            &["INSERT INTO audit SELECT 1000, record FROM audit WHERE seq = 7"],
            "record 231 (vote, 2026-11-01T06:00:00Z): an earlier record is there again in its place",
        ),
        (
            &["UPDATE audit SET record = 'gone' WHERE seq = 9"],
            "record 9, after vote of 2026-11-01T07:00:00Z: it is no record any more",
        ),
        (
            &["UPDATE audit SET record = x'00ff' WHERE seq = 9"],
            "record 9, after vote of 2026-11-01T07:00:00Z: it is no record any more",
        ),
        (
            &["UPDATE audit SET record = zeroblob(20000000) WHERE seq = 9"],
            "record 9, after vote of 2026-11-01T07:00:00Z: it is no record any more",
        ),
        (
            &["UPDATE audit SET record = replace(record, '\"kind\"', '\"note\":1,\"kind\"') WHERE seq = 9"],
            "record 9 (vote, 2026-11-01T08:00:00Z): it was changed after it was written",
        ),
    ];
    for (statements, says) in cases {
        let log = Log::of(RECORDS).await;
        log.tampers(statements).await;
        let said = log.slipway("verify").await.unwrap_err();
        assert_eq!(said, format!("The audit log is broken: {says}."), "{statements:?}");
        assert!(log.slipway("anchor").await.unwrap_err().ends_with("There is no anchor."));
        let said = log.slipway("export").await.unwrap_err();
        assert_eq!(
            said,
            format!("The audit log is broken: {says}. Nothing was exported; with --broken it is, all the same.")
        );
        // What is exported all the same is as broken, but for a beginning that is not there.
        let file = log.path("broken.jsonl");
        let warned = log.slipway(&format!("export --broken --output {}", file.display())).await.unwrap();
        assert!(
            warned.starts_with(&format!("The audit log is broken: {says}. It was exported all the same.")),
            "{warned}"
        );
        let said = log.slipway(&format!("verify --file {}", file.display())).await;
        let from_its_first = statements == ["DELETE FROM audit WHERE seq <= 150"];
        assert_eq!(said.is_ok(), from_its_first, "{statements:?}: {said:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_for_a_record_is_named_by_its_hash() {
    let log = Log::of(1).await;
    let mut tx = log.store.begin().await.unwrap();
    let body = json!({ "release": "01A", "event": { "text": "x".repeat(3_000_000) } });
    let draft = Draft { at: Timestamp::UNIX_EPOCH, kind: "planned".into(), body, policy_hash: None };
    let record = log.store.audit_append(&mut tx, draft).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((&record.body["release"], record.body.get("event")), (&"01A".into(), None));
    assert_eq!(record.body["left_out_sha256"].as_str().unwrap().len(), 64);
    assert!(log.slipway("verify").await.is_ok());
}

#[tokio::test]
async fn only_an_anchor_shows_a_tail_that_is_cut_off_and_a_chain_that_is_written_anew() {
    let log = Log::of(20).await;
    let anchor = log.anchor().await;
    log.tampers(&["DELETE FROM audit WHERE seq > 12"]).await;
    assert!(log.slipway("verify").await.is_ok());
    let said = log.slipway(&format!("verify --anchor {anchor}")).await.unwrap_err();
    assert_eq!(
        said,
        "The audit log is broken: record 13, after vote of 2026-11-01T11:00:00Z: it and everything after it were cut off, as the anchor shows."
    );
    log.goes_on(30, 50).await;
    assert!(log.slipway("verify").await.is_ok());
    let said = log.slipway(&format!("verify --anchor {anchor}")).await.unwrap_err();
    let says = "it is not the record that the anchor names, so the chain was written anew.";
    assert_eq!(said, format!("The audit log is broken: record 20 (vote, 2026-11-02T13:00:00Z): {says}"));
}

#[tokio::test]
async fn verifying_and_exporting_change_nothing() {
    let log = Log::of(20).await;
    let files = || ["slipway.db", "slipway.db-wal"].map(|name| std::fs::read(log.path(name)).unwrap());
    let before = files();
    log.slipway("verify").await.unwrap();
    log.exported("--format csv").await;
    assert!(before == files());
}

#[tokio::test]
async fn a_piece_is_cut_out_by_time_and_can_be_verified() {
    let log = Log::of(100).await;
    for (line, numbers) in [
        ("--since 2026-11-02", 25..=100),
        ("--since 2026-11-02T01:30:00Z --until 2026-11-03", 27..=48),
        ("--until 2026-11-01T02:00:00Z", 1..=2),
    ] {
        let text = log.exported(line).await;
        let read: Vec<u64> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64().unwrap())
            .collect();
        assert_eq!(read, numbers.collect::<Vec<_>>(), "{line}");
        assert!(log.slipway(&format!("verify --file {}", log.path("export").display())).await.is_ok(), "{line}");
    }
    assert_eq!(log.exported("--since 2027-01-01").await, "");
    assert_eq!(log.exported("--until 5000d").await, "");
}

#[test]
fn an_end_that_is_not_after_the_beginning_is_wrong_usage() {
    let read = |line: &str| {
        let words = ["slipway", "audit", "export"].into_iter().chain(line.split(' '));
        Cli::from_words(words).map(|_| ()).map_err(|error| (error.exit_code(), error.to_string()))
    };
    for right in ["--since 7d", "--until 7d", "--since 7d --until 6d", "--since 2026-11-01 --until 2026-11-02"] {
        assert_eq!(read(right), Ok(()), "{right}");
    }
    for wrong in ["--since 7d --until 7d", "--since 6d --until 7d", "--since 1d --until 2026-11-01"] {
        let (code, said) = read(wrong).unwrap_err();
        assert!(code == 2 && said.contains("--until is not after --since"), "{wrong}: {said}");
    }
}

#[tokio::test]
async fn an_edited_export_names_the_record() {
    let log = Log::of(20).await;
    let text = log.exported("--since 2026-11-01T05:00:00Z").await.replacen("=p9", "=p8", 1);
    std::fs::write(log.path("edited"), text).unwrap();
    let said = log.slipway(&format!("verify --file {}", log.path("edited").display())).await.unwrap_err();
    let says = "record 10 (vote, 2026-11-01T09:00:00Z): it was changed after it was written.";
    assert_eq!(said, format!("The export is broken: {says}"));
    let said = log.slipway("verify --file none.jsonl").await.unwrap_err();
    assert!(said.starts_with("cannot read none.jsonl: "), "{said}");
    log.exported("--since 2026-11-01T05:00:00Z").await;
    let anchor = Anchor { count: 2, ..log.anchor().await };
    let file = log.path("export");
    let said = log.slipway(&format!("verify --file {} --anchor {anchor}", file.display())).await.unwrap_err();
    assert!(said.contains("record 6 (") && said.contains("export from further back"), "{said}");
}

#[tokio::test]
async fn a_table_is_rfc_4180_and_runs_nothing() {
    let log = Log::of(3).await;
    let text = log.exported("--format csv").await;
    assert!(
        text.starts_with("seq,at,kind,service,environment,release,person,plan,policy_hash,hash,body\r\n"),
        "{text}"
    );
    let rows: Vec<_> = csv::Reader::from_reader(text.as_bytes()).into_records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[1].iter().take(7).collect::<Vec<_>>(),
        ["2", "2026-11-01T01:00:00Z", "vote", "", "", "01A", "'=p1"]
    );
    let body: serde_json::Value = serde_json::from_str(&rows[1][10]).unwrap();
    assert_eq!(body["reasons"], json!(["a,\"b\"", "line\nbreak"]));
}

#[tokio::test]
async fn nothing_is_overwritten_and_of_a_failed_export_nothing_is_left() {
    let log = Log::of(3).await;
    let file = log.path("kept.jsonl");
    std::fs::write(&file, "mine").unwrap();
    let said = log.slipway(&format!("export --output {}", file.display())).await.unwrap_err();
    assert!(said.ends_with("is there already. Name another file; nothing is overwritten."), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    log.tampers(&["DELETE FROM audit WHERE seq = 2"]).await;
    let file = log.path("new.jsonl");
    log.slipway(&format!("export --output {}", file.display())).await.unwrap_err();
    assert!(!file.exists());
}

/// Whoever reads takes so many bytes and then goes away.
struct Head(usize);

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_has_seen_enough() {
    let log = Log::of(100).await;
    for format in [Format::Jsonl, Format::Csv] {
        let what = Export { since: None, until: None, format, even_broken: false };
        let exported = export(&log.path("slipway.db"), &what, &mut Head(5_000)).await.unwrap();
        assert!(exported.count < 100, "{format:?}: {exported:?}");
    }
}

#[test]
fn an_anchor_is_taken_only_in_its_own_form() {
    let hash = "ab".repeat(32);
    let parsed = |anchor: &str| Cli::try_parse_from(["slipway", "audit", "verify", "--anchor", anchor]);
    assert!(parsed(&format!("12:{hash}")).is_ok());
    let said = parsed(&format!("12:{}", &hash[1..])).unwrap_err();
    assert_eq!(said.exit_code(), 2);
    assert!(said.to_string().contains("copy it as it was posted"), "{said}");
}
