//! `slipway audit`: one file per command.

mod anchor;
mod export;
mod moment;
mod verify;

use super::Refused;
use crate::audit_log::AuditLogError;
use clap::{Args, Subcommand};
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
    /// Recompute the hash chain and name the first record that was changed, deleted or moved
    Verify(verify::VerifyArgs),
    /// Write the records as JSON lines, which can be verified again, or as CSV
    Export(export::ExportArgs),
    /// Print the end of the chain, to keep it elsewhere and verify against it later
    Anchor,
}

pub(super) async fn run(args: &AuditArgs, path: &Path) -> Result<(), Refused> {
    match &args.command {
        AuditCommand::Verify(args) => verify::run(args, path).await,
        AuditCommand::Export(args) => export::run(args, path).await,
        AuditCommand::Anchor => anchor::run(path).await,
    }
}

impl From<AuditLogError> for Refused {
    fn from(error: AuditLogError) -> Self {
        Self(error.to_string())
    }
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
