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
        let say = if failed == 1 { "one case says".to_owned() } else { format!("{failed} cases say") };
        Err(Refused(format!("The policies do not do what {say}.")))
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

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::policy::built_in;

    const CASE: &str = r#"
[base]
people = { ana = ["developers"], bob = ["release"] }
service = "goals"
environment = "staging"
requester = "ana"
now = "2026-11-25 12:00"

[[case]]
name = "Staging is open"
expect = "allow"
"#;

    /// A folder with the shipped rules and these cases.
    fn folder(cases: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("schema.cedarschema"), built_in::SCHEMA).unwrap();
        for (name, text) in built_in::FILES {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let names =
            "teams = [\"developers\", \"release\", \"sre\", \"dba\"]\nenvironments = [\"staging\", \"production\"]";
        std::fs::write(folder.path().join("vocabulary.toml"), names).unwrap();
        for (name, text) in cases {
            std::fs::create_dir_all(folder.path().join("tests")).unwrap();
            std::fs::write(folder.path().join("tests").join(name), text).unwrap();
        }
        folder
    }

    fn runs(dir: &Path, all_rules: bool) -> Result<(), String> {
        let file = ConfigFile { path: Path::new("no/such.toml"), is_named: false };
        run(&TestArgs { policies: dir.to_owned(), all_rules }, file).map_err(|refused| refused.0)
    }

    #[test]
    fn the_shipped_folder_passes_by_itself_and_each_of_its_rules_is_missed() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("policies");
        assert_eq!(runs(&shipped, true), Ok(()));
    }

    #[test]
    fn what_no_case_would_miss_is_a_failure_only_where_somebody_wants_that() {
        let folder = folder(&[("a.toml", CASE)]);
        assert_eq!(runs(folder.path(), false), Ok(()));
        let said = runs(folder.path(), true).unwrap_err();
        assert_eq!(said, "There are rules that no case would miss, and --all-rules wants one for each.");
    }

    #[test]
    fn a_case_that_fails_no_case_and_a_mistake_are_failures() {
        let failing = CASE.replace("\"allow\"", "\"deny\"\nreasons = [\"ci-green\"]");
        let said = runs(folder(&[("a.toml", &failing)]).path(), false).unwrap_err();
        assert_eq!(said, "The policies do not do what one case says.");
        let said = runs(folder(&[]).path(), false).unwrap_err();
        assert!(said.starts_with("There is no case in ") && said.contains("Write one into a .toml file"), "{said}");
        let misspelt = CASE.replace("\"staging\"", "\"stagin\"");
        let said = runs(folder(&[("a.toml", CASE), ("b.toml", &misspelt)]).path(), false).unwrap_err();
        assert_eq!(
            said,
            "tests/b.toml:5:15: There is no environment \"stagin\". Write \"staging\".\n\
             The cases have mistakes, and none was run."
        );
    }

    #[test]
    fn the_rules_themselves_are_checked_and_the_folder_is_named() {
        let folder = folder(&[("a.toml", CASE)]);
        std::fs::write(folder.path().join("x.cedar"), "permit (principal, action, resource);").unwrap();
        let said = runs(folder.path(), false).unwrap_err();
        assert!(said.starts_with("x.cedar:1:1: This rule has no name.") && said.ends_with("have mistakes."), "{said}");
        std::fs::remove_file(folder.path().join("x.cedar")).unwrap();
        std::fs::write(folder.path().join("vocabulary.toml"), "teams = []\nenvironmnts = []").unwrap();
        let said = runs(folder.path(), false).unwrap_err();
        assert!(said.starts_with("vocabulary.toml: ") && said.contains("line 2"), "{said}");
        let said = runs(Path::new("no/such/folder"), false).unwrap_err();
        assert!(
            said.starts_with("The policies in no/such/folder cannot be read: ") && said.contains("--policies"),
            "{said}"
        );
    }
}
