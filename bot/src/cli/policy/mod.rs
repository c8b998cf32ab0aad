//! `slipway policy`: one file per command.

mod reload;

use super::Refused;
use clap::{Args, Subcommand};
use std::path::Path;

/// Arguments of `slipway policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do with the policies.
    #[command(subcommand)]
    pub command: PolicyCommand,
}

/// What to do with the policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Have the running bot read its policies again; with a mistake in them, the old ones stay in force
    Reload,
}

pub(super) async fn run(args: &PolicyArgs, config: &Path) -> Result<(), Refused> {
    match args.command {
        PolicyCommand::Reload => reload::run(config).await,
    }
}
