//! `slipway policy replay`.

use super::rules::{self, DIR_DEFAULT};
use super::{ConfigFile, Refused, screen};
use crate::audit_log::{AuditSource, records};
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
use std::path::PathBuf;

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
        Some(export) => (rules::read(&args.policies, file)?, records(AuditSource::File(export)).await),
        None => {
            let config = crate::cli::load(file.path)?;
            let text = rules::read_for(&args.policies, Some(&config))?;
            (text, records(AuditSource::Store(&config.store.path)).await)
        }
    };
    let records = records.map_err(|error| Refused(error.to_string()))?;
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

    #[test]
    fn a_day_is_its_first_moment() {
        assert_eq!(moment("2026-11-01"), moment("2026-11-01T00:00:00Z"));
        assert!(moment("2026-11-01T08:00:00+01:00").unwrap() < moment("2026-11-01T08:00:00Z").unwrap());
        assert!(moment("yesterday").unwrap_err().contains("2026-11-01"));
    }

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
        assert!(
            said.starts_with("The audit log is broken: record 1") && said.contains("Nothing was judged."),
            "{said}"
        );
        std::fs::write(&file, "{}\n").unwrap();
        let said = exported().await.unwrap_err();
        assert!(said.starts_with("The audit log is broken: record 1"), "{said}");
        std::fs::remove_file(&file).unwrap();
        assert!(exported().await.unwrap_err().starts_with("cannot read "));
    }
}
