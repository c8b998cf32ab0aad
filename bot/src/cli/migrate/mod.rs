//! `slipway migrate`: one file per command. It works on a folder and a database and needs no configuration file.

mod baseline;
mod down;
mod failed;
mod folder;
mod lint;
mod new;
mod out;
mod place;
mod plan;
mod status;
mod up;
mod watch;

use super::{Refused, screen};
use clap::{Args, Subcommand};
use failed::Failed;
use out::Out;
use serde_json::Value;

/// Arguments of `slipway migrate`.
#[derive(Debug, Args)]
#[command(after_help = "The database is what --database names, or else the variable DATABASE_URL, or else \
    GOOSE_DBSTRING. Whoever looks at the list of processes sees the command line, so a password belongs in the variable.")]
pub struct MigrateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: MigrateCommand,
}

/// What to do with the migrations.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Show what `up` would do, and what is dangerous about it; changes nothing
    Plan(plan::PlanArgs),
    /// Show how each migration stands; changes nothing
    Status(status::StatusArgs),
    /// Apply pending migrations
    Up(up::UpArgs),
    /// Take back what was applied last
    #[command(alias = "rollback")]
    Down(down::DownArgs),
    /// Say what is wrong or dangerous, by file and line; needs no database
    Lint(lint::LintArgs),
    /// Create the files of a new migration, as the folder's own tool would
    #[command(alias = "create")]
    New(new::NewArgs),
    /// Record migrations as applied on a database that got its schema another way, after comparing
    Baseline(baseline::BaselineArgs),
}

impl MigrateArgs {
    /// What is wrong with the usage although the parser takes it.
    pub(super) fn wrong_usage(&self) -> Option<&'static str> {
        match &self.command {
            MigrateCommand::Plan(args) => args.database.wrong_usage(),
            MigrateCommand::Status(args) => args.database.wrong_usage(),
            MigrateCommand::Up(args) => args.database.wrong_usage(),
            MigrateCommand::Down(args) => args.database.wrong_usage(),
            MigrateCommand::Baseline(args) => args.database.wrong_usage(),
            MigrateCommand::Lint(_) | MigrateCommand::New(_) => None,
        }
    }

    fn json(&self) -> bool {
        match &self.command {
            MigrateCommand::Plan(args) => args.json,
            MigrateCommand::Status(args) => args.json,
            MigrateCommand::Up(args) => args.json,
            MigrateCommand::Down(args) => args.json,
            MigrateCommand::Lint(args) => args.json,
            MigrateCommand::New(args) => args.json,
            MigrateCommand::Baseline(args) => args.json,
        }
    }
}

pub(super) async fn run(args: &MigrateArgs) -> Result<(), Refused> {
    let out = Out::new(args.json());
    match command(&args.command, out).await {
        Ok(document) => {
            if out.json {
                screen::show_json(&document);
            }
            Ok(())
        }
        Err(failed) => {
            if out.json {
                screen::show_json(&failed.document());
            }
            Err(Refused(failed.words))
        }
    }
}

/// Does it; the answer is the JSON document that `--json` prints.
async fn command(command: &MigrateCommand, out: Out) -> Result<Value, Failed> {
    match command {
        MigrateCommand::Plan(args) => plan::run(args, out).await,
        MigrateCommand::Status(args) => status::run(args, out).await,
        MigrateCommand::Up(args) => up::run(args, out).await,
        MigrateCommand::Down(args) => down::run(args, out).await,
        MigrateCommand::Lint(args) => lint::run(args, out).await,
        MigrateCommand::New(args) => new::run(args, out),
        MigrateCommand::Baseline(args) => baseline::run(args, out).await,
    }
}
