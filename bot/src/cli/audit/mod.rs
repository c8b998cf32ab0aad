//! `slipway audit`: one file per command.

mod anchor;
mod export;
#[cfg(test)]
mod tests;
mod verify;

use super::Refused;
use crate::audit_log::AuditLogError;
use clap::{Args, Subcommand};
use jiff::Timestamp;
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
    /// Recompute the hash chain and name the first record that was changed, deleted or moved
    Verify(verify::VerifyArgs),
    /// Write the records as JSON lines, which can be verified again, or as CSV
    Export(export::ExportArgs),
    /// Print the end of the chain, to keep it elsewhere and verify against it later
    Anchor,
}

impl AuditArgs {
    /// What is wrong with the usage although the parser takes it.
    pub(super) fn wrong_usage(&self, now: Timestamp) -> Option<&'static str> {
        match &self.command {
            AuditCommand::Export(args) => args.wrong_usage(now),
            AuditCommand::Verify(_) | AuditCommand::Anchor => None,
        }
    }
}

/// What a command says when it is done; an export without a file has written itself to standard output.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// On standard output.
    out: Option<String>,
    /// On standard error, a line each.
    aside: Vec<String>,
}

pub(super) async fn run(args: &AuditArgs, path: &Path) -> Result<(), Refused> {
    let Said { out, aside } = done(args, path).await?;
    // Whoever does not listen any more needs no error.
    for line in aside {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
    if let Some(line) = out {
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
    Ok(())
}

async fn done(args: &AuditArgs, path: &Path) -> Result<Said, Refused> {
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
