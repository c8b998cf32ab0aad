//! The command line: one file per command.

pub mod audit;
pub mod check;
pub mod discord;
pub mod migrate;
mod moment;
mod paint;
pub mod policy;
mod screen;
pub mod serve;
pub mod slack;

pub mod completions;

use crate::clock::Clock;
use crate::config::{BadSecrets, Config, Finding, Report, Secrets, Severity};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Releases from chat to AWS App Runner or ECS Express Mode, with plans, approvals and an audit log.
#[derive(Debug, Parser)]
#[command(
    name = "slipway",
    version,
    propagate_version = true,
    after_help = "Exit status: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong usage.\n\
                  Secrets come from the environment: GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY;\n\
                  GITHUB_WEBHOOK_SECRET; SLIPWAY_API_TOKEN; SLIPWAY_CONFIG_HMAC_KEY; AWS's standard variables; for\n\
                  Slack SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET or SLACK_APP_TOKEN; for Discord DISCORD_TOKEN and, with\n\
                  mode = \"http\", DISCORD_PUBLIC_KEY.\n\
                  SLIPWAY_LOG sets what is logged, for example SLIPWAY_LOG=debug."
)]
pub struct Cli {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = "slipway.toml")]
    pub config: PathBuf,
    /// Whether somebody has named it, so that a command that can do without it takes it all the same.
    #[arg(skip)]
    pub config_is_named: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the bot until it is told to stop (SIGINT or SIGTERM)
    Serve(serve::ServeArgs),
    /// Check the configuration and what it needs, and say how to mend each mistake
    Check(check::CheckArgs),
    /// Look at the audit log
    Audit(audit::AuditArgs),
    /// Work with the policies
    Policy(policy::PolicyArgs),
    /// Run a folder of migrations on a database, as goose, dbmate, golang-migrate or sqlx would; needs no configuration
    Migrate(migrate::MigrateArgs),
    /// Set the app up in Slack
    Slack(slack::SlackArgs),
    /// Set the application up in Discord
    Discord(discord::DiscordArgs),
    /// Print what a shell needs to complete slipway's commands and options
    Completions(completions::CompletionsArgs),
}

/// Why a command was refused or failed: sentences for the person who typed it.
#[derive(Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl From<BadSecrets> for Refused {
    fn from(error: BadSecrets) -> Self {
        Self(error.to_string())
    }
}

impl From<Report> for Refused {
    fn from(report: Report) -> Self {
        Self(format!("{report}{}: {}. Nothing was done.", report.file, report.summary()))
    }
}

impl Cli {
    /// Reads the command line of this process. Wrong usage ends it with exit status 2.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::from_words(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// Wrong usage, and what `--help` and `--version` show.
    pub fn from_words<W: Into<OsString> + Clone>(words: impl IntoIterator<Item = W>) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(words)?;
        let config_is_named = matches.value_source("config") == Some(ValueSource::CommandLine);
        let cli = Self { config_is_named, ..Self::from_arg_matches(&matches)? };
        let wrong = match &cli.command {
            Command::Audit(args) => args.wrong_usage(Clock::System.now()),
            Command::Policy(args) => args.wrong_usage(),
            Command::Migrate(args) => args.wrong_usage(),
            Command::Serve(_) | Command::Check(_) | Command::Slack(_) | Command::Discord(_) => None,
            Command::Completions(_) => None,
        };
        match wrong {
            Some(wrong) => Err(Self::typed(&matches).error(ErrorKind::ArgumentConflict, wrong)),
            None => Ok(cli),
        }
    }

    /// The command that was typed: a mistake shows its usage, and not that of all.
    fn typed(matches: &ArgMatches) -> clap::Command {
        let (mut command, mut at) = (Self::command(), matches);
        command.build();
        while let Some((name, inner)) = at.subcommand() {
            let Some(next) = command.find_subcommand(name).cloned() else { break };
            (command, at) = (next, inner);
        }
        command
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// The reason, for standard error; the exit status is then 1.
    pub async fn run(self) -> Result<(), Refused> {
        match self.command {
            Command::Serve(args) => serve::run(&args, &self.config).await,
            Command::Check(args) => check::run(&args, &self.config).await,
            Command::Audit(args) => audit::run(&args, &self.config).await,
            Command::Policy(args) => policy::run(&args, &self.config, self.config_is_named).await,
            Command::Migrate(args) => migrate::run(&args).await,
            Command::Slack(args) => slack::run(&args, &self.config),
            Command::Discord(args) => discord::run(&args, &self.config).await,
            Command::Completions(args) => completions::run(&args),
        }
    }
}

/// The configuration for a command that goes on with it. Warnings are said in plain words, notes are left to `slipway check`.
fn load(path: &Path) -> Result<Config, Refused> {
    let (config, report) = Config::load(path)?;
    for warning in warnings(&report) {
        // Whoever does not listen any more needs none.
        let _ = writeln!(std::io::stderr().lock(), "warning: {warning}");
    }
    Ok(config)
}

/// `slipway.toml:1:1: there is no …  → add one`, for each.
fn warnings(report: &Report) -> Vec<String> {
    let of_a_line = |finding: &Finding| {
        let line = finding.in_file(&report.file).to_string();
        line.replacen(&format!("  {}  ", finding.severity), ": ", 1)
    };
    report.findings.iter().filter(|finding| finding.severity == Severity::Warning).map(of_a_line).collect()
}

fn load_with_secrets(path: &Path) -> Result<(Config, Secrets), Refused> {
    Ok((load(path)?, Secrets::from_env()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed_and_documented() {
        Cli::command().debug_assert();
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            assert!(command.get_about().is_some(), "{} has no help text", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "--{} has no help text", argument.get_id());
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn the_configuration_file_is_named_before_or_after_the_command() {
        for line in ["slipway --config a.toml check", "slipway check --config a.toml"] {
            let cli = Cli::from_words(line.split(' ')).unwrap();
            assert_eq!((cli.config.as_path(), cli.config_is_named), (Path::new("a.toml"), true));
        }
        assert!(!Cli::from_words(["slipway", "check"]).unwrap().config_is_named, "it is only the default");
        let cli = Cli::try_parse_from(["slipway", "audit", "verify"]).unwrap();
        assert_eq!(cli.config, Path::new("slipway.toml"));
        assert!(matches!(cli.command, Command::Audit(_)));
        assert_eq!(Cli::try_parse_from(["slipway", "chekc"]).unwrap_err().kind(), ErrorKind::InvalidSubcommand);
        assert_eq!(Cli::try_parse_from(["slipway", "chekc"]).unwrap_err().exit_code(), 2);
        assert_eq!(Cli::try_parse_from(["slipway", "--version"]).unwrap_err().exit_code(), 0);
    }

    #[test]
    fn a_warning_is_a_plain_line() {
        let file = b"[store]\nurl = \"sqlite://x.db\"\n[server]\n";
        let (_, report) = Config::check(file, Path::new("slipway.toml")).unwrap();
        let said = warnings(&report);
        assert!(!said.is_empty(), "{report}");
        for line in said {
            assert!(
                line.starts_with("slipway.toml:") && !line.contains("  warning  ") && !line.contains('{'),
                "{line}"
            );
        }
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_refused_in_words() {
        let cli = Cli::try_parse_from(["slipway", "serve", "--config", "no/such.toml"]).unwrap();
        let said = cli.run().await.unwrap_err().to_string();
        assert!(said.starts_with("no/such.toml:1:1  error  cannot be read: "), "{said}");
        assert!(said.contains("--config"), "{said}");
    }
}
