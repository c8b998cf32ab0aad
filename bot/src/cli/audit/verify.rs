//! `slipway audit verify`.

use super::{Refused, Said, records};
use crate::audit_log::{AuditSource, Verified, verify};
use clap::Args;
use slipway_core::audit::{Anchor, Whole};
use std::path::{Path, PathBuf};

/// Arguments of `slipway audit verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// An anchor that was posted or kept: shows also a log that was cut off or written anew
    #[arg(long, value_name = "COUNT:HASH")]
    pub anchor: Option<Anchor>,
    /// Verify exported JSON lines instead of the bot's own log
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

pub(super) async fn run(args: &VerifyArgs, path: &Path) -> Result<Said, Refused> {
    let verified = match &args.file {
        Some(file) => verify(AuditSource::File(file), args.anchor.clone()).await?,
        None => verify(AuditSource::Store(&crate::cli::load(path)?.store.path), args.anchor.clone()).await?,
    };
    let what = if args.file.is_some() { "export" } else { "audit log" };
    match verified {
        Verified::Whole(whole) => Ok(Said { out: Some(sentence(what, &whole)), aside: vec![] }),
        Verified::Broken(broken) => Err(Refused(format!("The {what} is broken: {broken}."))),
    }
}

/// `the audit log is whole: 25 records, head …; the anchor holds, 5 records came after it`.
fn sentence(what: &str, whole: &Whole) -> String {
    let Whole { first, end, after_anchor } = whole;
    let count = records((end.count + 1).saturating_sub(*first));
    let which = if *first > 1 { format!(" from {first} to {}", end.count) } else { String::new() };
    let anchor = after_anchor.map(|after| format!("; the anchor holds, {} came after it", records(after)));
    format!("the {what} is whole: {count}{which}, head {}{}", end.head, anchor.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_is_said_in_one_line() {
        let end = Anchor { count: 25, head: Anchor::genesis().head };
        let said = |first, after_anchor| {
            let whole = Whole { first, end: end.clone(), after_anchor };
            sentence("audit log", &whole).replace(end.head.as_str(), "HASH")
        };
        assert_eq!(said(1, None), "the audit log is whole: 25 records, head HASH");
        assert_eq!(
            said(1, Some(1)),
            "the audit log is whole: 25 records, head HASH; the anchor holds, 1 record came after it"
        );
        assert_eq!(said(25, None), "the audit log is whole: 1 record from 25 to 25, head HASH");
    }
}
