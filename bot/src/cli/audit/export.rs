//! `slipway audit export`.

use super::{Refused, Said, records};
use crate::audit_log::{Export, Exported, Format, export};
use crate::cli::moment::{Moment, moment};
use crate::clock::Clock;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Arguments of `slipway audit export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// From this moment on: 2026-11-01 (its beginning in UTC), 2026-11-01T10:00:00Z, or 7d for seven days ago
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub since: Option<Moment>,
    /// Up to this moment, which is after --since
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub until: Option<Moment>,
    /// How to write it
    #[arg(long, value_enum, default_value = "jsonl")]
    pub format: ExportFormat,
    /// A new file to write instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Export also what is broken
    #[arg(long)]
    pub broken: bool,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// The records exactly as they are stored, one a line; `slipway audit verify --file` verifies them
    Jsonl,
    /// A table for spreadsheets
    Csv,
}

impl ExportArgs {
    /// What the parser cannot tell: there is a time between two moments only if the second one is later.
    pub(super) fn wrong_usage(&self, now: Timestamp) -> Option<&'static str> {
        let (since, until) = (self.since?.resolve(now), self.until?.resolve(now));
        (until <= since).then_some("--until is not after --since, so nothing is between them; name a later --until")
    }
}

pub(super) async fn run(args: &ExportArgs, path: &Path) -> Result<Said, Refused> {
    let now = Clock::System.now();
    let at = |moment: Option<Moment>| moment.map(|moment| moment.resolve(now));
    let format = match args.format {
        ExportFormat::Jsonl => Format::Jsonl,
        ExportFormat::Csv => Format::Csv,
    };
    let what = Export { since: at(args.since), until: at(args.until), format, even_broken: args.broken };
    let store = crate::cli::load(path)?.store.path;
    let exported = match &args.output {
        Some(file) => to_file(&store, &what, file).await?,
        None => export(&store, &what, &mut BufWriter::new(io::stdout())).await?,
    };
    let Exported { count, broken } = exported;
    let broken = broken.map(|broken| format!("The audit log is broken: {broken}. It was exported all the same."));
    let file = args.output.as_ref().map(|file| format!("exported {} to {}", records(count), file.display()));
    Ok(Said { out: None, aside: broken.into_iter().chain(file).collect() })
}

/// Writes a file that is not there yet; of an export that fails nothing is left.
async fn to_file(store: &Path, what: &Export, file: &Path) -> Result<Exported, Refused> {
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Refused(format!("{} is there already. Name another file; nothing is overwritten.", file.display()))
        }
        _ => Refused(format!("cannot write {}: {error}", file.display())),
    };
    let out = File::options().write(true).create_new(true).open(file).map_err(refused)?;
    let exported = export(store, what, &mut BufWriter::new(out)).await;
    if exported.is_err() {
        let _ = std::fs::remove_file(file);
    }
    Ok(exported?)
}
