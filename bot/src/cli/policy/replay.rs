//! `slipway policy replay`.

use super::rules::{self, DIR_DEFAULT};
use super::{ConfigFile, Refused, screen};
use crate::audit_log;
use crate::clock::Clock;
use crate::policies::PolicyText;
use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use slipway_core::audit::Record;
use slipway_core::message::cards;
use slipway_core::replay::{Question, Replayed, replay};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Arguments of `slipway policy replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The folder with the edited policies
    #[arg(long, value_name = "DIR", default_value = DIR_DEFAULT)]
    pub policies: PathBuf,
    /// Only what was asked for since then: a day or an instant, in UTC
    #[arg(long, value_name = "2026-11-01", value_parser = moment)]
    pub since: Option<Timestamp>,
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

/// A day is its first moment in UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let moment = text.parse().ok().or_else(day);
    moment.ok_or_else(|| "write a day such as 2026-11-01, or an instant such as 2026-11-01T08:00:00Z".to_owned())
}

pub(super) async fn run(args: &ReplayArgs, file: ConfigFile<'_>) -> Result<(), Refused> {
    let (text, records) = match &args.from {
        Some(export) => (rules::read(&args.policies, file)?, exported(export)?),
        None => {
            let config = crate::cli::load(file.path)?;
            let records = audit_log::read(&config.store.path).await;
            (rules::read_for(&args.policies, Some(&config))?, records.map_err(|error| Refused(error.to_string()))?)
        }
    };
    let replayed = judge(&text, &records, args.since)?;
    if args.json {
        screen::show_json(&json!(replayed));
    } else {
        screen::show(&cards::replayed(&replayed), &TimeZone::UTC, Clock::System.now());
    }
    match replayed.differing.len() {
        n if n > 0 && args.fail_on_change => {
            Err(Refused(format!("{n} would have gone otherwise, and --fail-on-change wants none.")))
        }
        _ => Ok(()),
    }
}

fn exported(path: &Path) -> Result<Vec<Record>, Refused> {
    let refused = |error: String| Refused(format!("{} cannot be read: {error}.", path.display()));
    let file = std::fs::File::open(path).map_err(|error| refused(error.to_string()))?;
    audit_log::read_export(BufReader::new(file)).map_err(refused)
}

fn judge(text: &PolicyText, records: &[Record], since: Option<Timestamp>) -> Result<Replayed, Refused> {
    let set = rules::parse(text)?;
    let question = Question { policies: &set, vocabulary: &text.vocabulary, since };
    replay(records, &question)
        .map_err(|broken| Refused(format!("The audit log is broken: {broken}. Nothing was judged.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::audit::{Draft, append};

    #[test]
    fn a_day_is_its_first_moment() {
        assert_eq!(moment("2026-11-01"), moment("2026-11-01T00:00:00Z"));
        assert!(moment("2026-11-01T08:00:00+01:00").unwrap() < moment("2026-11-01T08:00:00Z").unwrap());
        assert!(moment("yesterday").unwrap_err().contains("2026-11-01"));
    }

    #[test]
    fn an_export_is_read_line_by_line_and_its_chain_verified() {
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
        let text = || {
            let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("policies");
            rules::read_for(&shipped, None).unwrap()
        };
        write(&chain);
        let records = exported(&file).unwrap();
        assert_eq!(records, chain);
        assert_eq!(judge(&text(), &records, None).unwrap().differing, []);
        write(&chain[1..]);
        let said = judge(&text(), &exported(&file).unwrap(), None).unwrap_err().0;
        assert_eq!(said, "The audit log is broken: record 1: it is missing. Nothing was judged.");
        std::fs::write(&file, "{}\n").unwrap();
        let said = exported(&file).unwrap_err().0;
        assert!(said.contains("export.jsonl cannot be read: line 1 is no record: missing field `seq`"), "{said}");
        assert!(exported(Path::new("no/such.jsonl")).unwrap_err().0.starts_with("no/such.jsonl cannot be read: "));
    }
}
