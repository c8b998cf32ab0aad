//! The policies of the sandbox's bot: those that Slipway comes with, for people who have minutes instead of days.

use slipway_core::policy::built_in;
use std::io;
use std::path::Path;

/// What differs, for those who watch.
pub(super) const REMARK: &str = "The policies are those that Slipway comes with, but that staging has to serve an image \
    for 2 seconds instead of 30 minutes before production takes it, and that nothing is frozen, so that this plays on \
    weekends too.";

/// What differs besides where the repository is the user's own.
pub(super) const REMARK_OWN: &str = "Your workflows may deploy or migrate past Slipway: the cards name what does, and here \
    production takes releases all the same.";

/// The rule that refuses what a repository of the user's own may well have.
const NO_WAY_AROUND: &str = "@id(\"no-way-around\")";

/// The file that only some days of the week go by.
const FREEZE: &str = "freeze.cedar";

/// Writes the policy folder.
///
/// # Errors
/// When it cannot be written, or when the soak time is no longer where it was.
pub(super) fn write(folder: &Path, own_repository: bool) -> io::Result<()> {
    std::fs::create_dir(folder)?;
    std::fs::write(folder.join("schema.cedarschema"), built_in::SCHEMA)?;
    let mut soaks = 0;
    for (name, text) in built_in::FILES.iter().filter(|(name, _)| *name != FREEZE) {
        soaks += text.matches("context.soak < 30 * 60").count();
        let quick = text
            .replace("context.soak < 30 * 60", "context.soak < 2")
            .replace("for 30 minutes, as", "for 2 seconds, as")
            .replace("soak-30m", "soak-2s");
        let quick = if own_repository { without(&quick, NO_WAY_AROUND) } else { quick };
        std::fs::write(folder.join(name), quick)?;
    }
    if soaks == 1 { Ok(()) } else { Err(io::Error::other(format!("{soaks} soak times in the policies instead of 1"))) }
}

/// A file without the rule that begins so.
fn without(text: &str, rule: &str) -> String {
    let Some((before, rest)) = text.split_once(rule) else { return text.to_owned() };
    let after = rest.split_once("};").map_or("", |(_, after)| after);
    format!("{before}{after}")
}
