//! What the check says about whole files.

mod after_services;
mod chats;
mod file;
mod general;
mod github;
mod paths;
mod services;

use super::{Config, Report};
use expect_test::Expect;
use std::path::Path;

/// The smallest file that is accepted without a word, in pieces that tests replace.
const STORE: &str = "[store]\nurl = \"sqlite://slipway.db\"\n";
const TERMINAL: &str = "[terminal]\nchannels = [\"releases\"]\n";
const SERVICE: &str = r#"[service.goals]
repository = "acme/goals"
workflow = "build.yaml"
image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/goals"
channels = ["terminal:releases"]
"#;
const STAGING: &str = r#"[service.goals.environment.staging]
target = { kind = "app-runner", service_arn = "arn:aws:apprunner:us-west-2:123456789012:service/goals-staging/8fe1e10304f84fd2b0df550fe98a71fa" }
"#;
const PERSON: &str = "[person.ana]\nterminal = \"ana\"\n";

fn minimal() -> String {
    [STORE, TERMINAL, SERVICE, STAGING, PERSON].concat()
}

fn check(text: &str) -> Result<(Config, Report), Report> {
    Config::check(text.as_bytes(), Path::new("slipway.toml"))
}

fn report(text: &str) -> Report {
    match check(text) {
        Ok((_, report)) | Err(report) => report,
    }
}

fn said(text: &str) -> String {
    report(text).to_string()
}

/// The minimal file with `from` replaced by `to`, one finding a line.
fn changed(from: &str, to: &str) -> String {
    let minimal = minimal();
    assert_eq!(minimal.matches(from).count(), 1, "{from:?} is not once in the minimal file");
    minimal.replace(from, to)
}

/// Adds lines to a section of the minimal file, after its header.
fn with(header: &str, lines: &str) -> String {
    changed(header, &format!("{header}\n{lines}"))
}

/// A table of changes: what is said about each.
fn says(cases: &[String], expected: &Expect) {
    expected.assert_eq(&cases.iter().map(|case| said(case)).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_minimal_file_is_accepted_without_a_word() {
    let (config, report) = check(&minimal()).unwrap();
    assert_eq!(report.to_string(), "");
    assert_eq!(report.summary(), "no errors");
    assert_eq!(config.environments().count(), 1);
}
