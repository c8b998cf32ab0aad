//! `checks` of an environment: names, or what branch protection requires.

use super::section::{Checker, Section, Wrong};
use slipway_deploy::github::Required;

/// How many checks one environment may name.
const CHECKS_LIMIT: usize = 50;
/// The longest name of a check.
const NAME_LIMIT_CHARS: usize = 200;
/// What stands for the protection of the default branch.
const PROTECTION: &str = "branch-protection";
const EXAMPLE: &str = r#"write checks = ["build", "test"], or checks = "branch-protection""#;

/// Reads it. Absent: all checks of a commit. What is wrong is reported, and nothing is released with it.
pub(super) fn read(c: &mut Checker<'_>, section: &Section<'_, '_>) -> Required {
    let Some((value, place)) = section.value("checks") else { return Required::All };
    if value.get_ref().is_str() {
        return match section.read(c, "checks", protection) {
            Some(_) => Required::Protection,
            None => Required::All,
        };
    }
    let names = section.list(c, "checks", CHECKS_LIMIT, name);
    if value.get_ref().as_array().is_some_and(|items| items.is_empty()) {
        // No checks at all would be green for every commit.
        c.error(&place, "is empty", EXAMPLE);
    }
    Required::Named(names.into_iter().map(|(name, _)| name).collect())
}

fn protection(text: &str) -> Result<(), Wrong> {
    if text == PROTECTION {
        Ok(())
    } else {
        Err(Wrong::new("is neither a list of names nor \"branch-protection\"", EXAMPLE))
    }
}

fn name(text: &str) -> Result<String, Wrong> {
    if text.starts_with("slipway/") {
        return Err(Wrong::new("is a status that Slipway writes itself", "name checks of your CI"));
    }
    if text.trim() != text
        || text.is_empty()
        || text.chars().count() > NAME_LIMIT_CHARS
        || text.contains(char::is_control)
    {
        return Err(Wrong::new("is no name of a check", "write it as GitHub shows it under the commit"));
    }
    Ok(text.to_owned())
}
