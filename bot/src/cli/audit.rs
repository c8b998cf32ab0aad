//! `slipway audit`.

use super::Refused;
use crate::audit_log::{self, Verified};
use clap::{Args, Subcommand};
use std::io::Write as _;
use std::path::Path;

/// Arguments of `slipway audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// What to do with the audit log.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute the hash chain and name the first entry that was changed, deleted or moved
    Verify,
}

pub(super) async fn run(args: &AuditArgs, path: &Path) -> Result<(), Refused> {
    let config = super::load(path)?;
    match args.command {
        AuditCommand::Verify => verify(&config.store.path).await,
    }
}

async fn verify(store: &Path) -> Result<(), Refused> {
    match audit_log::verify(store).await.map_err(|error| Refused(error.to_string()))? {
        Verified::Whole(anchor) => {
            let count = anchor.count;
            let records = if count == 1 { "record" } else { "records" };
            let _ =
                writeln!(std::io::stdout().lock(), "the audit log is whole: {count} {records}, head {}", anchor.head);
            Ok(())
        }
        Verified::Broken(broken) => Err(Refused(format!("The audit log is broken: {broken}."))),
    }
}
