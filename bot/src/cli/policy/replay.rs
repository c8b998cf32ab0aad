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
