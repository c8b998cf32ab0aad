//! `slipway discord`: one file per command.

mod register;

use super::Refused;
use clap::{Args, Subcommand};
use std::path::Path;

/// Arguments of `slipway discord`.
#[derive(Debug, Args)]
pub struct DiscordArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DiscordCommand,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum DiscordCommand {
    /// Say how the commands at Discord differ, then register them; doing it again changes nothing
    Register(register::RegisterArgs),
}

pub(super) async fn run(args: &DiscordArgs, path: &Path) -> Result<(), Refused> {
    match &args.command {
        DiscordCommand::Register(args) => register::run(args, path).await,
    }
}
