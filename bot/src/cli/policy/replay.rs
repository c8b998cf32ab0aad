//! `slipway policy replay`.

use super::rules::{self, DIR_DEFAULT};
use super::{ConfigFile, Refused, screen};
use crate::audit_log::{AuditSource, records};
use crate::cli::moment::{Moment, moment};
use crate::clock::Clock;
use crate::policies::PolicyText;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use slipway_core::audit::Record;
use slipway_core::message::cards;
use slipway_core::replay::{Question, Replayed, replay};
use std::path::PathBuf;

/// Arguments of `slipway policy replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The folder with the edited policies
    #[arg(long, value_name = "DIR", default_value = DIR_DEFAULT)]
    pub policies: PathBuf,
    /// Only what was asked for since then: 2026-11-01 (its beginning in UTC), 2026-11-01T10:00:00Z, or 7d for seven days ago
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub since: Option<Moment>,
    /// Read the audit log from an export (one record a line) instead of the store; needs no configuration
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Fail when anything would have gone otherwise
    #[arg(long)]
    pub fail_on_change: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(args: &ReplayArgs, file: ConfigFile<'_>) -> Result<(), Refused> {
    let (text, records) = match &args.from {
        Some(export) => (rules::read(&args.policies, file)?, records(AuditSource::File(export)).await),
        None => {
            let config = crate::cli::load(file.path)?;
            let text = rules::read_for(&args.policies, Some(&config))?;
            (text, records(AuditSource::Store(&config.store.path)).await)
        }
    };
    let records = records.map_err(|error| Refused(error.to_string()))?;
    let now = Clock::System.now();
    let replayed = judge(&text, &records, args.since.map(|since| since.resolve(now)))?;
    if args.json {
        screen::show_json(&json!(replayed));
    } else {
        screen::show(&cards::replayed(&replayed), &TimeZone::UTC, now);
    }
    match replayed.differing.len() {
        n if n > 0 && args.fail_on_change => {
            Err(Refused(format!("{n} would have gone otherwise, and --fail-on-change wants none.")))
        }
        _ => Ok(()),
    }
}

fn judge(text: &PolicyText, records: &[Record], since: Option<Timestamp>) -> Result<Replayed, Refused> {
    let set = rules::parse(text)?;
    let question = Question { policies: &set, vocabulary: &text.vocabulary, since };
    Ok(replay(records, &question))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::audit::{Draft, append};
    use std::path::Path;

    #[tokio::test]
    async fn an_export_is_read_line_by_line_and_its_chain_verified() {
        let draft = |n: u64| Draft {
            at: Timestamp::UNIX_EPOCH,
            kind: "locked".to_owned(),
            body: json!({ "n": n }),
            policy_hash: None,
        };
        let mut chain: Vec<Record> = Vec::new();
        for n in 0..3 {
            chain.push(append(chain.last(), draft(n)));
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("export.jsonl");
        let write = |records: &[Record]| {
            let lines: String = records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect();
            std::fs::write(&file, lines).unwrap();
        };
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("policies");
        let text = rules::read_for(&shipped, None).unwrap();
        let exported = async || records(AuditSource::File(&file)).await.map_err(|error| error.to_string());
        write(&chain);
        assert_eq!(exported().await.unwrap(), chain);
        assert_eq!(judge(&text, &chain, None).unwrap().differing, []);
        write(&chain[1..]);
        let said = exported().await.unwrap_err();
        let says = "This export begins at record 2; replay needs the log from record 1: export it without --since.";
        assert_eq!(said, says);
        let [first, second, third] = &chain[..] else { panic!("{chain:?}") };
        let changed = Record { kind: "unlocked".to_owned(), ..third.clone() };
        for damaged in [[second, first], [first, third], [second, &changed]] {
            write(&damaged.map(Record::clone));
            let said = exported().await.unwrap_err();
            assert!(
                said.starts_with("The audit log is broken: record ") && said.ends_with("Nothing was judged."),
                "{said}"
            );
        }
        std::fs::write(&file, "{}\n").unwrap();
        let said = exported().await.unwrap_err();
        assert!(said.starts_with("The audit log is broken: record 1"), "{said}");
        std::fs::remove_file(&file).unwrap();
        assert!(exported().await.unwrap_err().starts_with("cannot read "));
    }
}
