//! `slipway audit anchor`.

use super::{Refused, Said};
use crate::audit_log::{AuditSource, Verified, verify};
use std::path::Path;

/// The end of a chain that is whole: one that is broken is nothing to compare with later.
pub(super) async fn run(path: &Path) -> Result<Said, Refused> {
    let config = crate::cli::load(path)?;
    match verify(AuditSource::Store(&config.store.path), None).await? {
        Verified::Whole(whole) => Ok(Said { out: Some(whole.end.to_string()), aside: vec![] }),
        Verified::Broken(broken) => Err(Refused(format!("The audit log is broken: {broken}. There is no anchor."))),
    }
}
