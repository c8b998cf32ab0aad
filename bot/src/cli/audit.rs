//! `slipway audit`.

use super::Refused;
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
    /// Recompute the hash chain and name the first entry that was changed, deleted or moved
    Verify,
}

pub(super) async fn run(args: &AuditArgs, path: &Path) -> Result<(), Refused> {
    let _config = super::load(path)?;
    match args.command {
        AuditCommand::Verify => Err(Refused("slipway audit verify is not wired yet.".to_owned())),
    }
}
