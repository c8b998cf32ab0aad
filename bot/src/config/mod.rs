//! `slipway.toml`: read and checked as a whole, every mistake with its place and how to mend it.
//!
//! The file is walked by hand over the parser's spanned values rather than deserialised, because deserialising
//! ends at the first mistake. A new key is one entry in its section's list of keys and one line that reads it.

mod after_services;
mod audit;
mod checks;
mod cloud;
mod cross;
mod discord;
mod finding;
mod leak;
mod model;
mod paths;
mod policies;
mod position;
mod reactions;
mod read;
mod secrets;
mod section;
mod service;
mod slack;
mod syntax;
mod team;
#[cfg(test)]
mod tests;
mod values;

pub use audit::ANCHOR_AT_DEFAULT;
pub use cloud::{SECRET_NAME_LIMIT_BYTES, TAG_LIMIT_BYTES};
pub use finding::{FINDINGS_LIMIT, Finding, Report, Severity};
pub use model::{
    AppRunnerService, Audit, Channel, Config, Discord, DiscordMode, EcsExpressService, Environment, Github,
    ImageRepository, Migrations, Pace, Policies, PoliciesPlace, Reactions, Rehearse, RepositoryName, RollbackBy,
    SecretKey, Server, Service, Slack, SlackMode, Store, TagTemplate, Target, Terminal,
};
pub use reactions::REACTION_LIMIT;
pub use read::{
    ACK_BUDGET_DEFAULT_MS, ACK_BUDGET_MAX_MS, CHANNEL_LIMIT, FACT_AGE_DEFAULT_S, LISTEN_DEFAULT,
    MEMBERSHIP_AGE_DEFAULT_S, PERSON_LIMIT, SERVICE_LIMIT, TEAM_LIMIT,
};
pub use secrets::{BadSecrets, GithubCredential, Secrets};
pub(crate) use section::alike;
pub use service::MIGRATIONS_CHECK;
pub use service::{
    CONFIG_SECRET_LIMIT, ENVIRONMENT_LIMIT, HEALTH_BAKE_DEFAULT, HEALTH_BAKE_MAX, TARGET_LIMIT, VOTE_EXPIRY_DEFAULT,
};
pub use team::TEAM_SECTION_LIMIT;
pub use values::{NAME_LIMIT_CHARS, TEXT_LIMIT_BYTES, URL_LIMIT_BYTES};

use position::Lines;
use section::Checker;
use std::io::Read;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest configuration file.
pub const FILE_LIMIT_BYTES: usize = 1024 * 1024;

impl Config {
    /// Reads and checks the file. The report of an accepted file holds warnings and notes only.
    ///
    /// # Errors
    /// The report with every mistake, when there is at least one, or when the file cannot be read.
    pub fn load(path: &Path) -> Result<(Self, Report), Report> {
        match read_bounded(path) {
            Ok(bytes) => Self::check(&bytes, path),
            Err(error) => {
                let message = format!("cannot be read: {error}");
                let mend = "name the file with --config; docs/slipway.example.toml is one to start from";
                Err(whole_file(path, message, mend))
            }
        }
    }

    /// Checks the content of a file. `path` is its name for the report, and its folder is what relative paths in
    /// it are joined to; nothing is read from there.
    ///
    /// # Errors
    /// The report with every mistake, when there is at least one.
    pub fn check(content: &[u8], path: &Path) -> Result<(Self, Report), Report> {
        if content.len() > FILE_LIMIT_BYTES {
            let message = format!("is larger than {FILE_LIMIT_BYTES} bytes");
            return Err(whole_file(path, message, "is this the right file?"));
        }
        let text = match std::str::from_utf8(content) {
            Ok(text) => text,
            Err(error) => return Err(not_utf8(content, error.valid_up_to(), path)),
        };
        let lines = Lines::new(text);
        let (document, errors) = DeTable::parse_recoverable(text);
        let (findings, recovered) = syntax::findings(&errors, &lines);
        let mut checker = Checker::new(lines, findings, recovered);
        let span = document.span();
        let root = Spanned::new(span, DeValue::Table(document.into_inner()));
        checker.report_secrets(&root);
        let config = root.get_ref().as_table().and_then(|table| read::config(&mut checker, table, path));
        let report = Report::new(path.display().to_string(), checker.into_findings());
        match config {
            Some(config) if !report.has_errors() => {
                Ok((Self { hash: slipway_core::audit::content_hash(content), ..config }, report))
            }
            _ => Err(report),
        }
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed is enough to know that the file is too large.
    std::fs::File::open(path)?.take(FILE_LIMIT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn whole_file(path: &Path, message: String, mend: &str) -> Report {
    report_of(path, (1, 1), message, mend)
}

fn not_utf8(content: &[u8], at: usize, path: &Path) -> Report {
    let valid = String::from_utf8_lossy(&content[..at]);
    report_of(path, Lines::new(&valid).position(at), "this byte is not UTF-8".to_owned(), "save the file as UTF-8")
}

fn report_of(path: &Path, (line, column): (usize, usize), message: String, mend: &str) -> Report {
    let finding =
        Finding { severity: Severity::Error, line, column, key_path: String::new(), message, mend: mend.to_owned() };
    Report::new(path.display().to_string(), vec![finding])
}
