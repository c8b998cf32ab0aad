//! `slipway policy`: one file per command.

mod explain;
mod reload;
mod replay;
mod rules;
mod test;

use super::{Refused, screen};
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
    /// Run the cases kept beside the policies, in DIR/tests/*.toml; needs no configuration
    Test(test::TestArgs),
    /// Say why something would be refused, what would clear it and who can
    Explain(explain::ExplainArgs),
    /// Say which recorded releases edited policies would have stopped or let through
    Replay(replay::ReplayArgs),
    /// Have the running bot read its policies again; with a mistake in them, the old ones stay in force
    Reload,
}

impl PolicyArgs {
    /// What is wrong with the usage although the parser takes it.
    pub(super) fn wrong_usage(&self) -> Option<&'static str> {
        match &self.command {
            PolicyCommand::Explain(args) => args.wrong_usage(),
            PolicyCommand::Test(_) | PolicyCommand::Replay(_) | PolicyCommand::Reload => None,
        }
    }
}

/// The configuration file, and whether somebody has named it.
#[derive(Clone, Copy, Debug)]
struct ConfigFile<'a> {
    path: &'a Path,
    is_named: bool,
}

pub(super) async fn run(args: &PolicyArgs, config: &Path, config_is_named: bool) -> Result<(), Refused> {
    let file = ConfigFile { path: config, is_named: config_is_named };
    match &args.command {
        PolicyCommand::Test(args) => test::run(args, file),
        PolicyCommand::Explain(args) => explain::run(args, file).await,
        PolicyCommand::Replay(args) => replay::run(args, file).await,
        PolicyCommand::Reload => reload::run(config).await,
    }
}
