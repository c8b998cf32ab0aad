//! Rules in a repository: looked at again and again, so that a merge there is all that it takes.

use super::Timekeeper;
use crate::policies::{Reloaded, Source};
use tracing::{info, warn};

/// How often the repository is looked at, when nothing else is configured.
const LOOK_EVERY_S: i64 = 120;
/// Who the audit log names.
const BY: &str = "repository";

impl Timekeeper {
    /// Reads the rules again, if they are kept in a repository and it is time.
    pub(super) async fn look_at_policies(&self) {
        if !matches!(self.policies.origin().source, Source::Repository { .. }) {
            return;
        }
        let every_ms = self.setup.pace.policies_s(LOOK_EVERY_S).saturating_mul(1_000);
        if !self.policies_due.is_due(self.clock.now_ms(), every_ms) {
            return;
        }
        match self.policies.reload(BY).await {
            Ok(Reloaded::Same { .. }) => {}
            Ok(Reloaded::Changed { hash, rules, .. }) => info!(hash, rules, "the policies' repository has changed"),
            Err(error) => warn!(%error, "the policies could not be read again, so those in force stay"),
        }
    }
}
