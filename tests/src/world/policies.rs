//! The policies of the sandbox's bot: those that Slipway comes with, for people who have minutes instead of days.

use slipway_core::policy::built_in;
use std::io;
use std::path::Path;

/// What differs, for those who watch.
pub(super) const REMARK: &str = "The policies are those that Slipway comes with, but that staging has to serve an image \
    for 2 seconds instead of 30 minutes before production takes it, and that nothing is frozen, so that this plays on \
    weekends too.";

/// The file that only some days of the week go by.
const FREEZE: &str = "freeze.cedar";

/// Writes the policy folder.
///
/// # Errors
/// When it cannot be written, or when the soak time is no longer where it was.
pub(super) fn write(folder: &Path) -> io::Result<()> {
    std::fs::create_dir(folder)?;
    std::fs::write(folder.join("schema.cedarschema"), built_in::SCHEMA)?;
    let mut soaks = 0;
    for (name, text) in built_in::FILES.iter().filter(|(name, _)| *name != FREEZE) {
        soaks += text.matches("context.soak < 30 * 60").count();
        let quick = text
            .replace("context.soak < 30 * 60", "context.soak < 2")
            .replace("for 30 minutes, as", "for 2 seconds, as");
        std::fs::write(folder.join(name), quick)?;
    }
    if soaks == 1 { Ok(()) } else { Err(io::Error::other(format!("{soaks} soak times in the policies instead of 1"))) }
}
