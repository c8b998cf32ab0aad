//! `slipway slack`: one file per command.

mod manifest;

use super::Refused;
use clap::{Args, Subcommand};
use std::path::Path;

/// Arguments of `slipway slack`.
#[derive(Debug, Args)]
pub struct SlackArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SlackCommand,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum SlackCommand {
    /// Print the manifest of the app for this configuration, to paste at api.slack.com/apps
    Manifest,
}

pub(super) fn run(args: &SlackArgs, path: &Path) -> Result<(), Refused> {
    match args.command {
        SlackCommand::Manifest => manifest::run(path),
    }
}
