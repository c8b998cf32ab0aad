//! `slipway policy test`.

use super::rules::{self, DIR_DEFAULT};
use super::{ConfigFile, Refused, screen};
use crate::policies::{Folder, PolicyText};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use slipway_core::message::Message;
use slipway_core::policy_case::{self, Policies, PolicyCase};
use std::path::{Path, PathBuf};

/// Arguments of `slipway policy test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The policies' folder; its cases are in DIR/tests/*.toml
    #[arg(long, value_name = "DIR", default_value = DIR_DEFAULT)]
    pub policies: PathBuf,
    /// Fail also when there is a rule that no case would miss
    #[arg(long)]
    pub all_rules: bool,
}

pub(super) fn run(args: &TestArgs, file: ConfigFile<'_>) -> Result<(), Refused> {
    let text = rules::read(&args.policies, file)?;
    let (messages, end) = test(&args.policies, &text, args.all_rules)?;
    for message in &messages {
        screen::show(message, &TimeZone::UTC, Timestamp::UNIX_EPOCH);
    }
    end
}

/// What is to be shown, and how it ends.
fn test(dir: &Path, text: &PolicyText, all_rules: bool) -> Result<(Vec<Message>, Result<(), Refused>), Refused> {
    let cases = cases(dir, text)?;
    let policies = policies(text);
    let suite = policies.run(&cases).map_err(|mistakes| rules::in_rules(&mistakes))?;
    let mut messages: Vec<_> = suite.failed().map(policy_case::failure).collect();
    messages.extend(policy_case::undecided(&suite));
    messages.push(policy_case::summary(&suite, all_rules));
    let failed = suite.failed().count();
    let end = if failed > 0 {
        Err(Refused(format!("The policies do not do what {failed} of their cases say.")))
    } else if all_rules && !suite.undecided.is_empty() {
        Err(Refused("There are rules that no case would miss, and --all-rules wants one for each.".to_owned()))
    } else {
        Ok(())
    };
    Ok((messages, end))
}

/// The rules in the shape that cases want.
pub(super) fn policies(text: &PolicyText) -> Policies<'_> {
    Policies { schema: &text.schema, files: &text.files, vocabulary: &text.vocabulary }
}

/// All cases of a folder.
fn cases(dir: &Path, text: &PolicyText) -> Result<Vec<PolicyCase>, Refused> {
    let files = Folder(dir).cases().map_err(|error| rules::refused(&error))?;
    let (mut cases, mut mistakes) = (Vec::new(), Vec::new());
    for (name, content) in &files {
        match PolicyCase::read(name, content, &text.vocabulary) {
            Ok(read) => cases.extend(read),
            Err(found) => mistakes.extend(found),
        }
    }
    if !mistakes.is_empty() {
        return Err(rules::mistaken("The cases have mistakes, and none was run.", &mistakes));
    }
    if cases.is_empty() {
        let tests = dir.join("tests");
        return Err(Refused(format!(
            "There is no case in {}. Write one into a .toml file there; the policies that come with Slipway have some.",
            tests.display()
        )));
    }
    Ok(cases)
}
